"""For real: ``podium dev`` is started, files are dropped in the inbox, and a board is published by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline.tables import BOARDS, WHOLE
from pipeline.warehouse import Dirty, NotPublishedError, WarehouseFiles, open_published
from pipeline_tests.loopback import free_port
from pipeline_tests.own_boards import declaration, drop, predictions_of, truth_of, write_board
from pipeline_tests.patience import PATIENCE
from pipeline_tests.warehouse.frames import boards

DEADLINE = 480.0
"""Seconds for all of it, on a slow machine; half a minute of it is the start of the run's process."""
BUNDLED = [
    path.parent.name
    for path in (PROJECT_ROOT / "pipeline" / "defs").glob("*/defs.yaml")
    if f"name: {path.parent.name}\n" in path.read_text(encoding="utf-8")
]
PODIUM = Path(sys.executable).with_name("podium")


@contextmanager
def podium_dev(log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """``podium dev`` on a free port, in a session of its own; everything it started is ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PODIUM, "dev", "--port", str(free_port())],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its whole session: politely, then surely."""
    process.send_signal(signal.SIGINT)  # as Ctrl-C
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, wanted)
        patience = time.monotonic() + PATIENCE
        while session(process.pid) and time.monotonic() < patience:
            time.sleep(0.1)
    process.wait(PATIENCE)


def session(leader: int) -> list[int]:
    """The processes of a session that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, ValueError):
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(fields[3]) == leader and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def board(data_dir: Path) -> list[tuple[Any, ...]]:
    """The newest published board: its moment, and each model's rank and number of cycles; empty without any."""
    sql = (
        "SELECT strftime(as_of, '%Y-%m-%d'), model_id, rank, n FROM marts.leaderboard_current "
        "WHERE competition = 'box' ORDER BY position"
    )
    with suppress(NotPublishedError, duckdb.CatalogException), open_published(data_dir / "published") as connection:
        return connection.execute(sql).fetchall()
    return []


@pytest.mark.slow
def test_dropped_files_become_a_published_board_by_themselves(tmp_path: Path, dbt_dir: Path) -> None:
    data, own, log = tmp_path / "data", tmp_path / "own", tmp_path / "dev.log"
    until = time.monotonic() + DEADLINE
    write_board(own, declaration())
    with WarehouseFiles(data / "warehouse" / "podium.duckdb").write("the test") as store:
        # The bundled boards are known already, so that their first runs, which take long, are not waited for.
        for name in BUNDLED:
            store.replace(BOARDS, name, [Dirty(WHOLE, 0)], boards(), "v1")
    environment = {
        "PODIUM_DATA_DIR": str(data),
        "PODIUM_DEFS_DIR": str(own),
        "PODIUM_DBT_PROJECT_DIR": str(dbt_dir),
        "DAGSTER_HOME": "",
    }

    with podium_dev(log, **environment) as process:

        def wait_for_board() -> list[tuple[Any, ...]]:
            """The board once there is one, all of its files landed."""
            while (found := board(data)) == [] or any((data / "inbox").rglob("*.csv")):
                told = f"what was dropped is not on the board: {found}\n{log.read_text(encoding='utf-8')[-20000:]}"
                assert process.poll() is None, f"podium dev ended; {told}"
                assert time.monotonic() < until, told
                time.sleep(0.5)
            return found

        drop(data, predictions_of(*range(8)), "predictions")
        drop(data, truth_of(*range(6)), "truth")
        found = wait_for_board()

    assert [row[0] for row in found] == ["2024-02-12"] * 3
    assert {row[1] for row in found} == {"sharp", "fair", "noise"}
    assert found[0][1:3] == ("sharp", 1)
    assert session(process.pid) == []
    assert not list((data / "inbox").rglob("*.csv"))
    assert len([path for path in (data / "archive" / "box").rglob("*") if path.is_file()]) == 2
