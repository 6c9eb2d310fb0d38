"""Two warehouse files beside each other: which tables differ, in how many rows, and one of them as an example.

What may differ is not known here: who compares says which columns count.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.tables import ALL_TABLES, BOARD_TABLES, BOARDS, LEDGER
from pipeline.warehouse.connection import connect_in_memory
from pipeline.warehouse.identifiers import Part, Sql, compose, join, literal

_PRESENT, _REBUILT = "present", "rebuilt"
_MARTS = "marts"
_DIGITS = 1e-12
"""Relative difference up to which two numbers are one: what ranking calls a tie, too."""
_BOARD_COLUMNS = {spec.board for spec in (BOARDS, *BOARD_TABLES)}


@dataclass(frozen=True)
class Example:
    """One row that differs.

    Parameters
    ----------
    key : mapping of str to str
        What names the row.
    present, rebuilt : mapping of str to str, or None
        The values that differ on both sides; None where there is no such row.
    """

    key: Mapping[str, str]
    present: Mapping[str, str] | None
    rebuilt: Mapping[str, str] | None


@dataclass(frozen=True)
class Difference:
    """How the rows of one table differ.

    Parameters
    ----------
    table : str
        ``schema.name``.
    rows_present, rows_rebuilt : int
        Rows compared on each side.
    missing, extra, changed : int
        Rows that are in the present file only, in the rebuilt one only, and in both with other values.
    columns : tuple of str
        Columns that differ in changed rows.
    example : Example or None
        One of these rows; None without any.
    """

    table: str
    rows_present: int
    rows_rebuilt: int
    missing: int = 0
    extra: int = 0
    changed: int = 0
    columns: tuple[str, ...] = ()
    example: Example | None = None

    @property
    def is_equal(self) -> bool:
        """Whether no row differs."""
        return not (self.missing or self.extra or self.changed)


@dataclass(frozen=True)
class _Table:
    """A table to compare: where it is, and which of its columns count."""

    schema: str
    name: str
    types: Mapping[str, str]
    key: tuple[str, ...]
    board: str | None

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.types)

    @property
    def others(self) -> tuple[str, ...]:
        """The columns besides the key."""
        return tuple(name for name in self.columns if name not in self.key)


def compare(
    present: Path,
    rebuilt: Path,
    boards: Collection[str],
    *,
    without: Collection[str] = (),
    ignored: Collection[str] = (),
) -> list[Difference]:
    """Compare all tables of two files, marts too, row by row and value by value.

    Numbers count as equal when they agree to twelve significant digits.

    Parameters
    ----------
    present, rebuilt : Path
        Two DuckDB files of the present version that nobody writes.
    boards : collection of str
        The boards whose rows are compared.
    without : collection of str
        Tables that are not compared, ``schema.name``.
    ignored : collection of str
        Names of columns that are not compared, in whatever table.

    Returns
    -------
    list of Difference
        One for each table that has rows on either side, in the order of the specifications, marts last.

    Raises
    ------
    FileNotFoundError
        If one of the files is not there.
    """
    with connect_in_memory() as connection:
        _attach(connection, present, rebuilt)
        found = [
            _Comparison(connection, table, sorted(boards)).run()
            for table in _tables(connection, ignored)
            if table.qualified_name not in without
        ]
    return [one for one in found if one.rows_present or one.rows_rebuilt]


def made_by_other_code(present: Path, rebuilt: Path, boards: Collection[str]) -> list[str]:
    """The tables, ``board/table``, of which some rows were made by other code or another declaration than the rebuilt.

    Then the present file is not up to date, and differences are no fault.
    """
    with connect_in_memory() as connection:
        _attach(connection, present, rebuilt)
        rows = connection.execute(
            compose(
                "SELECT DISTINCT competition || '/' || table_name FROM present.{ledger} AS p"
                " JOIN rebuilt.{ledger} AS r USING (competition, table_name, cycle)"
                " WHERE p.code <> r.code AND competition IN (SELECT unnest(?::VARCHAR[])) ORDER BY ALL",
                ledger=LEDGER,
            ),
            [sorted(boards)],
        ).fetchall()
    return [name for (name,) in rows]


def _attach(connection: duckdb.DuckDBPyConnection, present: Path, rebuilt: Path) -> None:
    for name, path in ((_PRESENT, present), (_REBUILT, rebuilt)):
        if not path.exists():
            raise FileNotFoundError(f"there is no DuckDB file {path} to compare")
        statement = "ATTACH {path} AS {name} (READ_ONLY)"
        connection.execute(compose(statement, path=literal(str(path)), name=name))


def _tables(connection: duckdb.DuckDBPyConnection, ignored: Collection[str]) -> Iterator[_Table]:
    """The specified tables and then the marts, with the columns that count."""
    types = {(spec.schema, spec.name): {column.name: column.type for column in spec.columns} for spec in ALL_TABLES}
    specs = {(spec.schema, spec.name): spec for spec in ALL_TABLES}
    for place, columns in {**types, **_marts(connection)}.items():
        counted = {name: kind for name, kind in columns.items() if name not in ignored}
        spec = specs.get(place)
        texts = tuple(name for name, kind in counted.items() if kind != "DOUBLE")
        board = next((name for name in columns if name in _BOARD_COLUMNS), None)
        yield _Table(*place, counted, spec.key if spec else texts, board)


def _marts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    """The columns of the marts that are on either side, by schema and name."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " SEMI JOIN duckdb_tables() USING (database_name, schema_name, table_name)"
        " WHERE database_name IN (?, ?) AND schema_name = ? ORDER BY table_name, database_name, column_index",
        [_PRESENT, _REBUILT, _MARTS],
    ).fetchall()
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), {}).setdefault(column, kind)
    return found


class _Comparison:
    """One table on both sides."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: _Table, boards: Sequence[str]) -> None:
        self.connection = connection
        self.table = table
        self.boards = boards

    def run(self) -> Difference:
        """Count the rows that differ; an order-free hash of all rows tells at once when none does."""
        (n_present, present), (n_rebuilt, rebuilt) = self._digest(_PRESENT), self._digest(_REBUILT)
        same = Difference(self.table.qualified_name, n_present, n_rebuilt)
        if (n_present, present) == (n_rebuilt, rebuilt):
            return same
        self._pair()
        counted = self._one(
            "SELECT count(*) FILTER (n_r IS NULL), count(*) FILTER (n_p IS NULL), count(*) FILTER (n_p = n_r),"
            " list_sort(list_distinct(flatten(list(differing) FILTER (n_p = n_r)))) FROM podium_paired"
        )
        missing, extra, changed, columns = counted
        return Difference(
            same.table, n_present, n_rebuilt, missing, extra, changed, tuple(columns or ()), self._example()
        )

    def _digest(self, side: str) -> tuple[int, int]:
        if not self._is_there(side):
            return 0, 0
        found = self._one(
            "SELECT count(*), coalesce(sum(hash({columns})::HUGEINT), 0) FROM {rows}", rows=self._rows(side)
        )
        return int(found[0]), int(found[1])

    def _is_there(self, side: str) -> bool:
        """Whether the table has all columns on this side; a mart may be built on the other one only."""
        names = {
            row[0]
            for row in self.connection.execute(
                "SELECT column_name FROM duckdb_columns() WHERE (database_name, schema_name, table_name) = (?, ?, ?)",
                [side, self.table.schema, self.table.name],
            ).fetchall()
        }
        return names.issuperset(self.table.columns)

    def _rows(self, side: str) -> Sql:
        if not self._is_there(side):
            other = _REBUILT if side == _PRESENT else _PRESENT
            return compose("(SELECT * FROM {rows} LIMIT 0)", rows=self._rows(other))
        mine = Sql("")
        if self.table.board is not None and self.boards:
            names = join([literal(board) for board in self.boards])
            mine = compose(" WHERE {board} IN ({names})", board=self.table.board, names=names)
        return compose(
            "(SELECT {columns} FROM {side}.{schema}.{name}{mine})",
            columns=list(self.table.columns),
            side=side,
            schema=self.table.schema,
            name=self.table.name,
            mine=mine,
        )

    def _pair(self) -> None:
        """Put rows that are on one side only beside each other by their key, and drop those equal to twelve digits."""
        numbered = (
            "CREATE OR REPLACE TEMP TABLE {target} AS"
            " SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {columns}) AS podium_n"
            " FROM (FROM {rows} EXCEPT ALL FROM {others})"
        )
        sides = {"podium_p": (_PRESENT, _REBUILT), "podium_r": (_REBUILT, _PRESENT)}
        for target, (side, other) in sides.items():
            self._all(numbered, target=target, rows=self._rows(side), others=self._rows(other))
        on = join(
            [compose("podium_p.{c} IS NOT DISTINCT FROM podium_r.{c}", c=name) for name in self.table.key], " AND "
        )
        self._all(
            "CREATE OR REPLACE TEMP TABLE podium_paired AS"
            " SELECT podium_p.podium_n AS n_p, podium_r.podium_n AS n_r, podium_p AS p, podium_r AS r,"
            " {differing} AS differing"
            " FROM podium_p FULL OUTER JOIN podium_r ON {on} AND podium_p.podium_n = podium_r.podium_n"
            " WHERE podium_p.podium_n IS NULL OR podium_r.podium_n IS NULL OR len({differing}) > 0",
            on=on,
            differing=self._differing(),
        )

    def _differing(self) -> Sql:
        """The list of columns whose values differ."""
        cases = [
            compose(
                "CASE WHEN {is_other} THEN {name} END",
                is_other=_is_other(name, self.table.types[name]),
                name=literal(name),
            )
            for name in self.table.others
        ]
        return compose("list_filter([{cases}]::VARCHAR[], lambda c: c IS NOT NULL)", cases=join(cases))

    def _example(self) -> Example | None:
        """The first row that differs, by its key."""
        found = self.connection.execute(
            compose(
                "SELECT CASE WHEN n_p IS NOT NULL THEN p END, CASE WHEN n_r IS NOT NULL THEN r END, differing"
                " FROM podium_paired ORDER BY {key} LIMIT 1",
                key=join([compose("coalesce(p.{c}, r.{c})", c=name) for name in self.table.key]),
            )
        ).fetchone()
        if found is None:
            return None
        present, rebuilt, differing = found
        shown = differing if present and rebuilt else self.table.others
        sides = [one and {name: str(one[name]) for name in shown} for one in (present, rebuilt)]
        return Example({name: str((present or rebuilt)[name]) for name in self.table.key}, *sides)

    def _all(self, template: str, **parts: Part) -> list[tuple[object, ...]]:
        given: dict[str, Part] = {"columns": list(self.table.columns), "key": list(self.table.key)}
        return self.connection.execute(compose(template, **(given | parts))).fetchall()

    def _one(self, template: str, **parts: Part) -> tuple[Any, ...]:
        return self._all(template, **parts)[0]


def _is_other(name: str, kind: str) -> Sql:
    """Whether a column has another value on the other side."""
    is_other = "podium_p.{c} IS DISTINCT FROM podium_r.{c}"
    if kind == "DOUBLE":
        p, r = "podium_p.{c}", "podium_r.{c}"
        is_other += f" AND NOT coalesce(abs({p} - {r}) <= {{digits}} * greatest(abs({p}), abs({r})), false)"
    return compose(is_other, c=name, digits=Sql(str(_DIGITS)))
