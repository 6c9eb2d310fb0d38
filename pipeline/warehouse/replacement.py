"""Replacing the rows of some cycles: compare, write what differs, and enter it in the ledger, in one transaction."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.clock import utc_now
from pipeline.tables import CHANGES, LEDGER, WHOLE, TableSpec
from pipeline.warehouse.frames import RowsError, relation, times, to_arrow
from pipeline.warehouse.identifiers import Part, Sql, compose, literal
from pipeline.warehouse.ledger import Change, Dirty, ledger_name, max_seq

WHOLE_CYCLE = Sql(f"TIMESTAMP {literal(WHOLE.isoformat(sep=' '))}")
"""The ledger's cycle of a table that changes as one."""
_SHOWN = 5


def replace(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    board: str,
    cycles: Sequence[Dirty],
    rows: pd.DataFrame,
    code: str,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Change:
    """Make ``rows`` the rows of the given cycles; see :meth:`pipeline.warehouse.store.Store.replace`."""
    given = _given(spec, cycles)
    incoming = to_arrow(spec, board, rows)
    with relation(connection, given) as given_name, relation(connection, incoming) as incoming_name:
        task = _Replacement(connection, spec, board, cycles, code, given_name, incoming_name)
        task.refuse_foreign_cycles(incoming)
        task.refuse_duplicates()
        with turn():
            connection.begin()
            try:
                change = task.write()
                connection.commit()
            except BaseException:
                with suppress(duckdb.Error):  # a failed commit, as on a full disk, has ended the transaction already
                    connection.rollback()
                raise
    return change


def cycle_of(spec: TableSpec) -> Sql:
    """The expression that gives the ledger's cycle of a row of ``spec``."""
    if spec.cycle is None:
        return WHOLE_CYCLE
    return compose("{column}", column=spec.cycle)


def _given(spec: TableSpec, cycles: Sequence[Dirty]) -> pa.Table:
    moments = [dirty.cycle for dirty in cycles]
    repeated = sorted(moment for moment, times_given in Counter(moments).items() if times_given > 1)
    if repeated:
        raise ValueError(f"cycles given twice for {spec.qualified_name}: {_show(repeated)}; give each once")
    if spec.cycle is None and moments != [WHOLE]:
        raise ValueError(f"{spec.qualified_name} has no cycles; give [Dirty(WHOLE, input_seq)], not {_show(moments)}")
    return pa.table({"ledger_cycle": times(moments, "cycle")})


def _show(values: Sequence[object]) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN])
    return f"{shown}, ... ({len(values)} in all)" if len(values) > _SHOWN else shown


class _Replacement:
    """The statements of one ``replace``, on relations already registered."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        spec: TableSpec,
        board: str,
        cycles: Sequence[Dirty],
        code: str,
        given: Sql,
        incoming: Sql,
    ) -> None:
        self.connection = connection
        self.spec = spec
        self.board = board
        self.cycles = cycles
        self.code = code
        self.incoming = incoming
        self.parts: dict[str, Part] = {
            "table": spec,
            "columns": spec.column_names,
            "key": spec.key,
            "board": spec.board,
            "cycle": cycle_of(spec),
            "known_at": compose("{column}", column=spec.known_at) if spec.known_at else Sql("NULL::TIMESTAMP"),
            "given": given,
            "incoming": incoming,
        }

    def refuse_foreign_cycles(self, incoming: pa.Table) -> None:
        """Raise for rows of cycles that were not given; a table without cycles is one as a whole."""
        if self.spec.cycle is None:
            return
        given = {one.cycle for one in self.cycles}
        counted = pc.value_counts(incoming.column(self.spec.cycle)).to_pylist()
        found = sorted((one["values"], one["counts"]) for one in counted if one["values"] not in given)
        if found:
            raise RowsError(
                f"rows for {self.spec.qualified_name} of board {self.board!r} have cycles that were not given: "
                f"{_show([f'{cycle} ({n} rows)' for cycle, n in found])}; give these cycles too or leave the rows out"
            )

    def refuse_duplicates(self) -> None:
        """Raise for keys that name several rows."""
        found = self._all(
            "SELECT {key}, count(*) AS n, count(*) OVER () AS keys FROM {incoming} "
            "GROUP BY {key} HAVING count(*) > 1 ORDER BY ALL LIMIT 5"
        )
        if found:
            shown = "; ".join(
                ", ".join(f"{name}={value}" for name, value in zip(self.spec.key, row, strict=False)) + f" ({row[-2]}x)"
                for row in found
            )
            raise RowsError(
                f"rows for {self.spec.qualified_name} have {found[0][-1]} keys more than once: {shown}; "
                f"its key ({', '.join(self.spec.key)}) must name one row"
            )

    def write(self) -> Change:
        """Write what differs and the ledger; the caller owns the transaction."""
        changed = self._changed()
        seq, rows = None, 0
        if changed.num_rows:
            seq = max_seq(self.connection) + 1
            with relation(self.connection, changed) as self.parts["changed"]:
                rows = self._write_rows()
                self._write_changes(seq)
        self._write_ledger(set(changed.column("ledger_cycle").to_pylist()), seq)
        return Change(self.spec.qualified_name, len(self.cycles), changed.num_rows, rows, seq)

    def _changed(self) -> pa.Table:
        """The cycles whose rows differ, each with the earliest known_at among rows added or removed."""
        stored = self._all(
            "SELECT 1 FROM {table} SEMI JOIN {given} AS given ON given.ledger_cycle = {cycle} "
            "WHERE {board} = ? LIMIT 1",
            self.board,
        )
        if not stored:
            return self._arrow(
                "SELECT {cycle} AS ledger_cycle, min({known_at}) AS known_from FROM {incoming} GROUP BY 1"
            )
        return self._arrow(
            "WITH difference AS ("
            " SELECT {columns} FROM ("
            "  SELECT {columns}, 1 AS side FROM {incoming}"
            "  UNION ALL"
            "  SELECT {columns}, -1 AS side FROM {table} SEMI JOIN {given} AS given ON given.ledger_cycle = {cycle}"
            "  WHERE {board} = ?"
            " ) GROUP BY {columns} HAVING sum(side) <> 0"
            ") SELECT {cycle} AS ledger_cycle, min({known_at}) AS known_from FROM difference GROUP BY 1",
            self.board,
        )

    def _write_rows(self) -> int:
        self._all(
            "DELETE FROM {table} WHERE {board} = ? "
            "AND {cycle} IN (SELECT changed.ledger_cycle FROM {changed} AS changed)",
            self.board,
        )
        inserted = self._all(
            "INSERT INTO {table} ({columns}) "
            "SELECT {columns} FROM {incoming} SEMI JOIN {changed} AS changed ON changed.ledger_cycle = {cycle}"
        )
        return int(inserted[0][0])

    def _write_changes(self, seq: int) -> None:
        self._all(
            "INSERT INTO {changes} (competition, table_name, cycle, seq, known_from, changed_at) "
            "SELECT ?, ?, changed.ledger_cycle, ?, changed.known_from, ? FROM {changed} AS changed",
            *(self.board, ledger_name(self.spec), seq, utc_now()),
        )

    def _write_ledger(self, changed: Collection[datetime], seq: int | None) -> None:
        """Enter the cycles given, those that changed with their new number; what is entered already is left alone."""
        of_table = (self.board, ledger_name(self.spec))
        moments = [one.cycle for one in self.cycles]
        if not moments:
            return
        found = self._all(
            "SELECT cycle, seq, input_seq, code FROM {ledger}"
            " WHERE competition = ? AND table_name = ? AND cycle BETWEEN ? AND ?",
            *(*of_table, min(moments), max(moments)),
        )
        old = {cycle: tuple(entry) for cycle, *entry in found}
        new = {
            one.cycle: (seq if one.cycle in changed else old.get(one.cycle, (0,))[0], one.input_seq, self.code)
            for one in self.cycles
        }
        entered = [moment for moment in moments if new[moment] != old.get(moment)]
        if not entered:
            return
        entries = pa.table(
            {
                "ledger_cycle": times(entered, "cycle"),
                "seq": pa.array([new[moment][0] for moment in entered], pa.int64()),
                "input_seq": pa.array([new[moment][1] for moment in entered], pa.int64()),
            }
        )
        with relation(self.connection, entries) as self.parts["entries"]:
            if not old.keys().isdisjoint(entered):
                self._all(
                    "DELETE FROM {ledger} WHERE competition = ? AND table_name = ?"
                    " AND cycle IN (SELECT entry.ledger_cycle FROM {entries} AS entry)",
                    *of_table,
                )
            self._all(
                "INSERT INTO {ledger} (competition, table_name, cycle, seq, input_seq, code) "
                "SELECT ?, ?, entry.ledger_cycle, entry.seq, entry.input_seq, ? FROM {entries} AS entry",
                *(*of_table, self.code),
            )

    def _execute(self, template: str, parameters: Sequence[object]) -> duckdb.DuckDBPyConnection:
        statement = compose(template, ledger=LEDGER, changes=CHANGES, **self.parts)
        return self.connection.execute(statement, list(parameters))

    def _all(self, template: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._execute(template, parameters).fetchall()

    def _arrow(self, template: str, *parameters: object) -> pa.Table:
        return self._execute(template, parameters).to_arrow_table()
