"""A file is created, upgraded, or refused with what to do; its tables carry their comments."""

from dataclasses import replace

import duckdb
import pytest

from pipeline.tables import (
    ALL_TABLES,
    CYCLE_METRICS,
    FACTORS,
    LEADERBOARD,
    LLM_SCORES,
    MODELS,
    PREDICTIONS,
    SCHEMA_VERSION,
    SNAPSHOTS,
    WHOLE,
    Column,
)
from pipeline.warehouse import Dirty, Store, WarehouseFiles, WarehouseVersionError
from pipeline.warehouse.ddl import create_table
from pipeline.warehouse.identifiers import compose, literal, quote
from pipeline.warehouse.migrations import MIGRATIONS, Migration, check_version, file_identity, file_version, migrate
from pipeline_tests.warehouse.frames import BOARD, cycle_metrics, dirty, frame, predictions, snapshots


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def comments(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, ...], str]:
    tables = connection.execute("SELECT schema_name, table_name, comment FROM duckdb_tables()").fetchall()
    columns = connection.execute(
        "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    return {tuple(row[:-1]): row[-1] for row in (*tables, *columns)}


def test_an_empty_file_gets_every_table_with_its_comments(connection: duckdb.DuckDBPyConnection) -> None:
    assert file_version(connection) == 0
    assert migrate(connection) == list(MIGRATIONS)
    assert file_version(connection) == MIGRATIONS[-1].version
    found = comments(connection)
    for spec in ALL_TABLES:
        assert found[spec.schema, spec.name] == spec.comment
        for column in spec.columns:
            assert found[spec.schema, spec.name, column.name] == column.comment
    schemas = {row[0] for row in connection.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    assert {"competition", "catalog", "meta", "marts", "quarantine"} <= schemas


def test_the_present_version_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    identity = file_identity(connection)
    assert migrate(connection) == []
    assert file_identity(connection) == identity
    assert connection.execute("SELECT count(*) FROM meta.schema_version").fetchone() == (1,)


def test_tables_have_no_constraints_but_not_null(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    kinds = connection.execute("SELECT DISTINCT constraint_type FROM duckdb_constraints()").fetchall()
    assert kinds == [("NOT NULL",)]
    assert create_table(FACTORS).endswith('"factor" VARCHAR NOT NULL, "value" DOUBLE NOT NULL)')


def test_the_first_migration_makes_every_table(connection: duckdb.DuckDBPyConnection) -> None:
    MIGRATIONS[0].apply(connection)
    found = {row[:2] for row in connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()}
    assert found == {(spec.schema, spec.name) for spec in ALL_TABLES}


def test_migrations_count_up_by_one() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    assert all(migration.title for migration in MIGRATIONS)


LATER_MODELS = replace(MODELS, columns=(*MODELS.columns, Column("colour", "VARCHAR", "Of its line.", nullable=True)))
LATER_TABLES = tuple(LATER_MODELS if spec is MODELS else spec for spec in ALL_TABLES)
LATEST = MIGRATIONS[-1].version


def add_colour(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("ALTER TABLE competition.models ADD COLUMN colour VARCHAR")


LATER = (*MIGRATIONS, Migration(LATEST + 1, "models have a colour", add_colour))


def test_an_older_file_is_upgraded_and_keeps_its_rows(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    before = file_identity(connection)
    Store(connection).replace(MODELS, "c", [Dirty(WHOLE, 0)], frame(MODELS, [{"model_id": "m"}]), "v1")
    with pytest.raises(
        WarehouseVersionError, match=f"version {LATEST}, this Podium needs {LATEST + 1}; `podium run` upgrades it"
    ):
        check_version(connection, LATER)
    assert [migration.title for migration in migrate(connection, LATER_TABLES, LATER)] == ["models have a colour"]
    assert connection.execute("SELECT model_id, colour FROM competition.models").fetchall() == [("m", None)]
    assert comments(connection)["competition", "models", "colour"] == "Of its line."
    assert file_version(connection) == LATEST + 1
    assert file_identity(connection) != before
    check_version(connection, LATER)


RANK_INTERVALS = ("rank_lo", "rank_hi", "tie_group", "n_cycles", "n_effective", "rank_method")
ADDED = {
    6: [("snapshots", "is_final")],
    5: [("leaderboard", column) for column in RANK_INTERVALS],
    4: [("predictions", "is_imputed"), ("scores", "is_imputed"), ("cycle_metrics", "is_imputed")],
    3: [("snapshots", "n_imputed"), ("snapshots", "cycles_absent")],
}
"""Columns that came with a version, which rows of before it get too."""
BEFORE_DISTRIBUTIONS = "ALTER TABLE landing.prediction_rows DROP COLUMN output_type_id"
"""Makes a table as it was before version 7."""


@pytest.mark.parametrize("version", [3, 2])
def test_a_file_with_rows_is_upgraded_from_any_version_and_stays_so(files: WarehouseFiles, version: int) -> None:
    tables = {PREDICTIONS: predictions(0), SNAPSHOTS: snapshots((0, 1.0)), CYCLE_METRICS: cycle_metrics((0, 1, 1.0))}
    with files.write("the present version") as store:
        for spec, rows in tables.items():
            store.replace(spec, BOARD, dirty(0), rows, "v1")
        store.connection.execute("CREATE VIEW marts.seen AS SELECT model_id FROM competition.predictions")
        for table, column in (added for later, columns in ADDED.items() if later > version for added in columns):
            store.connection.execute(f"ALTER TABLE competition.{table} DROP COLUMN {column}")
        store.connection.execute(BEFORE_DISTRIBUTIONS)
        store.connection.execute("UPDATE meta.schema_version SET version = ?", [version])
    with files.write("the upgrade") as store:
        assert file_version(store.connection) == LATEST
    with files.write("the next run") as store:
        assert {store.replace(spec, BOARD, dirty(0), rows, "v1").changed for spec, rows in tables.items()} == {0}
        assert len(store.query("FROM marts.seen")) == 2
        for columns in ADDED.values():
            for table, column in columns:
                assert not store.query(f"SELECT max({column}::INTEGER) AS most FROM competition.{table}")["most"].any()


def test_boards_from_before_rank_intervals_keep_their_rows_and_wait_for_them(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    migrate(connection)
    ranked = {"as_of": WHOLE, "category": "overall", "model_id": "m", "position": 1, "rank": 1, "n": 7}
    rows = frame(LEADERBOARD, [ranked | {"is_ensemble": False, "status": "ranked", "rank_method": "holm"}])
    Store(connection).replace(LEADERBOARD, "c", [Dirty(WHOLE, 0)], rows, "v1")
    for column in RANK_INTERVALS:
        connection.execute(f"ALTER TABLE competition.leaderboard DROP COLUMN {column}")
    connection.execute("ALTER TABLE competition.snapshots DROP COLUMN is_final")
    connection.execute(BEFORE_DISTRIBUTIONS)
    connection.execute("UPDATE meta.schema_version SET version = 4")
    assert 5 in [migration.version for migration in migrate(connection)]
    kept = connection.execute("SELECT model_id, rank, rank_lo, n_effective, rank_method FROM competition.leaderboard")
    assert kept.fetchall() == [("m", 1, None, None, "not_computed")]


def test_predictions_landed_before_there_were_distributions_are_of_one_number(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    migrate(connection)
    connection.execute(BEFORE_DISTRIBUTIONS)
    connection.execute(
        "INSERT INTO landing.prediction_rows VALUES"
        " ('c', 1, 2, '2024-01-05', 'm', '2024-01-05', 1, 's', '2024-01-12', 0.5)"
    )
    connection.execute("UPDATE meta.schema_version SET version = 6")
    assert [migration.version for migration in migrate(connection)] == list(range(7, LATEST + 1))
    kept = connection.execute("SELECT model_id, value, output_type_id FROM landing.prediction_rows")
    assert kept.fetchall() == [("m", 0.5, "")]


@pytest.mark.parametrize("has_rankings", [True, False])
def test_rankings_from_before_figures_said_what_names_state_keep_their_rows(
    connection: duckdb.DuckDBPyConnection, has_rankings: bool
) -> None:
    migrate(connection)
    score = {"model": "m", "score": "ability", "value": 100.0, "coverage": 1.0, "n_benchmarks": 2, "n_sources": 1}
    rows = frame(LLM_SCORES, [score | {"is_partial": False, "is_converged": True}])
    Store(connection).replace(LLM_SCORES, "c", [Dirty(WHOLE, 0)], rows, "v1")
    connection.execute("ALTER TABLE llm.scores DROP COLUMN is_converged")
    connection.execute("ALTER TABLE llm.results DROP COLUMN settings")
    if not has_rankings:
        connection.execute("DROP SCHEMA llm CASCADE")
    (added,) = [one.version for one in MIGRATIONS if one.title.startswith("figures say what their names state")]
    connection.execute("UPDATE meta.schema_version SET version = ?", [added - 1])
    assert added in [migration.version for migration in migrate(connection)]
    kept = connection.execute("SELECT model, value, is_converged FROM llm.scores").fetchall()
    assert kept == ([("m", 100.0, None)] if has_rankings else [])
    assert connection.execute("SELECT count(settings) FROM llm.results").fetchone() == (0,)


def test_a_new_file_gets_the_present_tables_without_the_steps_in_between(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection, LATER_TABLES, LATER)
    assert file_version(connection) == LATEST + 1
    assert migrate(connection, LATER_TABLES, LATER) == []


def test_a_newer_file_is_refused_with_what_to_do(files: WarehouseFiles) -> None:
    with files.write("first") as store:
        store.connection.execute("UPDATE meta.schema_version SET version = 99")
    message = f"version 99, this Podium knows versions up to {LATEST}; install the newer Podium"
    with pytest.raises(WarehouseVersionError, match=message), files.write("second"):
        pass
    with pytest.raises(WarehouseVersionError, match=message), files.read():
        pass
    assert not files.lock.held


def test_a_failing_migration_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)

    def fail(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("DROP TABLE competition.models")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate(connection, ALL_TABLES, (*MIGRATIONS, Migration(LATEST + 1, "fails", fail)))
    assert file_version(connection) == LATEST
    assert ("competition", "models") in comments(connection)


def test_a_forgotten_migration_is_found_and_every_difference_listed(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    retyped = replace(FACTORS, columns=(*FACTORS.columns[:-1], replace(FACTORS.columns[-1], type="BIGINT")))
    specs = (*(spec for spec in LATER_TABLES if spec is not FACTORS), retyped)
    with pytest.raises(WarehouseVersionError) as error:
        migrate(connection, specs)
    message = str(error.value)
    assert "competition.models.colour: in the file absent, specified VARCHAR\n" in message
    assert "competition.factors.value: in the file DOUBLE NOT NULL, specified BIGINT NOT NULL\n" in message
    assert "Add a migration to pipeline/warehouse/migrations.py" in message


def test_new_tables_and_new_comments_need_no_migration(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    extra = replace(FACTORS, name="more_factors")
    reworded = replace(PREDICTIONS, comment="It's reworded.")
    specs = (*(spec for spec in ALL_TABLES if spec is not PREDICTIONS), reworded, extra)
    assert migrate(connection, specs) == []
    found = comments(connection)
    assert found["competition", "predictions"] == "It's reworded."
    assert ("competition", "more_factors") in found


def test_opening_again_does_not_write(files: WarehouseFiles) -> None:
    with files.write("first") as store:
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "v1")
    before = files.path.read_bytes()
    with files.write("second"):
        pass
    assert files.path.read_bytes() == before


def test_names_and_constants_are_quoted() -> None:
    assert quote('say "x"') == '"say ""x"""'
    assert literal("it's") == "'it''s'"
    filled = compose("SELECT {columns} FROM {table} AS {alias}", columns=["a", "b c"], table=SCHEMA_VERSION, alias="x")
    assert filled == 'SELECT "a", "b c" FROM "meta"."schema_version" AS "x"'
    assert compose("{inner}", inner=filled) == filled
    for bad in ("", "a\0b"):
        with pytest.raises(ValueError, match="cannot name anything in DuckDB"):
            quote(bad)
    with pytest.raises(ValueError, match="NUL character"):
        literal("a\0b")
    with pytest.raises(KeyError):
        compose("{missing}")


def test_releases_from_before_their_evidence_keep_their_rows_and_wait_for_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    migrate(connection)
    for column in ("released_evidence", "weights_evidence"):
        connection.execute(f"ALTER TABLE llm.models DROP COLUMN {column}")
    connection.execute(
        "INSERT INTO llm.models (ranking, model, title, family, is_made) VALUES ('r', 'a/m', 'M', 'a/m', false)"
    )
    connection.execute("UPDATE meta.schema_version SET version = 8")

    assert [migration.version for migration in migrate(connection)] == list(range(9, LATEST + 1))

    kept = connection.execute("SELECT model, released_evidence, weights_evidence FROM llm.models").fetchall()
    assert kept == [("a/m", None, None)]
