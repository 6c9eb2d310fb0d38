"""A service that ends is started again after growing pauses; nothing is left when the supervisor is told to stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.operation import Patience
from pipeline.processes import members
from pipeline_tests.patience import PATIENCE

SCRIPT = """
import os, sys
from pathlib import Path
from pipeline.operation import Patience, Service, Supervisor

folder, *commands = sys.argv[1:]
patience = Patience(first_pause=0.2, longest_pause=0.8, steady=30.0, grace=3.0)
lines = [["/nowhere"] if command == "nothing" else [sys.executable, "-c", command] for command in commands]
services = [Service(f"service {n}", line, os.environ, folder) for n, line in enumerate(lines)]
done = Supervisor(services, lambda event: print(event, flush=True), patience).run()
sys.exit(0 if done else 1)
"""
NOTED = "from pathlib import Path; import os, signal, subprocess, sys, time; Path(str(os.getpid())).touch(); "
STAYS = NOTED + "time.sleep(600)"
ENDS = NOTED + "sys.exit(3)"
STUBBORN = NOTED + "signal.signal(signal.SIGTERM, signal.SIG_IGN); Path('deaf').touch(); time.sleep(600)"
PARENT = NOTED + "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"


@contextmanager
def supervised(folder: Path, *commands: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), *commands],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        for pid in pids(folder):
            for one in members(pid):
                os.kill(one, signal.SIGKILL)
        process.communicate()


def pids(folder: Path) -> list[int]:
    """The services that ever started, in no order."""
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]


def until_there_are(folder: Path, number: int) -> list[int]:
    for _ in range(2400):
        if len(found := pids(folder)) >= number:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(pids(folder))} services started, not {number}")


def told(process: subprocess.Popen[str]) -> list[str]:
    """All that it said, once it ended."""
    out, _ = process.communicate(timeout=PATIENCE)
    return out.splitlines()


def test_told_to_stop_it_stops_all_and_leaves_nothing(tmp_path: Path) -> None:
    with supervised(tmp_path, STAYS, PARENT) as process:
        groups = until_there_are(tmp_path, 2)
        while sum(len(members(group)) for group in groups) < 3:
            time.sleep(0.05)
        process.terminate()
        said = told(process)
        assert process.returncode == 0
        assert [members(group) for group in groups] == [[], []]
    assert said[-2:] == ["told to stop (SIGTERM)", "stopped"]


def test_a_service_that_dies_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    with supervised(tmp_path, STAYS, STAYS) as process:
        first = until_there_are(tmp_path, 2)
        os.kill(first[0], signal.SIGKILL)
        third = (set(until_there_are(tmp_path, 3)) - set(first)).pop()
        assert members(third) == [third]
        assert members(first[1]) == [first[1]]
        process.send_signal(signal.SIGINT)
        said = told(process)
    assert process.returncode == 0
    (ended,) = [line for line in said if "ended by itself" in line]
    assert f"(process {first[0]}) ended by itself after" in ended
    assert ended.endswith("killed by SIGKILL; it is started again in 0.2 s")


def test_pauses_grow_up_to_the_longest(tmp_path: Path) -> None:
    with supervised(tmp_path, ENDS, "nothing") as process:
        until_there_are(tmp_path, 4)
        process.terminate()
        said = told(process)
    ended = [line.rpartition(" in ")[2] for line in said if "ended by itself" in line]
    assert ended[:4] == ["0.2 s", "0.4 s", "0.8 s", "0.8 s"][: len(ended[:4])]
    assert len(ended) >= 3
    assert all("exit code 3;" in line for line in said if "ended by itself" in line)
    missing = [line for line in said if line.startswith("service 1 cannot be started: [Errno 2]")]
    assert missing[0].endswith("the next try is in 0.2 s")


def test_what_does_not_end_is_killed_and_that_is_told(tmp_path: Path) -> None:
    with supervised(tmp_path, STUBBORN) as process:
        (pid,) = until_there_are(tmp_path, 1)
        while not (tmp_path / "deaf").exists():
            time.sleep(0.05)
        process.terminate()
        said = told(process)
    assert process.returncode == 1
    assert said[-1] == "stopped; service 0 had to be killed"
    assert members(pid) == []


def test_services_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path, STAYS) as process:
        (pid,) = until_there_are(tmp_path, 1)
        process.kill()
        for _ in range(1200):
            if not members(pid):
                break
            time.sleep(0.05)
        assert members(pid) == []


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1.0), (2, 2.0), (5, 16.0), (7, 60.0), (10_000, 60.0)])
def test_the_pause_after_so_many_ends_in_a_row(failures: int, seconds: float) -> None:
    assert Patience().pause(failures) == seconds
