"""The ledger: which change made the rows of each board, table and cycle, and from which state of its inputs.

Written only together with the rows (:mod:`pipeline.warehouse.replacement`); what it means for the tables computed
from them is worked out in :mod:`pipeline.warehouse.closures`.
"""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from pipeline.tables import CHANGES, LEDGER, TableSpec
from pipeline.warehouse.frames import to_pandas
from pipeline.warehouse.identifiers import compose


@dataclass(frozen=True)
class Dirty:
    """A cycle that must be computed, and the newest change of its inputs that the computation takes in."""

    cycle: datetime
    input_seq: int


@dataclass(frozen=True)
class Change:
    """What one ``replace`` did.

    Parameters
    ----------
    table : str
        Qualified name of the table.
    cycles : int
        Cycles given.
    changed : int
        Of these, the cycles whose rows differ from those stored before.
    rows : int
        Rows now stored for the changed cycles.
    seq : int or None
        Number of the change; None when nothing changed.
    """

    table: str
    cycles: int
    changed: int
    rows: int
    seq: int | None


def max_seq(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the newest change in the whole warehouse; 0 when there is none."""
    statement = compose(
        "SELECT greatest(coalesce((SELECT max(seq) FROM {ledger}), 0), coalesce((SELECT max(seq) FROM {changes}), 0))",
        ledger=LEDGER,
        changes=CHANGES,
    )
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def seqs(connection: duckdb.DuckDBPyConnection, spec: TableSpec, board: str) -> dict[datetime, int]:
    """The cycles of one table of a board, each with the number of its last change."""
    statement = compose("SELECT cycle, seq FROM {ledger} WHERE competition = ? AND table_name = ?", ledger=LEDGER)
    return dict(connection.execute(statement, [board, ledger_name(spec)]).fetchall())


def read_ledger(connection: duckdb.DuckDBPyConnection, board: str) -> pd.DataFrame:
    """The ledger's rows of one board, by table and cycle."""
    statement = compose(
        "SELECT {columns} FROM {ledger} WHERE {board} = ? ORDER BY {key}",
        columns=LEDGER.column_names,
        ledger=LEDGER,
        board=LEDGER.board,
        key=LEDGER.key,
    )
    return to_pandas(LEDGER, connection.execute(statement, [board]).df())


def ledger_name(spec: TableSpec) -> str:
    """The name under which the ledger counts a table; a board is of one kind, so the bare name is enough."""
    return spec.name
