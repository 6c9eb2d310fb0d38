"""The runs of a judged track with all their measures, ranked as the track is or by another measure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from pipeline.leaderboard import Direction, RankBy, RankingKey, rank_contestants
from pipeline.reports.queries.standings import UnknownKeyError
from pipeline.reports.queries.tracks import RunRank, judges_of, track_board
from pipeline.tables import ALL_TOPICS_ID

_MEASURES = """
    SELECT measure, direction, aggregate, default_value FROM judging.measure_specs
    WHERE track = ? AND judge = ? AND is_used ORDER BY measure
"""
_VALUES = """
    SELECT run_id, measure, value FROM judging.measures WHERE track = ? AND judge = ? AND topic_id = ?
"""
_TOPICS = """
    SELECT run_id, count(value), count(*) FILTER (value IS NULL),
           string_agg(topic_id, ', ' ORDER BY topic_id) FILTER (value IS NULL)
    FROM judging.measures WHERE track = ? AND judge = ? AND measure = ? AND topic_id <> ? GROUP BY run_id
"""
_PLACES = "SELECT judge, run_id, rank, rank_lo, rank_hi FROM judging.leaderboard WHERE track = ?"


@dataclass(frozen=True)
class Measure:
    """A measure of a board: which end is better, how topics sum up, and what counts for one that a run lacks."""

    name: str
    direction: str
    aggregate: str
    default: float | None

    @property
    def is_loss(self) -> bool:
        """Whether less is better."""
        return self.direction == Direction.ASC


@dataclass(frozen=True)
class Run:
    """A run with its value of every measure over all topics; None is NULL."""

    row: RunRank
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class TrackRuns:
    """One board of a track.

    Parameters
    ----------
    name, title, judge : str
    measure : Measure
        What ranks are by.
    declared : str
        The measure that the track ranks this board by.
    measures : tuple of Measure
        All that the board has, that which ranks among them.
    judges : tuple of str
        Whose boards the track has, the official one first.
    rows : tuple of Run
        In order.
    """

    name: str
    title: str
    judge: str
    measure: Measure
    declared: str
    measures: tuple[Measure, ...]
    judges: tuple[str, ...]
    rows: tuple[Run, ...]

    @property
    def is_declared(self) -> bool:
        """Whether ranks are those of the track, not of what a reader asked for."""
        return self.measure.name == self.declared


@dataclass(frozen=True)
class Place:
    """Where a judge ranks a run; it could be ``rank_lo`` to ``rank_hi``."""

    rank: int | None
    rank_lo: int | None
    rank_hi: int | None


def track_runs(connection: duckdb.DuckDBPyConnection, name: str, judge: str, measure: str | None = None) -> TrackRuns:
    """The runs of one board of a published track.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the track.
    judge : str
        ``official``, or the name of a judge.
    measure : str or None
        What to rank by, with the kernel that ranks all boards; None for what the track declares.

    Raises
    ------
    UnknownBoardError
        If there is no such track, or it has no board of that name.
    UnknownKeyError
        If the board has no such measure, or neither end of it is better.
    """
    board = track_board(connection, name, judge)
    measures = tuple(Measure(*row) for row in connection.execute(_MEASURES, [name, judge]).fetchall())
    ranked = _named(measures, board.measure if measure is None else measure, f"the board {judge!r} of {name!r}")
    values: dict[str, dict[str, float | None]] = {}
    for run_id, of_measure, value in connection.execute(_VALUES, [name, judge, ALL_TOPICS_ID]).fetchall():
        values.setdefault(run_id, {})[of_measure] = value
    rows = tuple(Run(row, values.get(row.run_id, {})) for row in board.rows)
    if ranked.name != board.measure:
        rows = _ranked_anew(rows, ranked, _topics(connection, name, judge, ranked.name))
    return TrackRuns(name, board.title, judge, ranked, board.measure, measures, judges_of(connection, name), rows)


def places(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, dict[str, Place]]:
    """Where every judge of a published track ranks every run, by judge and run."""
    found: dict[str, dict[str, Place]] = {}
    for judge, run_id, *place in connection.execute(_PLACES, [name]).fetchall():
        found.setdefault(judge, {})[run_id] = Place(*place)
    return found


def _named(measures: tuple[Measure, ...], name: str, board: str) -> Measure:
    """The measure of a name, which something can be ranked by."""
    rankable = [one for one in measures if one.direction != Direction.NONE]
    for one in rankable:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in rankable)
    raise UnknownKeyError(f"{board} cannot be ranked by {name!r}; its measures with a better end: {known}")


def _topics(
    connection: duckdb.DuckDBPyConnection, name: str, judge: str, measure: str
) -> dict[str, tuple[int, int, str | None]]:
    """By run: topics with a value of a measure, topics without, and which these are."""
    rows = connection.execute(_TOPICS, [name, judge, measure, ALL_TOPICS_ID]).fetchall()
    return {run_id: (n_topics, n_missing, missing) for run_id, n_topics, n_missing, missing in rows}


def _ranked_anew(
    rows: tuple[Run, ...], measure: Measure, topics: Mapping[str, tuple[int, int, str | None]]
) -> tuple[Run, ...]:
    values = [one.values.get(measure.name) for one in rows]
    column = np.array([np.nan if value is None else value for value in values])
    by = RankBy(RankingKey(measure.name, Direction(measure.direction)))
    ranking = rank_contestants([one.row.run_id for one in rows], {measure.name: column}, by)
    placed = []
    for at in ranking.order.tolist():
        n_topics, n_missing, missing = topics.get(rows[at].row.run_id, (0, 0, None))
        row = replace(
            rows[at].row,
            position=int(ranking.position[at]),
            rank=int(ranking.rank[at]) or None,
            rank_lo=None,
            rank_hi=None,
            measure=measure.name,
            value=values[at],
            n_topics=n_topics,
            n_missing=n_missing,
            missing_topics=missing,
            status=str(ranking.status[at]),
        )
        placed.append(replace(rows[at], row=row))
    return tuple(placed)
