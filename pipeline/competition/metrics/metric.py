"""What a metric is: a function over a panel (or over a model's series) with its direction, pool and unit.

Add here only what every metric shares. One metric is one function in a module of its kind and one
``register`` line below it.
"""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import Reasons
from pipeline.leaderboard import Direction, Influence

BESIDE = "@"
"""Between the name of a metric of members and the ensemble that it is computed against: contribution@top5."""


def base_and_ensemble(name: str) -> tuple[str, str | None]:
    """What a listed name is made of: contribution and top5 of ``contribution@top5``, ic and None of ``ic``."""
    base, beside, ensemble = name.partition(BESIDE)
    return base, ensemble if beside else None


class Pool(StrEnum):
    """How the values of cycles make the value of a window."""

    CYCLES = "cycles"
    """Mean over the cycles where it is defined."""
    TASKS = "tasks"
    """Sum of numerators over sum of denominators."""
    SERIES = "series"
    """A function of the model's series of another metric."""


class Need(StrEnum):
    """What a metric reads of a panel besides signals, outcomes and scores; there only if a listed metric needs it."""

    FACTORS = "factors"
    """``Panel.factors``."""
    PREVIOUS = "previous"
    """``Panel.previous``, the previous cycle's signals."""


@dataclass(frozen=True)
class SectionMetric:
    """A metric of every cross-section and model.

    Parameters
    ----------
    value : array, shape (sections, models)
        NaN where undefined.
    n : array of int, shape (sections, models)
        Pairs that the value rests on.
    reason : array of int, shape (sections, models)
        Code of :mod:`pipeline.competition.reasons`; 0 where defined.
    numerator, denominator : arrays, shape (sections, models)
        For metrics pooled over tasks.
    """

    value: Floats
    n: Ints
    reason: Reasons
    numerator: Floats | None = None
    denominator: Floats | None = None

    def of(self, sections: Ints) -> "SectionMetric":
        """The same of some sections."""
        numerator, denominator = (None if one is None else one[sections] for one in (self.numerator, self.denominator))
        return SectionMetric(self.value[sections], self.n[sections], self.reason[sections], numerator, denominator)

    def tasks(self, name: str) -> tuple[Floats, Floats]:
        """Numerator and denominator; a ValueError that names the metric when it does not have them."""
        if self.numerator is None or self.denominator is None:
            raise ValueError(f"metric {name!r} pools over tasks; its function must give numerator and denominator")
        return self.numerator, self.denominator


@dataclass(frozen=True)
class SeriesMetric:
    """A metric of every model's series over a window.

    Parameters
    ----------
    influence : Influence
        The value, shape (models,), NaN where undefined, and how much each cycle moves it.
    reason : array of int, shape (models,)
        Code of :mod:`pipeline.competition.reasons`; 0 where defined.
    """

    influence: Influence
    reason: Reasons


@dataclass(frozen=True)
class EnsemblePanel:
    """An ensemble of the models of a panel, on the panel's axes.

    Parameters
    ----------
    signals : array, shape (sections, subjects)
        The ensemble's prediction; NaN where it has none.
    without : array, shape (sections, models, subjects)
        Its prediction without each model: the same for a model that is no member.
    is_member : bool array, shape (sections, models)
        Who has a part in it.
    is_separable : bool array, shape (sections,)
        Where leaving members out was affordable; elsewhere ``without`` says nothing.
    primary : function
        From a panel to the contest's primary metric, scores included.
    sign : int
        1 where more of the primary metric is better, -1 where less is.
    forecasts : Forecasts or None
        The distributions that ``signals`` sum up, of shape (sections, 1, subjects, ids); None of one number.
    forecasts_without : Forecasts or None
        Those that ``without`` sums up, of shape (sections, models, subjects, ids).
    """

    signals: Floats
    without: Floats
    is_member: Bools
    is_separable: Bools
    primary: "PanelFunction"
    sign: int = 1
    forecasts: Forecasts | None = None
    forecasts_without: Forecasts | None = None


PanelFunction = Callable[[Panel], SectionMetric]
MemberFunction = Callable[[Panel, EnsemblePanel], SectionMetric]
SeriesFunction = Callable[[Floats], SeriesMetric]


@dataclass(frozen=True)
class Metric:
    """A named metric.

    Parameters
    ----------
    name : str
        The name in YAML, tables and boards.
    pool : Pool
        How cycles make a window.
    direction : Direction or None
        Which way is better; None for that of the contest's scoring rule.
    unit : str
        Unit of the value.
    of_panel : function or None
        Computes it per cross-section; for pools ``cycles`` and ``tasks``.
    of_members : function or None
        Computes it per cross-section, for real models beside an ensemble; for pool ``cycles``.
    of_series : function or None
        Computes it from the series of the metric ``series_of``; for pool ``series``.
    series_of : str or None
    needs : frozenset of Need
        What the panel must hold besides signals, outcomes and scores.
    ranks : bool
        Whether a board may be ranked by it. A statistic that leaps where there is little of what it divides by
        may say something about a model, and yet not order models.
    bounds : (float, float) or None
        The least and the greatest value that it can take, where it has both; intervals are cut to them.
    measure : str or None
        The measure of the scoring rule that it is of; such a metric is there where predictions have that measure.
    output_types : tuple of str
        The only output types that it is of; empty for any.

    Raises
    ------
    ValueError
        If the functions given are not those that the pool needs.
    """

    name: str
    pool: Pool
    direction: Direction | None
    unit: str
    of_panel: PanelFunction | None = None
    of_series: SeriesFunction | None = None
    series_of: str | None = None
    of_members: MemberFunction | None = None
    needs: frozenset[Need] = frozenset()
    ranks: bool = True
    bounds: tuple[float, float] | None = None
    measure: str | None = None
    output_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.pool is Pool.SERIES) != (self.of_series is not None and self.series_of is not None):
            raise ValueError(f"metric {self.name!r}: pool series goes with of_series and series_of, and only with it")
        if (self.pool is not Pool.SERIES) != (self.of_panel is not None or self.of_members is not None):
            raise ValueError(f"metric {self.name!r}: pools cycles and tasks go with of_panel, and only with it")

    @property
    def is_of_any(self) -> bool:
        """Whether predictions of any output type have it."""
        return self.measure is None and not self.output_types

    def is_of(self, output_type: str, measures: Collection[str]) -> bool:
        """Whether predictions of an output type with these measures have the metric."""
        of_type = not self.output_types or output_type in self.output_types
        return of_type and (self.measure is None or self.measure in measures)

    def over_panel(self, panel: Panel) -> SectionMetric:
        """The metric of every cross-section and model of a panel.

        Raises
        ------
        ValueError
            If the pool is ``series``.
        """
        if self.of_panel is None:
            raise ValueError(f"metric {self.name!r} is of the series of {self.series_of!r}, not of a panel")
        return self.of_panel(panel)

    def beside(self, panel: Panel, ensemble: EnsemblePanel) -> SectionMetric:
        """The metric of every cross-section and model of a panel, beside an ensemble of them.

        Raises
        ------
        ValueError
            If it is no metric of members.
        """
        if self.of_members is None:
            raise ValueError(f"metric {self.name!r} is not computed beside an ensemble")
        return self.of_members(panel, ensemble)

    @property
    def description(self) -> str:
        """The first line of the function's docstring."""
        function = self.of_panel or self.of_members or self.of_series
        documented = (function and inspect.unwrap(function).__doc__) or ""
        return documented.strip().splitlines()[0] if documented.strip() else ""
