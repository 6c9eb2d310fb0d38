"""The version of a warehouse file and how an older one becomes the present one.

A new column or a changed type needs a :class:`Migration` at the end of :data:`MIGRATIONS`. A new table or a new comment
needs none: what is missing is created when the file is opened for writing.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from pipeline.clock import utc_now
from pipeline.tables import ALL_TABLES, SCHEMA_VERSION, TableSpec
from pipeline.warehouse.ddl import READER_SCHEMAS, create_tables, write_comments
from pipeline.warehouse.identifiers import Part, Sql, compose, join, quote


class WarehouseVersionError(RuntimeError):
    """A file whose tables are not those of this version of Podium; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One step from the version before to ``version``.

    Parameters
    ----------
    version : int
        The version that the file has afterwards; versions count up by one.
    title : str
        What changes, for messages.
    apply : callable
        Changes the tables, given a connection inside a transaction. It is skipped for a new file, which gets the
        present tables at once.
    """

    version: int
    title: str
    apply: Callable[[duckdb.DuckDBPyConnection], None]


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    create_tables(connection, ALL_TABLES)


def _add_embargo(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("ALTER TABLE catalog.boards ADD COLUMN embargo_seconds DOUBLE")


def _add_absence(connection: duckdb.DuckDBPyConnection) -> None:
    for column in ("n_imputed", "cycles_absent"):
        _add_column(connection, "snapshots", Sql(f"{column} BIGINT NOT NULL"), Sql("0"))


def _add_imputed(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("predictions", "scores", "cycle_metrics"):
        _add_column(connection, table, Sql("is_imputed BOOLEAN NOT NULL"), Sql("false"))


def _add_column(
    connection: duckdb.DuckDBPyConnection, table: str, column: Sql, value: Sql, schema: str = "competition"
) -> None:
    """Add a column to a table, with a value for the rows that are there.

    The table is written anew, since DuckDB makes no column NOT NULL in the transaction that gave it values.
    """
    stored = connection.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = current_database()"
        " AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [schema, table],
    ).fetchall()
    columns = [Sql(f"{quote(name)} {kind}{'' if nullable else ' NOT NULL'}") for name, kind, nullable in stored]
    for statement in (
        "CREATE TABLE {schema}.{new} ({columns})",
        "INSERT INTO {schema}.{new} SELECT *, {value} FROM {schema}.{table}",
        "DROP TABLE {schema}.{table}",
        "ALTER TABLE {schema}.{new} RENAME TO {table}",
    ):
        parts: dict[str, Part] = {"new": f"new_{table}", "table": table, "columns": join([*columns, column])}
        parts |= {"schema": schema}
        connection.execute(compose(statement, value=value, **parts))


def _add_rank_intervals(connection: duckdb.DuckDBPyConnection) -> None:
    columns = {name: "INTEGER" for name in ("rank_lo", "rank_hi", "tie_group")}
    for column, kind in (columns | {"n_cycles": "BIGINT", "n_effective": "DOUBLE"}).items():
        statement = "ALTER TABLE competition.leaderboard ADD COLUMN {column} {kind}"
        connection.execute(compose(statement, column=column, kind=Sql(kind)))
    _add_column(connection, "leaderboard", Sql("rank_method VARCHAR NOT NULL"), Sql("'not_computed'"))


def _add_final(connection: duckdb.DuckDBPyConnection) -> None:
    _add_column(connection, "snapshots", Sql("is_final BOOLEAN NOT NULL"), Sql("false"))


def _add_output_type_id(connection: duckdb.DuckDBPyConnection) -> None:
    _add_column(connection, "prediction_rows", Sql("output_type_id VARCHAR NOT NULL"), Sql("''"), "landing")


def _ready_experiments(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables of experiments get their present shape: no version before this one wrote rows into them."""
    for table in ("runs", "scores"):
        connection.execute(compose("DROP TABLE IF EXISTS experiments.{table}", table=table))


def _add_settings_and_convergence(connection: duckdb.DuckDBPyConnection) -> None:
    # A file of before rankings has none of their tables, and gets them as they are now.
    statement = "ALTER TABLE IF EXISTS llm.{table} ADD COLUMN IF NOT EXISTS {column}"
    for table, column in (("results", "settings VARCHAR"), ("scores", "is_converged BOOLEAN")):
        connection.execute(compose(statement, table=table, column=Sql(column)))


def _add_evidence(connection: duckdb.DuckDBPyConnection) -> None:
    """Say whose word the facts of releases are; a file from before there were any gets the whole table later."""
    for column in ("released_evidence", "weights_evidence"):
        statement = "ALTER TABLE IF EXISTS llm.models ADD COLUMN IF NOT EXISTS {column} VARCHAR"
        connection.execute(compose(statement, column=column))


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "create all tables", _create_tables),
    Migration(2, "boards say how long predictions stay unpublished", _add_embargo),
    Migration(3, "snapshots say what models left out", _add_absence),
    Migration(4, "predictions, scores and metrics say what stands in for a submission", _add_imputed),
    Migration(5, "boards say between which ranks a model could be", _add_rank_intervals),
    Migration(6, "snapshots say whether they are final", _add_final),
    Migration(7, "landed predictions may be distributions", _add_output_type_id),
    Migration(8, "runs of experiments and their scores", _ready_experiments),
    Migration(
        9, "figures say what their names state, abilities whether they are at rest", _add_settings_and_convergence
    ),
    Migration(10, "releases say who states their day and their weights", _add_evidence),
)


def file_version(connection: duckdb.DuckDBPyConnection) -> int:
    """The version of the tables in the file; 0 when it holds none."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [SCHEMA_VERSION.schema, SCHEMA_VERSION.name],
    ).fetchone()
    if known is None or not known[0]:
        return 0
    row = connection.execute(compose("SELECT max(version) FROM {table}", table=SCHEMA_VERSION)).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def file_identity(connection: duckdb.DuckDBPyConnection) -> str:
    """What tells this file from one built anew: the version of its tables and when they were made."""
    row = connection.execute(compose("SELECT version, migrated_at FROM {table}", table=SCHEMA_VERSION)).fetchone()
    return f"version {row[0]} of {row[1].isoformat()}" if row else "no version"


def is_current(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether :func:`migrate` would change nothing: the tables are of the present version, and as specified."""
    return file_version(connection) == MIGRATIONS[-1].version and _complete(connection, ALL_TABLES)


def migrate(
    connection: duckdb.DuckDBPyConnection,
    specs: Sequence[TableSpec] = ALL_TABLES,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> list[Migration]:
    """Bring the file to the present version, in one transaction; the migrations applied to it are returned.

    Raises
    ------
    WarehouseVersionError
        If a newer Podium wrote the file, or its tables differ from the specifications although the version is right.
    """
    stored, latest = file_version(connection), migrations[-1].version
    _refuse_newer(stored, latest)
    due = [migration for migration in migrations if migration.version > stored]
    if due or not _complete(connection, specs):
        connection.begin()
        try:
            if stored:
                for migration in due:
                    migration.apply(connection)
            create_tables(connection, specs)
            _check_shape(connection, specs)
            write_comments(connection, specs)
            if due:
                connection.execute(compose("DELETE FROM {table}", table=SCHEMA_VERSION))
                insert = compose("INSERT INTO {table} (version, migrated_at) VALUES (?, ?)", table=SCHEMA_VERSION)
                connection.execute(insert, [latest, utc_now()])
            connection.commit()
        except BaseException:
            with suppress(duckdb.Error):  # a failed commit, as on a full disk, has ended the transaction already
                connection.rollback()
            raise
    return due


def check_version(connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Refuse a file of another version, for readers, who cannot upgrade it.

    Raises
    ------
    WarehouseVersionError
        If the file is older or newer than this version of Podium.
    """
    stored, latest = file_version(connection), migrations[-1].version
    _refuse_newer(stored, latest)
    if stored < latest:
        raise WarehouseVersionError(
            f"the warehouse has tables of version {stored}, this Podium needs {latest}; `podium run` upgrades it"
        )


def _refuse_newer(stored: int, latest: int) -> None:
    if stored > latest:
        raise WarehouseVersionError(
            f"the warehouse has tables of version {stored}, this Podium knows versions up to {latest}; "
            f"install the newer Podium that wrote it, or point PODIUM_DATA_DIR to another folder"
        )


Shape = dict[tuple[str, str], dict[str, tuple[str, bool, str | None]]]


def _stored_shape(connection: duckdb.DuckDBPyConnection) -> Shape:
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal"
    ).fetchall()
    shape: Shape = {}
    for schema, table, column, data_type, nullable, comment in rows:
        shape.setdefault((schema, table), {})[column] = (data_type, nullable, comment)
    return shape


def _complete(connection: duckdb.DuckDBPyConnection, specs: Sequence[TableSpec]) -> bool:
    """Whether every schema, table, column and comment is there already, exactly as specified."""
    shape = _stored_shape(connection)
    schemas = {row[0] for row in connection.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    comments = {
        (schema, table): comment
        for schema, table, comment in connection.execute(
            "SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
    }
    return schemas.issuperset(READER_SCHEMAS) and all(
        comments.get((spec.schema, spec.name)) == spec.comment
        and shape.get((spec.schema, spec.name)) == {c.name: (c.type, c.nullable, c.comment) for c in spec.columns}
        for spec in specs
    )


def _check_shape(connection: duckdb.DuckDBPyConnection, specs: Sequence[TableSpec]) -> None:
    shape = _stored_shape(connection)
    differences = []
    for spec in specs:
        stored = {name: (kind, null) for name, (kind, null, _) in shape.get((spec.schema, spec.name), {}).items()}
        wanted = {c.name: (c.type, c.nullable) for c in spec.columns}
        for name in sorted(stored.keys() | wanted.keys()):
            if stored.get(name) != wanted.get(name):
                differences.append(
                    f"{spec.qualified_name}.{name}: in the file {_describe(stored.get(name))}, "
                    f"specified {_describe(wanted.get(name))}"
                )
    if differences:
        raise WarehouseVersionError(
            "the tables in the warehouse are not those specified:\n  "
            + "\n  ".join(differences)
            + "\nAdd a migration to pipeline/warehouse/migrations.py, or remove the file and run `podium run` again."
        )


def _describe(column: tuple[str, bool] | None) -> str:
    if column is None:
        return "absent"
    return column[0] if column[1] else f"{column[0]} NOT NULL"
