"""Scores of predictive quantiles: the weighted interval score with its parts, and how often intervals hold."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.scoring.scored import Measures, Scored, score_blocks

_ROUNDING = 1e-9
"""Two levels, or two quantiles relative to their size, that differ by less are the same."""


@dataclass(frozen=True)
class QuantileLevels:
    """Symmetric quantile levels in rising order.

    Parameters
    ----------
    levels : array of float, shape (levels,)
        In rising order.
    order : array of int, shape (levels,)
        How the levels given are brought into that order.
    """

    levels: Floats
    order: Ints

    @classmethod
    def of(cls, levels: npt.ArrayLike) -> "QuantileLevels":
        """Levels in any order.

        Raises
        ------
        ValueError
            If one is not between 0 and 1, occurs twice, or has no counterpart, as 0.9 has 0.1.
        """
        given = np.asarray(levels, dtype=np.float64)
        if given.ndim != 1 or given.size == 0 or not ((given > 0) & (given < 1)).all():
            raise ValueError(
                f"quantile levels are {given.tolist()}; give numbers between 0 and 1, such as 0.1, 0.5, 0.9"
            )
        order = np.argsort(given)
        rising = given[order]
        if (np.diff(rising) < _ROUNDING).any():
            raise ValueError(f"quantile levels {given.tolist()} hold one twice; give each level once")
        alone = [f"{level:g}" for level in rising if np.abs(rising + level - 1).min() > _ROUNDING]
        if alone:
            raise ValueError(
                f"quantile level {', '.join(alone)} has no counterpart; "
                f"intervals need levels in pairs, such as 0.1 and 0.9, and 0.5"
            )
        return cls(rising, order)

    @property
    def is_rising(self) -> bool:
        """Whether the levels were given in rising order."""
        return bool((self.order == np.arange(self.order.size)).all())

    @property
    def n_intervals(self) -> int:
        """Central intervals that the levels make."""
        return self.levels.size // 2

    @property
    def has_median(self) -> bool:
        """Whether 0.5 is among the levels."""
        return self.levels.size % 2 == 1

    @property
    def coverage_names(self) -> list[str]:
        """``interval_coverage_95`` for levels 0.025 and 0.975, the widest interval first."""
        lower = self.levels[: self.n_intervals]
        return [f"interval_coverage_{round(100 * (1 - 2 * level), 7):g}" for level in lower.tolist()]

    @property
    def names(self) -> list[str]:
        """Every measure of forecasts with these levels."""
        median = ["ae_median"] if self.has_median else []
        return ["wis", "dispersion", "underprediction", "overprediction", *median, *self.coverage_names]


def score_quantiles(values: npt.ArrayLike, observed: npt.ArrayLike, levels: npt.ArrayLike) -> Scored:
    """Weighted interval score, its parts, interval coverage and the median's absolute error.

    With K intervals [l, u] of level 1 - alpha, and the median m where it is among the levels, of an outcome y,

        WIS = (|y - m| / 2 + sum_k alpha_k / 2 IS_k) / (K + 1/2),
        IS_k = (u - l) + 2 / alpha_k max(l - y, 0) + 2 / alpha_k max(y - u, 0),

    the mean over all levels of twice the pinball loss. The first term of the IS is dispersion, the second
    overprediction, the third underprediction; the median's term goes to the side that it misses on. They add up to it.

    Parameters
    ----------
    values : array-like of float, shape (..., levels)
        Predictive quantiles in the outcome's unit; NaN is absent.
    observed : array-like of float, shape (...)
        Outcomes; NaN is absent.
    levels : array-like of float, shape (levels,)
        In any order; each with its counterpart.

    Returns
    -------
    Scored
        ``wis`` as the score; measures ``dispersion``, ``underprediction``, ``overprediction``, ``ae_median`` (with a
        median), and for each interval ``interval_coverage_N``: 1 where the outcome is in it, its ends included, else
        0. All but coverage have the outcome's unit. A row that lacks levels is ``incomplete`` and has what its levels
        allow; one whose quantiles fall as levels rise is ``crossing_quantiles`` and has nothing.

    Raises
    ------
    ValueError
        If levels are not what :meth:`QuantileLevels.of` takes, or shapes do not fit.

    References
    ----------
    Bracher, Ray, Gneiting & Reich (2021), "Evaluating epidemic forecasts in an interval format", PLOS Computational
    Biology 17(2).

    Examples
    --------
    >>> score_quantiles([[8, 10, 14]], [15], [0.1, 0.5, 0.9]).value.round(3).tolist()
    [2.733]
    """
    grid = QuantileLevels.of(levels)
    dense = np.asarray(values, dtype=np.float64)
    if dense.shape[-1:] != grid.order.shape:
        raise ValueError(
            f"quantiles have shape {dense.shape} and there are {grid.order.size} levels; give one per level"
        )
    return score_blocks(partial(_score, grid), grid.names, dense, observed)


def _score(grid: QuantileLevels, values: Floats, observed: Floats) -> tuple[Measures, list[tuple[Bools, str]]]:
    rising = values if grid.is_rising else np.take(values, grid.order, axis=1)
    n, k = grid.levels.size, grid.n_intervals
    error = rising - observed[:, None]
    lower, upper = error[:, :k], error[:, : n - k - 1 : -1]
    weight = 2 / n
    measures = {
        "dispersion": (rising[:, : n - k - 1 : -1] - rising[:, :k]) @ (grid.levels[:k] * weight),
        "underprediction": np.maximum(-upper, 0).sum(axis=1) * weight,
        "overprediction": np.maximum(lower, 0).sum(axis=1) * weight,
    }
    if grid.has_median:
        median = error[:, k]
        measures["ae_median"] = np.abs(median)
        measures["underprediction"] += np.maximum(-median, 0) / n
        measures["overprediction"] += np.maximum(median, 0) / n
    measures["wis"] = measures["dispersion"] + measures["underprediction"] + measures["overprediction"]
    absent = np.isnan(lower) | np.isnan(upper)
    inside = np.where(absent, np.nan, (lower <= 0) & (upper >= 0))
    measures |= dict(zip(grid.coverage_names, inside.T, strict=True))
    crosses = _crosses(rising)
    if crosses.any():
        measures = {name: np.where(crosses, np.nan, measure) for name, measure in measures.items()}
    return measures, [(crosses, "crossing_quantiles")]


def _crosses(rising: Floats) -> Bools:
    """Rows whose numbers fall anywhere along the levels by more than rounding; what is absent is passed over."""
    before = np.fmax.accumulate(rising, axis=1)
    fall = np.fmax.reduce(before - rising, axis=1)
    crosses = np.asarray(fall > 0)
    if crosses.any():
        size = np.fmax.reduce(np.abs(rising[crosses]), axis=1)
        crosses[crosses] = fall[crosses] > _ROUNDING * size
    return crosses
