"""Readers always find a whole file, and each new one without being restarted, whatever happens to the publisher."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from pipeline.tables import ALL_TABLES, BOARDS, PREDICTIONS, WHOLE
from pipeline.warehouse import (
    Dirty,
    NotPublishedError,
    PublishedReader,
    PublishError,
    WarehouseFiles,
    current_publication,
    open_published,
    publish,
)
from pipeline_tests.warehouse import processes
from pipeline_tests.warehouse.frames import BOARD, boards, dirty, predictions


def write(files: WarehouseFiles, value: float, *names: str) -> int:
    """Write one value for each board (and its catalog row); the newest seq is returned."""
    with files.write("a test") as store:
        for name in names or (BOARD,):
            store.replace(BOARDS, name, [Dirty(WHOLE, 0)], boards(), "v1")
            store.replace(PREDICTIONS, name, dirty(0), predictions(0, value=value), "v1")
        return store.max_seq()


def published_value(files: WarehouseFiles, board: str = BOARD) -> float:
    with open_published(files.published_dir) as connection:
        row = connection.execute(f'SELECT max(value) FROM "{board}".predictions').fetchone()
    assert row is not None
    return float(row[0])


def folders(files: WarehouseFiles) -> list[str]:
    return sorted(path.name for path in files.published_dir.iterdir() if path.name != "current")


def test_nothing_published_is_a_clear_error(files: WarehouseFiles) -> None:
    assert current_publication(files.published_dir) is None
    with pytest.raises(FileNotFoundError, match=r"nothing is published in .*; run `podium run` first"):
        published_value(files)
    with (
        PublishedReader(files.published_dir) as reader,
        pytest.raises(FileNotFoundError, match="nothing is published"),
    ):
        _ = reader.publication


def test_the_published_file_holds_the_rows_and_says_what_it_is(files: WarehouseFiles) -> None:
    seq = write(files, 1.0)
    publication = files.publish()
    assert publication.changed
    assert (publication.seq, publication.boards) == (seq, (BOARD,))
    assert publication.path == files.published_dir / str(seq) / "podium.duckdb"
    assert current_publication(files.published_dir) == publication
    assert (files.published_dir / "current").readlink() == Path(str(seq))
    assert sorted(path.name for path in publication.path.parent.iterdir()) == ["podium.duckdb", "publication.json"]
    assert published_value(files) == 1.0


def test_publishing_is_skipped_when_nothing_moved(files: WarehouseFiles) -> None:
    write(files, 1.0)
    first = files.publish()
    write(files, 1.0)
    again = files.publish()
    assert not again.changed
    assert (again.path, again.published_at) == (first.path, first.published_at)
    write(files, 2.0)
    assert files.publish().changed


def test_publishing_can_be_forced_and_no_path_is_used_twice(files: WarehouseFiles) -> None:
    seq = write(files, 1.0)
    paths = [files.publish(force=True).path.parent.name for _ in range(3)]
    assert paths == [str(seq), f"{seq}.1", f"{seq}.2"]
    assert folders(files) == [f"{seq}.1", f"{seq}.2"]


def test_other_boards_or_another_working_file_are_published_although_seq_is_the_same(files: WarehouseFiles) -> None:
    seq = write(files, 1.0, "one", "two")
    assert files.publish(["one"]).boards == ("one",)
    both = files.publish(["two", "one"])
    assert (both.changed, both.boards) == (True, ("one", "two"))
    assert not files.publish().changed
    files.path.unlink()
    assert write(files, 9.0, "one", "two") == seq
    assert files.publish().changed
    assert published_value(files, "one") == 9.0


def test_a_rebuilt_warehouse_with_smaller_numbers_becomes_current(files: WarehouseFiles) -> None:
    for value in range(5):
        write(files, value)
    files.publish()
    files.path.unlink()
    seq = write(files, 77.0)
    assert files.publish().seq == seq
    assert published_value(files) == 77.0
    assert folders(files) == [str(seq)]


def test_only_the_newest_versions_stay(files: WarehouseFiles) -> None:
    names = []
    for value in range(4):
        names.append(str(write(files, value)))
        files.publish()
    assert folders(files) == sorted(names[-2:])
    roomy = WarehouseFiles(files.path, files.published_dir, keep_published=4)
    for value in range(10, 13):
        names.append(str(write(files, value)))
        roomy.publish()
    assert folders(files) == sorted(names[-4:])
    WarehouseFiles(files.path, files.published_dir, keep_published=1).publish()
    assert folders(files) == names[-1:]


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


def test_a_board_of_another_kind_has_no_views_of_competitions(files: WarehouseFiles) -> None:
    with files.write("a test") as store:
        store.replace(BOARDS, "bench", [Dirty(WHOLE, 0)], boards(kind="llm"), "v1")
    files.publish()
    with open_published(files.published_dir) as connection:
        schemas = connection.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bench'").fetchall()
    assert ("bench",) in schemas
    assert views == []


@pytest.mark.parametrize("name", ["competition", "Meta", "MAIN", "marts"])
def test_a_board_cannot_take_the_name_of_a_schema(files: WarehouseFiles, name: str) -> None:
    write(files, 1.0, name)
    with pytest.raises(PublishError, match=f"board '{name}' cannot have its own schema .*rename the board"):
        files.publish()
    assert current_publication(files.published_dir) is None


def test_boards_that_differ_only_in_case_cannot_both_be_published(files: WarehouseFiles) -> None:
    write(files, 1.0, "flu", "FLU")
    with pytest.raises(PublishError, match="board 'flu' cannot have its own schema"):
        files.publish()
    assert files.publish(["flu"]).boards == ("flu",)


def test_a_board_without_a_catalog_row_cannot_be_published(files: WarehouseFiles) -> None:
    write(files, 1.0)
    with pytest.raises(PublishError, match=r"boards \['sp5000'\] are not in catalog\.boards; known: \['sp500'\]"):
        files.publish(["sp5000"])


def test_a_reader_sees_each_publication_and_outlives_its_file(files: WarehouseFiles) -> None:
    write(files, 0.0)
    files.publish()
    with PublishedReader(files.published_dir) as reader:
        with reader.connection() as kept:
            for value in range(1, 5):
                seq = write(files, value)
                files.publish()
                assert reader.publication.seq == seq
                assert reader.query(f"SELECT max(value) AS v FROM {BOARD}.predictions")["v"].to_list() == [value]
                assert reader.query("SELECT ? AS v", ["x"])["v"].to_list() == ["x"]
            assert not (files.published_dir / "2").exists()
            assert kept.execute("SELECT max(value) FROM competition.predictions").fetchone() == (0.0,)
            shutil.rmtree(files.published_dir / str(seq))
            rows = reader.query(f"SELECT value FROM {BOARD}.predictions")
            assert len(rows) == 2
        reader.close()


def test_a_reader_whose_link_is_gone_says_that_nothing_is_published(files: WarehouseFiles) -> None:
    write(files, 1.0)
    files.publish()
    with PublishedReader(files.published_dir) as reader:
        assert reader.publication.boards == (BOARD,)
        (files.published_dir / "current").unlink()
        with pytest.raises(FileNotFoundError, match="nothing is published"):
            reader.query("SELECT 1")


def test_readers_cannot_write_and_use_utc(files: WarehouseFiles) -> None:
    write(files, 1.0)
    files.publish()
    with PublishedReader(files.published_dir) as reader, reader.connection() as connection:
        assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("DELETE FROM competition.predictions")


def test_a_long_lived_reader_process_sees_every_publication_while_they_go_on(
    files: WarehouseFiles, tmp_path: Path
) -> None:
    write(files, 0.0)
    files.publish()
    with processes.running(processes.read, tmp_path) as reader:
        assert processes.line(reader) == "0 2"
        for value in range(1, 6):
            write(files, value)
            files.publish()
            assert processes.line(reader) == f"{value} 2"
        assert len(folders(files)) == 2
        for value in range(6, 12):  # without waiting for the reader: it may skip some, but always sees whole files
            write(files, value)
            files.publish()
        write(files, -1.0)
        files.publish()
        seen = list(iter(lambda: processes.line(reader), "-1 2"))
        assert reader.wait(10) == 0
    assert seen == sorted(seen, key=lambda text: int(text.split()[0]))
    assert all(text.endswith(" 2") for text in seen)


def test_a_reader_that_meets_a_removed_folder_looks_again(
    files: WarehouseFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.warehouse import published

    write(files, 1.0)
    stale = files.publish()
    write(files, 2.0)
    files.publish()
    shutil.rmtree(stale.path.parent)
    answers: Iterator[object] = iter([stale, current_publication(files.published_dir)])
    monkeypatch.setattr(published, "current_publication", lambda _: next(answers))
    assert published_value(files) == 2.0
    monkeypatch.setattr(published, "current_publication", lambda _: stale)
    with pytest.raises(FileNotFoundError, match="there is no DuckDB file"):
        published_value(files)


@pytest.mark.parametrize("step", ["clone", "views", "fsync", "rename", "link", "switch", "tidy"])
def test_a_publisher_killed_at_any_step_leaves_a_whole_file_and_the_next_cleans_up(
    files: WarehouseFiles, tmp_path: Path, step: str
) -> None:
    for value in (1.0, 2.0):
        write(files, value)
        files.publish()
    write(files, 3.0)
    with processes.running(processes.killed_publish, tmp_path, step) as publisher:
        assert publisher.wait(30) == -signal.SIGKILL
    assert published_value(files) == (3.0 if step == "tidy" else 2.0)
    if step != "tidy":
        assert any(name.startswith(".tmp-") for name in folders(files)) or step == "link"
    write(files, 4.0)
    publication = files.publish()
    assert published_value(files) == 4.0
    assert publication.path.parent.name in folders(files)
    assert len(folders(files)) == 2
    assert not any(name.startswith(".") for name in folders(files))


def test_a_publish_that_fails_leaves_nothing_behind(files: WarehouseFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    write(files, 1.0)
    files.publish()
    write(files, 2.0)
    with monkeypatch.context() as patch:
        patch.setattr(publish, "clone", mock.Mock(side_effect=OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            files.publish()
    assert published_value(files) == 1.0
    assert len(folders(files)) == 1
    assert not files.lock.held


def test_a_lost_link_is_made_again(files: WarehouseFiles) -> None:
    seq = write(files, 1.0)
    files.publish()
    (files.published_dir / "current").unlink()
    assert current_publication(files.published_dir) is None
    assert files.publish().path.parent.name == f"{seq}.1"
    shutil.rmtree(files.published_dir / f"{seq}.1")
    assert current_publication(files.published_dir) is None


@pytest.mark.parametrize("damage", ["removed", "cut short", "no note", "an old note"])
def test_a_damaged_publication_counts_as_none_and_is_made_again(files: WarehouseFiles, damage: str) -> None:
    write(files, 1.0)
    path = files.publish().path
    note = path.with_name("publication.json")
    if damage == "removed":
        path.unlink()
    elif damage == "no note":
        note.write_text("{", encoding="utf-8")
    elif damage == "an old note":
        note.write_text(json.dumps({"file": path.name, "seq": 1}), encoding="utf-8")
    else:
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
    with pytest.raises(NotPublishedError, match="run `podium run`"):
        published_value(files)
    assert files.publish().changed
    assert published_value(files) == 1.0


def test_other_files_in_the_folder_stay(files: WarehouseFiles) -> None:
    files.published_dir.mkdir(parents=True)
    (files.published_dir / "README.md").write_text("mine")
    (files.published_dir / "7.old").mkdir()
    write(files, 1.0)
    files.publish()
    assert (files.published_dir / "README.md").read_text() == "mine"
    assert (files.published_dir / "7.old").is_dir()


def test_the_folder_of_publications_follows_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.settings import settings

    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    try:
        assert WarehouseFiles().path == tmp_path / "data" / "warehouse" / "podium.duckdb"
        assert WarehouseFiles().published_dir == tmp_path / "data" / "published"
        assert WarehouseFiles(tmp_path / "x.duckdb").published_dir == tmp_path / "published"
    finally:
        settings.cache_clear()
