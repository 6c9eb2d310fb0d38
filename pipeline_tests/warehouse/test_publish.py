"""Readers always find a whole file, and each new one without being restarted, whatever happens to the publisher."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from pipeline.warehouse import (
    NotPublishedError,
    PublishedDamagedError,
    PublishedReader,
    WarehouseBusyError,
    WarehouseFiles,
    current_publication,
    engine,
)
from pipeline_tests.patience import PATIENCE
from pipeline_tests.warehouse import processes
from pipeline_tests.warehouse.frames import BOARD
from pipeline_tests.warehouse.publications import folders, published_value, write


def test_nothing_published_is_a_clear_error(files: WarehouseFiles) -> None:
    assert current_publication(files.published_dir) is None
    with pytest.raises(NotPublishedError, match=r"nothing is published in .*; run `podium run` first") as caught:
        published_value(files)
    assert not isinstance(caught.value, PublishedDamagedError)
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


def test_nobody_but_root_can_open_the_published_file_for_writing_and_the_working_file_stays_writable(
    files: WarehouseFiles,
) -> None:
    for value in range(4):  # old versions are removed although they are read-only
        write(files, value)
        publication = files.publish()
        assert publication.path.stat().st_mode & 0o777 == 0o444
    assert files.path.stat().st_mode & 0o200
    assert len(folders(files)) == 2


def test_a_client_that_has_the_published_file_open_for_writing_is_named_with_what_to_do(
    files: WarehouseFiles,
) -> None:
    write(files, 1.0)
    path = files.publish().path
    path.chmod(0o644)
    with processes.running(processes.open_for_writing, path) as client:
        assert processes.line(client) == "open"
        expected = (
            rf"^{path} is open for writing in process {client.pid}; .* read-only \(read_only=True, duckdb -readonly\)"
        )
        with pytest.raises(WarehouseBusyError, match=expected):
            published_value(files)
        processes.tell(client)
        client.wait(PATIENCE)
    assert published_value(files) == 1.0


def test_publishing_is_skipped_when_nothing_moved(files: WarehouseFiles) -> None:
    write(files, 1.0)
    with files.write("a test") as store:
        assert not files.is_published(store)
    first = files.publish()
    with files.write("a test") as store:
        assert files.is_published(store)
        assert files.is_published(store, [BOARD, "never ran"])
        assert not files.is_published(store, [])
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


def test_a_reader_stays_with_what_it_holds_until_it_moves_on(files: WarehouseFiles) -> None:
    value = f"SELECT max(value) AS v FROM {BOARD}.predictions"
    write(files, 0.0)
    files.publish()
    with PublishedReader(files.published_dir) as reader:
        assert not reader.is_behind  # nothing is open yet
        reader.hold()
        assert (reader.query(value)["v"][0], reader.is_behind) == (0.0, False)
        for newest in (1.0, 2.0):
            seq = write(files, newest)
            files.publish()
            assert reader.is_behind
            with reader.ahead() as publication:
                assert publication == reader.publication
                assert (publication.seq, reader.query(value)["v"][0]) == (seq, newest)
            assert reader.publication.seq < seq
            assert reader.query(value)["v"][0] == 0.0
        reader.move_on()
        assert (reader.query(value)["v"][0], reader.is_behind) == (2.0, False)
        write(files, 3.0)
        files.publish()
        assert reader.query(value)["v"][0] == 3.0  # nothing is held any more
        reader.hold()
        reader.close()
        write(files, 4.0)
        files.publish()
        assert reader.query(value)["v"][0] == 4.0


def test_a_reader_that_moves_on_finds_what_was_published_after_it_looked_ahead(files: WarehouseFiles) -> None:
    write(files, 0.0)
    files.publish()
    with PublishedReader(files.published_dir) as reader:
        before = reader.publication
        reader.hold()
        for newest in (1.0, 2.0):
            write(files, newest)
            files.publish()
            if newest == 1.0:
                with reader.ahead():
                    assert reader.publication.seq > before.seq
        reader.move_on()
        assert reader.query(f"SELECT max(value) AS v FROM {BOARD}.predictions")["v"][0] == 2.0
        (files.published_dir / "current").unlink()
        with pytest.raises(NotPublishedError, match="nothing is published"), reader.ahead():
            pass


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
        assert reader.wait(PATIENCE) == 0
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


@pytest.mark.parametrize("step", ["clone", "contents", "fsync", "rename", "link", "switch", "tidy"])
def test_a_publisher_killed_at_any_step_leaves_a_whole_file_and_the_next_cleans_up(
    files: WarehouseFiles, tmp_path: Path, step: str
) -> None:
    for value in (1.0, 2.0):
        write(files, value)
        files.publish()
    write(files, 3.0)
    with processes.running(processes.killed_publish, tmp_path, step) as publisher:
        assert publisher.wait(PATIENCE) == -signal.SIGKILL
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
        patch.setattr(engine, "clone", mock.Mock(side_effect=OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            files.publish()
    assert published_value(files) == 1.0
    assert len(folders(files)) == 1
    assert not files.lock.held


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


def test_a_board_that_is_not_declared_is_named(files: WarehouseFiles) -> None:
    write(files, 1.0, "one", "two")
    said = files.publish(["one"])
    assert said.boards == ("one",)
    assert said.left_out == (
        "board 'two' is in the warehouse but not declared (see PODIUM_DEFS_DIR), so it is not published",
    )


def test_a_warehouse_that_was_lost_does_not_take_declared_boards_from_readers(files: WarehouseFiles) -> None:
    write(files, 1.0, "one", "two")
    before = files.publish(["one", "two"])
    files.path.unlink()
    write(files, 2.0, "two")

    kept = files.publish(["one", "two"])

    assert (kept.path, kept.changed) == (before.path, False)
    assert kept.left_out[0].startswith("board 'one' is published and declared, but the warehouse does not have it")
    assert kept.waits_for == ("one",)
    assert files.publish(["two"]).boards == ("two",)
    write(files, 1.0, "one")
    assert files.publish(["one", "two"]).boards == ("one", "two")


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM read_text('{path}')", "ATTACH '{path}' AS x", "COPY (SELECT 1) TO '{path}.csv'", "FROM '{path}'"],
)
def test_queries_of_a_reader_that_lives_long_reach_no_other_file(files: WarehouseFiles, statement: str) -> None:
    write(files, 1.0)
    files.publish()
    with PublishedReader(files.published_dir) as reader, reader.connection() as connection:
        with pytest.raises(duckdb.Error, match=r"file system operations are disabled|does not exist"):
            connection.execute(statement.format(path=files.path))
        with pytest.raises(duckdb.Error, match="Cannot"):
            connection.execute("SET enable_external_access = true")
