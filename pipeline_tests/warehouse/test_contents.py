"""A published copy holds the declared boards and nothing of others, each with commented views, under any name."""

import duckdb
import pytest

from pipeline.tables import ALL_TABLES, BOARD_TABLES, BOARDS, METRICS, PREDICTIONS, WHOLE
from pipeline.warehouse import Dirty, WarehouseFiles, open_published
from pipeline.warehouse.contents import _without_catalog
from pipeline_tests.warehouse.frames import BOARD, boards, dirty, frame, predictions
from pipeline_tests.warehouse.publications import published_value, write

ODD_NAMES = ["it's", 'say "x"', "a.b", "наука", "select", "2024 flu", "Robert'); DROP SCHEMA competition; --"]


def test_every_board_has_views_of_its_rows_whatever_its_name(files: WarehouseFiles) -> None:
    write(files, 1.0, *ODD_NAMES)
    with files.write("one more") as store:
        store.replace(PREDICTIONS, ODD_NAMES[0], dirty(0), predictions(0, value=5.0, models=["only"]), "v1")
    files.publish()
    with open_published(files.published_dir) as connection:
        for name in ODD_NAMES:
            quoted = name.replace('"', '""')
            rows = connection.execute(f'SELECT model_id, value FROM "{quoted}".predictions ORDER BY 1').fetchall()
            assert rows == ([("only", 5.0)] if name == ODD_NAMES[0] else [("a", 1.0), ("b", 1.0)])
            for spec in ALL_TABLES:
                if spec.schema == "competition":
                    view = connection.execute(f'DESCRIBE "{quoted}"."{spec.name}"').fetchall()
                    assert [row[0] for row in view] == list(spec.column_names[1:])
        comments = connection.execute(
            "SELECT comment FROM duckdb_views() WHERE view_name = 'predictions' AND schema_name = ?", ["it's"]
        ).fetchall()
        assert comments == [(PREDICTIONS.comment,)]


def test_views_work_when_the_file_is_attached_under_another_name(files: WarehouseFiles) -> None:
    write(files, 4.0)
    path = files.publish().path
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{path}' AS other (READ_ONLY)")
        assert connection.execute("SELECT max(value) FROM other.sp500.predictions").fetchone() == (4.0,)


@pytest.mark.parametrize("kind", ["llm", "experiments"])
def test_a_board_of_another_kind_has_views_of_its_own_tables_only(files: WarehouseFiles, kind: str) -> None:
    with files.write("a test") as store:
        store.replace(BOARDS, "bench", [Dirty(WHOLE, 0)], boards(kind=kind), "v1")
    files.publish()
    with open_published(files.published_dir) as connection:
        schemas = connection.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bench'").fetchall()
    assert ("bench",) in schemas
    assert {name for (name,) in views} == {spec.name for spec in BOARD_TABLES if spec.schema == kind}


def test_every_column_of_every_view_carries_the_comment_of_its_table(files: WarehouseFiles) -> None:
    write(files, 1.0)
    files.publish()
    with open_published(files.published_dir) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = ?", [BOARD]
        ).fetchall()
    specified = {
        (spec.name, column.name, column.comment)
        for spec in ALL_TABLES
        if spec.schema == "competition"
        for column in spec.columns[1:]
    }
    assert set(rows) == specified


def declare_two(files: WarehouseFiles) -> None:
    """Two boards with rows in a table, the catalog, the ledger and the marts."""
    write(files, 1.0, "one", "two")
    with files.write("a test") as store:
        for name in ("one", "two"):
            metric = frame(METRICS, [{"metric": "ic"}])
            store.replace(METRICS, name, [Dirty(WHOLE, 0)], metric, "v1")
        store.connection.execute("CREATE TABLE marts.stats AS SELECT competition, value FROM competition.predictions")
        store.connection.execute(
            "CREATE TABLE marts.freshness AS SELECT DISTINCT competition AS board FROM meta.cycles"
        )
        store.connection.execute("CREATE VIEW marts.history AS SELECT competition FROM podium.competition.predictions")


BOARD_COLUMNS = (
    *("competition.predictions.competition", "catalog.boards.board", "catalog.metrics.board"),
    *("meta.cycles.competition", "meta.changes.competition"),
    *("marts.stats.competition", "marts.freshness.board", "marts.history.competition"),
)


@pytest.mark.parametrize("column", BOARD_COLUMNS)
def test_a_board_that_is_declared_no_more_is_published_nowhere_and_the_working_file_keeps_it(
    files: WarehouseFiles, column: str
) -> None:
    declare_two(files)
    table, _, name = column.rpartition(".")
    query = f"SELECT DISTINCT {name} FROM {table} ORDER BY 1"
    assert files.publish(["one", "two"]).boards == ("one", "two")

    assert files.publish(["two"]).boards == ("two",)

    with open_published(files.published_dir) as connection:
        assert connection.execute(query).fetchall() == [("two",)]
        assert connection.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'one'").fetchone() == (0,)
    with files.read() as store:
        assert store.connection.execute(query).fetchall() == [("one",), ("two",)]


def test_a_board_that_is_declared_again_is_published_again(files: WarehouseFiles) -> None:
    declare_two(files)
    seqs = [files.publish(declared).seq for declared in (["one", "two"], ["two"], ["one", "two"])]
    assert len(set(seqs)) == 1
    assert published_value(files, "one") == 1.0


def test_what_the_ledger_says_of_builds_is_published(files: WarehouseFiles) -> None:
    write(files, 1.0)
    with files.write("a test") as store:
        store.connection.execute("INSERT INTO meta.builds VALUES ('marts', 1, 'code', now()::TIMESTAMP)")
        store.connection.execute("INSERT INTO meta.cycles VALUES ('marts', 'builds', '1970-01-01', 3, 1, 'code')")
    files.publish([BOARD])
    with open_published(files.published_dir) as connection:
        assert connection.execute("SELECT DISTINCT competition FROM meta.cycles ORDER BY 1").fetchall() == [
            ("marts",),
            (BOARD,),
        ]


def test_a_declared_board_that_never_ran_is_absent(files: WarehouseFiles) -> None:
    write(files, 1.0)
    publication = files.publish([BOARD, "never_ran"])
    assert (publication.boards, publication.left_out) == ((BOARD,), ())


@pytest.mark.parametrize("name", ["competition", "Meta", "MAIN", "marts", "Podium", "temp", "system", "", "nul\0"])
def test_a_board_whose_name_cannot_be_a_schema_is_left_out_and_the_others_are_published(
    files: WarehouseFiles, name: str
) -> None:
    write(files, 1.0, "fine", name)
    publication = files.publish()
    assert publication.boards == ("fine",)
    (why,) = publication.left_out
    assert why.startswith(f"board {name!r} cannot have its own schema of views")
    assert why.endswith("rename the board")
    assert files.publish().left_out == publication.left_out
    with open_published(files.published_dir) as connection:
        assert connection.execute("SELECT board FROM catalog.boards").fetchall() == [("fine",)]
        assert connection.execute("SELECT DISTINCT competition FROM competition.predictions").fetchall() == [("fine",)]


def test_of_boards_that_differ_only_in_case_one_is_published(files: WarehouseFiles) -> None:
    write(files, 1.0, "flu", "FLU")
    publication = files.publish()
    assert publication.boards == ("FLU",)
    assert publication.left_out[0].startswith("board 'flu' ")
    assert files.publish(["flu"]).boards == ("flu",)


def test_a_catalog_with_a_board_twice_is_published(files: WarehouseFiles) -> None:
    write(files, 1.0)
    with files.write("a test") as store:
        store.connection.execute("INSERT INTO catalog.boards SELECT * FROM catalog.boards")
    assert files.publish().boards == (BOARD,)
    assert published_value(files) == 1.0


def test_marts_that_are_views_work_when_the_file_is_attached_under_another_name(files: WarehouseFiles) -> None:
    write(files, 4.0)
    with files.write("a test") as store:
        store.connection.execute(
            "CREATE VIEW podium.marts.history AS WITH p AS (SELECT p.*, 'podium.competition.x' AS text"
            " FROM podium.competition.predictions AS p JOIN podium.catalog.boards AS b ON b.board = p.competition)"
            " SELECT competition, value, text FROM p"
        )
        store.connection.execute("COMMENT ON VIEW marts.history IS 'It''s all'")
        store.connection.execute("COMMENT ON COLUMN marts.history.value IS 'The value'")
    path = files.publish().path
    write(files, 5.0)
    with duckdb.connect(str(files.publish().path), read_only=True) as connection:
        connection.execute(f"ATTACH '{path}' AS before (READ_ONLY)")
        query = "SELECT DISTINCT value, text FROM {}.marts.history"
        assert connection.execute(query.format("before")).fetchall() == [(4.0, "podium.competition.x")]
        assert connection.execute(query.format("podium")).fetchall() == [(5.0, "podium.competition.x")]
        comments = connection.execute(
            "SELECT view.comment, col.comment FROM duckdb_views() AS view JOIN duckdb_columns() AS col"
            " ON col.table_name = view_name AND col.database_name = view.database_name "
            "WHERE view_name = 'history' AND column_name = 'value' AND view.database_name = 'before'"
        ).fetchall()
    assert comments == [("It's all", "The value")]


def test_a_view_that_works_no_more_does_not_stop_the_publication(files: WarehouseFiles) -> None:
    write(files, 1.0)
    with files.write("a test") as store:
        store.connection.execute("CREATE TABLE marts.gone (a INTEGER)")
        store.connection.execute("CREATE VIEW marts.left_behind AS SELECT a FROM podium.marts.gone")
        store.connection.execute("DROP TABLE marts.gone")
    files.publish()
    assert published_value(files) == 1.0


@pytest.mark.parametrize(
    ("sql", "freed"),
    [
        ("FROM podium.s.t AS podium", "FROM s.t AS podium"),
        ('FROM podium."catalog".t, (podium.s.t)', 'FROM "catalog".t, (s.t)'),
        ('FROM "podium"."a ""b".t', 'FROM "a ""b".t'),
        ("WHERE a = 'it''s podium.s.t' AND b = podium.c", "WHERE a = 'it''s podium.s.t' AND b = podium.c"),
        (
            'SELECT "podium.s.t", x.podium.s.t FROM my_podium.s.t',
            'SELECT "podium.s.t", x.podium.s.t FROM my_podium.s.t',
        ),
    ],
)
def test_only_names_of_the_catalog_are_taken_out_of_a_view(sql: str, freed: str) -> None:
    assert _without_catalog(sql, "podium") == freed


def test_a_file_name_that_must_be_quoted_is_taken_out_too(files: WarehouseFiles) -> None:
    odd = WarehouseFiles(files.path.with_name("my file.duckdb"))
    write(odd, 3.0)
    with odd.write("a test") as store:
        store.connection.execute('CREATE VIEW marts.history AS SELECT value FROM "my file".competition.predictions')
    path = odd.publish().path
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{path}' AS other (READ_ONLY)")
        assert connection.execute("SELECT max(value) FROM other.marts.history").fetchone() == (3.0,)
