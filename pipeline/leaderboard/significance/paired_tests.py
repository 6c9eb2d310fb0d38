"""Tests of whether two runs differ, from their differences on the topics that both have. All are two-sided.

Each takes the differences of many pairs of runs at once, of shape (topics, pairs), with NaN where either run lacks the
topic. A test on all runs together (Tukey's) is in ``tukey``.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray
from pipeline.leaderboard.ranks import average_ranks
from pipeline.leaderboard.ties import decimal_codes

NO_COMMON_TOPICS = "no_common_topics"
TOO_FEW_TOPICS = "too_few_topics"
NO_DIFFERENCE = "no_difference"

MOST_EXACT_SIGNS = 16
"""Differences for which all 2^n assignments of signs are gone through; more are sampled."""
MOST_EXACT_RANKS = 50
"""Differences without ties up to which signed ranks have their exact distribution, as in scipy."""
MOST_EXACT_TIED_RANKS = 25
"""The same with ties, where pairs have distributions of their own."""
RELATIVE_ROUNDING = 1e-10
"""Two sums of differences that are as near as this, relative to the sum of magnitudes, are the same."""

_CELLS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class TestResult:
    """What a test says of every pair, as arrays of shape (pairs,).

    Parameters
    ----------
    statistic : float array
        Its sign tells which run is better; NaN where undefined.
    p : float array
        Two-sided p value; NaN where undefined.
    smallest_p : float array
        The least that p could have been with so many differences, or so many resamples.
    reason : object array of str or None
        Why it is undefined: ``no_common_topics``, ``too_few_topics`` (one, for a t test), ``no_difference`` (none on
        any topic, which leaves a t test or signed ranks nothing to judge by).
    """

    __test__ = False  # no class of tests, whatever its name

    statistic: FloatArray
    p: FloatArray
    smallest_p: FloatArray
    reason: TextArray


def paired_t(differences: npt.ArrayLike) -> TestResult:
    """Student's paired t test.

    t = mean(d) / (sd(d) / sqrt(n)), with n - 1 degrees of freedom. Differences that are all the same and not 0 have
    no variance: t is infinite and p is 0.

    Parameters
    ----------
    differences : array-like of float
        Shape (topics, pairs), NaN where either run lacks the topic, exactly 0 where both are equal.

    Returns
    -------
    TestResult

    References
    ----------
    Student (1908), "The Probable Error of a Mean".

    Examples
    --------
    >>> result = paired_t([[1.0], [2.0], [3.0]])
    >>> result.statistic.round(3).tolist(), result.p.round(3).tolist()
    ([3.464], [0.074])
    """
    d, present, n = _observed(differences)
    mean = d.sum(axis=0) / np.maximum(n, 1)
    deviation = np.where(present, d - mean, 0.0)
    deviation[:, _all_alike(d, present)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean / np.sqrt((deviation**2).sum(axis=0) / np.maximum(n - 1, 1) / np.maximum(n, 1))
        p = 2 * stdtr(np.maximum(n - 1, 1).astype(np.float64), -np.abs(t))
    causes = ((d == 0).all(axis=0), NO_DIFFERENCE), (n < 2, TOO_FEW_TOPICS), (n == 0, NO_COMMON_TOPICS)
    return _result(t, p, np.zeros(p.shape), *causes)


def wilcoxon_signed_rank(differences: npt.ArrayLike) -> TestResult:
    """Wilcoxon's signed rank test.

    The statistic is the sum of ranks of positive differences less that of negative ones. Zeros are left out, and
    differences equal to 12 significant digits get average ranks. The distribution given the ranks is exact for up to 50
    differences without ties, or 25 with; beyond that normal, with variance sum(rank^2) and no continuity correction.

    Parameters
    ----------
    differences : array-like of float
        Shape (topics, pairs), NaN where either run lacks the topic, exactly 0 where both are equal.

    Returns
    -------
    TestResult

    References
    ----------
    Wilcoxon (1945), "Individual Comparisons by Ranking Methods".

    Examples
    --------
    >>> wilcoxon_signed_rank([[1.0], [2.0], [3.0], [4.0], [-0.5]]).p.tolist()
    [0.125]
    """
    d, _, n = _observed(differences)
    codes = decimal_codes(d)
    counts = np.count_nonzero(codes, axis=0)
    zeros = len(d) - counts
    ranks = np.where(codes == 0, 0.0, average_ranks(np.abs(codes).T).T - zeros)
    statistic = (np.sign(codes) * ranks).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(statistic) / np.sqrt((ranks**2).sum(axis=0)))
    ordered = np.sort(ranks, axis=0)
    has_ties = ((np.diff(ordered, axis=0) == 0) & (ordered[1:] > 0)).any(axis=0)
    is_exact = (counts > 0) & (counts <= np.where(has_ties, MOST_EXACT_TIED_RANKS, MOST_EXACT_RANKS))
    for pair in np.flatnonzero(is_exact):
        tails = _signed_rank_tails(tuple((2 * ordered[zeros[pair] :, pair]).astype(int).tolist()))
        # Of ranks that sum up to a total, those with a positive sign make (total + statistic) / 2.
        p[pair] = 2 * tails[(len(tails) - 1 + int(2 * abs(statistic[pair]))) // 2]
    smallest = np.where(is_exact, 2.0 ** (1 - counts), 0.0)
    return _result(statistic, p, smallest, (counts == 0, NO_DIFFERENCE), (n == 0, NO_COMMON_TOPICS))


def fisher_randomisation(differences: npt.ArrayLike, *, resamples: int = 10_000, seed: int = 0) -> TestResult:
    """Fisher's randomisation test: how often swapping the runs of some topics gives as large a mean difference.

    The statistic is the mean difference. With up to 16 differences other than 0, all assignments of signs are gone
    through and p is exact; with more, ``resamples`` of them are drawn, the same for all pairs, and
    p = (1 + as large) / (1 + resamples).

    Parameters
    ----------
    differences : array-like of float
        Shape (topics, pairs), NaN where either run lacks the topic, exactly 0 where both are equal.
    resamples, seed : int
        How many assignments are drawn, and what the generator starts from.

    Returns
    -------
    TestResult

    References
    ----------
    Fisher (1935), *The Design of Experiments*.
    Smucker, Allan & Carterette (2007), "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", CIKM.
    Phipson & Smyth (2010), "Permutation P-values Should Never Be Zero".

    Examples
    --------
    >>> fisher_randomisation([[1.0], [2.0], [3.0]]).p.tolist()
    [0.25]
    """
    d, _, n = _observed(differences)
    counts = np.count_nonzero(d, axis=0)
    p = np.ones(d.shape[1])
    is_exact = counts <= MOST_EXACT_SIGNS
    packed = np.take_along_axis(d, np.argsort(-np.abs(d), axis=0), axis=0)[:MOST_EXACT_SIGNS]
    for count in np.unique(counts[is_exact & (counts > 0)]):
        pairs = np.flatnonzero(counts == count)
        patterns = _all_signs(int(count))
        p[pairs] = _as_large(packed[:count, pairs], [patterns]) / len(patterns)
    if not is_exact.all():
        signs = _drawn_signs(resamples, len(d), seed)
        p[~is_exact] = (1 + _as_large(d[:, ~is_exact], signs)) / (1 + resamples)
    smallest = np.where(is_exact, np.minimum(2.0 ** (1 - counts), 1.0), 1 / (1 + resamples))
    return _result(d.sum(axis=0) / np.maximum(n, 1), p, smallest, (n == 0, NO_COMMON_TOPICS))


def _observed(differences: npt.ArrayLike) -> tuple[FloatArray, BoolArray, IntArray]:
    """Differences with 0 where absent, where they are present, and how many are, by pair."""
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 2:
        raise ValueError(f"differences have shape {d.shape}, expected (topics, pairs); one pair is d[:, None]")
    present = np.isfinite(d)
    return np.where(present, d, 0.0), present, np.asarray(np.count_nonzero(present, axis=0), dtype=np.int64)


def _result(statistic: FloatArray, p: FloatArray, smallest_p: FloatArray, *causes: tuple[BoolArray, str]) -> TestResult:
    """The result, undefined where a cause holds; a later cause is the more telling one."""
    reason = np.full(p.shape, None, dtype=object)
    for holds, why in causes:
        reason[holds] = why
    is_defined = reason == np.array(None)
    statistic, p = (np.where(is_defined, one, np.nan) for one in (statistic, np.minimum(p, 1.0)))
    return TestResult(statistic, p, smallest_p, reason)


def _all_alike(d: FloatArray, present: BoolArray) -> BoolArray:
    """Pairs whose differences are all the same to 12 significant digits."""
    codes = decimal_codes(d)
    least, most = (np.where(present, codes, fill) for fill in (np.inf, -np.inf))
    return np.asarray(least.min(axis=0, initial=np.inf) >= most.max(axis=0, initial=-np.inf))


@lru_cache(maxsize=1024)
def _signed_rank_tails(doubled_ranks: tuple[int, ...]) -> FloatArray:
    """The chance that the ranks with a positive sign sum up to k or more, for each k, all signs being as likely.

    Ranks are given twice over, so that averages are whole, and so is k.
    """
    total = sum(doubled_ranks)
    ways = np.zeros(total + 1)
    ways[0] = 1.0
    for rank in doubled_ranks:
        ways[rank:] += ways[: total + 1 - rank].copy()
    return np.asarray(np.cumsum(ways[::-1])[::-1] / 2.0 ** len(doubled_ranks))


@lru_cache(maxsize=MOST_EXACT_SIGNS)
def _all_signs(count: int) -> FloatArray:
    """Every assignment of signs up to turning all of them round, shape (2^(count - 1), count)."""
    return np.array([(1.0, *signs) for signs in itertools.product((1.0, -1.0), repeat=count - 1)])


def _drawn_signs(resamples: int, topics: int, seed: int) -> list[FloatArray]:
    """Signs at random, in parts of shape (some resamples, topics)."""
    random = np.random.default_rng(seed)
    part = 1000
    sizes = [min(part, resamples - start) for start in range(0, resamples, part)]
    return [2.0 * random.integers(0, 2, (size, topics)).astype(np.float64) - 1.0 for size in sizes]


def _as_large(d: FloatArray, signs: list[FloatArray]) -> IntArray:
    """How many assignments of signs give a sum as far from 0 as the differences have; shape (pairs,)."""
    count = np.zeros(d.shape[1], dtype=np.int64)
    at_once = max(1, _CELLS_AT_ONCE // max(1, len(signs[0])))
    for start in range(0, d.shape[1], at_once):
        part = d[:, start : start + at_once]
        least = np.abs(part.sum(axis=0)) - RELATIVE_ROUNDING * np.abs(part).sum(axis=0)
        for some in signs:
            count[start : start + at_once] += np.count_nonzero(np.abs(some @ part) >= least, axis=0)
    return count
