"""What the tests run in processes of their own: ``python -m pipeline_tests.warehouse.processes <action> <folder>``.

Each says on stdout what it did and, where it must wait, waits for a line on stdin.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from pipeline.tables import PREDICTIONS
from pipeline.warehouse import PublishedReader, WarehouseFiles, engine, publish
from pipeline_tests.warehouse.frames import BOARD, dirty, predictions


def warehouse(folder: str, timeout: float = 20) -> WarehouseFiles:
    """The warehouse in a folder, or where ``PODIUM_WAREHOUSE`` says if that is the settings' folder."""
    return WarehouseFiles(Path(folder) / "warehouse" / "podium.duckdb", lock_timeout=timeout)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def wait_for_a_line() -> None:
    sys.stdin.readline()


def hold(folder: str) -> None:
    """Hold the warehouse open until told to stop."""
    with warehouse(folder).write("holding it for a test"):
        say("holding")
        wait_for_a_line()


def write(folder: str) -> None:
    """Write one value; say when asking and when done."""
    say("asking")
    with warehouse(folder).write("writing a value") as store:
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=2.0), "code")
    say("done")


def stall(folder: str) -> None:
    """Change rows in a transaction and never commit."""
    with warehouse(folder).write("stalling") as store:
        store.connection.begin()
        store.connection.execute("DELETE FROM competition.predictions")
        store.connection.execute("CREATE TABLE competition.half_written AS SELECT * FROM range(500000)")
        say("stalled")
        wait_for_a_line()


def read(folder: str) -> None:
    """Say each published state as soon as it is visible: its seq by the link, and by the rows."""
    last = None
    with PublishedReader(warehouse(folder).published_dir) as reader:
        while True:
            with reader.connection() as connection:
                (row,) = connection.execute(f"SELECT max(value), count(*) FROM {BOARD}.predictions").fetchall()
            if row != last:
                say(f"{row[0]:.0f} {row[1]}")
                last = row
            if row[0] < 0:
                return
            time.sleep(0.005)


def write_part(folder: str, board: str, times: int) -> None:
    """Write values for a board, one transaction each, beside others who do the same; say the number of each change."""
    for value in range(int(times)):
        with warehouse(folder).write(f"writing {board}", f"{board}/predictions") as store:
            change = store.replace(PREDICTIONS, board, dirty(0), predictions(0, value=float(value)), "code")
        say(change.seq)
    say("done")


def hold_part(folder: str, part: str) -> None:
    """Hold one part of the warehouse until told to stop."""
    with warehouse(folder).write(f"holding {part} for a test", part):
        say("holding")
        wait_for_a_line()


def use_plain_duckdb(folder: str) -> None:
    """Open the working file as dbt does, without the lock."""
    open_for_writing(str(warehouse(folder).path))


def open_for_writing(file: str) -> None:
    """Open a file as any client of DuckDB does by default."""
    import duckdb

    with contextlib.closing(duckdb.connect(file)):
        say("open")
        wait_for_a_line()


def killed_publish(folder: str, where: str) -> None:
    """Publish, and die by SIGKILL at a named step."""

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def half_a_clone(source: Path, target: Path) -> None:
        content = source.read_bytes()
        target.write_bytes(content[: len(content) // 2])
        die()

    patches: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
        "clone": lambda: mock.patch.object(engine, "clone", half_a_clone),
        "contents": lambda: mock.patch.object(publish, "prepare", die),
        "fsync": lambda: mock.patch.object(publish, "sync", die),
        "rename": lambda: mock.patch.object(Path, "rename", die),
        "link": lambda: mock.patch.object(Path, "symlink_to", die),
        "switch": lambda: mock.patch.object(Path, "replace", _dying_replace(die)),
        "tidy": lambda: mock.patch.object(shutil, "rmtree", die),
    }
    with patches[where]():
        warehouse(folder).publish()
    say("survived")


def _dying_replace(die: Callable[[], None]) -> Callable[[Path, Path], Path]:
    replace = Path.replace

    def only_the_link(self: Path, target: Path) -> Path:
        if target.name == "current":
            die()
        return replace(self, target)

    return only_the_link


@contextlib.contextmanager
def running(action: Callable[..., None], *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The action in a new process; it is ended with the block."""
    command = [sys.executable, "-m", "pipeline_tests.warehouse.processes", action.__name__, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that the process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    """Let a waiting process go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
