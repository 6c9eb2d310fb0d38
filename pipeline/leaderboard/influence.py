"""Influence: how much each cycle moves a statistic, for every smooth statistic that a board shows.

An influence series psi turns a statistic's error into a mean: estimate - truth is about sum(psi) / n. That is all
an interval or a comparison needs to know of a statistic, so a new one is added here, and nowhere else.
Statistics that are not smooth (drawdown, Sortino ratio) have none, and say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray

ZERO_VARIANCE = 1e-12
"""A standard deviation below this counts as zero."""


@dataclass(frozen=True, eq=False)
class Influence:
    """A statistic of every contestant over one window, with what each cycle contributes to its error.

    Parameters
    ----------
    value : float array
        The statistic, shape (contestants,); NaN where undefined.
    psi : float array
        Influence of each cycle, shape (cycles, contestants), in the unit of ``value``; 0 where absent or undefined.
    present : bool array
        Where a contestant has a cycle in the statistic, shape (cycles, contestants).
    is_smooth : bool
        Whether ``psi`` says anything; without it, it is 0 and the statistic has no interval.
    """

    value: FloatArray
    psi: FloatArray
    present: BoolArray
    is_smooth: bool = True

    @cached_property
    def n(self) -> IntArray:
        """Number of cycles present, shape (contestants,)."""
        return count_cycles(self.present)


def mean_influence(series: npt.ArrayLike) -> Influence:
    """The mean over cycles: psi = x - m.

    Parameters
    ----------
    series : array-like of float
        The metric per cycle, shape (cycles, contestants), in the order of time; what is not finite is absent.

    Returns
    -------
    Influence
        ``value`` is NaN for a contestant without any cycle.

    Raises
    ------
    ValueError
        If the series does not have two dimensions.
    """
    x, present = _observed("series", series)
    mean = _ratio(x.sum(axis=0), count_cycles(present))
    return _influence(mean, x - mean, present)


def sharpe_influence(series: npt.ArrayLike) -> Influence:
    """Mean over standard deviation (ddof 1), S = m / sd: psi = z - (S / 2)(z^2 - 1) with z = (x - m) / sd.

    Parameters
    ----------
    series : array-like of float
        The metric or return per cycle, shape (cycles, contestants), in the order of time; what is not finite is absent.

    Returns
    -------
    Influence
        ``value`` is NaN for fewer than two cycles and where sd < 1e-12.

    Raises
    ------
    ValueError
        If the series does not have two dimensions.

    References
    ----------
    Lo (2002), "The Statistics of Sharpe Ratios", Financial Analysts Journal 58(4).
    """
    x, present = _observed("series", series)
    n = count_cycles(present)
    mean = _ratio(x.sum(axis=0), n)
    deviation = np.where(present, x - mean, 0.0)
    sd = np.sqrt(_ratio((deviation**2).sum(axis=0), n - 1))
    sd = np.where(sd < ZERO_VARIANCE, np.nan, sd)
    value = mean / sd
    z = deviation / sd
    return _influence(value, z - value / 2 * (z**2 - 1), present)


def ratio_influence(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Influence:
    """A ratio of sums over cycles, theta = sum(s) / sum(c): psi = (s - theta c) / mean(c).

    For metrics pooled over tasks, such as hits over predictions. The mean of c is over the cycles present, so that
    sum(psi) / n is the delta method's error whatever n is.

    Parameters
    ----------
    numerator, denominator : array-like of float
        s and c per cycle, shape (cycles, contestants), in the order of time; a cycle where either is not finite,
        or c is 0, is absent.

    Returns
    -------
    Influence
        ``value`` is NaN for a contestant without any cycle.

    Raises
    ------
    ValueError
        If the shapes differ or do not have two dimensions, or a denominator is negative.
    """
    s, s_present = _observed("numerator", numerator)
    c, c_present = _observed("denominator", denominator)
    if s.shape != c.shape:
        raise ValueError(f"numerator has shape {s.shape} and denominator {c.shape}; give both per cycle and contestant")
    if (c < 0).any():
        raise ValueError("a denominator is negative; it counts or weighs tasks, give 0 or more")
    present = s_present & c_present & (c > 0)
    s, c = np.where(present, s, 0.0), np.where(present, c, 0.0)
    total = c.sum(axis=0)
    theta = _ratio(s.sum(axis=0), total)
    return _influence(theta, _ratio(s - theta * c, _ratio(total, count_cycles(present))), present)


def combined_influence(parts: Sequence[Influence], weights: Sequence[float]) -> Influence:
    """A weighted sum of statistics over one window: the same sum of their values and of their influence.

    For parts over different windows see :func:`pipeline.leaderboard.intervals.weighted_interval`. Where a cycle is
    present in some parts only, each part's influence is scaled from its own number of cycles to that of the union.

    Parameters
    ----------
    parts : sequence of Influence
        Statistics of the same contestants over the same cycles.
    weights : sequence of float
        One per part.

    Returns
    -------
    Influence
        ``value`` is NaN where any part's is; ``present`` where any part is; smooth if all parts are.

    Raises
    ------
    ValueError
        If there are no parts, weights do not match the parts, or shapes differ.
    """
    require_parts(parts, weights)
    present = union_of_cycles(parts)
    n = count_cycles(present)
    value = np.zeros(present.shape[1])
    psi = np.zeros(present.shape)
    for part, weight in zip(parts, weights, strict=True):
        value += weight * part.value
        psi += weight * _ratio(n, part.n) * part.psi
    return replace(_influence(value, psi, present), is_smooth=all(part.is_smooth for part in parts))


def require_parts(parts: Sequence[Influence], weights: Sequence[float]) -> None:
    """Refuse parts that cannot be summed.

    Raises
    ------
    ValueError
        If there are no parts, weights do not match the parts, or shapes differ.
    """
    if not parts or len(parts) != len(weights):
        raise ValueError(f"{len(parts)} parts and {len(weights)} weights; give at least one part and a weight for each")
    shapes = {part.psi.shape for part in parts}
    if len(shapes) > 1:
        raise ValueError(
            f"parts have shapes {', '.join(map(str, sorted(shapes)))}; "
            f"compute every part over the same cycles and contestants"
        )


def count_cycles(present: BoolArray) -> IntArray:
    """Number of cycles present, shape (contestants,)."""
    return np.asarray(present.sum(axis=0, dtype=np.int64))


def union_of_cycles(parts: Sequence[Influence]) -> BoolArray:
    """Where any part is present, shape (cycles, contestants)."""
    return np.asarray(np.logical_or.reduce([part.present for part in parts]))


def _observed(what: str, series: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    """Values with 0 where absent, and where they are present."""
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(
            f"{what} has shape {values.shape}, expected (cycles, contestants); one contestant is x[:, None]"
        )
    present = np.isfinite(values)
    return np.where(present, values, 0.0), present


def _influence(value: FloatArray, psi: FloatArray, present: BoolArray) -> Influence:
    return Influence(value, np.where(present & np.isfinite(value), psi, 0.0), present)


def _ratio(numerator: npt.NDArray[Any], denominator: npt.NDArray[Any]) -> FloatArray:
    """Elementwise ratio, NaN where the denominator is not positive."""
    positive = np.asarray(denominator > 0)
    return np.asarray(np.where(positive, numerator, np.nan) / np.where(positive, denominator, 1), dtype=np.float64)
