"""Rank intervals: which contestants of a board the evidence separates, from the influence of what they are ranked by.

Every two contestants are compared on the cycles that both have. Intervals of one contestant each do not answer that:
what moves all contestants alike widens them and separates nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray, sized
from pipeline.leaderboard.dependence import Dependence, demeaned, dependence
from pipeline.leaderboard.influence import Influence, count_cycles, require_parts
from pipeline.leaderboard.intervals import MIN_CYCLES, NOT_SMOOTH, require_windows
from pipeline.leaderboard.keys import Direction
from pipeline.leaderboard.multiplicity import holm
from pipeline.leaderboard.ties import decimal_codes

HOLM = "holm"
UNRANKED = "unranked"

_MIN_EFFECTIVE = 2.0
"""Independent cycles that the common ones must count as: one is the mean, so a variance needs another."""
_RELATIVE_ZERO = 1e-12
"""A variance below this share of the two that make it is rounding."""


@dataclass(frozen=True, eq=False)
class RankIntervals:
    """Between which ranks each contestant could be, as arrays of shape (contestants,) in the order of the input.

    Parameters
    ----------
    rank_lo, rank_hi : int array
        1 + the number of contestants significantly better, and the number of all less those significantly worse; 0
        where there is none. In 95 % of boards, all of them hold where the contestant truly belongs.
    tie_group : int array
        ``rank_lo``: those who share it have equally many above them that are certainly better; 0 where there is none.
    n_cycles : int array
        Cycles that a contestant has in the key, those of the longest window where it is weighted; 0 if it takes no
        part.
    n_effective : float array
        How many independent cycles these count as in comparisons; NaN where nothing tells.
    method : object array of str
        ``holm``, or why there is no interval: ``unranked``, or ``not_smooth``: a part of the key has no influence.
    """

    rank_lo: IntArray
    rank_hi: IntArray
    tie_group: IntArray
    n_cycles: IntArray
    n_effective: FloatArray
    method: TextArray


def rank_intervals(
    key: npt.ArrayLike,
    parts: Sequence[Influence],
    direction: Direction,
    *,
    weights: Sequence[float] = (1.0,),
    windows: Sequence[int] | None = None,
    ranked: npt.ArrayLike | None = None,
    dependent: bool = True,
) -> RankIntervals:
    """95 % rank intervals from comparing every two contestants on the cycles that both have.

    With d the difference of two contestants' influence plus value, t = mean(d) / SE, SE^2 = SS(d) / (n (n_eff - 1)),
    n_eff = n / inflation: for independent cycles the paired t test, for dependent ones the same with the variance and
    the number that dependence leaves (:func:`pipeline.leaderboard.dependence.dependence`). Its degrees of freedom are
    1 / df = 1 / (n_eff - 1) + the uncertainty of the inflation. Pairs with fewer than 8 common cycles in any window,
    or an n_eff below 2, are not compared; over all others, the step-down procedure of Holm holds the chance that any
    two equal contestants are separated at 5 %.

    Of a weighted key over nested windows, mean(d) is the weighted sum of the parts' means over their own windows, and
    SE^2 the sum over parts k and l of w_k w_l N_kl / (n_k n_l) times the covariance of d_k and d_l over the longest
    window, N_kl the common cycles in both windows: a short window shows too little of its own variance.

    Two contestants are separated only if the key itself, to 12 significant digits, says the same as their common
    cycles: an interval always holds the rank, and equals in the key are not separated. Tie-breakers play no part.

    Parameters
    ----------
    key : array-like of float
        What contestants are ranked by, shape (contestants,); the weighted sum where it is one.
    parts : sequence of Influence
        The statistics that make the key, over the longest window: same contestants, same cycles in the order of time.
        One that is in several windows is best given as the same object.
    direction : Direction
        Whether higher or lower keys are better.
    weights : sequence of float
        One per part.
    windows : sequence of int, optional
        Per part, how many of the last cycles it is taken over; by default all.
    ranked : array-like of bool, optional
        Who takes part; by default everybody whose key is defined. Others count as if they were not there.
    dependent : bool
        False for items that have nothing to do with one another (topics, inputs, benchmarks) in place of cycles.

    Returns
    -------
    RankIntervals

    Raises
    ------
    ValueError
        If parts, weights and windows do not match, shapes differ, or a window is not within the cycles given.

    References
    ----------
    Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure".
    Mogstad, Romano, Shaikh & Wilhelm (2024), "Inference for Ranks with Applications to Mobility across Neighbourhoods
    and Academic Achievement across Countries", Review of Economic Studies 91(1).
    """
    who, found = _compared(key, parts, direction, weights, windows, ranked, dependent)
    if found is None:
        return _none(len(parts[0].value), who, NOT_SMOOTH)
    intervals = _none(len(parts[0].value), who, HOLM)
    intervals.rank_lo[who] = intervals.tie_group[who] = 1 + found.better.sum(axis=0)
    intervals.rank_hi[who] = len(who) - found.better.sum(axis=1)
    intervals.n_cycles[who] = count_cycles(found.among.present)
    told = found.dependence.variance > 0 if dependent else np.ones(len(who), dtype=bool)
    intervals.n_effective[who] = np.where(told, intervals.n_cycles[who] / found.dependence.inflation, np.nan)
    return intervals


def significantly_better(
    key: npt.ArrayLike,
    parts: Sequence[Influence],
    direction: Direction,
    *,
    weights: Sequence[float] = (1.0,),
    windows: Sequence[int] | None = None,
    ranked: npt.ArrayLike | None = None,
    dependent: bool = True,
) -> BoolArray:
    """Which contestants the evidence separates: the comparisons that :func:`rank_intervals` counts.

    Parameters
    ----------
    key, parts, direction, weights, windows, ranked, dependent
        As for :func:`rank_intervals`; the correction is for the pairs of those who take part.

    Returns
    -------
    bool array, shape (contestants, contestants)
        Where the contestant of the row is significantly better than that of the column. Nowhere if a part of the key
        has no influence.

    Raises
    ------
    ValueError
        As for :func:`rank_intervals`.
    """
    who, found = _compared(key, parts, direction, weights, windows, ranked, dependent)
    better = np.zeros((len(parts[0].value),) * 2, dtype=bool)
    if found is not None:
        better[np.ix_(who, who)] = found.better
    return better


@dataclass(frozen=True, eq=False)
class _Compared:
    """Those who take part, compared with each other."""

    among: "_Key"
    dependence: Dependence
    better: BoolArray


def _compared(
    key: npt.ArrayLike,
    parts: Sequence[Influence],
    direction: Direction,
    weights: Sequence[float],
    windows: Sequence[int] | None,
    ranked: npt.ArrayLike | None,
    dependent: bool,
) -> tuple[IntArray, _Compared | None]:
    """The places of who takes part, and how they compare; None where a part of the key has no influence."""
    require_parts(parts, weights)
    spans = [len(parts[0].psi)] * len(parts) if windows is None else list(windows)
    if windows is not None:
        require_windows(parts, spans)
    values = sized("key", np.asarray(key, dtype=np.float64), parts[0].psi.shape[1])
    takes_part = np.isfinite(values)
    if ranked is not None:
        takes_part &= sized("ranked", np.asarray(ranked, dtype=bool), len(values))
    who = np.flatnonzero(takes_part)
    if not all(part.is_smooth for part in parts):
        return who, None
    among = _Key(_of(parts, who), tuple(weights), tuple(spans))
    found = among.dependence() if dependent else Dependence.none(len(who))
    sign = -1.0 if direction == Direction.ASC else 1.0
    return who, _Compared(among, found, _significantly_better(among, found, values[who], sign))


@dataclass(frozen=True, eq=False)
class _Key:
    """What the contestants are ranked by: the statistics, their weights and windows (how many of the last cycles)."""

    parts: Sequence[Influence]
    weights: tuple[float, ...]
    windows: tuple[int, ...]
    _counted: dict[tuple[int, int, int], FloatArray] = field(default_factory=dict)

    @cached_property
    def statistics(self) -> list[Influence]:
        """The parts, each once: one may be in several windows."""
        return list({id(part): part for part in self.parts}.values())

    @cached_property
    def present(self) -> BoolArray:
        """The cycles in which a contestant has every statistic, over the longest window."""
        return np.asarray(np.logical_and.reduce([part.present for part in self.parts]))

    def common(self, part: int, other: int) -> FloatArray:
        """How many cycles every two contestants have in common, in the windows of both parts; each counted once."""
        first, second = self.parts[part], self.parts[other]
        window = min(self.windows[part], self.windows[other])
        asked = (id(first), id(second), window)
        if asked not in self._counted:
            present = first.present if first is second else first.present & second.present
            self._counted[asked] = _count_common(present[-window:])
        return self._counted[asked]

    def dependence(self) -> Dependence:
        """That of the key's influence: a cycle of the shortest window adds w_k / N_k psi_k for every part."""
        psi = np.zeros(self.present.shape)
        for part, weight, window in zip(self.parts, self.weights, self.windows, strict=True):
            psi += weight / window * part.psi
        return dependence(psi, self.present)


def _of(parts: Sequence[Influence], who: IntArray) -> list[Influence]:
    """The statistics of some contestants only, without cycles where undefined; what was the same object stays so."""
    distinct = {id(part): part for part in parts}
    for key, part in distinct.items():
        value = part.value[who]
        is_defined = np.isfinite(value)
        distinct[key] = Influence(np.where(is_defined, value, 0.0), part.psi[:, who], part.present[:, who] & is_defined)
    return [distinct[id(part)] for part in parts]


def _none(contestants: int, who: IntArray, method: str) -> RankIntervals:
    """No intervals yet: those ``who`` take part have this method, the others are unranked."""
    rank_lo, rank_hi, tie_group, n_cycles = np.zeros((4, contestants), dtype=np.int64)
    methods = np.full(contestants, UNRANKED, dtype=object)
    methods[who] = method
    return RankIntervals(rank_lo, rank_hi, tie_group, n_cycles, np.full(contestants, np.nan), methods)


def _significantly_better(key: _Key, found: Dependence, values: FloatArray, sign: float) -> BoolArray:
    """Where the contestant of the row is significantly better than that of the column."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean, fewest = _mean_differences(key)
        variance, common = _variances(key)
        inflation, uncertainty = found.of_pairs()
        effective = common / inflation
        t = np.where(mean == 0, 0.0, mean / np.sqrt(variance / (effective - 1)))
        df = 1 / (1 / (effective - 1) + uncertainty)
    row, column = np.nonzero(np.triu((fewest >= MIN_CYCLES) & (effective >= _MIN_EFFECTIVE), k=1))
    rejected = holm(2 * stdtr(df[row, column], -np.abs(t[row, column])))
    row, column = row[rejected], column[rejected]
    separated = np.zeros(mean.shape, dtype=bool)
    separated[row, column] = separated[column, row] = True
    codes = decimal_codes(values) * sign
    return np.asarray(separated & (mean * sign > 0) & (codes[:, None] > codes))


def _mean_differences(key: _Key) -> tuple[FloatArray, FloatArray]:
    """Of every two contestants the difference of their keys on common cycles, and the fewest of these in a window."""
    mean = np.zeros((key.parts[0].psi.shape[1],) * 2)
    counts = [key.common(part, part) for part in range(len(key.parts))]
    for part, weight, window, n in zip(key.parts, key.weights, key.windows, counts, strict=True):
        present = part.present[-window:]
        # What all have in common in a cycle is taken off, which changes no difference and keeps digits.
        total = demeaned(part.psi[-window:] + part.value, present).T @ present.astype(np.float64)
        mean += weight * (total - total.T) / n
    return mean, np.minimum.reduce(counts)


def _variances(key: _Key) -> tuple[FloatArray, FloatArray]:
    """SE^2 (n_eff - 1) of every two contestants, and their common cycles n."""
    statistics, present = key.statistics, key.present
    counted = present.astype(np.float64)
    n = key.common(0, 0) if len(statistics) == 1 and key.windows[0] == len(present) else _count_common(present)
    series = [demeaned(statistic.psi, present) for statistic in statistics]
    sums = [total - total.T for total in (one.T @ counted for one in series)]
    variance, rounding = np.zeros((2, *n.shape))
    for k, first in enumerate(statistics):
        for m, second in enumerate(statistics):
            share = _share(key, first, second)
            # Sums over common cycles of d_k d_m = a_ki a_mi + a_kj a_mj - a_ki a_mj - a_kj a_mi, about the means.
            squares, products = (series[k] * series[m]).T @ counted, series[k].T @ series[m]
            squares += squares.T
            variance += share * (squares - products - products.T - sums[k] * sums[m] / n)
            if k == m:
                rounding += share * squares * _RELATIVE_ZERO
    return np.maximum(variance, rounding), n


def _share(key: _Key, first: Influence, second: Influence) -> FloatArray:
    """The sum of w_k w_l N_kl / (n_k n_l) over the windows k of one statistic and l of the other; 1 / n for one."""
    share = np.zeros((first.psi.shape[1],) * 2)
    for k, part in enumerate(key.parts):
        for m, other in enumerate(key.parts):
            if part is first and other is second:
                alone = key.common(k, k) * key.common(m, m)
                share += key.weights[k] * key.weights[m] * key.common(k, m) / alone
    return share


def _count_common(present: BoolArray) -> FloatArray:
    """How many cycles every two contestants have in common."""
    counted = present.astype(np.float64)
    return np.asarray(counted.T @ counted)
