"""What an evaluation set is: which tasks count, what is said of every model on them, and who is listed.

The words are Podium's; :mod:`pipeline.competition.hub.predevals` translates those of forecast hubs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.competition.evaluations.measures import direction_of
from pipeline.declaration import Declaration, some
from pipeline.leaderboard import Direction

OVERALL = "overall"
"""How all tasks of a set are called, where others are called by what divides them."""

Breakdown = Literal["subject", "cycle", "horizon", "target_time"]


class Kind(StrEnum):
    """What a column of an evaluation says of a measure."""

    MEAN = "mean"
    """Its mean over the tasks of a model."""
    RELATIVE = "relative_skill"
    """Relative skill of a loss, beside the field."""
    SCALED = "scaled_relative_skill"
    """Relative skill of a loss, that of the baseline being 1."""


@dataclass(frozen=True)
class Column:
    """One number that is said of every model: a measure and what is made of it."""

    name: str
    measure: str
    kind: Kind

    @classmethod
    def of(cls, name: str) -> "Column":
        """``wis``, ``wis_relative_skill`` or ``wis_scaled_relative_skill``."""
        for kind in (Kind.SCALED, Kind.RELATIVE):
            if name.endswith(f"_{kind}"):
                return cls(name, name.removesuffix(f"_{kind}"), kind)
        return cls(name, name, Kind.MEAN)

    @property
    def is_relative(self) -> bool:
        """Whether it compares models with each other."""
        return self.kind is not Kind.MEAN


def _text(name: object) -> object:
    if isinstance(name, str) and not name.strip():
        raise ValueError("an evaluation set has no name; give one, such as 'season 2024-25'")
    return name.strip() if isinstance(name, str) else name


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise ValueError(f"{moment.isoformat()} has a time zone; cycles are in UTC and have none, write it without")
    return moment


def _as_list(declared: object) -> object:
    return [declared] if isinstance(declared, str | int) else declared


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class CyclesSpec(Declaration):
    """Which cycles count; all by default."""

    since: Moment | None = Field(default=None, description="The first cycle that counts.")
    until: Moment | None = Field(default=None, description="The last cycle that counts.")
    last: int | None = Field(
        default=None,
        ge=1,
        description="Of these, the last so many for which there is any prediction in the set, outcome known or not.",
    )
    only: Annotated[tuple[Moment, ...], some("[2025-01-04]")] | None = Field(
        default=None, description="The cycles that count, one by one."
    )

    @model_validator(mode="after")
    def _holds_some(self) -> "CyclesSpec":
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError(f"cycles until {self.until} end before those since {self.since}; exchange them")
        return self


class EvaluationSpec(Declaration):
    """One evaluation set: a choice of tasks, and the board of the models on them."""

    name: Annotated[str, BeforeValidator(_text)] = Field(
        description="What the set is called, in tables and on the command line.", examples=["season 2024-25, states"]
    )
    metrics: Annotated[tuple[str, ...], BeforeValidator(_as_list), some("[wis, interval_coverage_95]")] = Field(
        description="Measures of the scoring rule, averaged over tasks; relative skill also as "
        "<measure>_relative_skill and <measure>_scaled_relative_skill.",
        examples=[["wis", "ae_median", "interval_coverage_95"]],
    )
    relative_metrics: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Measures whose relative skill is shown before them, scaled by the baseline."
    )
    baseline: str | None = Field(
        default=None, description="The model whose relative skill is 1; it is listed whatever it submitted."
    )
    by: Annotated[tuple[Breakdown, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Boards of parts beside the whole: subject, cycle, horizon, target_time."
    )
    cycles: CyclesSpec = Field(default_factory=CyclesSpec)
    subjects: Annotated[tuple[str, ...], BeforeValidator(_as_list), some("[US]")] | None = Field(
        default=None, description="The subjects that count; all by default."
    )
    horizons: Annotated[tuple[int, ...], BeforeValidator(_as_list), some("[1, 2]")] | None = Field(
        default=None, description="The horizons that count; all by default."
    )
    target_times: Annotated[tuple[Moment, ...], some("[2025-01-04]")] | None = Field(
        default=None, description="The target times that count; all by default."
    )
    min_submitted: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Models that submitted a smaller share of the set's tasks are excluded, and listed so. The set's "
        "tasks are those that any model submitted.",
    )
    rank_by: str | None = Field(
        default=None, description="The column to rank by; the first by default that has a better end."
    )

    @model_validator(mode="after")
    def _agrees(self) -> "EvaluationSpec":
        twice = sorted({name for name in self.metrics if self.metrics.count(name) > 1})
        if twice:
            raise ValueError(f"evaluation {self.name!r}: metrics name {', '.join(twice)} twice; list each once")
        scaled = [column.name for column in self.columns if column.kind is Kind.SCALED]
        if scaled and self.baseline is None:
            raise ValueError(f"evaluation {self.name!r}: {', '.join(scaled)} need a baseline; name a model")
        if self.rank_by is not None and self.rank_by not in [column.name for column in self.columns]:
            known = ", ".join(column.name for column in self.columns)
            raise ValueError(f"evaluation {self.name!r}: rank_by {self.rank_by!r} is no column of it; known: {known}")
        if self.rank_by is not None and self.direction(Column.of(self.rank_by)) is Direction.NONE:
            raise ValueError(f"evaluation {self.name!r}: cannot rank by {self.rank_by!r}: neither end is better")
        no_losses = [name for name in self.relative_measures if direction_of(name) is not Direction.ASC]
        if no_losses:
            raise ValueError(
                f"evaluation {self.name!r}: {', '.join(no_losses)} cannot have relative skill; "
                f"relative skill is a ratio of losses, such as wis"
            )
        return self

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is said of every model, in order; relative skill comes before its measure."""
        kind = Kind.RELATIVE if self.baseline is None else Kind.SCALED
        relative = [f"{measure}_{kind}" for measure in self.relative_metrics if measure not in self.metrics]
        names = list(relative)
        for metric in self.metrics:
            if metric in self.relative_metrics:
                names.append(f"{metric}_{kind}")
            names.append(metric)
        return tuple(Column.of(name) for name in dict.fromkeys(names))

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that columns are made of, each once."""
        return tuple(dict.fromkeys(column.measure for column in self.columns))

    @property
    def relative_measures(self) -> tuple[str, ...]:
        """Those whose relative skill is shown."""
        return tuple(dict.fromkeys(column.measure for column in self.columns if column.is_relative))

    def direction(self, column: Column) -> Direction:
        """Which end of a column is better."""
        return Direction.ASC if column.is_relative else direction_of(column.measure)

    @property
    def ranked_by(self) -> Column | None:
        """The column that models are ranked by; None where no column has a better end."""
        for column in self.columns:
            if column.name == self.rank_by or (self.rank_by is None and self.direction(column) is not Direction.NONE):
                return column
        return None


def needed_measures(specs: Iterable[EvaluationSpec]) -> tuple[str, ...]:
    """The measures that any of the sets is made of, each once."""
    return tuple(dict.fromkeys(measure for spec in specs for measure in spec.measures))
