"""When tables last changed, and which rows were refused."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

_TABLES = """
    SELECT competition, table_name, nullif(max(cycle), TIMESTAMP '1970-01-01'), max(changed_at)
    FROM meta.changes GROUP BY competition, table_name ORDER BY competition, max(seq)
"""

_REFUSALS = """
    SELECT competition, kind, count(*), count(DISTINCT file_number), mode(reason)
    FROM quarantine.rows GROUP BY competition, kind ORDER BY competition, count(*) DESC
"""


@dataclass(frozen=True)
class TableState:
    """A table of a board: its newest cycle, None where it has none, and when it last changed (UTC)."""

    board: str
    table: str
    newest_cycle: datetime | None
    changed_at: datetime


@dataclass(frozen=True)
class Refusals:
    """Refused rows of a board and kind: how many, of how many files, and the most frequent reason."""

    board: str
    kind: str
    rows: int
    files: int
    reason: str


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[TableState]:
    """The tables of every board, in the order in which they last changed."""
    return [TableState(*row) for row in connection.execute(_TABLES).fetchall()]


def refusals(connection: duckdb.DuckDBPyConnection) -> list[Refusals]:
    """What was refused, the most frequent first."""
    return [Refusals(*row) for row in connection.execute(_REFUSALS).fetchall()]
