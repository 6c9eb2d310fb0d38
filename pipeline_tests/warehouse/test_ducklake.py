"""DuckLake keeps the same tables, several processes write it at once, and none of them loses what another one wrote."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from pipeline.settings import settings
from pipeline.tables import PREDICTIONS
from pipeline.warehouse import Store, WarehouseBusyError, WarehouseFiles, open_published
from pipeline.warehouse.ducklake import DuckLake
from pipeline_tests.warehouse import processes
from pipeline_tests.warehouse.frames import BOARD, dirty, predictions
from pipeline_tests.warehouse.publications import published_value, write


@pytest.fixture
def lake(catalog: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarehouseFiles]:
    """An empty warehouse in DuckLake, which is the settings' one, here and in processes started from here."""
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PODIUM_WAREHOUSE", f"ducklake:postgres:{catalog}")
    settings.cache_clear()
    yield WarehouseFiles(lock_timeout=20)
    settings.cache_clear()


def values(store: Store, board: str = BOARD) -> list[float]:
    return store.read(PREDICTIONS, board)["value"].tolist()


def test_nothing_of_it_is_imported_by_default() -> None:
    code = "import sys, pipeline.cli, pipeline.warehouse.resource; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unwanted = {"psycopg2", "celery", "dagster_celery", "pipeline.warehouse.ducklake", "pipeline.warehouse.advisory"}
    assert "pipeline.warehouse.engine" in done.stdout.split()
    assert not unwanted & set(done.stdout.split())


def test_only_the_settings_own_warehouse_is_in_it(lake: WarehouseFiles, tmp_path: Path) -> None:
    assert isinstance(lake.engine, DuckLake)
    elsewhere = WarehouseFiles(tmp_path / "bench" / "podium.duckdb")
    with elsewhere.write("a test"):
        pass
    assert elsewhere.path.exists()
    assert not lake.path.exists()


def test_before_anything_was_written_a_reader_is_told_so(lake: WarehouseFiles) -> None:
    assert not lake.engine.exists
    with pytest.raises(FileNotFoundError, match=r"there are no tables in DuckLake at .* yet"), lake.read():
        pass


def test_no_message_has_the_password(lake: WarehouseFiles, catalog: str) -> None:
    assert "password=***" in lake.engine.identity
    password = next(word for word in catalog.split() if word.startswith("password=")).partition("=")[2]
    assert password not in lake.engine.identity
    address = DuckLake("postgresql://me:secret@db/x", "/lake", "podium", 1.0, {})
    assert address.shown == "DuckLake at postgresql://me:***@db/x"


def test_rows_and_ledger_are_those_of_a_file(lake: WarehouseFiles, tmp_path: Path) -> None:
    found = []
    for files in (lake, WarehouseFiles(tmp_path / "file" / "podium.duckdb")):
        changes = []
        with files.write("a test") as store:
            for value in (1.0, 1.0, 2.0):
                rows = predictions(0, 1, value=value)
                changes.append(store.replace(PREDICTIONS, BOARD, dirty(0, 1), rows, "code"))
            changes.append(store.replace(PREDICTIONS, BOARD, dirty(1), predictions(1, value=3.0), "code"))
            ledger = store.ledger(BOARD)
            seq = store.max_seq()
        with files.read() as store:
            found.append((changes, ledger.to_dict(), seq, store.read(PREDICTIONS, BOARD).to_dict()))
    assert found[0] == found[1]


def test_what_is_published_is_a_file_as_ever(lake: WarehouseFiles) -> None:
    write(lake, 1.0)
    assert lake.publish().changed
    assert not lake.publish().changed
    write(lake, 2.0)
    assert published_value(lake) == 1.0
    assert lake.publish().changed
    assert published_value(lake) == 2.0
    with open_published(lake.published_dir) as connection:
        comments = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'predictions'").fetchall()
    assert comments == [(PREDICTIONS.comment,)]


def test_two_transactions_that_read_the_counter_do_not_both_count(lake: WarehouseFiles) -> None:
    """What DuckLake itself lets happen when it tries again: both insert the number that comes after the same one."""
    with lake.write("a test"):
        pass
    with lake.engine.open(read_only=False) as one, lake.engine.open(read_only=False) as other:
        one.execute("CREATE TABLE competition.counter AS SELECT 1 AS number")
        for connection in (one, other):
            connection.begin()
            connection.execute("INSERT INTO competition.counter SELECT max(number) + 1 FROM competition.counter")
        one.commit()
        with pytest.raises(duckdb.TransactionException, match="Failed to commit"):
            other.commit()
        assert one.execute("SELECT number FROM competition.counter ORDER BY 1").fetchall() == [(1,), (2,)]


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(lake: WarehouseFiles, tmp_path: Path) -> None:
    with lake.write("a test"):
        pass
    boards = ("a", "b", "c")

    def seqs(board: str) -> list[str]:
        with processes.running(processes.write_part, tmp_path, board, 6) as process:
            return [processes.line(process) for _ in range(7)]

    with ThreadPoolExecutor() as pool:
        said = list(pool.map(seqs, boards))
    assert all(lines[-1] == "done" for lines in said)
    numbers = [int(seq) for lines in said for seq in lines[:-1]]
    assert sorted(numbers) == list(range(1, 19))
    with lake.read() as store:
        assert [set(values(store, board)) for board in boards] == [{5.0}] * 3


def test_parts_are_written_side_by_side_and_the_whole_alone(lake: WarehouseFiles, tmp_path: Path) -> None:
    with lake.write("a test"):
        pass
    impatient = WarehouseFiles(lock_timeout=0)
    with processes.running(processes.hold_part, tmp_path, "a/scores") as process:
        assert processes.line(process) == "holding"
        with impatient.write("another part", "b/scores") as store:
            store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=1.0), "code")
        mine = rf"held by process {process.pid} on .* \(holding a/scores for a test, since .* UTC\)"
        with pytest.raises(WarehouseBusyError, match=mine), impatient.write("the same part", "a/scores"):
            pass
        with pytest.raises(WarehouseBusyError, match=mine):
            impatient.publish()
        holder = lake.lock.holder()
        assert holder is not None
        assert (holder.pid, holder.purpose) == (process.pid, "holding a/scores for a test")
    assert lake.lock.holder() is None


def test_a_holder_that_is_killed_holds_nothing(lake: WarehouseFiles, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as process:
        assert processes.line(process) == "holding"
        with (
            pytest.raises(WarehouseBusyError, match=f"process {process.pid}"),
            WarehouseFiles(lock_timeout=0).write("me"),
        ):
            pass
        process.kill()
        started = time.monotonic()
        with lake.write("after it"):
            assert time.monotonic() - started < 20


def test_a_writer_killed_in_a_transaction_leaves_nothing(lake: WarehouseFiles, tmp_path: Path) -> None:
    with lake.write("a test") as store:
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=1.0), "code")
    with processes.running(processes.stall, tmp_path) as process:
        assert processes.line(process) == "stalled"
        process.kill()
    with lake.write("after it") as store:
        assert set(values(store)) == {1.0}
        assert not store.query("FROM duckdb_tables() WHERE table_name = 'half_written'").to_dict("records")
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=2.0), "code")
        assert set(values(store)) == {2.0}


def test_a_reader_sees_one_state_from_first_to_last(lake: WarehouseFiles, tmp_path: Path) -> None:
    with lake.write("a test") as store:
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=1.0), "code")
    with lake.read() as store:
        before = values(store)
        with processes.running(processes.write, tmp_path) as process:
            assert [processes.line(process), processes.line(process)] == ["asking", "done"]
        assert values(store) == before
    with lake.read() as store:
        assert set(values(store)) == {2.0}


def test_a_transaction_outside_of_write_is_refused(lake: WarehouseFiles) -> None:
    with pytest.raises(RuntimeError, match="the lock must be held"), lake.engine.turn():
        pass


def test_the_note_of_a_holder_survives_what_a_purpose_may_hold(lake: WarehouseFiles) -> None:
    purpose = "'; DROP TABLE x; -- */ %s %(a)s \\ /* é" + "x" * 500
    with lake.write(purpose):
        holder = WarehouseFiles(lock_timeout=0).lock.holder()
    assert holder is not None
    assert holder.purpose == purpose[:100]
    assert json.dumps(holder.purpose)
