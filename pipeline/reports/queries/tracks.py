"""A judged track as it is published: who ranks where, how well judges predict that, and what became of its files."""

from dataclasses import dataclass

import duckdb

from pipeline.reports.queries.catalog import UnknownBoardError, kind_of
from pipeline.tables import ALL_TOPICS_ID, OFFICIAL, TRACK_LEADERBOARD

_ROWS = """
    SELECT position, rank, rank_lo, rank_hi, run_id, measure, value, n_topics, n_missing, missing_topics, status
    FROM judging.leaderboard WHERE track = ? AND judge = ? ORDER BY position
"""

_JUDGES = "SELECT DISTINCT judge FROM judging.leaderboard WHERE track = ? ORDER BY judge <> ?, judge"

_AGREEMENT = """
    WITH ranked_by AS (SELECT DISTINCT judge, measure FROM judging.leaderboard WHERE track = $track)
    SELECT c.judge, c.judge_measure, c.method, c.value, c.ci_low, c.ci_high, c.n_runs, c.n_topics, c.reason
    FROM judging.correlations AS c
    JOIN ranked_by AS t ON t.judge = $official AND c.truth_measure = coalesce($truth_measure, t.measure)
    JOIN ranked_by AS j ON j.judge = c.judge AND j.measure = c.judge_measure
    WHERE c.track = $track AND c.topic_id = $all
    ORDER BY c.judge, c.method
"""

_FILES = "SELECT judge, name, sha256, status, reason FROM judging.files WHERE track = ? ORDER BY judge, name"


@dataclass(frozen=True)
class RunRank:
    """One run on a board; its rank could be ``rank_lo`` to ``rank_hi``."""

    position: int
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    run_id: str
    measure: str
    value: float | None
    n_topics: int
    n_missing: int
    missing_topics: str | None
    status: str


@dataclass(frozen=True)
class Agreement:
    """How well a judge predicts the official ranking, over all topics, by what both are ranked by; None is NULL."""

    judge: str
    measure: str
    method: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n_runs: int
    n_topics: int
    reason: str | None


@dataclass(frozen=True)
class TrackBoard:
    """One board of a track, its runs in order; ``agreements`` are those of all judges with the official board."""

    name: str
    title: str
    judge: str
    measure: str
    rows: tuple[RunRank, ...]
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True)
class BoardFile:
    """A file that a board was made of, or was not because it was refused."""

    judge: str
    name: str
    sha256: str | None
    status: str
    reason: str | None

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it was taken."""
        return self.status != "accepted"


def track_board(connection: duckdb.DuckDBPyConnection, name: str, judge: str = OFFICIAL) -> TrackBoard:
    """One board of a published track.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the track.
    judge : str
        ``official``, or the name of a judge.

    Raises
    ------
    UnknownBoardError
        If there is no such track, or it has no board of that name.
    """
    kind, title = kind_of(connection, name)
    if kind != TRACK_LEADERBOARD.schema:
        raise UnknownBoardError(f"board {name!r} is no judged track but of kind {kind}: it has models, and no runs")
    rows = tuple(RunRank(*row) for row in connection.execute(_ROWS, [name, judge]).fetchall())
    if not rows:
        known = judges_of(connection, name)
        remedy = f"known: {', '.join(known)}" if known else f"`podium run {name}` makes them once files are there"
        raise UnknownBoardError(f"track {name!r} has no board {judge!r} yet; {remedy}")
    return TrackBoard(name, title, judge, rows[0].measure, rows, agreements(connection, name))


def agreements(
    connection: duckdb.DuckDBPyConnection, name: str, truth_measure: str | None = None
) -> tuple[Agreement, ...]:
    """How well every judge, by what it is ranked by, predicts the official ranking of a published track.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the track.
    truth_measure : str or None
        What the official ranking is by; None for what the track declares.
    """
    parameters = {"track": name, "official": OFFICIAL, "all": ALL_TOPICS_ID, "truth_measure": truth_measure}
    return tuple(Agreement(*row) for row in connection.execute(_AGREEMENT, parameters).fetchall())


def judges_of(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, ...]:
    """The boards of a published track by whose they are, the official one first."""
    return tuple(judge for (judge,) in connection.execute(_JUDGES, [name, OFFICIAL]).fetchall())


def board_files(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[BoardFile, ...]:
    """The files of a published track; none where an older Podium published the file."""
    try:
        return tuple(BoardFile(*row) for row in connection.execute(_FILES, [name]).fetchall())
    except duckdb.CatalogException:
        return ()


def n_runs(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    """How many runs each board of a published track has."""
    counted = "SELECT judge, count(*) FROM judging.leaderboard WHERE track = ? GROUP BY judge ORDER BY judge"
    try:
        return dict(connection.execute(counted, [name]).fetchall())
    except duckdb.CatalogException:
        return {}
