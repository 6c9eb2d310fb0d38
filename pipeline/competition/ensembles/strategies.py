"""Strategies: how the members of an ensemble are weighed by their records.

A *separable* strategy gives each member a weight of its own, apart from two numbers that all share: a floor of the
dispersion and the weight of newcomers. Leaving one member out then changes almost nothing, which is what makes
leave-one-out affordable (:mod:`pipeline.competition.ensembles.weighing`). The others look at all members at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Floats, Ints
from pipeline.leaderboard import Direction
from pipeline.registry import Registry

_FLOOR = 1e-3
"""Least dispersion that counts, as a share of the members' median: no record is that much steadier than the others."""


_CONSTANT = 1e-24
"""A variance below it is that of a constant, but for rounding."""


@dataclass(frozen=True)
class Track:
    """What was known, at a deadline, of the candidates of one cross-section.

    Parameters
    ----------
    models : object array of str, shape (models,)
    series : array, shape (cycles, models)
        The contest's primary metric over the ensemble's window, in the order of time; NaN where absent.
    direction : Direction
        Which way the primary metric is better.
    is_squared : bool
        Whether the series is of squared errors already.
    metrics : mapping of str to array of shape (models,)
        The contest's metrics over the same window, NaN where undefined; for custom strategies.
    section : Section or None
        What the candidates predict; for custom strategies.
    """

    models: npt.NDArray[np.object_]
    series: Floats
    direction: Direction
    is_squared: bool = False
    metrics: Mapping[str, Floats] = field(default_factory=dict)
    section: "Section | None" = None

    @property
    def n(self) -> Ints:
        """Cycles of each model in the window, shape (models,)."""
        return np.asarray((~np.isnan(self.series)).sum(axis=0), dtype=np.int64)

    @property
    def is_loss(self) -> bool:
        """Whether less is better."""
        return self.direction is Direction.ASC

    def mean(self) -> Floats:
        """Mean over cycles, NaN without any; shape (models,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.nansum(self.series, axis=0) / self.n)

    def variance(self) -> Floats:
        """Sample variance over cycles (ddof 1), NaN for fewer than two; shape (models,)."""
        deviation = self.series - self.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.where(self.n > 1, np.nansum(deviation**2, axis=0) / (self.n - 1), np.nan)
        return np.where(variance < _CONSTANT, 0.0, variance)

    def mean_square(self) -> Floats:
        """Mean squared error over cycles; shape (models,)."""
        squares = self.series if self.is_squared else self.series**2
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.nansum(squares, axis=0) / self.n)

    def of(self, places: Ints) -> "Track":
        """The records of some of the models."""
        return replace(
            self,
            models=self.models[places],
            series=self.series[:, places],
            metrics={name: values[places] for name, values in self.metrics.items()},
            section=None if self.section is None else self.section.of(places),
        )

    def last(self, cycles: int) -> "Track":
        """The records of the last so many cycles."""
        section = self.section
        if section is not None:
            section = replace(section, cycles=section.cycles[-cycles:])
        return replace(self, series=self.series[-cycles:], section=section)


@dataclass(frozen=True)
class Section:
    """One cross-section as its members predict it.

    Parameters
    ----------
    cycle : datetime64
    horizon : int
    subjects : object array of str, shape (subjects,)
    signals : array, shape (models, subjects)
        As submitted, NaN where absent.
    cycles : array of datetime64
        The cycles of the track's series.
    """

    cycle: np.datetime64
    horizon: int
    subjects: npt.NDArray[np.object_]
    signals: Floats
    cycles: npt.NDArray[np.datetime64] = field(default_factory=lambda: np.array([], dtype="M8[us]"))

    def of(self, places: Ints) -> "Section":
        """The predictions of some of the models."""
        return replace(self, signals=self.signals[places])


@dataclass(frozen=True)
class Terms:
    """What an ensemble declares for its strategy; see the fields of ``EnsembleConfig``."""

    window: int = 52
    min_history: int = 13
    theta: float = 1.0
    max_weight: float = 0.5


@dataclass(frozen=True)
class JointWeights:
    """Weights found together.

    Parameters
    ----------
    weights : array, shape (models,)
        At least 0.
    fallback : object array of str or None, shape (models,), or None
        Why a member's weight is not the strategy's own; None where all are.
    """

    weights: Floats
    fallback: npt.NDArray[np.object_] | None = None

    @classmethod
    def equal(cls, models: int, why: str) -> "JointWeights":
        """Equal weights of so many models, instead of what was asked for."""
        return cls(np.ones(models), np.full(models, why, dtype=object))


_OF_HISTORY = frozenset({"window", "min_history"})

Own = Callable[[Track, Floats], Floats]
"""From records and floored dispersions to each member's own weight, shape (models,)."""


@dataclass(frozen=True)
class Strategy:
    """A named strategy.

    Parameters
    ----------
    name : str
    for_losses : bool
        Whether it is defined for a primary metric where less is better.
    for_gains : bool
        Whether it is defined for one where more is better.
    needs : int
        Cycles that it needs, whatever the ensemble's window.
    needs_per_member : int
        The same for each member.
    refit_every : int
        It looks at whole stretches of so many resolved cycles, so that its weights last for as long.
    terms : frozenset of str
        Which fields of :class:`Terms` it looks at.
    """

    name: str
    for_losses: bool = True
    for_gains: bool = True
    needs: int = 0
    needs_per_member: int = 0
    refit_every: int = 1
    terms: frozenset[str] = _OF_HISTORY

    def cycles_needed(self, members: int) -> int:
        """How many cycles it needs for so many members."""
        return max(self.needs, self.needs_per_member * members)


@dataclass(frozen=True, kw_only=True)
class SeparableStrategy(Strategy):
    """A strategy whose weights depend on other members by a floor and a median only.

    Parameters
    ----------
    dispersion : function or None
        What the floor is applied to; None where a weight needs no history, newcomers being like the others.
    own : function
        The weights, before newcomers are given theirs; at least 0.
    """

    dispersion: Callable[[Track], Floats] | None
    own: Own


@dataclass(frozen=True, kw_only=True)
class JointStrategy(Strategy):
    """A strategy that looks at all members at once; leaving one out means weighing all the others anew."""

    weigh: Callable[[Track, Terms], JointWeights]


def _equal_weight(track: Track, dispersion: Floats) -> Floats:  # noqa: ARG001  (the signature of all)
    """1/N for every member: hard to beat, since it estimates nothing.

    References
    ----------
    Bates & Granger (1969), *Operational Research Quarterly* 20; Timmermann (2006), *Handbook of Economic Forecasting*.
    """
    return np.ones(len(track.models))


def _dispersion(track: Track) -> Floats:
    return track.mean_square() if track.is_loss else track.variance()


def _inverse_variance(track: Track, dispersion: Floats) -> Floats:  # noqa: ARG001  (the signature of all)
    """1 / variance of the past primary metric; for losses 1 / mean squared error.

    For a metric where more is better it rewards steadiness, not skill: a model of pure noise on many subjects can get
    the largest weight. Show it beside equal weight.

    References
    ----------
    Bates & Granger (1969), *Operational Research Quarterly* 20, without covariances.
    """
    return 1 / dispersion


def _skill_variance(track: Track, dispersion: Floats) -> Floats:
    """max(mean, 0) / variance of the past primary metric: the weights of uncorrelated bets, without short ones.

    References
    ----------
    Markowitz (1952), *Journal of Finance* 7, with a diagonal covariance.
    """
    return np.maximum(track.mean(), 0.0) / dispersion


STRATEGIES: Registry[Strategy] = Registry("ensemble strategy", Strategy)
"""Every built-in strategy by name."""

equal_weight = STRATEGIES.register(
    "equal_weight", SeparableStrategy("equal_weight", terms=frozenset(), dispersion=None, own=_equal_weight)
)
inverse_variance = STRATEGIES.register(
    "inverse_variance", SeparableStrategy("inverse_variance", dispersion=_dispersion, own=_inverse_variance)
)
skill_variance = STRATEGIES.register(
    "skill_variance",
    SeparableStrategy("skill_variance", for_losses=False, dispersion=Track.variance, own=_skill_variance),
)


def floor_of(median: float) -> float:
    """The least dispersion that counts, given the median of the members."""
    return _FLOOR * median
