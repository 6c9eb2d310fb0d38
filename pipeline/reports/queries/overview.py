"""What there is of every published board, and how fresh it is."""

from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from pipeline.competition.durations import parse_duration
from pipeline.reports.queries.boards import categories_of
from pipeline.reports.queries.catalog import kind_of
from pipeline.reports.queries.standings import contest
from pipeline.reports.queries.status import Contents, contents, freshness
from pipeline.tables import LEADERBOARD


@dataclass(frozen=True)
class Overview:
    """A published board of any kind; what is of competitions alone is empty of others.

    Parameters
    ----------
    name, kind, title : str
    state : str
        fresh, late, frozen or empty.
    late_from : datetime or None
        The moment from which it is late.
    contents : Contents or None
    metrics, windows, categories : tuple of str
        What can be asked of it.
    """

    name: str
    kind: str
    title: str
    state: str = ""
    late_from: datetime | None = None
    contents: Contents | None = None
    metrics: tuple[str, ...] = field(default=())
    windows: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def newest_cycle(self) -> datetime | None:
        """The newest cycle with predictions."""
        return None if self.contents is None else self.contents.newest_cycle

    @property
    def newest_board(self) -> datetime | None:
        """The newest moment for which there is a leaderboard."""
        return None if self.contents is None else self.contents.newest_board


def overview(connection: duckdb.DuckDBPyConnection, name: str, now: datetime) -> Overview:
    """What there is of a board.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
    now : datetime
        UTC, without a zone.

    Raises
    ------
    UnknownBoardError
        If there is no such board.
    """
    kind, title = kind_of(connection, name)
    if kind != LEADERBOARD.schema:
        return Overview(name, kind, title)
    of, has = contest(connection, name), contents(connection, name)
    late_after = of.contract.get("late_after")
    fresh = freshness(
        has.cycles,
        now,
        frozen=bool(of.contract.get("frozen")),
        late_after=None if late_after is None else parse_duration(late_after),
    )
    return Overview(
        name,
        kind,
        title,
        fresh.state,
        fresh.late_from,
        has,
        tuple(of.directions),
        of.windows,
        tuple(categories_of(connection, name)),
    )
