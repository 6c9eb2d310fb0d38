"""What a published copy holds: the published boards only, a schema of views for each, and nothing tied to its name.

All of it is done to the copy; the working file keeps every board that ever ran. Keep files and links out of here.
"""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.tables import ALL_TABLES, BOARD_TABLES, BOARDS, BUILDS, TableSpec
from pipeline.warehouse.identifiers import Part, Sql, compose, literal, quote

# Limited to what a year of four digits can say: one player's absurd date must not keep everybody's board back.
_EMBARGO_ENDS = (
    "least(r.{cycle}, TIMESTAMP '9000-01-01') + to_microseconds(CAST(1e6 * "
    "CASE WHEN b.embargo_seconds > 3e10 THEN 3e10 ELSE b.embargo_seconds END AS BIGINT))"
)
_NEXT_END = "SELECT min({ends}) FROM {table} AS r JOIN {boards} AS b ON b.board = r.{board} WHERE {ends} > ?"
_DELETE_EMBARGOED = "DELETE FROM {table} AS r USING {boards} AS b WHERE b.board = r.{board} AND {ends} > ?"
_EMPTY = "UPDATE {table} SET {name} = NULL WHERE {name} IS NOT NULL"
_LEAVE_OUT_QUOTED = (  # from the first quotation mark to the last, or to the end where a long quotation was cut off
    "UPDATE {table} SET {name} ="
    " regexp_replace(regexp_replace({name}, '[''\"].*[''\"]', '…', 's'), '[''\"].*$', '…', 's')"
    " WHERE regexp_matches({name}, '[''\"]')"
)
_BOARD_COLUMNS = sorted({spec.board for spec in (BOARDS, *BOARD_TABLES)})


def publishable(
    connection: duckdb.DuckDBPyConnection, declared: Collection[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The boards to publish, sorted, and why others are left out.

    Parameters
    ----------
    connection : DuckDB connection
        To the working file.
    declared : collection of str or None
        Boards that may be published; one without a row in the catalog has nothing to publish yet. None for all there.
    """
    taken = _names(
        connection, "SELECT schema_name FROM duckdb_schemas() UNION SELECT database_name FROM duckdb_databases()"
    )
    boards: list[str] = []
    left_out: list[str] = []
    for board in sorted(_names(connection, compose("SELECT {board} FROM {table}", board=BOARDS.board, table=BOARDS))):
        if declared is not None and board not in declared:
            left_out.append(
                f"board {board!r} is in the warehouse but not declared (see PODIUM_DEFS_DIR), so it is not published"
            )
            continue
        if board.lower() in taken or not board or "\0" in board:
            left_out.append(
                f"board {board!r} cannot have its own schema of views: the name is empty or taken by the file, by a "
                f"schema of the warehouse or by another board, whatever the case of letters; rename the board"
            )
        else:
            taken.add(board.lower())
            boards.append(board)
    return tuple(boards), tuple(left_out)


@dataclass(frozen=True)
class Withheld:
    """What a copy does not hold of the working file.

    Parameters
    ----------
    is_any : bool
        Whether anything was removed.
    until : datetime or None
        When the first of what is under embargo may be published.
    """

    is_any: bool
    until: datetime | None


def prepare(connection: duckdb.DuckDBPyConnection, boards: Collection[str], moment: datetime) -> Withheld:
    """Make a copy of the working file one for readers of ``boards``, at that moment."""
    connection.begin()
    removed = _remove_other_boards(connection, boards) + _remove_private(connection)
    embargoed, until = _remove_embargoed(connection, moment)
    _free_views_of_the_catalog(connection)
    kinds = dict(connection.execute(compose("SELECT board, kind FROM {boards}", boards=BOARDS)).fetchall())
    for board, kind in kinds.items():
        _create_views(connection, board, kind)
    connection.commit()
    connection.execute("CHECKPOINT")
    return Withheld(removed + embargoed > 0, until)


def _remove_private(connection: duckdb.DuckDBPyConnection) -> int:
    """Drop the tables that are never published, empty columns or what they quote; how many rows that concerns."""
    removed = 0
    for spec in ALL_TABLES:
        if spec.private:
            removed += _count(connection, compose("SELECT count(*) FROM {table}", table=spec))
            connection.execute(compose("DROP TABLE {table}", table=spec))
            continue
        for column in spec.columns:
            if column.private or column.quotes:
                statement = _EMPTY if column.private else _LEAVE_OUT_QUOTED
                removed += _count(connection, compose(statement, table=spec, name=[column.name]))
    for schema in {spec.schema for spec in ALL_TABLES if spec.private}:
        connection.execute(compose("DROP SCHEMA {schema}", schema=schema))
    return removed


def _remove_embargoed(connection: duckdb.DuckDBPyConnection, moment: datetime) -> tuple[int, datetime | None]:
    """Delete the rows of cycles that are under embargo; how many, and when the first embargo ends."""
    removed = 0
    ends: list[datetime] = []
    for spec in ALL_TABLES:
        if spec.embargoed and spec.cycle is not None:
            parts: dict[str, Part] = {"table": spec, "cycle": spec.cycle, "board": spec.board, "boards": BOARDS}
            parts["ends"] = compose(_EMBARGO_ENDS, **parts)
            ends += [end for (end,) in connection.execute(compose(_NEXT_END, **parts), [moment]).fetchall() if end]
            removed += _count(connection, compose(_DELETE_EMBARGOED, **parts), moment)
    return removed, min(ends, default=None)


def _count(connection: duckdb.DuckDBPyConnection, statement: Sql, *parameters: object) -> int:
    """The number that a statement gives: of rows counted, changed or deleted."""
    found = connection.execute(statement, list(parameters)).fetchone()
    return int(found[0]) if found else 0


def _names(connection: duckdb.DuckDBPyConnection, statement: str) -> set[str]:
    return {row[0] for row in connection.execute(statement).fetchall()}


def _remove_other_boards(connection: duckdb.DuckDBPyConnection, boards: Collection[str]) -> int:
    """Delete the rows of all other boards, in every table that says whose its rows are: marts and ledger too."""
    tables = connection.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_tables() JOIN duckdb_columns() AS columns"
        " USING (database_name, schema_name, table_name) "
        "WHERE database_name = current_database() AND list_contains(?, column_name)",
        [_BOARD_COLUMNS],
    ).fetchall()
    removed = 0
    builds = _names(connection, compose("SELECT {build} FROM {table}", build=BUILDS.board, table=BUILDS))
    for schema, table, column in tables:
        kept = {*boards, *builds} if schema == BUILDS.schema else boards  # the ledger counts builds like boards
        statement = compose(
            "DELETE FROM {schema}.{table} WHERE {column} NOT IN (SELECT unnest(?::VARCHAR[]))",
            schema=schema,
            table=table,
            column=column,
        )
        removed += _count(connection, statement, sorted(kept))
    return removed


def _create_views(connection: duckdb.DuckDBPyConnection, board: str, kind: str) -> None:
    """A schema named as the board, with its rows of every table of its kind."""
    connection.execute(compose("CREATE SCHEMA {board}", board=board))
    for spec in ALL_TABLES:
        if spec.schema == kind:
            _create_view(connection, board, spec)


def _create_view(connection: duckdb.DuckDBPyConnection, board: str, spec: TableSpec) -> None:
    view = compose("{board}.{table}", board=board, table=spec.name)
    connection.execute(
        compose(
            "CREATE VIEW {view} AS SELECT * EXCLUDE ({column}) FROM {table} WHERE {column} = {value}",
            view=view,
            column=spec.board,
            table=spec,
            value=literal(board),
        )
    )
    columns = {column.name: column.comment for column in spec.columns if column.name != spec.board}
    _comment(connection, view, spec.comment, columns)


def _comment(connection: duckdb.DuckDBPyConnection, view: Sql, comment: str | None, columns: Mapping[str, str]) -> None:
    if comment is not None:
        connection.execute(compose("COMMENT ON VIEW {view} IS {text}", view=view, text=literal(comment)))
    for name, text in columns.items():
        statement = "COMMENT ON COLUMN {view}.{column} IS {text}"
        connection.execute(compose(statement, view=view, column=name, text=literal(text)))


def _free_views_of_the_catalog(connection: duckdb.DuckDBPyConnection) -> None:
    """Make dbt's views anew without the file's name in them, so that they work under any name it is attached by.

    DuckDB looks up ``schema.table`` in the catalog of the view.
    """
    views = connection.execute(
        "SELECT current_database(), schema_name, view_name, sql, comment FROM duckdb_views() "
        "WHERE database_name = current_database() AND NOT internal"
    ).fetchall()
    for catalog, schema, name, sql, comment in views:
        freed = _without_catalog(sql, catalog)
        if freed == sql:
            continue
        columns = connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? "
            "AND table_name = ? AND comment IS NOT NULL",
            [catalog, schema, name],
        ).fetchall()
        with suppress(duckdb.CatalogException, duckdb.BinderException):  # it works no more; that is not our doing
            connection.execute(freed.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
            _comment(connection, compose("{schema}.{name}", schema=schema, name=name), comment, dict(columns))


def _without_catalog(sql: str, catalog: str) -> str:
    """A view's SQL, as DuckDB writes it, with ``schema.table`` for ``catalog.schema.table``; no string is touched."""
    name = f"(?:{re.escape(catalog)}|{re.escape(quote(catalog))})"
    qualifier = rf"""(?<![\w".]){name}\.(?=(?:\w+|"(?:[^"]|"")+")\.)"""
    return re.sub(rf"""{qualifier}|('(?:[^']|'')*'|"(?:[^"]|"")*")""", lambda found: found[1] or "", sql)
