"""An open working file, as assets see it: read rows, ask what is dirty, replace rows.

Everything here works on a connection that :mod:`pipeline.warehouse.warehouse` opened and will close.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa

from pipeline.tables import ALL_TABLES, TableSpec
from pipeline.warehouse import addition, closures, ledger, replacement
from pipeline.warehouse import coded as coding
from pipeline.warehouse.frames import relation, times, to_pandas
from pipeline.warehouse.identifiers import Part, Sql, compose
from pipeline.warehouse.ledger import Change, Dirty

__all__ = ["Change", "Dirty", "Store"]


@dataclass(frozen=True)
class Store:
    """The tables of an open warehouse.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Open for as long as the store is used.
    tables : sequence of TableSpec
        The tables there are; the inputs of computed tables are looked up among them.
    turn : function
        What a transaction holds, so that it sees what every transaction before it changed.
    """

    connection: duckdb.DuckDBPyConnection
    tables: Sequence[TableSpec] = ALL_TABLES
    turn: Callable[[], AbstractContextManager[None]] = nullcontext

    def read(
        self,
        spec: TableSpec,
        board: str,
        cycles: Sequence[datetime] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Rows of one board, in the order of the table's key.

        Parameters
        ----------
        spec : TableSpec
            The table.
        board : str
            The board.
        cycles : sequence of datetime, optional
            Only rows of these cycles; all without it.
        columns : sequence of str, optional
            Only these columns, in this order; all without it.

        Returns
        -------
        pandas.DataFrame
            With dtypes that depend on the specification only: ``str``, ``float64``, ``datetime64[us]``, ``int64`` and
            ``bool``, or ``Int64`` and ``boolean`` where the column may be NULL.

        Raises
        ------
        ValueError
            If a column is not in the table, or cycles are given for a table without them.
        """
        columns = list(spec.column_names if columns is None else columns)
        unknown = [name for name in columns if name not in spec.column_names]
        if unknown:
            raise ValueError(
                f"unknown columns {unknown} of {spec.qualified_name}; known: {', '.join(spec.column_names)}"
            )
        template = "SELECT {columns} FROM {table} {only} WHERE {board} = ? ORDER BY {key}"
        parts: dict[str, Part] = {"columns": columns, "table": spec, "board": spec.board, "key": spec.key}
        if cycles is None:
            return to_pandas(spec, self.query(compose(template, only=Sql(""), **parts), [board]))
        if spec.cycle is None:
            raise ValueError(f"{spec.qualified_name} has no cycles; read it whole, without `cycles`")
        with relation(self.connection, pa.table({"ledger_cycle": times(cycles, "cycle")})) as wanted:
            only = compose(
                "SEMI JOIN {wanted} AS wanted ON wanted.ledger_cycle = {cycle}", wanted=wanted, cycle=spec.cycle
            )
            return to_pandas(spec, self.query(compose(template, only=only, **parts), [board]))

    def read_coded(
        self,
        spec: TableSpec,
        board: str,
        cycles: Sequence[datetime],
        coded: Sequence[Sequence[str]],
        plain: Sequence[str],
    ) -> pd.DataFrame:
        """Rows of some cycles in no particular order, repeated values as categories: for millions of rows at once.

        Parameters
        ----------
        spec : TableSpec
            A table with cycles.
        board : str
            The board.
        cycles : sequence of datetime
            Only rows of these.
        coded : sequence of sequences of str
            Columns to give as categories, those together of which few combinations occur.
        plain : sequence of str
            Columns to give as they are; numbers and booleans.

        Returns
        -------
        pandas.DataFrame
            With the columns given. Where there are so many distinct values that categories save nothing, as
            :meth:`read` gives them.
        """
        if cycles:
            with suppress(coding.TooManyValuesError):
                return coding.read_coded(self.connection, spec, board, cycles, coded, plain)
        return self.read(spec, board, cycles, [name for group in coded for name in group] + list(plain))

    def query(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> pd.DataFrame:
        """The result of any SELECT; values are bound to its ``?`` placeholders, or to ``$name`` from a mapping."""
        return self.connection.execute(sql, parameters if isinstance(parameters, dict) else list(parameters)).df()

    def replace(self, spec: TableSpec, board: str, cycles: Sequence[Dirty], rows: pd.DataFrame, code: str) -> Change:
        """Make ``rows`` the rows of the given cycles, in one transaction, and enter it in the ledger.

        Cycles whose rows are the same as those stored, in any order, are not written and keep their ``seq``; the others
        get the next number of the warehouse's counter and an entry in ``meta.changes`` with the earliest ``known_at``
        among the rows added or removed. Every given cycle gets its ``input_seq`` and ``code``, also without rows.

        Parameters
        ----------
        spec : TableSpec
            The table.
        board : str
            The board; its column may be left out of ``rows``.
        cycles : sequence of Dirty
            The cycles that ``rows`` are all the rows of; ``[Dirty(WHOLE, input_seq)]`` for a table without cycles.
        rows : pandas.DataFrame
            Exactly the columns of the table, in any order. NaN is stored as NULL.
        code : str
            Hash of the code and declaration that made the rows.

        Raises
        ------
        RowsError
            If the columns are not the table's, a value does not fit its column, a number is infinite, rows belong to
            another board or to a cycle that was not given, or a key names several rows. Nothing is written then.
        ValueError
            If a cycle is given twice, or with a time zone.
        """
        return replacement.replace(self.connection, spec, board, cycles, rows, code, self.turn)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A ``with`` block whose additions are made together, or not at all when it raises."""
        with self.turn():
            self.connection.begin()
            try:
                yield
                self.connection.commit()
            except BaseException:
                with suppress(duckdb.Error):  # a failed commit, as on a full disk, has ended the transaction already
                    self.connection.rollback()
                raise

    def add(self, spec: TableSpec, board: str, incoming: Sql) -> Change:
        """Add rows to a table that only grows, inside :meth:`transaction`, and enter it in the ledger.

        Parameters
        ----------
        spec : TableSpec
            The table.
        board : str
            The board that all rows are of.
        incoming : Sql
            The name of a relation with the table's columns; its keys are not in the table.

        Raises
        ------
        duckdb.Error
            If the rows do not fit the table.
        """
        return addition.add(self.connection, spec, board, incoming)

    def seqs(self, spec: TableSpec, board: str) -> dict[datetime, int]:
        """The cycles of a table that the ledger knows, each with the number of its last change."""
        return ledger.seqs(self.connection, spec, board)

    def dirty(
        self,
        spec: TableSpec,
        board: str,
        code: str,
        *,
        cycles: Mapping[datetime, int] | Sequence[datetime] | None = None,
        first: datetime | None = None,
        last: datetime | None = None,
        force: bool = False,
    ) -> list[Dirty]:
        """The cycles of a table that must be computed (again), in order.

        For a table with inputs: cycles that are new, whose inputs changed since, that other code made, or that no input
        has any more while there are rows of them. For a table filled from a source: cycles that are new or that other
        code made, and those with rows that the source does not have any more.

        Parameters
        ----------
        spec : TableSpec
            The table.
        board : str
            The board.
        code : str
            Hash of the present code and declaration.
        cycles : sequence of datetime, or mapping to int, optional
            For tables filled from a source: every cycle that the source has; with the number of the change that its
            rows of the cycle stem from, where the source knows it.
        first, last : datetime, optional
            Only cycles in this range, both ends included.
        force : bool
            Every cycle in the range, changed or not.

        Raises
        ------
        ValueError
            If ``cycles`` is missing for a table filled from a source or given for a computed one, or an input is not a
            known table.
        """
        selection = closures.Selection(first, last, force)
        return closures.dirty_cycles(self.connection, self.tables, spec, board, code, cycles, selection)

    def ledger(self, board: str) -> pd.DataFrame:
        """The ledger's entries of one board, by table and cycle."""
        return ledger.read_ledger(self.connection, board)

    def max_seq(self) -> int:
        """The number of the newest change in the whole warehouse; 0 when there is none."""
        return ledger.max_seq(self.connection)
