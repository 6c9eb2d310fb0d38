"""The tables that are computed of a track's boards: who ranks where, who is better than whom, and what judges predict.

Rows are those of the tables without the names of the track and of the board, unless they are given.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from pipeline.judging.boards import TrackError
from pipeline.judging.declaration import ComparisonsSpec, CorrelationsSpec, Track
from pipeline.leaderboard import (
    Aggregate,
    Direction,
    Leaderboard,
    LeaderboardEvaluator,
    MeasureSpec,
    RankIntervals,
    compare_runs,
    mean_influence,
    rank_intervals,
)
from pipeline.leaderboard.arrays import FloatArray
from pipeline.leaderboard.board.aggregation import LEAST_OF_A_PRODUCT
from pipeline.tables import ALL_TOPICS_ID, COMPARISONS, CORRELATIONS, OFFICIAL, TRACK_LEADERBOARD, TableSpec

NO_TOPICS = "no_topics"
"""Why runs have no rank intervals: files have ``all`` rows only."""
MOST_CORRELATIONS = 500_000
"""Rows of correlations of one judge, at most: beyond that topics are left out, and it is told."""
_AVERAGED = (Aggregate.MEAN, Aggregate.SUM, Aggregate.GMEAN)


def primary_of(track: Track, judge: str, board: Leaderboard) -> str:
    """The measure that a board is ranked by: the declared one or, if a judge has only one with a better end, that.

    Raises
    ------
    TrackError
        If the board does not have it, or it has no better end; the message names the measures to choose from.
    """
    name = track.boards[judge].primary
    rankable = [one.name for one in board.spec.measures if one.direction is not Direction.NONE]
    wanted = name or track.primary
    if wanted in rankable:
        return wanted
    if name is None and judge != OFFICIAL and len(rankable) == 1:
        return rankable[0]
    field = "primary" if judge == OFFICIAL else f"judges.{judge}.primary"
    raise TrackError(
        f"the board {judge!r} cannot be ranked by {wanted!r}; name one of its measures in `{field}`: "
        f"{', '.join(rankable) or 'none has a better end'}"
    )


def leaderboard_rows(board: Leaderboard, primary: str) -> pd.DataFrame:
    """Every run of a board with its rank by one measure, between which ranks it could be, and what it lacks.

    Runs are compared on the topics that both have (paired t tests, Holm's correction over all pairs), whatever counts
    for a missing topic in their values.

    Parameters
    ----------
    board : Leaderboard
        With its ``all`` rows.
    primary : str
        The measure; it has a direction.
    """
    ranking = board.get_aggregate_ranking(primary)
    intervals = _intervals(board, board.spec[primary], ranking.key)
    expected = board.coverage.expected_topic_ids
    has = np.isfinite(_values(board, board.spec[primary]))
    topics = np.array(board.topic_ids, dtype=object)
    rows = []
    for run in ranking.order.tolist():
        of_run = set(topics[has[run]])
        missing = [topic for topic in expected if topic not in of_run]
        rows.append(
            {
                "run_id": board.run_ids[run],
                "position": int(ranking.position[run]),
                "rank": int(ranking.rank[run]) or None,
                **_interval_of(intervals, run),
                "measure": primary,
                "value": _or_none(ranking.key[run]),
                "n_topics": len(of_run),
                "n_missing": len(missing),
                "missing_topics": ", ".join(missing) or None,
                "status": ranking.status[run],
            }
        )
    return _frame(TRACK_LEADERBOARD, rows)


def correlation_rows(
    truth: Leaderboard, judge: Leaderboard, primaries: tuple[str, str], how: CorrelationsSpec, on_missing: str
) -> pd.DataFrame:
    """How well a judge's board predicts the official one, for every pair of measures.

    Topics have rows of their own unless that would make more than 500,000.

    Parameters
    ----------
    truth, judge : Leaderboard
        The boards.
    primaries : pair of str
        What they are ranked by: where the boards have nothing in common, these have rows that say so.
    how : CorrelationsSpec
        Methods, measures, intervals.
    on_missing : str
        What counts where a board lacks a common topic of a common run.
    """
    listed = None if how.measures is None else [name for name in how.measures if name in truth.spec.name_set]
    evaluator = LeaderboardEvaluator(
        truth,
        methods=how.methods,
        truth_measures=listed,
        on_missing=on_missing,
        resamples=how.resamples,
        seed=how.seed,
    )
    try:
        found = evaluator.evaluate(judge)
    except ValueError as error:
        return _uncorrelated(primaries, how, str(error))
    n_pairs = len(found.truth_measures) * len(found.judge_measures) * len(found.methods)
    fits = n_pairs * (1 + len(found.topic_ids)) <= MOST_CORRELATIONS
    return _frame(CORRELATIONS, [asdict(row) for row in found.rows(how.per_topic and fits)])


def comparison_rows(board: Leaderboard, primary: str, how: ComparisonsSpec) -> pd.DataFrame:
    """Every two of a board's best runs compared, topic by topic.

    Parameters
    ----------
    board : Leaderboard
        The board; one without topics has nothing to compare.
    primary : str
        What the best are chosen by and, unless others are listed, what they are compared by.
    how : ComparisonsSpec
        The measures, the test, and how many runs.
    """
    measures = [name for name in how.measures or (primary,) if name in board.spec.topic_names]
    if not board.topic_ids or not measures:
        return _frame(COMPARISONS, [])
    best = board.top_k(how.runs, primary)
    return _frame(COMPARISONS, [asdict(row) for row in compare_runs(best, how.how, measures=measures).pairs()])


def _interval_of(intervals: RankIntervals | None, run: int) -> dict[str, object]:
    """Between which ranks one run could be."""
    if intervals is None:
        return {"rank_lo": None, "rank_hi": None, "tie_group": None, "rank_method": NO_TOPICS}
    ranks = {name: int(getattr(intervals, name)[run]) or None for name in ("rank_lo", "rank_hi", "tie_group")}
    return {**ranks, "rank_method": intervals.method[run]}


def _intervals(board: Leaderboard, measure: MeasureSpec, key: FloatArray) -> RankIntervals | None:
    """Between which ranks each run could be; None where there are no topics to tell by.

    The mean's influence orders sums too, and that of logarithms geometric means.
    """
    if not board.topic_ids or measure.aggregate not in _AVERAGED:
        return None
    values = _values(board, measure)
    if measure.aggregate is Aggregate.GMEAN:
        values = np.log(np.maximum(values, LEAST_OF_A_PRODUCT))
    return rank_intervals(key, [mean_influence(values.T)], measure.direction, dependent=False)


def _values(board: Leaderboard, measure: MeasureSpec) -> FloatArray:
    """What a measure sums up, shape (runs, topics)."""
    if measure.source not in board.spec.name_set:
        return np.full((len(board.run_ids), len(board.topic_ids)), np.nan)
    return board.matrix(measure.source)


def _uncorrelated(primaries: tuple[str, str], how: CorrelationsSpec, why: str) -> pd.DataFrame:
    """Rows of correlations that there are not."""
    truth, judge = primaries
    said = {"topic_id": ALL_TOPICS_ID, "truth_measure": truth, "judge_measure": judge, "ci_method": "undefined"}
    nothing: Mapping[str, object] = {
        "value": None,
        "n_runs": 0,
        "n_topics": 0,
        "se": None,
        "ci_low": None,
        "ci_high": None,
    }
    return _frame(CORRELATIONS, [{**said, "method": method, **nothing, "reason": why} for method in how.methods])


def _frame(spec: TableSpec, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Rows as a frame with the columns of a table; what is absent makes no float of a whole number."""
    columns = [one for one in spec.columns if one.name not in (spec.board, "judge")]
    kinds = {"VARCHAR": "str", "INTEGER": "Int32", "BIGINT": "Int64", "DOUBLE": "float64"}
    return pd.DataFrame(
        {one.name: pd.Series([row[one.name] for row in rows], dtype=kinds[one.type]) for one in columns}
    )


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
