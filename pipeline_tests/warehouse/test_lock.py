"""One process writes at a time; whoever waits learns who has it; nothing keeps it for ever."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from pipeline.tables import PREDICTIONS
from pipeline.warehouse import WarehouseBusyError, WarehouseDamagedError, WarehouseFiles, WriteLock
from pipeline_tests.patience import PATIENCE
from pipeline_tests.warehouse import processes
from pipeline_tests.warehouse.frames import BOARD, dirty, predictions, week


def values(files: WarehouseFiles) -> list[float]:
    with files.read() as store:
        return store.read(PREDICTIONS, BOARD, columns=["value"])["value"].to_list()


def test_a_second_writer_waits_and_then_proceeds(files: WarehouseFiles, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        with processes.running(processes.write, tmp_path) as writer:
            assert processes.line(writer) == "asking"
            time.sleep(0.5)
            assert writer.poll() is None
            processes.tell(holder)
            assert processes.line(writer) == "done"
    assert values(files) == [2.0, 2.0]


def test_the_error_of_a_busy_warehouse_names_the_holder_and_the_remedy(tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        start = time.monotonic()
        with pytest.raises(WarehouseBusyError) as error, processes.warehouse(str(tmp_path), 0.3).write("mine"):
            pass
        assert 0.3 <= time.monotonic() - start < PATIENCE
    message = str(error.value)
    assert f"process {holder.pid} on {socket.gethostname()} (holding it for a test, since 2" in message
    waited = re.search(r"waited (\d+\.\d) s", message)
    assert waited is not None
    assert float(waited[1]) >= 0.3
    assert "PODIUM_LOCK_TIMEOUT" in message


def test_the_lock_of_a_killed_holder_is_free_at_once(files: WarehouseFiles, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert files.lock.note_path.exists()
        with files.write("next") as store:
            store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "code")
    assert not files.lock.note_path.exists()


def test_a_writer_killed_in_a_transaction_leaves_the_old_state(files: WarehouseFiles, tmp_path: Path) -> None:
    with files.write("first") as store:
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "code")
    with processes.running(processes.stall, tmp_path) as staller:
        assert processes.line(staller) == "stalled"
        staller.send_signal(signal.SIGKILL)
        staller.wait()
    assert values(files) == [1.0, 1.0]
    with files.write("next") as store:
        tables = store.query("SELECT table_name FROM duckdb_tables() WHERE table_name = 'half_written'")
        assert tables.empty
        assert store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "code").changed == 0


def test_a_stale_note_does_not_stop_anyone_and_is_not_believed(files: WarehouseFiles, tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    note = {"pid": int(dead.stdout), "host": socket.gethostname(), "purpose": "long ago", "since": "1999"}
    files.lock.note_path.parent.mkdir(parents=True)
    files.lock.note_path.write_text(json.dumps(note))
    with files.write("next"):
        holder = files.lock.holder()
        assert holder is not None
        assert (holder.pid, holder.purpose) == (os.getpid(), "next")
    with processes.running(processes.hold, tmp_path) as process:
        processes.line(process)
        files.lock.note_path.write_text(json.dumps(note))
        with pytest.raises(WarehouseBusyError, match=r"left no note .*long ago.* which is gone"):
            WriteLock(files.lock.path, 0.1).acquire("mine")
        files.lock.note_path.write_text("[not a note")
        with pytest.raises(WarehouseBusyError, match="left no note; waited"):
            WriteLock(files.lock.path, 0.1).acquire("mine")


def test_a_note_of_another_machine_or_user_is_believed(files: WarehouseFiles) -> None:
    files.lock.note_path.parent.mkdir(parents=True)
    for note in ({"pid": 2**22 - 1, "host": "elsewhere"}, {"pid": 1, "host": socket.gethostname()}):
        files.lock.note_path.write_text(json.dumps(note | {"purpose": "run", "since": "today"}))
        holder = files.lock.holder()
        assert holder is not None
        assert not holder.is_gone


def test_a_process_that_may_not_be_asked_is_taken_to_be_alive(files: WarehouseFiles) -> None:
    with files.lock.hold("mine"), mock.patch.object(os, "kill", side_effect=PermissionError):
        holder = files.lock.holder()
        assert holder is not None
        assert not holder.is_gone


def test_a_thread_does_not_wait_for_ever_behind_one_that_waits(files: WarehouseFiles, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        processes.line(holder)
        patient = threading.Thread(target=files.lock.acquire, args=("patient",))
        patient.start()
        with pytest.raises(WarehouseBusyError, match="another thread of this process is waiting for it already"):
            WriteLock(files.lock.path, 0).acquire("hasty")
        processes.tell(holder)
        patient.join()
    files.lock.release()


def test_the_lock_is_reentrant_in_its_process(tmp_path: Path) -> None:
    first, second = WriteLock(tmp_path / "lock", 0.1), WriteLock(tmp_path / "." / "lock", 0.1)
    with first.hold("outer"):
        with second.hold("inner"):
            assert first.held
        assert second.held
        assert second.note_path.exists()
    assert not first.held
    assert not first.note_path.exists()


def test_releasing_what_is_not_held_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"does not hold .*lock: release\(\) without acquire\(\)"):
        WriteLock(tmp_path / "lock", 0.1).release()


def test_the_lock_can_be_released_in_another_thread(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path / "lock", 0.1)
    lock.acquire("run")
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    assert not lock.held


def test_a_failure_to_leave_a_note_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = WriteLock(tmp_path / "lock", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", mock.Mock(side_effect=OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            lock.acquire("run")
    assert not lock.held
    with lock.hold("again"):
        assert lock.held


def test_two_threads_write_one_after_the_other(files: WarehouseFiles) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with files.write(f"thread {number}") as store:
            inside.append(number)
            most.append(len(inside))
            store.replace(PREDICTIONS, BOARD, dirty(number), predictions(number), "code")
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
    with files.read() as store:
        assert store.read(PREDICTIONS, BOARD)["cycle"].drop_duplicates().to_list() == [week(n) for n in range(4)]
        assert store.max_seq() == 4


def test_a_thread_that_waits_too_long_is_told_which_thread_writes(files: WarehouseFiles) -> None:
    errors: list[str] = []

    def work() -> None:
        try:
            with WarehouseFiles(files.path, lock_timeout=0.1).write("the second"):
                pass
        except WarehouseBusyError as error:
            errors.append(str(error))

    with files.write("the first"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(errors) == 1
    assert f"another thread of this process {os.getpid()} (the first); the second cannot start" in errors[0]


def test_an_exception_inside_write_rolls_back_and_leaves_the_file_free(files: WarehouseFiles) -> None:
    with files.write("first") as store:
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "code")

    def fail() -> None:
        with files.write("failing") as store:
            store.connection.begin()
            store.connection.execute("DELETE FROM competition.predictions")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as kept:
        fail()
    assert not files.lock.held
    command = f"import duckdb; duckdb.connect({str(files.path)!r}).execute('SELECT 1'); print('free')"
    other = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert other.stdout == "free\n"
    assert values(files) == [1.0, 1.0]
    assert kept.traceback  # alive until here: an open connection would have kept the file locked


def test_a_file_open_elsewhere_without_the_lock_is_waited_for(files: WarehouseFiles, tmp_path: Path) -> None:
    with files.write("first"):
        pass
    with processes.running(processes.use_plain_duckdb, tmp_path) as other:
        assert processes.line(other) == "open"
        hasty = WarehouseFiles(files.path, lock_timeout=0.2)
        with (
            pytest.raises(WarehouseBusyError, match=rf"is open in process {other.pid}.*waited \d+\.\d s.*published"),
            hasty.write("mine"),
        ):
            pass
        with pytest.raises(WarehouseBusyError, match=f"process {other.pid}"), hasty.read():
            pass
        assert not files.lock.held
        threading.Timer(0.3, processes.tell, [other]).start()
        with files.write("patient") as store:
            assert store.max_seq() == 0


def test_a_file_open_in_this_process_otherwise_is_an_error_that_says_so(files: WarehouseFiles) -> None:
    with files.write("first"):
        pass
    reader = duckdb.connect(str(files.path), read_only=True)
    with pytest.raises(WarehouseBusyError, match="this very process with another configuration"), files.write("mine"):
        pass
    reader.close()
    assert not files.lock.held


def test_a_file_that_is_no_database_is_not_called_busy(files: WarehouseFiles) -> None:
    files.path.parent.mkdir(parents=True)
    files.path.write_text("something else")
    with pytest.raises(WarehouseDamagedError, match="not a valid DuckDB database"), files.write("mine"):
        pass
    assert not files.lock.held


@pytest.mark.parametrize(("outer", "inner"), [("write", "read"), ("write", "write"), ("read", "write")])
def test_the_file_is_opened_once_per_thread(files: WarehouseFiles, outer: str, inner: str) -> None:
    with files.write("first"):
        pass
    enter = {"write": lambda: files.write("nested"), "read": files.read}
    with (
        enter[outer](),
        pytest.raises(RuntimeError, match=rf"{inner}\(\) was called inside {outer}\(\).*use the store"),
        enter[inner](),
    ):
        pass


def test_publishing_inside_write_is_an_error(files: WarehouseFiles) -> None:
    with files.write("first"), pytest.raises(RuntimeError, match=r"publish\(\) was called inside write\(\)"):
        files.publish()


def test_reading_before_anything_was_written_says_what_to_do(files: WarehouseFiles) -> None:
    with pytest.raises(FileNotFoundError, match=r"podium\.duckdb; run `podium run` first"), files.read():
        pass


def test_connections_use_utc_and_the_settings(files: WarehouseFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.settings import settings

    monkeypatch.setenv("PODIUM_MEMORY_LIMIT", "512MB")
    monkeypatch.setenv("PODIUM_THREADS", "1")
    settings.cache_clear()
    try:
        with files.write("first") as store:
            row = store.query(
                "SELECT current_setting('TimeZone') AS zone, current_setting('threads') AS threads,"
                " current_setting('memory_limit') AS memory"
            ).iloc[0]
    finally:
        settings.cache_clear()
    assert (row["zone"], row["threads"], row["memory"]) == ("UTC", 1, "488.2 MiB")


def test_a_long_wait_says_whom_it_is_for(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        with (
            pytest.raises(WarehouseBusyError, match=r"waited [1-9]\d*\.\d s"),
            processes.warehouse(str(tmp_path), 1.3).write("mine"),
        ):
            pass
    (message,) = caplog.messages
    assert message.startswith(f"waiting up to 1 s for process {holder.pid} on {socket.gethostname()} (holding it for a")


def test_a_short_wait_is_silent(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        with pytest.raises(WarehouseBusyError), processes.warehouse(str(tmp_path), 0.2).write("mine"):
            pass
    assert caplog.messages == []
