"""Processes: a living one is never called gone, whatever else has had its number."""

import dataclasses
import signal
import subprocess
import sys
import time

import pytest

from pipeline.processes import Process
from pipeline_tests.patience import PATIENCE


def test_this_process_is_not_gone() -> None:
    assert not Process.this().is_gone


def test_one_that_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert dataclasses.replace(Process.this(), pid=child.pid, started="").is_gone


def test_one_that_was_killed_is_gone_before_its_parent_asks() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process = dataclasses.replace(Process.this(), pid=child.pid, started="")
    assert not process.is_gone
    child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while not process.is_gone and time.monotonic() < deadline:
        time.sleep(0.01)
    is_gone = process.is_gone
    child.wait()
    assert is_gone


@pytest.mark.skipif(not Process.this().started, reason="this system does not say when a process started")
def test_another_process_with_the_same_number_is_not_the_same() -> None:
    assert dataclasses.replace(Process.this(), started="1").is_gone


def test_without_a_start_time_the_number_alone_decides() -> None:
    assert not dataclasses.replace(Process.this(), started="").is_gone


def test_of_another_machine_nothing_is_known() -> None:
    assert not dataclasses.replace(Process.this(), host="elsewhere", started="1").is_gone
