"""Adding rows to tables that only grow, and entering it in the ledger: what landing does with each file.

Unlike a replacement it compares nothing: the caller knows that the rows are new, or names the rows they stand for.
"""

from dataclasses import dataclass
from typing import Any

import duckdb

from pipeline.tables import CHANGES, LEDGER, TableSpec
from pipeline.warehouse.frames import now
from pipeline.warehouse.identifiers import Part, Sql, compose
from pipeline.warehouse.ledger import Change, ledger_name, max_seq
from pipeline.warehouse.replacement import cycle_of

CODE = "added"
"""What the ledger says made these rows."""


@dataclass(frozen=True)
class InsteadOf:
    """Rows that are removed first: those whose ``column`` is ``value``."""

    column: str
    value: object


def add(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, board: str, incoming: Sql, instead_of: InsteadOf | None
) -> Change:
    """Add the rows of a relation to a table; see :meth:`pipeline.warehouse.store.Store.add`."""
    addition = _Addition(connection, spec, incoming)
    addition.note_touched(board, instead_of)
    if instead_of is not None:
        addition.run("DELETE FROM {table} WHERE {board} = ? AND {column} = ?", board, instead_of.value)
    rows = addition.run("INSERT INTO {table} ({columns}) SELECT {columns} FROM {incoming}")[0][0]
    cycles = addition.run("SELECT count(*) FROM podium_touched")[0][0]
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
            "board": spec.board,
            "cycle": cycle_of(spec),
            "known_at": compose("{column}", column=spec.known_at) if spec.known_at else Sql("NULL::TIMESTAMP"),
            "incoming": incoming,
            "changes": CHANGES,
            "ledger": LEDGER,
        }

    def note_touched(self, board: str, instead_of: InsteadOf | None) -> None:
        """Keep the cycles that gain or lose rows, each with the earliest known_at among those."""
        parameters: list[object] = []
        self.parts["touched"] = compose("SELECT {cycle} AS c, {known_at} AS k FROM {incoming}", **self.parts)
        if instead_of is not None:
            self.parts["column"] = instead_of.column
            parameters = [board, instead_of.value]
            self.parts["touched"] = compose(
                "{touched} UNION ALL SELECT {cycle}, {known_at} FROM {table} WHERE {board} = ? AND {column} = ?",
                **self.parts,
            )
        self.run(
            "CREATE OR REPLACE TEMP TABLE podium_touched AS "
            "SELECT c AS ledger_cycle, min(k) AS known_from FROM ({touched}) GROUP BY 1",
            *parameters,
        )

    def enter(self, board: str, seq: int) -> None:
        """Give every touched cycle the number of the change."""
        self.run(
            "INSERT INTO {changes} (competition, table_name, cycle, seq, known_from, changed_at) "
            "SELECT ?, ?, ledger_cycle, ?, known_from, ? FROM podium_touched",
            *(board, self.name, seq, now()),
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
