"""Every two runs compared on one measure: by how much, on which topics, how often, and whether chance explains it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray
from pipeline.leaderboard.keys import Direction
from pipeline.leaderboard.multiplicity import LEVEL, Correction, adjusted_p_values, correction_named
from pipeline.leaderboard.significance.paired_tests import (
    NO_COMMON_TOPICS,
    TestResult,
    fisher_randomisation,
    paired_t,
    wilcoxon_signed_rank,
)
from pipeline.leaderboard.significance.tukey import tukey_hsd
from pipeline.leaderboard.ties import decimal_codes

NOT_COMPARED = "not_compared"
SAME_RUN = "same_run"
RESAMPLES = 10_000

_OF_TEST: Any = None
_CELLS_AT_ONCE = 1 << 21


class SignificanceTest(StrEnum):
    """Tests of whether two runs differ."""

    T = "t"
    """Student's paired t test."""
    WILCOXON = "wilcoxon"
    """Wilcoxon's signed rank test."""
    FISHER = "fisher"
    """Fisher's randomisation test."""
    TUKEY = "tukey"
    """Tukey's HSD, by randomisation: all runs together, on the topics that all have."""


@dataclass(frozen=True)
class Comparing:
    """How runs are compared.

    Parameters
    ----------
    test : SignificanceTest
        ``t``, ``wilcoxon``, ``fisher`` or ``tukey``.
    correction : Correction, optional
        What allows for the number of pairs; by default ``holm``, and ``none`` for Tukey's test, which needs none.
    level : float
        The level of significance.
    resamples, seed : int
        Of the tests that draw at random.

    Raises
    ------
    ValueError
        If a name is unknown, the level is not within (0, 1), there are no resamples, or Tukey's test is to be
        corrected.
    """

    test: SignificanceTest = SignificanceTest.T
    correction: Correction = _OF_TEST
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        if self.test not in set(SignificanceTest):
            raise ValueError(f"unknown significance test {self.test!r}; known: {', '.join(SignificanceTest)}")
        object.__setattr__(self, "test", SignificanceTest(self.test))
        is_tukey = self.test is SignificanceTest.TUKEY
        by_default = Correction.NONE if is_tukey else Correction.HOLM
        object.__setattr__(self, "correction", correction_named(self.correction or by_default))
        if is_tukey and self.correction is not Correction.NONE:
            raise ValueError(
                f"test tukey with correction {self.correction}: it allows for the number of pairs already; "
                f"leave the correction out, or take test fisher"
            )
        if not 0 < self.level < 1:
            raise ValueError(f"level is {self.level!r}; give the chance of a false finding, such as 0.05")
        if self.resamples < 1:
            raise ValueError(f"resamples is {self.resamples}; draw {RESAMPLES:,} times or so")

    @classmethod
    def named(cls, test: str, correction: str | None = None, **options: Any) -> "Comparing":
        """By the names of a test and a correction, and the other options. Errors are those of the class."""
        return cls(cast(SignificanceTest, test), cast(Correction, correction), **options)


BY_T_TEST = Comparing()
"""Paired t tests with Holm's correction."""


@dataclass(frozen=True, eq=False)
class PairwiseComparison:
    """Every run (row) against every other (column) on one measure, as arrays of shape (runs, runs).

    Parameters
    ----------
    difference : float array
        Mean of the row's values less that of the column's, over their common topics; NaN without any.
    n_topics : int array
        Common topics; for Tukey's test, those that all runs have.
    n_left_out : int array
        Topics that one of the two has, and that take no part: what a run lacks is no 0.
    wins, ties, losses : int array
        Common topics on which the row is better, equal to 12 significant digits, or worse.
    statistic : float array
        Of the test, positive where the row's values are higher; the mean difference for randomisation tests.
    p, p_adjusted : float array
        The p value, and the one that allows for the number of pairs; NaN where undefined.
    better : bool array
        Whether the row is significantly better: ``p_adjusted`` is at most the level, and the statistic and the mean
        difference both say so.
    reason : object array of str or None
        Why there is no p value: ``same_run``, ``not_compared`` (neither is the baseline), ``no_common_topics``,
        ``too_few_topics``, ``no_difference``.
    n_pairs : int
        How many pairs have a p value.
    smallest_p : float
        The least p value that any pair could have had, with so many topics or resamples; 0 for a t test.
    how : Comparing
        The test, the correction and the level.
    """

    difference: FloatArray
    n_topics: IntArray
    n_left_out: IntArray
    wins: IntArray
    ties: IntArray
    losses: IntArray
    statistic: FloatArray
    p: FloatArray
    p_adjusted: FloatArray
    better: BoolArray
    reason: TextArray
    n_pairs: int
    smallest_p: float
    how: Comparing

    @property
    def is_too_coarse(self) -> bool:
        """Whether no pair could be significant, whatever its values: too few topics, or too few resamples."""
        steps_down = self.how.correction in (Correction.HOLM, Correction.BONFERRONI)
        return self.n_pairs > 0 and self.smallest_p * (self.n_pairs if steps_down else 1) > self.how.level


def compare_pairs(
    scores: npt.ArrayLike,
    how: Comparing = BY_T_TEST,
    *,
    direction: Direction = Direction.DESC,
    baseline: int | None = None,
) -> PairwiseComparison:
    """Compare every two runs on the topics that both have.

    Parameters
    ----------
    scores : array-like of float
        Values of one measure, shape (topics, runs); what is not finite is absent.
    how : Comparing
        By which test, with which correction.
    direction : Direction
        Whether higher or lower values are better.
    baseline : int, optional
        Compare only with this run, which makes fewer hypotheses.

    Returns
    -------
    PairwiseComparison

    Raises
    ------
    ValueError
        If scores do not have two dimensions, the measure has no direction, the baseline is no run, or Tukey's test is
        to have one.
    """
    values = np.asarray(scores, dtype=np.float64)
    _require(values, how, direction, baseline)
    values = np.where(np.isfinite(values), values, np.nan)
    used, is_tukey = values, how.test is SignificanceTest.TUKEY
    if is_tukey:
        used = np.where(np.isnan(values).any(axis=1, keepdims=True), np.nan, values)
    first, second = np.triu_indices(values.shape[1], k=1)
    if baseline is not None:
        is_compared = (first == baseline) | (second == baseline)
        first, second = first[is_compared], second[is_compared]
    result = _of_all(used, first, second, how) if is_tukey else _of_each(used, first, second, how)
    said = _Descriptions.of(used, first, second)
    p_adjusted = adjusted_p_values(result.p, how.correction)
    sign = -1 if direction is Direction.ASC else 1
    is_significant = (p_adjusted <= how.level) & (result.statistic * said.difference > 0)
    square = _Square(values.shape[1], first, second)
    wins, losses = (said.higher, said.lower) if sign > 0 else (said.lower, said.higher)
    return PairwiseComparison(
        difference=square.turned(said.difference),
        n_topics=square.same(said.n_topics, 0),
        n_left_out=square.same(_n_left_out(values, first, second, said.n_topics), 0),
        wins=square.both(wins, losses),
        ties=square.same(said.n_topics - wins - losses, 0),
        losses=square.both(losses, wins),
        statistic=square.turned(result.statistic),
        p=square.same(result.p, np.nan),
        p_adjusted=square.same(p_adjusted, np.nan),
        better=square.both(*(is_significant & (sign * side * said.difference > 0) for side in (1, -1))),
        reason=_reasons(square, result.reason),
        n_pairs=int(np.count_nonzero(~np.isnan(result.p))),
        smallest_p=float(result.smallest_p[~np.isnan(result.p)].min(initial=np.inf)),
        how=how,
    )


def _require(values: FloatArray, how: Comparing, direction: Direction, baseline: int | None) -> None:
    if values.ndim != 2:
        raise ValueError(f"scores have shape {values.shape}, expected (topics, runs)")
    if direction not in (Direction.DESC, Direction.ASC):
        raise ValueError(f"direction is {direction}; runs can be compared where desc or asc says which is better")
    if baseline is None:
        return
    if how.test is SignificanceTest.TUKEY:
        raise ValueError("test tukey compares all pairs; leave the baseline out, or take another test")
    if not 0 <= baseline < values.shape[1]:
        raise ValueError(f"baseline is run {baseline} of {values.shape[1]}; give its place, from 0")


@dataclass(frozen=True, eq=False)
class _Descriptions:
    """How pairs differ, the first run against the second; arrays of shape (pairs,)."""

    difference: FloatArray
    n_topics: IntArray
    higher: IntArray
    lower: IntArray

    @classmethod
    def of(cls, values: FloatArray, first: IntArray, second: IntArray) -> "_Descriptions":
        difference = np.full(len(first), np.nan)
        n_topics, higher, lower = np.zeros((3, len(first)), dtype=np.int64)
        for pairs, d in _differences(values, first, second):
            n_topics[pairs] = np.count_nonzero(~np.isnan(d), axis=0)
            higher[pairs], lower[pairs] = np.count_nonzero(d > 0, axis=0), np.count_nonzero(d < 0, axis=0)
            total = np.where(np.isnan(d), 0.0, d).sum(axis=0)
            difference[pairs] = np.where(n_topics[pairs] > 0, total / np.maximum(n_topics[pairs], 1), np.nan)
        return cls(difference, n_topics, higher, lower)


def _differences(values: FloatArray, first: IntArray, second: IntArray) -> Iterator[tuple[slice, FloatArray]]:
    """Differences of some pairs at a time, of shape (topics, pairs); 0 where values are equal to 12 digits."""
    codes = decimal_codes(values)
    at_once = max(1, _CELLS_AT_ONCE // max(1, len(values)))
    for start in range(0, len(first), at_once):
        pairs = slice(start, start + at_once)
        one, other = first[pairs], second[pairs]
        yield pairs, np.where(codes[:, one] == codes[:, other], 0.0, values[:, one] - values[:, other])


def _of_each(values: FloatArray, first: IntArray, second: IntArray, how: Comparing) -> TestResult:
    """The test of every pair by itself."""
    found = _nothing_tested(len(first))
    for pairs, d in _differences(values, first, second):
        part = _test(d, how)
        found.statistic[pairs], found.p[pairs] = part.statistic, part.p
        found.smallest_p[pairs], found.reason[pairs] = part.smallest_p, part.reason
    return found


def _test(d: FloatArray, how: Comparing) -> TestResult:
    if how.test is SignificanceTest.FISHER:
        return fisher_randomisation(d, resamples=how.resamples, seed=how.seed)
    return paired_t(d) if how.test is SignificanceTest.T else wilcoxon_signed_rank(d)


def _of_all(values: FloatArray, first: IntArray, second: IntArray, how: Comparing) -> TestResult:
    """Tukey's test of all runs together, on topics that all have."""
    complete = values[~np.isnan(values).any(axis=1)]
    found = _nothing_tested(len(first))
    if complete.size == 0:
        return found
    means = complete.mean(axis=0)
    found.statistic[:] = means[first] - means[second]
    found.p[:] = tukey_hsd(complete, resamples=how.resamples, seed=how.seed)[first, second]
    found.smallest_p[:] = 1 / (1 + how.resamples)
    found.reason[:] = None
    return found


def _nothing_tested(pairs: int) -> TestResult:
    statistic, p, smallest_p = np.full((3, pairs), np.nan)
    return TestResult(statistic, p, smallest_p, np.full(pairs, NO_COMMON_TOPICS, dtype=object))


def _n_left_out(values: FloatArray, first: IntArray, second: IntArray, n_topics: IntArray) -> IntArray:
    """Topics that either run has, less those that they are compared on."""
    present = (~np.isnan(values)).astype(np.float64)
    alone, together = present.sum(axis=0), present.T @ present
    return np.asarray(alone[first] + alone[second] - together[first, second] - n_topics, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Square:
    """Makes arrays of shape (runs, runs) of those of pairs."""

    runs: int
    first: IntArray
    second: IntArray

    def both(self, of_first: npt.NDArray[Any], of_second: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What the first run has against the second, and the second against the first; else 0."""
        found = np.zeros((self.runs, self.runs), dtype=of_first.dtype)
        found[self.first, self.second], found[self.second, self.first] = of_first, of_second
        return found

    def same(self, of_pair: npt.NDArray[Any], otherwise: object) -> npt.NDArray[Any]:
        """What both have."""
        found = np.full((self.runs, self.runs), otherwise, dtype=of_pair.dtype)
        found[self.first, self.second] = found[self.second, self.first] = of_pair
        return found

    def turned(self, of_pair: FloatArray) -> FloatArray:
        """What the first has, and the second with the sign turned; NaN for others."""
        found = np.full((self.runs, self.runs), np.nan)
        found[self.first, self.second], found[self.second, self.first] = of_pair, 0.0 - of_pair  # never -0.0
        return found


def _reasons(square: _Square, of_pair: TextArray) -> TextArray:
    reason = square.same(of_pair, NOT_COMPARED)
    np.fill_diagonal(reason, SAME_RUN)
    return reason
