"""For real: ``podium up`` is started, a file is dropped, the board changes over HTTP, and nothing is left of it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pipeline.tables import BOARDS, WHOLE
from pipeline.warehouse import Dirty, WarehouseFiles
from pipeline_tests.loopback import free_port
from pipeline_tests.own_boards import declaration, drop, predictions_of, truth_of, write_board
from pipeline_tests.patience import PATIENCE
from pipeline_tests.test_daemon import BUNDLED
from pipeline_tests.warehouse.frames import boards

PODIUM = Path(sys.executable).with_name("podium")
DEADLINE = 480.0
"""Seconds for all of it, on a slow machine: two runs, each a process that takes half a minute to start there."""


def descendants(pid: int) -> list[int]:
    """All processes that one started, and those that these did, as far as they run."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def ranked(address: str) -> list[tuple[Any, ...]]:
    """The board over HTTP: its moment, and each model's rank and name; empty while there is none."""
    with suppress(httpx2.TransportError, KeyError):
        answer = httpx2.get(f"{address}/reports/leaderboard", params={"competition": "box"}, timeout=PATIENCE)
        if answer.status_code == 200:
            found = answer.json()
            return [(found["as_of"][:10], row["rank"], row["model_id"]) for row in found["rows"]]
    return []


@pytest.mark.slow
def test_a_dropped_file_changes_the_board_over_http_and_nothing_is_left_of_the_server(
    tmp_path: Path, dbt_dir: Path
) -> None:
    data, own, log, port = tmp_path / "data", tmp_path / "own", tmp_path / "up.log", free_port()
    until = time.monotonic() + DEADLINE
    write_board(own, declaration())
    with WarehouseFiles(data / "warehouse" / "podium.duckdb").write("the test") as store:
        for name in BUNDLED:  # known already, so that their first runs, which take long, are not waited for
            store.replace(BOARDS, name, [Dirty(WHOLE, 0)], boards(), "v1")
    environment = {
        "PODIUM_DATA_DIR": str(data),
        "PODIUM_DEFS_DIR": str(own),
        "PODIUM_DBT_PROJECT_DIR": str(dbt_dir),
        "DAGSTER_HOME": "",
        "PODIUM_LOG": "json",
    }
    started: set[int] = set()
    with log.open("wb") as output:
        command = [PODIUM, "up", "--port", str(port)]
        process = subprocess.Popen(
            command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:

            def wait_for(change: str, *, other_than: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
                while (found := ranked(f"http://127.0.0.1:{port}")) in ([], other_than):
                    started.update(descendants(process.pid))
                    told = f"{change} is not on the board: {found}\n{log.read_text(encoding='utf-8')[-20000:]}"
                    assert process.poll() is None, f"podium up ended; {told}"
                    assert time.monotonic() < until, told
                    time.sleep(0.5)
                return found

            drop(data, predictions_of(*range(8)), "predictions")
            drop(data, truth_of(*range(6)), "truth")
            first = wait_for("what was dropped first", other_than=[])
            drop(data, truth_of(6), "truth", name="later.csv")
            second = wait_for("the truth of another week", other_than=first)
            started.update(descendants(process.pid))
            process.terminate()
            code = process.wait(PATIENCE)
        finally:
            for pid in [*descendants(process.pid), process.pid] if process.poll() is None else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
    said = log.read_text(encoding="utf-8")
    assert (first[0][0], second[0][0]) == ("2024-02-12", "2024-02-19")
    assert first[0][1:] == second[0][1:] == (1, "sharp")
    assert code == 0, said
    logged = [json.loads(line) for line in said.splitlines()]  # whoever wrote it: daemon, runs, dbt, report server
    assert (logged[-1]["logger"], logged[-1]["message"]) == ("podium.up", "stopped")
    asked = [one for one in logged if one["message"] == "request"]
    assert {(one["route"], one["method"]) for one in asked} == {("/reports/leaderboard", "GET")}
    of_runs = [one for one in logged if one.get("asset") == "marts"]
    assert of_runs
    assert all(one["run_id"] for one in of_runs)
    assert len(started) >= 3
    assert [pid for pid in started if is_running(pid)] == []


def is_running(pid: int) -> bool:
    """Whether a process runs that is not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
