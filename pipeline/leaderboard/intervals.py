"""Confidence intervals of one statistic each, from its influence series, allowing for dependent cycles.

Overlapping horizons and lasting regimes make cycles alike, so sd / sqrt(n) is too small. What the error of a
mean needs is the long-run variance of its influence series. Comparisons of two contestants do not belong here.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.fft import dct
from scipy.special import stdtrit

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray
from pipeline.leaderboard.influence import Influence, count_cycles, require_parts, union_of_cycles

EWC = "ewc"
UNDEFINED = "undefined"
TOO_FEW_CYCLES = "too_few_cycles"
ZERO_VARIANCE = "zero_variance"
NOT_SMOOTH = "not_smooth"

MIN_CYCLES = 8
"""Cycles needed for an interval."""
_CONFIDENCE = 0.95
_RELATIVE_ZERO = 1e-12


@dataclass(frozen=True, eq=False)
class Interval:
    """95 % confidence intervals, as arrays of shape (contestants,).

    Parameters
    ----------
    se : float array
        Standard error, in the unit of the statistic; NaN where there is none.
    low, high : float array
        The interval's ends; NaN where there is none. Not cut to the range that the statistic can take.
    method : object array of str
        ``ewc`` (equal-weighted cosines), or why there is none: ``undefined`` (so is the statistic),
        ``not_smooth`` (no cycle moves it by a share of its own, as of a drawdown), ``too_few_cycles`` (fewer than 8),
        ``zero_variance`` (every cycle says the same).
    """

    se: FloatArray
    low: FloatArray
    high: FloatArray
    method: TextArray

    def part(self, contestants: slice) -> "Interval":
        """The intervals of some contestants."""
        return Interval(self.se[contestants], self.low[contestants], self.high[contestants], self.method[contestants])


def interval(influence: Influence) -> Interval:
    """95 % confidence intervals of a statistic, by equal-weighted cosines.

    SE = sqrt(LRV / n), interval = value +- t_nu(0.975) SE, with LRV and nu of :func:`long_run_variance` over the n
    cycles in which a contestant is present, in order and closed up. For one present in all T cycles of the window
    that is sqrt(T LRV) / n with n = T. Zeros in place of absent cycles would be right for gaps scattered evenly;
    for a newcomer they are not, since its centred series is short beside the cosines and hardly projects on them.

    Parameters
    ----------
    influence : Influence
        Over one window, cycles in the order of time.

    Returns
    -------
    Interval

    References
    ----------
    Lazarus, Lewis, Stock & Watson (2018), "HAR Inference: Recommendations for Practice", JBES 36(4).
    Datta & Du (2012), "Nonparametric HAC Estimation for Time Series Data with Missing Observations".
    """
    n = influence.n
    se = np.full(n.shape, np.nan)
    for length, columns in _columns_by_length(n, influence.value) if influence.is_smooth else ():
        series = _closed_up(influence.psi, influence.present, length, columns)
        se[columns] = np.sqrt(long_run_variance(series) / length)
    return _interval(influence.value, se, n, n, influence.is_smooth)


def intervals(influences: Sequence[Influence]) -> list[Interval]:
    """The intervals of several statistics over one window, together: what :func:`interval` gives for each.

    Parameters
    ----------
    influences : sequence of Influence
        Over the same cycles; the contestants may differ.
    """
    smooth = [one for one in influences if one.is_smooth]
    if len(smooth) < 2:
        return [interval(one) for one in influences]
    together = interval(
        Influence(
            np.concatenate([one.value for one in smooth]),
            np.concatenate([one.psi for one in smooth], axis=1),
            np.concatenate([one.present for one in smooth], axis=1),
        )
    )
    found, end = [], 0
    for one in influences:
        start, end = end, end + one.value.size if one.is_smooth else end
        found.append(together.part(slice(start, end)) if one.is_smooth else interval(one))
    return found


def weighted_interval(
    parts: Sequence[Influence], weights: Sequence[float], windows: Sequence[int], value: npt.ArrayLike
) -> Interval:
    """95 % confidence intervals of a weighted sum of statistics over windows of different length.

    For a key such as 0.5 anchor.ic + 0.3 steady.ic + 0.2 recent.ic. Its error is the sum of w_k / n_k sum(psi_k)
    over the last cycles of window k, so its variance is the sum over pairs of parts of
    w_k w_l LRCov_kl N_kl / (n_k n_l), N_kl the cycles in both windows. The long-run covariances come from the longest
    window: a short window's own series cannot show its dependence, and nested windows make no stationary sum.

    Parameters
    ----------
    parts : sequence of Influence
        Each part's statistic computed over the longest window, same cycles and contestants.
    weights : sequence of float
        One per part.
    windows : sequence of int
        Per part, how many of the last cycles it is taken over.
    value : array-like of float
        The weighted sum of the statistics over their own windows, shape (contestants,); NaN where undefined.

    Returns
    -------
    Interval
        ``too_few_cycles`` where any part has fewer than 8 cycles in its window.

    Raises
    ------
    ValueError
        If parts, weights and windows do not match, shapes differ, or a window is not within the cycles given.
    """
    require_parts(parts, weights)
    require_windows(parts, windows)
    present = union_of_cycles(parts)
    in_both = np.array([[count_cycles(present[-min(a, b) :]) for a in windows] for b in windows])
    counts = np.array([count_cycles(part.present[-w:]) for part, w in zip(parts, windows, strict=True)])
    estimate = np.asarray(value, dtype=np.float64)
    n = count_cycles(present)
    fewest = counts.min(axis=0)
    se = np.full(n.shape, np.nan)
    for length, columns in _columns_by_length(np.where(fewest < MIN_CYCLES, 0, n), estimate):
        loads = np.array([_cosine_loads(_closed_up(part.psi, present, length, columns)) for part in parts])
        share = np.array(weights, dtype=np.float64)[:, None] / counts[:, columns]
        covariance = np.einsum("kjm,ljm->klm", loads, loads) / loads.shape[1]
        variance = np.einsum("klm,km,lm,klm->m", covariance, share, share, in_both[:, :, columns])
        se[columns] = np.sqrt(np.maximum(variance, 0.0))
    return _interval(estimate, se, fewest, n, all(part.is_smooth for part in parts))


def require_windows(parts: Sequence[Influence], windows: Sequence[int]) -> None:
    """Refuse windows that do not match the parts.

    Raises
    ------
    ValueError
        If there is not one per part, or one is not within the cycles given.
    """
    cycles = parts[0].psi.shape[0]
    if len(windows) != len(parts) or not all(0 < window <= cycles for window in windows):
        raise ValueError(
            f"windows are {list(windows)} for {len(parts)} parts over {cycles} cycles; "
            f"give one per part, from 1 to the number of cycles"
        )


def long_run_variance(psi: npt.ArrayLike) -> FloatArray:
    """Long-run variance of series without gaps, by equal-weighted cosines.

    LRV = mean over j of L_j^2, L_j = sqrt(2 / T) sum_t psi_t cos(pi j (t - 0.5) / T), j = 1 to nu,
    nu = max(2, floor(0.4 T^(2/3))). A constant added to a series changes nothing.

    Parameters
    ----------
    psi : array-like of float
        Shape (cycles, contestants), T cycles in the order of time.

    Returns
    -------
    float array
        Shape (contestants,), in the square of the unit of psi.

    Raises
    ------
    ValueError
        If there are fewer than 8 cycles.

    References
    ----------
    Lazarus, Lewis, Stock & Watson (2018), "HAR Inference: Recommendations for Practice", JBES 36(4).
    """
    series = np.asarray(psi, dtype=np.float64)
    if len(series) < MIN_CYCLES:
        raise ValueError(f"a long-run variance of {len(series)} cycles is not defined; give at least {MIN_CYCLES}")
    return np.asarray((_cosine_loads(series) ** 2).mean(axis=0))


def series_by_length(psi: FloatArray, present: BoolArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Those with at least 8 cycles, in groups that have equally many: who they are, and their series closed up."""
    n = count_cycles(present)
    for length, columns in _columns_by_length(n, np.zeros(len(n))):
        yield columns, _closed_up(psi, present, length, columns)


def cosine_count(cycles: int) -> int:
    """nu, the number of cosines for a series of T cycles and the degrees of freedom of its interval."""
    # 125^(2/3) is 24.999... in floating point, and 0.4 x 25 must give 10.
    return max(2, math.floor(0.4 * math.pow(cycles, 2 / 3) + 1e-9))


def _cosine_loads(series: FloatArray) -> FloatArray:
    """L_j of series of shape (cycles, contestants), shape (nu, contestants)."""
    # The cosine transform of type II is twice the sum in L_j; it needs no stored basis, whatever T is.
    cycles = series.shape[0]
    transformed = np.asarray(dct(series, type=2, axis=0), dtype=np.float64)
    return transformed[1 : cosine_count(cycles) + 1] * math.sqrt(1 / (2 * cycles))


def _columns_by_length(n: IntArray, value: FloatArray) -> list[tuple[int, IntArray]]:
    """Contestants that have an interval, by their number of cycles."""
    usable = (n >= MIN_CYCLES) & np.isfinite(value)
    return [(int(length), np.flatnonzero(usable & (n == length))) for length in np.unique(n[usable])]


def _closed_up(psi: FloatArray, present: BoolArray, length: int, columns: IntArray) -> FloatArray:
    """The series of contestants that are present in ``length`` cycles, without the others; shape (length, columns)."""
    if length == psi.shape[0]:
        return psi if columns.size == psi.shape[1] else psi[:, columns]
    return psi[:, columns].T[present[:, columns].T].reshape(columns.size, length).T


def _interval(value: FloatArray, se: FloatArray, fewest: IntArray, n: IntArray, is_smooth: bool) -> Interval:
    """Intervals where there is a standard error, the reason where there is none."""
    method = np.full(value.shape, EWC, dtype=object)
    method[se <= _RELATIVE_ZERO * np.abs(value)] = ZERO_VARIANCE
    method[fewest < MIN_CYCLES] = TOO_FEW_CYCLES
    if not is_smooth:
        method[:] = NOT_SMOOTH
    method[~np.isfinite(value)] = UNDEFINED
    se = np.where(method == EWC, se, np.nan)
    half = se * _critical_values(n)
    return Interval(se, value - half, value + half, method)


def _critical_values(n: IntArray) -> FloatArray:
    counts, places = np.unique(n, return_inverse=True)
    return np.array([_critical_value(cosine_count(cycles)) for cycles in counts.tolist()])[places]


@lru_cache(maxsize=256)
def _critical_value(degrees_of_freedom: int) -> float:
    return float(stdtrit(degrees_of_freedom, (1 + _CONFIDENCE) / 2))
