"""The runs of a board compared on several measures: means, ranks with their uncertainty, and every pair."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.leaderboard.arrays import FloatArray, IntArray
from pipeline.leaderboard.board import Leaderboard, MeasureSpec
from pipeline.leaderboard.comparison import RankIntervals, rank_intervals
from pipeline.leaderboard.influence import mean_influence
from pipeline.leaderboard.keys import Direction, RankBy, RankingKey
from pipeline.leaderboard.ranking import Ranking, rank_contestants
from pipeline.leaderboard.significance.pairwise import BY_T_TEST, Comparing, PairwiseComparison, compare_pairs

NO_VALUES = "no_values"


@dataclass(frozen=True)
class PairRow:
    """Two runs on one measure, as tables hold it: None where undefined, with the reason. See PairwiseComparison."""

    measure: str
    run_id: str
    other_run_id: str
    n_topics: int
    n_left_out: int
    difference: float | None
    wins: int
    ties: int
    losses: int
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    better: str | None
    """The run that is significantly better; None where neither is."""
    test: str
    correction: str
    reason: str | None


@dataclass(frozen=True)
class RunRow:
    """One run on one measure, as tables hold it.

    Parameters
    ----------
    measure, run_id : str
        Which.
    mean : float or None
        Over the topics that the run has; None without any.
    n_topics : int
        How many these are.
    rank : int or None
        Its place, ties sharing one; None if it has no topic.
    rank_lo, rank_hi, tie_group : int or None
        Between which ranks it could be; None where nothing tells.
    better_than : tuple of str
        The runs that it is significantly better than.
    """

    measure: str
    run_id: str
    mean: float | None
    n_topics: int
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    tie_group: int | None
    better_than: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MeasureComparison:
    """All runs on one measure; arrays of shape (runs,) in the board's order.

    Parameters
    ----------
    measure : MeasureSpec
        The measure.
    mean : float array
        Over the topics that a run has; NaN without any.
    n_topics : int array
        How many these are.
    ranking : Ranking
        By the mean.
    intervals : RankIntervals
        Between which ranks each run could be: paired t tests on common topics, with Holm's correction.
    pairs : PairwiseComparison
        Every run against every other.
    """

    measure: MeasureSpec
    mean: FloatArray
    n_topics: IntArray
    ranking: Ranking
    intervals: RankIntervals
    pairs: PairwiseComparison


@dataclass(frozen=True, eq=False)
class BoardComparison:
    """The runs of a board, compared.

    Parameters
    ----------
    run_ids, topic_ids : tuple of str
        Those of the board.
    measures : tuple of MeasureComparison
        One for each measure.
    how : Comparing
        By which test, with which correction.
    baseline : str or None
        The run that all others are compared with; None if all are compared with all.
    """

    run_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]
    measures: tuple[MeasureComparison, ...]
    how: Comparing
    baseline: str | None

    def runs(self) -> Iterator[RunRow]:
        """Every run on every measure, best first."""
        for one in self.measures:
            for run in one.ranking.order.tolist():
                has_interval = bool(one.intervals.rank_lo[run] > 0)
                yield RunRow(
                    measure=one.measure.name,
                    run_id=self.run_ids[run],
                    mean=_or_none(one.mean[run]),
                    n_topics=int(one.n_topics[run]),
                    rank=int(one.ranking.rank[run]) or None,
                    rank_lo=int(one.intervals.rank_lo[run]) if has_interval else None,
                    rank_hi=int(one.intervals.rank_hi[run]) if has_interval else None,
                    tie_group=int(one.intervals.tie_group[run]) if has_interval else None,
                    better_than=tuple(self.run_ids[other] for other in np.flatnonzero(one.pairs.better[run])),
                )

    def pairs(self) -> Iterator[PairRow]:
        """Every two runs that were compared, each pair once, on every measure."""
        base = None if self.baseline is None else self.run_ids.index(self.baseline)
        for one in self.measures:
            for first, second in zip(*np.triu_indices(len(self.run_ids), k=1), strict=True):
                if base is None or base in (first, second):
                    yield self._pair(one, int(first), int(second))

    def _pair(self, one: MeasureComparison, run: int, other: int) -> PairRow:
        pairs, at = one.pairs, (run, other)
        better = run if pairs.better[at] else other if pairs.better[other, run] else None
        return PairRow(
            measure=one.measure.name,
            run_id=self.run_ids[run],
            other_run_id=self.run_ids[other],
            n_topics=int(pairs.n_topics[at]),
            n_left_out=int(pairs.n_left_out[at]),
            difference=_or_none(pairs.difference[at]),
            wins=int(pairs.wins[at]),
            ties=int(pairs.ties[at]),
            losses=int(pairs.losses[at]),
            statistic=_or_none(pairs.statistic[at]),
            p=_or_none(pairs.p[at]),
            p_adjusted=_or_none(pairs.p_adjusted[at]),
            better=None if better is None else self.run_ids[better],
            test=str(self.how.test),
            correction=str(self.how.correction),
            reason=pairs.reason[at],
        )


def compare_runs(
    board: Leaderboard,
    how: Comparing = BY_T_TEST,
    *,
    measures: Sequence[str] | None = None,
    baseline: str | None = None,
) -> BoardComparison:
    """Compare the runs of a board, topic by topic.

    Means are over the topics that a run has, and runs are compared on those that both have. What a run lacks is no 0,
    unless the board was built with ``on_missing="default"``, which gives it a value.

    Parameters
    ----------
    board : Leaderboard
    how : Comparing
        By which test, with which correction.
    measures : sequence of str, optional
        By default all numbers that topics have and that have a direction.
    baseline : str, optional
        Compare only with this run.

    Returns
    -------
    BoardComparison

    Raises
    ------
    KeyError
        If the board has no such measure.
    ValueError
        If a measure cannot be compared, or none can; if the baseline is not on the board, or the board has no topics.
    """
    if not board.topic_ids:
        raise ValueError("the board has all rows only; runs are compared topic by topic, give a board with topics")
    if baseline is not None and baseline not in board.run_ids:
        raise ValueError(f"baseline {baseline!r} is not on the board, which has: {', '.join(board.run_ids)}")
    compared = _comparable(board, measures)
    place = None if baseline is None else board.run_ids.index(baseline)
    found = tuple(_of_measure(board, measure, how, place) for measure in compared)
    return BoardComparison(board.run_ids, board.topic_ids, found, how, baseline)


def _comparable(board: Leaderboard, names: Sequence[str] | None) -> list[MeasureSpec]:
    asked = board.spec.measures if names is None else [board.spec[name] for name in dict.fromkeys(names)]
    usable = [
        one for one in asked if one.dtype is float and one.direction is not Direction.NONE and not one.only_in_all
    ]
    if names is not None and len(usable) < len(asked):
        wrong = ", ".join(one.name for one in asked if one not in usable)
        raise ValueError(f"runs cannot be compared by {wrong}: a measure must be a number of topics, with a direction")
    if not usable:
        raise ValueError(
            f"no measure to compare by: none is a number of topics, with a direction; the board has: "
            f"{', '.join(board.measures) or 'none'}"
        )
    return usable


def _of_measure(board: Leaderboard, measure: MeasureSpec, how: Comparing, baseline: int | None) -> MeasureComparison:
    # By name, so that what is drawn at random does not depend on the order in which files have topics.
    by_name = np.argsort(np.array(board.topic_ids, dtype=object))
    scores = board.matrix(measure.name)[:, by_name].T
    influence = mean_influence(scores)
    by = RankBy(RankingKey(measure.name, measure.direction))
    reasons = {measure.name: [NO_VALUES] * len(board.run_ids)}
    return MeasureComparison(
        measure,
        influence.value,
        influence.n,
        rank_contestants(board.run_ids, {measure.name: influence.value}, by, undefined=reasons),
        rank_intervals(influence.value, [influence], measure.direction, dependent=False),
        compare_pairs(scores, how, direction=measure.direction, baseline=baseline),
    )


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
