"""How a board is doing: whether it is up to date, and what became of the files it was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Literal

import duckdb

from pipeline.reports.queries.failures import FailedFunction, failed_functions

State = Literal["empty", "frozen", "fresh", "late"]

_CYCLES = 20
"""Cycles whose spacing tells when the next one is due."""

_NEWEST_CYCLES = """
    SELECT cycle FROM competition.predictions WHERE competition = ? GROUP BY cycle ORDER BY cycle DESC LIMIT ?
"""

_NEWEST_BOARD = "SELECT max(as_of) FROM competition.leaderboard WHERE competition = ?"

_FILES = """
    SELECT count(DISTINCT (name, sha256, received_at, of_hub)),
           count(DISTINCT (name, sha256, received_at, of_hub)) FILTER (starts_with(status, 'unreadable')),
           coalesce(sum(n_accepted), 0), coalesce(sum(n_rejected), 0), coalesce(sum(n_late), 0), max(received_at)
    FROM (
        SELECT *, CASE kind WHEN 'model-output' THEN file_number END AS of_hub
        FROM competition.files WHERE competition = ?
    )
"""


@dataclass(frozen=True)
class Freshness:
    """Whether a board is up to date, and the moment from which it is late; None where it never is."""

    state: State
    late_from: datetime | None


@dataclass(frozen=True)
class FileCounts:
    """What became of a board's files; one that gives rows of two kinds is one file, its rows count for each kind."""

    landed: int = 0
    unreadable: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_late: int = 0
    newest_received_at: datetime | None = None


@dataclass(frozen=True)
class Contents:
    """What is published of a board.

    Parameters
    ----------
    is_published : bool
        Whether the board is in the file at all.
    cycles : tuple of datetime
        The newest cycles with predictions, in order.
    newest_board : datetime or None
        The newest moment for which there is a leaderboard.
    files : FileCounts
    failed : tuple of FailedFunction
        Functions that left errors in place of values.
    """

    is_published: bool = False
    cycles: tuple[datetime, ...] = ()
    newest_board: datetime | None = None
    files: FileCounts = FileCounts()
    failed: tuple[FailedFunction, ...] = ()

    @property
    def newest_cycle(self) -> datetime | None:
        """The newest cycle with predictions."""
        return self.cycles[-1] if self.cycles else None


def freshness(
    cycles: Sequence[datetime], now: datetime, *, frozen: bool = False, late_after: timedelta | None = None
) -> Freshness:
    """Whether a board's newest cycle is as new as it should be.

    Parameters
    ----------
    cycles : sequence of datetime
        Cycles in order; the last 20 tell the usual spacing.
    now : datetime
        In the same time zone.
    frozen : bool
        The contest has ended: its board is never late.
    late_after : timedelta or None
        How old the newest cycle may be; without it twice the median spacing, and any age while there is one cycle only.

    Returns
    -------
    Freshness
        ``empty`` without cycles, whatever else holds.
    """
    if not cycles:
        return Freshness("empty", None)
    if frozen:
        return Freshness("frozen", None)
    allowed = late_after
    if allowed is None and len(cycles) > 1:
        spacings = [(later - earlier).total_seconds() for earlier, later in pairwise(cycles[-_CYCLES:])]
        allowed = timedelta(seconds=2 * median(spacings))
    if allowed is None:
        return Freshness("fresh", None)
    late_from = cycles[-1] + allowed
    return Freshness("late" if now > late_from else "fresh", late_from)


def contents(connection: duckdb.DuckDBPyConnection, board: str) -> Contents:
    """What a published file holds of a board; nothing where the board, or a table, is not in it.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    board : str
        Name of the competition.
    """
    cycles = _rows(connection, _NEWEST_CYCLES, board, _CYCLES)
    newest = _rows(connection, _NEWEST_BOARD, board)
    files = _rows(connection, _FILES, board)
    return Contents(
        is_published=bool(_rows(connection, "SELECT 1 FROM catalog.boards WHERE board = ?", board)),
        cycles=tuple(row[0] for row in reversed(cycles)),
        newest_board=newest[0][0] if newest else None,
        files=FileCounts(*files[0]) if files else FileCounts(),
        failed=failed_functions(connection, board),
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """The rows of a query; none when an older Podium published the file, without the table."""
    try:
        return connection.execute(query, list(parameters)).fetchall()
    except duckdb.CatalogException:
        return []
