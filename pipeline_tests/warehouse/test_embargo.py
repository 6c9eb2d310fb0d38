"""Embargo: what may not be read yet is not in the published file, not even among its bytes, and comes when it may."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.tables import (
    ALL_TABLES,
    BOARDS,
    FILES,
    LANDING_TABLES,
    PREDICTION_ROWS,
    PREDICTIONS,
    QUARANTINE,
    RUN_ROWS,
    SCORE_ROWS,
    SCORES,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Dirty, WarehouseFiles, current_publication, open_published, publish
from pipeline_tests.warehouse.frames import BOARD, boards, dirty, frame, predictions, week

NOW = week(10) + timedelta(days=3)
"""Three days after the tenth cycle."""
DAY = 86_400.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """It is ``NOW``."""
    set_clock(monkeypatch, NOW)
    return monkeypatch


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(publish, "utc_now", lambda: moment)


def declare(files: WarehouseFiles, days: float | None, board: str = BOARD) -> None:
    """A board whose predictions may be read so many days after their cycle; None for at once."""
    catalog = boards().assign(embargo_seconds=None if days is None else days * DAY)
    with files.write("a test") as store:
        store.replace(BOARDS, board, [Dirty(WHOLE, 0)], catalog, "v1")


def predict(files: WarehouseFiles, *weeks: float, models: tuple[str, ...] = ("a",), board: str = BOARD) -> None:
    """Predictions and their scores."""
    rows = predictions(*weeks, models=models)
    scores = frame(SCORES, rows[["model_id", "cycle", "horizon", "subject"]].to_dict("records"))
    with files.write("a test") as store:
        store.replace(PREDICTIONS, board, dirty(*weeks), rows, "v1")
        store.replace(SCORES, board, dirty(*weeks), scores, "v1")


def land(files: WarehouseFiles, spec: TableSpec, **row: object) -> None:
    """One row of a table that landing fills."""
    rows = frame(spec, [row])
    with files.write("a test") as store:
        store.replace(spec, BOARD, [Dirty(row.get("cycle") or WHOLE, 0)], rows, "v1")


def published(files: WarehouseFiles, sql: str) -> list[tuple[object, ...]]:
    with open_published(files.published_dir) as connection:
        return connection.execute(sql).fetchall()


def cycles(files: WarehouseFiles, spec: TableSpec, board: str = BOARD) -> list[datetime]:
    rows = published(files, f"SELECT DISTINCT cycle FROM {board}.{spec.name} ORDER BY 1")
    return [row[0] for row in rows]


def a_name() -> str:
    """A name that is nowhere else, long and random so that no compression takes it apart."""
    return f"model_{secrets.token_hex(48)}"


def is_in_the_bytes(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


@pytest.mark.parametrize("spec", [PREDICTIONS, SCORES], ids=lambda spec: spec.name)
@pytest.mark.parametrize(
    ("days", "weeks"),
    [
        (None, [8, 9, 10]),
        (0, [8, 9, 10]),
        (3, [8, 9, 10]),
        (3.001, [8, 9]),
        (10, [8, 9]),
        (10.5, [8]),
        (-1, [8, 9, 10]),
    ],
)
def test_rows_of_cycles_under_embargo_are_not_published(
    files: WarehouseFiles, spec: TableSpec, days: float | None, weeks: list[int]
) -> None:
    declare(files, days)
    predict(files, 8, 9, 10)
    files.publish()
    assert cycles(files, spec) == [week(number) for number in weeks]
    assert published(files, f"SELECT DISTINCT cycle FROM {spec.qualified_name} ORDER BY 1") == [
        (week(number),) for number in weeks
    ]


def test_the_working_file_keeps_them(files: WarehouseFiles) -> None:
    declare(files, 100)
    predict(files, 8, 9, 10)
    files.publish()
    with files.read() as store:
        assert len(store.read(PREDICTIONS, BOARD)) == len(store.read(SCORES, BOARD)) == 3


def test_what_is_under_embargo_is_not_among_the_bytes(files: WarehouseFiles) -> None:
    secret, known = a_name(), a_name()
    declare(files, 10)
    predict(files, 8, models=(known,))
    predict(files, 10, models=(secret,))
    path = files.publish().path
    assert is_in_the_bytes(files.path, secret)
    assert is_in_the_bytes(path, known)
    assert not is_in_the_bytes(path, secret)


def test_without_the_rewrite_it_would_be(files: WarehouseFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave_as_it_is(draft: Path, target: Path, config: object) -> None:
        draft.replace(target)

    secret = a_name()
    declare(files, 10)
    predict(files, 10, models=(secret,))
    monkeypatch.setattr(publish, "_rewrite", leave_as_it_is)
    path = files.publish().path
    assert cycles(files, PREDICTIONS) == []
    assert is_in_the_bytes(path, secret)


def test_nothing_else_is_left_in_the_folder_of_publications(files: WarehouseFiles) -> None:
    secret = a_name()
    declare(files, 10)
    predict(files, 10, models=(secret,))
    files.publish()
    found = [path for path in files.published_dir.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {path.name for path in found} == {"podium.duckdb", "publication.json"}
    assert not [path for path in found if is_in_the_bytes(path, secret)]


def test_rows_that_landed_are_not_published(files: WarehouseFiles) -> None:
    secret = a_name()
    declare(files, None)
    land(files, PREDICTION_ROWS, cycle=week(1), model_id=secret)
    path = files.publish().path
    tables = published(files, "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()")
    private = {spec.name for spec in ALL_TABLES if spec.private}
    assert private == {spec.name for spec in (*LANDING_TABLES, RUN_ROWS, SCORE_ROWS)}
    assert not private & {name for (name,) in tables}
    assert published(files, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'landing'") == [(0,)]
    assert is_in_the_bytes(files.path, secret)
    assert not is_in_the_bytes(path, secret)


def test_what_a_refused_row_said_is_not_published_but_why_is(files: WarehouseFiles) -> None:
    secret = a_name()
    declare(files, None)
    land(files, QUARANTINE, reason="value is missing", original=f'{{"model_id": "{secret}"}}')
    path = files.publish().path
    assert published(files, "SELECT reason, original FROM quarantine.rows") == [("value is missing", None)]
    assert is_in_the_bytes(files.path, secret)
    assert not is_in_the_bytes(path, secret)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("value is missing", "value is missing"),
        ("value is '{}', not a number", "value is …, not a number"),
        ("value is '{}'; cycle is \"it's {}\", not a time", "value is …, not a time"),
        ("value is 'a\n{}', not a number", "value is …, not a number"),
        ("value is '{}", "value is …"),
    ],
)
def test_why_a_row_or_a_file_was_refused_is_published_without_what_it_quotes(
    files: WarehouseFiles, reason: str, shown: str
) -> None:
    secret = a_name()
    declare(files, None)
    land(files, QUARANTINE, reason=reason.replace("{}", secret))
    land(files, FILES, status=f"unreadable: {reason.replace('{}', secret)}")
    path = files.publish().path
    assert published(files, "SELECT reason FROM quarantine.rows") == [(shown,)]
    assert published(files, f"SELECT status FROM {BOARD}.files") == [(f"unreadable: {shown}",)]
    assert not is_in_the_bytes(path, secret)


def test_when_an_embargo_ends_the_next_publication_has_what_was_withheld_though_nothing_changed(
    files: WarehouseFiles, clock: pytest.MonkeyPatch
) -> None:
    declare(files, 10)
    predict(files, 8, 9, 10)
    first = files.publish()
    assert first.withheld_until == week(10) + timedelta(days=10)

    set_clock(clock, first.withheld_until - timedelta(microseconds=1))
    assert not files.publish().changed
    with files.read() as store:
        assert files.is_published(store)

    set_clock(clock, first.withheld_until)
    with files.read() as store:
        assert not files.is_published(store)
    second = files.publish()
    assert (second.changed, second.seq, second.withheld_until) == (True, first.seq, None)
    assert second.path != first.path
    assert cycles(files, PREDICTIONS) == cycles(files, SCORES) == [week(8), week(9), week(10)]
    assert not files.publish().changed


def test_the_earliest_end_of_all_boards_is_the_next_time_to_publish(
    files: WarehouseFiles, clock: pytest.MonkeyPatch
) -> None:
    for board, days in (("slow", 30.0), ("quick", 5.0), ("open", None)):
        declare(files, days, board)
        predict(files, 9, 10, 11, board=board)
    ends = []
    while (until := files.publish().withheld_until) is not None:
        ends.append(until)
        set_clock(clock, until)
    assert ends == sorted(
        {week(number) + timedelta(days=5) for number in (10, 11)}
        | {week(number) + timedelta(days=30) for number in (9, 10, 11)}
    )


def test_the_end_of_an_embargo_is_in_the_note_beside_the_file(files: WarehouseFiles) -> None:
    declare(files, 10)
    predict(files, 10)
    files.publish()
    present = current_publication(files.published_dir)
    assert present is not None
    assert present.withheld_until == week(10) + timedelta(days=10)


def test_a_board_without_embargo_is_published_whole_beside_one_with(files: WarehouseFiles) -> None:
    declare(files, None, "open")
    declare(files, 1000, "closed")
    for board in ("open", "closed"):
        predict(files, 9, 10, 500, board=board)
    files.publish()
    assert cycles(files, PREDICTIONS, "open") == cycles(files, SCORES, "open") == [week(9), week(10), week(500)]
    assert cycles(files, PREDICTIONS, "closed") == []


def test_an_embargo_that_another_declaration_ends_ends(files: WarehouseFiles) -> None:
    declare(files, 1000)
    predict(files, 10)
    files.publish()
    declare(files, 0)
    assert files.publish().withheld_until is None
    assert cycles(files, PREDICTIONS) == [week(10)]


def test_a_cycle_at_the_end_of_time_harms_nobody(files: WarehouseFiles) -> None:
    declare(files, 10)
    predict(files, 9)
    with files.write("a test") as store:
        store.connection.execute(
            "INSERT INTO competition.predictions SELECT * REPLACE (TIMESTAMP '294246-12-31' AS cycle) "
            "FROM competition.predictions"
        )
    files.publish()
    assert cycles(files, PREDICTIONS) == [week(9)]


@pytest.fixture
def rewrites(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The publications that were rewritten."""
    found: list[Path] = []
    rewrite = publish._rewrite

    def spy(draft: Path, target: Path, config: object) -> None:
        found.append(target)
        rewrite(draft, target, None)

    monkeypatch.setattr(publish, "_rewrite", spy)
    return found


@pytest.mark.parametrize(
    ("days", "is_rewritten"), [(None, False), (3, False), (4, True)], ids=["no embargo", "over", "not over"]
)
def test_a_copy_is_rewritten_only_when_something_is_withheld(
    files: WarehouseFiles, rewrites: list[Path], days: float | None, is_rewritten: bool
) -> None:
    declare(files, days)
    predict(files, 9, 10)
    files.publish()
    assert bool(rewrites) == is_rewritten


def test_landed_rows_and_other_boards_are_reasons_to_rewrite(files: WarehouseFiles, rewrites: list[Path]) -> None:
    declare(files, None)
    declare(files, None, "gone")
    predict(files, 9)
    files.publish([BOARD])
    assert len(rewrites) == 1
    land(files, PREDICTION_ROWS, cycle=week(1))
    files.publish()
    assert len(rewrites) == 2


def described(path: Path) -> pd.DataFrame:
    """Tables, views and columns of a file, with their comments."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(
            "SELECT c.schema_name, c.table_name, column_index, column_name, data_type, is_nullable, c.comment,"
            " t.comment, v.comment FROM duckdb_columns() AS c"
            " LEFT JOIN duckdb_tables() AS t ON (t.schema_name, t.table_name) = (c.schema_name, c.table_name)"
            " LEFT JOIN duckdb_views() AS v ON (v.schema_name, v.view_name) = (c.schema_name, c.table_name)"
            " WHERE NOT c.internal AND c.schema_name <> 'landing' ORDER BY ALL"
        ).df()


def with_marts(files: WarehouseFiles) -> None:
    """Marts as dbt makes them: a table, a view of it that knows the file's name, a view of that."""
    with files.write("a test") as store:
        for statement in (
            "CREATE TABLE marts.stats AS SELECT competition, value FROM competition.predictions",
            "COMMENT ON TABLE marts.stats IS 'Stats'",
            "COMMENT ON COLUMN marts.stats.value IS 'The value'",
            "CREATE VIEW marts.z_history AS SELECT competition, value FROM podium.competition.predictions",
            "COMMENT ON VIEW marts.z_history IS 'It''s all'",
            "COMMENT ON COLUMN marts.z_history.value IS 'Each value'",
            "CREATE VIEW marts.a_history AS SELECT competition FROM podium.marts.z_history",
        ):
            store.connection.execute(statement)


def test_tables_views_and_comments_are_those_of_a_copy_without_embargo(
    files: WarehouseFiles, clock: pytest.MonkeyPatch
) -> None:
    declare(files, 4)
    predict(files, 9, 10)
    with_marts(files)
    rewritten = described(files.publish().path)
    set_clock(clock, week(100))
    cloned = described(files.publish().path)
    assert len(cloned) > 100
    assert {"marts", "catalog", "competition", BOARD} <= set(cloned["schema_name"])
    pd.testing.assert_frame_equal(rewritten, cloned)


def test_a_rewritten_copy_works_under_any_name(files: WarehouseFiles) -> None:
    declare(files, 4)
    predict(files, 9, 10)
    with_marts(files)
    path = files.publish().path
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{path}' AS other (READ_ONLY)")
        for view in (f"{BOARD}.predictions", f"{BOARD}.scores", "marts.a_history", "marts.z_history"):
            assert connection.execute(f"SELECT count(*) FROM other.{view}").fetchone() == (1,)


def test_a_view_that_works_no_more_does_not_stop_the_publication(files: WarehouseFiles) -> None:
    declare(files, 4)
    predict(files, 9, 10)
    with files.write("a test") as store:
        store.connection.execute("CREATE TABLE marts.gone (a INTEGER)")
        store.connection.execute("CREATE VIEW marts.left_behind AS SELECT a FROM podium.marts.gone")
        store.connection.execute("CREATE VIEW marts.reads_landing AS SELECT * FROM podium.landing.prediction_rows")
        store.connection.execute("DROP TABLE marts.gone")
    files.publish()
    assert cycles(files, PREDICTIONS) == [week(9)]


def test_a_file_name_that_must_be_quoted_is_rewritten_too(files: WarehouseFiles) -> None:
    odd = WarehouseFiles(files.path.with_name("my file's.duckdb"))
    declare(odd, 4)
    predict(odd, 9, 10)
    odd.publish()
    assert cycles(odd, PREDICTIONS) == [week(9)]
