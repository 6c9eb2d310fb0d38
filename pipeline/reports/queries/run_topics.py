"""One run of a judged track, topic by topic beside the others, and pair by pair."""

from dataclasses import dataclass

import duckdb

from pipeline.reports.queries.catalog import UnknownBoardError
from pipeline.tables import ALL_TOPICS_ID

_TOPICS = """
    WITH of_measure AS (
        SELECT run_id, topic_id, value FROM judging.measures
        WHERE track = $track AND judge = $judge AND measure = $measure AND topic_id <> $all
    ), of_run AS (FROM of_measure WHERE run_id = $run)
    SELECT topic_id, any_value(r.value), median(o.value), min(o.value), max(o.value), count(o.value),
           CASE WHEN any_value(r.value) IS NOT NULL
           THEN 1 + count(*) FILTER (if($is_loss, o.value < r.value, o.value > r.value)) END
    FROM of_measure AS o LEFT JOIN of_run AS r USING (topic_id) GROUP BY topic_id ORDER BY topic_id
"""

_PAIRS = """
    SELECT if(run_id = $run, other_run_id, run_id) AS other, n_topics, if(run_id = $run, difference, -difference),
           if(run_id = $run, wins, losses), ties, if(run_id = $run, losses, wins), p_adjusted, better, test
    FROM judging.comparisons
    WHERE track = $track AND judge = $judge AND measure = $measure AND $run IN (run_id, other_run_id)
    ORDER BY other
"""

_IS_RUN = "SELECT 1 FROM judging.leaderboard WHERE track = ? AND judge = ? AND run_id = ?"


@dataclass(frozen=True)
class Topic:
    """A run on one topic, beside the runs that have it: their median and ends; it is the ``rank``-th of ``n_runs``.

    What is None is undefined: the run lacks the topic, or no run has it.
    """

    topic_id: str
    value: float | None
    median: float | None
    low: float | None
    high: float | None
    n_runs: int
    rank: int | None


@dataclass(frozen=True)
class Pair:
    """A run beside another one, on the topics that both have; ``better`` names the one that surely is, if any."""

    other: str
    n_topics: int
    difference: float | None
    wins: int
    ties: int
    losses: int
    p_adjusted: float | None
    better: str | None
    test: str


@dataclass(frozen=True)
class OfRun:
    """Which run, on whose board, by which measure."""

    track: str
    judge: str
    run_id: str
    measure: str


def topics_of(connection: duckdb.DuckDBPyConnection, of: OfRun, *, is_loss: bool) -> tuple[Topic, ...]:
    """A run on every topic of a board.

    Raises
    ------
    UnknownBoardError
        If the board has no such run.
    """
    if connection.execute(_IS_RUN, [of.track, of.judge, of.run_id]).fetchone() is None:
        raise UnknownBoardError(f"the board {of.judge!r} of {of.track!r} has no run {of.run_id!r}")
    values = {**_values(of), "all": ALL_TOPICS_ID, "is_loss": is_loss}
    return tuple(Topic(*row) for row in connection.execute(_TOPICS, values).fetchall())


def pairs_of(connection: duckdb.DuckDBPyConnection, of: OfRun) -> tuple[Pair, ...]:
    """A run beside every other one that it was compared with."""
    return tuple(Pair(*row) for row in connection.execute(_PAIRS, _values(of)).fetchall())


def _values(of: OfRun) -> dict[str, object]:
    return {"track": of.track, "judge": of.judge, "run": of.run_id, "measure": of.measure}
