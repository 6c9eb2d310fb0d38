"""The statements that create tables from their specifications, with every comment.

No PRIMARY KEY, CHECK or UNIQUE: DuckLake has none, so asset checks and dbt tests hold the keys. NOT NULL stays.
"""

from collections.abc import Iterable

import duckdb

from pipeline.tables import Column, TableSpec
from pipeline.warehouse.identifiers import Sql, compose, join, literal, quote

READER_SCHEMAS = ("marts", "quarantine")
"""Schemas that exist from the start although their tables come from elsewhere (dbt, landing)."""


def create_table(spec: TableSpec) -> Sql:
    """The CREATE TABLE statement of ``spec``; it leaves an existing table alone."""
    columns = join([_column(column) for column in spec.columns])
    return compose("CREATE TABLE IF NOT EXISTS {table} ({columns})", table=spec, columns=columns)


def comments(spec: TableSpec) -> list[Sql]:
    """The COMMENT statements of ``spec``: one for the table, one for each column."""
    table = compose("COMMENT ON TABLE {table} IS {comment}", table=spec, comment=literal(spec.comment))
    template = "COMMENT ON COLUMN {table}.{column} IS {comment}"
    return [
        table,
        *(compose(template, table=spec, column=c.name, comment=literal(c.comment)) for c in spec.columns),
    ]


def create_schemas(specs: Iterable[TableSpec]) -> list[Sql]:
    """The CREATE SCHEMA statements that ``specs`` and the readers need."""
    names = dict.fromkeys([*(spec.schema for spec in specs), *READER_SCHEMAS])
    return [compose("CREATE SCHEMA IF NOT EXISTS {schema}", schema=name) for name in names]


def create_tables(connection: duckdb.DuckDBPyConnection, specs: Iterable[TableSpec]) -> None:
    """Create every schema and table that is missing."""
    specs = tuple(specs)
    for statement in (*create_schemas(specs), *map(create_table, specs)):
        connection.execute(statement)


def write_comments(connection: duckdb.DuckDBPyConnection, specs: Iterable[TableSpec]) -> None:
    """Bring the comments of all tables and columns up to date."""
    connection.execute(join([statement for spec in specs for statement in comments(spec)], ";\n"))


def _column(column: Column) -> Sql:
    null = "" if column.nullable else " NOT NULL"
    return Sql(f"{quote(column.name)} {column.type}{null}")
