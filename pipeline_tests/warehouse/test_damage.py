"""Whatever happened to the files, the error names the file and the remedy, and the remedy works."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.warehouse import (
    NotPublishedError,
    PublishedDamagedError,
    PublishedReader,
    WarehouseDamagedError,
    WarehouseFiles,
    connect,
    current_publication,
    open_published,
)
from pipeline.warehouse.connection import is_damage
from pipeline_tests.warehouse.publications import folders, overwrite, published_value, write

HEADERS = 3 * 4096


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


@pytest.mark.parametrize("offset", [0, HEADERS], ids=["in the headers", "in the rows"])
def test_garbage_in_the_published_file_is_a_clear_error_until_it_is_published_again(
    files: WarehouseFiles, offset: int
) -> None:
    write(files, 1.0)
    path = files.publish().path
    overwrite(path, offset, path.stat().st_size - offset)
    with pytest.raises(PublishedDamagedError, match=rf"the published file {path} is damaged .*run `podium run`"):
        published_value(files)
    with (
        PublishedReader(files.published_dir) as reader,
        pytest.raises(NotPublishedError, match=rf"the published file {path} is damaged"),
    ):
        reader.query("SELECT * FROM competition.predictions")
    assert files.publish().changed
    assert published_value(files) == 1.0
    assert not files.publish().changed


def test_one_changed_byte_that_no_reader_would_notice_is_published_again(files: WarehouseFiles) -> None:
    write(files, 1.0)
    path = files.publish().path
    overwrite(path, HEADERS - 1, 1)
    assert current_publication(files.published_dir) is not None
    with files.write("a test") as store:
        assert not files.is_published(store)
    assert files.publish().changed


def test_what_a_client_wrote_into_the_published_file_is_published_over(files: WarehouseFiles) -> None:
    write(files, 1.0)
    path = files.publish().path
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM competition.predictions")
    assert files.publish().changed
    assert published_value(files) == 1.0


def test_a_log_that_a_killed_client_left_beside_the_published_file_is_published_over(files: WarehouseFiles) -> None:
    write(files, 1.0)
    path = files.publish().path
    path.with_name(path.name + ".wal").write_bytes(b"anything")
    assert files.publish().changed
    assert published_value(files) == 1.0


@pytest.mark.parametrize("instead", ["a folder", "a full copy", "a file", "a link to nothing", "a link to a file"])
def test_anything_else_in_the_place_of_the_link_is_a_clear_error_and_is_replaced(
    files: WarehouseFiles, instead: str
) -> None:
    write(files, 1.0)
    publication = files.publish()
    current = files.published_dir / "current"
    current.unlink()
    if instead == "a folder":
        current.mkdir()
    elif instead == "a full copy":
        shutil.copytree(publication.path.parent, current)
    elif instead == "a file":
        current.write_text("12")
    else:
        (files.published_dir / "notes").write_text("")
        current.symlink_to("nowhere" if instead == "a link to nothing" else "notes")

    with pytest.raises(PublishedDamagedError, match=rf"{current} does not lead to a whole .*run `podium run`"):
        published_value(files)
    with PublishedReader(files.published_dir) as reader, pytest.raises(PublishedDamagedError):
        _ = reader.publication

    assert files.publish().changed
    assert current.is_symlink()
    assert published_value(files) == 1.0
    assert not any(name.startswith(".tmp-") for name in folders(files))


@pytest.mark.parametrize("damage", ["all of it", "the headers", "empty", "half", "a text"])
def test_a_damaged_working_file_is_named_with_the_remedy_and_the_remedy_works(
    files: WarehouseFiles, damage: str
) -> None:
    write(files, 1.0)
    files.publish()
    size = files.path.stat().st_size
    if damage == "a text":
        files.path.write_text("not a database " * 1000)
    elif damage in ("empty", "half"):
        with files.path.open("r+b") as file:
            file.truncate(0 if damage == "empty" else size // 2)
    else:
        overwrite(files.path, 0, size if damage == "all of it" else HEADERS)

    expected = rf"the working file {files.path} is damaged .*Remove it, .* and run `podium run` again"
    with pytest.raises(WarehouseDamagedError, match=expected), files.write("a test"):
        pass
    with pytest.raises(WarehouseDamagedError, match=expected), files.read():
        pass
    with pytest.raises(WarehouseDamagedError, match=expected):
        files.publish()

    assert not files.lock.held
    assert published_value(files) == 1.0
    files.path.unlink()
    write(files, 2.0)
    files.publish()
    assert published_value(files) == 2.0


def test_damage_that_only_a_query_finds_is_named_in_both_files(files: WarehouseFiles) -> None:
    write(files, 1.0)
    with files.write("a test") as store:
        store.connection.execute("CREATE TABLE marts.big AS SELECT random() AS a FROM range(500000)")
    path = files.publish().path
    for file in (files.path, path):
        overwrite(file, *rows_of(file, "marts.big"))

    query = "SELECT sum(a) FROM marts.big"
    published = pytest.raises(PublishedDamagedError, match=f"the published file {path} is damaged")
    with published, open_published(files.published_dir) as connection:
        connection.execute(query).fetchall()
    working = pytest.raises(WarehouseDamagedError, match=f"the working file {files.path} is damaged")
    with working, files.read() as store:
        store.query(query)


def rows_of(path: Path, table: str) -> tuple[int, int]:
    """Where a table's rows lie in a file: after three headers, blocks of 256 kB."""
    with connect(path, read_only=True) as connection:
        found = connection.execute(
            f"SELECT max(block_id) FROM pragma_storage_info('{table}') WHERE persistent"
        ).fetchone()
    assert found is not None
    return HEADERS + found[0] * 262144 + 1000, 1000


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"memory_limit": "much"}, "Memory must have a number"),
        ({"threads": -1}, "at least 1 thread"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_setting_that_duckdb_refuses_is_not_taken_for_damage(
    files: WarehouseFiles, config: dict[str, object], words: str
) -> None:
    write(files, 1.0)
    wrong = WarehouseFiles(files.path, config=config)
    with pytest.raises(duckdb.Error, match=words), wrong.write("a test"):
        pass
    with pytest.raises(duckdb.Error, match=words), connect(files.path, read_only=True, config=config):
        pass


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException(
            'IO Error: Failure while replaying WAL file "/data/podium.duckdb.wal": Corrupt WAL file: entry'
        ),
        duckdb.SerializationException("Serialization Error: Failed to deserialize: field id mismatch"),
    ],
)
def test_damage_that_cannot_be_made_to_order_is_known_too(error: duckdb.Error) -> None:
    assert is_damage(error, Path("/data/podium.duckdb"))


@pytest.mark.parametrize(
    "text",
    [
        "Could not write all bytes to file: No space left on device",
        'Could not read enough bytes from file "/elsewhere/prices.parquet"',
        "Trying to read a database file with version number 99, but we can only read versions between 64 and 68",
    ],
)
def test_other_troubles_are_not_taken_for_damage(text: str) -> None:
    assert not is_damage(duckdb.IOException(f"IO Error: {text}"), Path("/data/podium.duckdb"))
