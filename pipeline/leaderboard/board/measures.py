"""What a board's measures are: how a value is cast, what it means, and how topics are summed up.

The measures that well-known tools print are in ``known``.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from pipeline.leaderboard.arrays import refuse_duplicates
from pipeline.leaderboard.board.aggregation import Aggregate, AggregateFunction, aggregate_function
from pipeline.leaderboard.keys import Direction

ALL_TOPICS = "all"
"""What files call the row of a run that sums up its topics."""

MeasureName = str
Value = float | str
Dtype = type[float] | type[str]

_OF_DTYPE: Any = object()
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BREAKS = re.compile(r"[\t\r\n\x00]")
_NOT_A_NUMBER = re.compile(r"[+-]?nan", re.IGNORECASE)


def is_number(text: str) -> bool:
    """Whether a text is a finite number, or NaN, which stands for an absent one."""
    if not _NUMBER.fullmatch(text):
        return _NOT_A_NUMBER.fullmatch(text) is not None
    return math.isfinite(float(text))


def require_name(name: object, what: str) -> None:
    """Check a name of a run, topic or measure.

    Raises
    ------
    TypeError
        If it is no text.
    ValueError
        If it is empty, or a file that separates columns by tabs would not give it back.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} {name!r} is no text")
    if not name or name != name.strip() or _BREAKS.search(name):
        raise ValueError(
            f"{what} {name!r} is empty, begins or ends with a space, or has a tab or line break; "
            f"files could not hold it"
        )


class OnMissing(StrEnum):
    """What is done about a run that lacks a topic that it should have."""

    ERROR = "error"
    """Refuse to build."""
    WARN = "warn"
    """Say so, and sum up what is there."""
    DEFAULT = "default"
    """Add a row with the measures' defaults."""
    FIX_AGGREGATE = "fix_aggregate"
    """Sum up as if it had the measures' defaults, and add no row."""


@dataclass(frozen=True)
class MeasureSpec:
    """One measure of a board.

    Parameters
    ----------
    name : str
        As files call it: ``map``, ``nDCG@10``.
    dtype : type
        ``float`` or ``str``. Booleans are 1.0 and 0.0, whose mean is the share of the true ones.
    direction : Direction
        Which end is better; by default ``desc``, and ``none`` for text.
    aggregate : Aggregate
        How the values of a run's topics become the one of its ``all`` row; by default the mean, and for text the first.
    weight : float, optional
        Its share in a ranking by several measures; without one it takes no part in that.
    default : float or str, optional
        What counts for a topic that a run lacks, where ``on_missing`` asks for it. By default 0.0 where higher is
        better, an empty text, and nothing (None) otherwise: 0 would be the best that a loss can be.
    only_in_all : bool
        Whether topics have no value of it, only ``all`` rows.
    of : str, optional
        The measure whose topics it sums up, itself by default: ``gm_map`` is the geometric mean of ``map``.

    Raises
    ------
    ValueError
        If no file could hold the name, the dtype is neither, or text is to be ranked, weighed or averaged.
    """

    name: MeasureName
    dtype: Dtype = float
    direction: Direction = _OF_DTYPE
    aggregate: Aggregate = _OF_DTYPE
    weight: float | None = None
    default: Value | None = _OF_DTYPE
    only_in_all: bool = False
    of: MeasureName | None = None

    def __post_init__(self) -> None:
        if self.dtype not in (float, str):
            raise ValueError(
                f"measure {self.name!r} has dtype {getattr(self.dtype, '__name__', self.dtype)}; only float and str "
                f"survive being written and read: store whole numbers and booleans as float"
            )
        require_name(self.name, "measure name")
        is_text = self.dtype is str
        self._set_default("direction", Direction.NONE if is_text else Direction.DESC)
        self._set_default("aggregate", Aggregate.FIRST if is_text else Aggregate.MEAN)
        object.__setattr__(self, "direction", Direction(self.direction))
        object.__setattr__(self, "aggregate", Aggregate(self.aggregate))
        self._set_default("default", "" if is_text else 0.0 if self.direction is Direction.DESC else None)
        if self.default is not None:
            object.__setattr__(self, "default", self.cast(self.default))
        self._check_meaning(is_text)

    def _set_default(self, field: str, value: object) -> None:
        if getattr(self, field) is _OF_DTYPE:
            object.__setattr__(self, field, value)

    def _check_meaning(self, is_text: bool) -> None:
        if is_text and self.direction is not Direction.NONE:
            raise ValueError(f"measure {self.name!r} is text and has direction {self.direction}; text has none")
        if is_text and self.aggregate not in (Aggregate.FIRST, Aggregate.NONE):
            raise ValueError(f"measure {self.name!r} is text, which has no {self.aggregate}; use first or none")
        if self.weight is not None and (is_text or not (math.isfinite(self.weight) and self.weight > 0)):
            raise ValueError(f"measure {self.name!r} has weight {self.weight!r}; weights are positive, of numbers only")

    def cast(self, value: Any) -> Value | None:
        """A value in the measure's dtype; None where it is absent (None or NaN).

        Raises
        ------
        ValueError
            If it is no finite number, and the measure is one.
        """
        if value is None or self.dtype is str:
            return None if value is None else str(value)
        return self._number(value)

    def _number(self, value: Any) -> float | None:
        if isinstance(value, str) and not _NUMBER.fullmatch(value) and not _NOT_A_NUMBER.fullmatch(value):
            raise ValueError(f"value {value!r} of measure {self.name!r} is no number")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"value {value!r} of measure {self.name!r} is no number") from None
        if math.isinf(number):
            raise ValueError(f"value {value!r} of measure {self.name!r} is infinite; leave undefined values out (None)")
        return None if math.isnan(number) else number

    def get_cast(self) -> Callable[[Any], Value | None]:
        """The function that casts one value."""
        return self.cast

    def get_aggregate(self) -> AggregateFunction:
        """The function that sums up the values of one run's topics; of none of them it is None."""
        return aggregate_function(self.aggregate)

    def get_default(self) -> Value | None:
        """What counts for a missing topic; None where nothing can."""
        return self.default

    @property
    def source(self) -> MeasureName:
        """The measure whose topics it sums up."""
        return self.of or self.name


@dataclass(frozen=True)
class LeaderboardSpec:
    """The measures of a board, in their order.

    Parameters
    ----------
    measures : sequence of MeasureSpec
        Each name once.
    all_topic_id : str
        What aggregate rows have for a topic.

    Raises
    ------
    ValueError
        If a name occurs twice.
    """

    measures: tuple[MeasureSpec, ...]
    all_topic_id: str = ALL_TOPICS

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", tuple(self.measures))
        refuse_duplicates([measure.name for measure in self.measures], "measure", "list it once")

    @cached_property
    def names(self) -> tuple[MeasureName, ...]:
        """Names of the measures, in order."""
        return tuple(measure.name for measure in self.measures)

    @cached_property
    def name_set(self) -> frozenset[MeasureName]:
        """The names, to look one up."""
        return frozenset(self.names)

    @cached_property
    def topic_names(self) -> tuple[MeasureName, ...]:
        """Names of the measures that topics have."""
        return tuple(measure.name for measure in self.measures if not measure.only_in_all)

    def __getitem__(self, name: MeasureName) -> MeasureSpec:
        """The measure of that name.

        Raises
        ------
        KeyError
            If there is none; the message lists those there are.
        """
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(f"unknown measure {name!r}; the board has: {', '.join(self.names) or 'none'}")

    def require(self, given: Sequence[MeasureName] | Mapping[MeasureName, Any], *, is_aggregate: bool = False) -> None:
        """Check the names that a row gives.

        A topic's row has all that topics have and no other; an ``all`` row has every measure, but may go without those
        that have no aggregate.

        Raises
        ------
        KeyError
            If a measure is unknown or missing; the message lists all of them, and the measures of the board.
        """
        if is_aggregate:
            may = self.name_set
            must = [measure.name for measure in self.measures if measure.aggregate is not Aggregate.NONE]
        else:
            may = frozenset(self.topic_names)
            must = list(self.topic_names)
        names = set(given)
        unknown = sorted(names - may)
        missing = [name for name in must if name not in names]
        wrong = [f"unknown measures: {', '.join(unknown)}"] if unknown else []
        wrong += [f"missing measures: {', '.join(missing)} (give None for a value that is absent)"] if missing else []
        if wrong:
            kind, names_of_it = ("an all", self.names) if is_aggregate else ("a topic's", self.topic_names)
            raise KeyError(f"{'; '.join(wrong)}; {kind} row of this board has: {', '.join(names_of_it) or 'none'}")

    def cast_values(self, values: Mapping[MeasureName, Any]) -> dict[MeasureName, Value | None]:
        """Values by their measure's dtype, in the board's order; names are taken as checked by :meth:`require`."""
        return {measure.name: measure.cast(values[measure.name]) for measure in self.measures if measure.name in values}
