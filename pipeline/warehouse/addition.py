"""Adding rows to tables that only grow, and entering it in the ledger: what landing does with each file.

Unlike a replacement it compares nothing: the caller knows that the rows are new.
"""

from typing import Any

import duckdb

from pipeline.clock import utc_now
from pipeline.tables import CHANGES, LEDGER, TableSpec
from pipeline.warehouse.identifiers import Part, Sql, compose
from pipeline.warehouse.ledger import Change, ledger_name, max_seq
from pipeline.warehouse.replacement import cycle_of

CODE = "added"
"""What the ledger says made these rows."""


def add(connection: duckdb.DuckDBPyConnection, spec: TableSpec, board: str, incoming: Sql) -> Change:
    """Add the rows of a relation to a table; see :meth:`pipeline.warehouse.store.Store.add`."""
    addition = _Addition(connection, spec, incoming)
    cycles = addition.note_touched()
    rows = addition.run("INSERT INTO {table} ({columns}) SELECT {columns} FROM {incoming}")[0][0]
    seq = max_seq(connection) + 1 if cycles else None
    if seq is not None:
        addition.enter(board, seq)
    return Change(spec.qualified_name, cycles, cycles, rows, seq)


class _Addition:
    """The statements of one ``add``; the caller owns the transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, spec: TableSpec, incoming: Sql) -> None:
        self.connection = connection
        self.name = ledger_name(spec)
        self.parts: dict[str, Part] = {
            "table": spec,
            "columns": spec.column_names,
            "cycle": cycle_of(spec),
            "known_at": compose("{column}", column=spec.known_at) if spec.known_at else Sql("NULL::TIMESTAMP"),
            "incoming": incoming,
            "changes": CHANGES,
            "ledger": LEDGER,
        }

    def note_touched(self) -> int:
        """Keep the cycles that gain rows, each with the earliest known_at among those; how many there are."""
        self.run(
            "CREATE OR REPLACE TEMP TABLE podium_touched AS "
            "SELECT {cycle} AS ledger_cycle, min({known_at}) AS known_from FROM {incoming} GROUP BY 1"
        )
        return int(self.run("SELECT count(*) FROM podium_touched")[0][0])

    def enter(self, board: str, seq: int) -> None:
        """Give every touched cycle the number of the change."""
        self.run(
            "INSERT INTO {changes} (competition, table_name, cycle, seq, known_from, changed_at) "
            "SELECT ?, ?, ledger_cycle, ?, known_from, ? FROM podium_touched",
            *(board, self.name, seq, utc_now()),
        )
        self.run(
            "DELETE FROM {ledger} WHERE competition = ? AND table_name = ? "
            "AND cycle IN (SELECT ledger_cycle FROM podium_touched)",
            *(board, self.name),
        )
        self.run(
            "INSERT INTO {ledger} (competition, table_name, cycle, seq, input_seq, code) "
            "SELECT ?, ?, ledger_cycle, ?, ?, ? FROM podium_touched",
            *(board, self.name, seq, seq, CODE),
        )

    def run(self, template: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        return self.connection.execute(compose(template, **self.parts), list(parameters)).fetchall()
