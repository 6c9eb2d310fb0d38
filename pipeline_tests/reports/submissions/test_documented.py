"""What the page on submitting shows works, word by word, against a server that runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.settings import PROJECT_ROOT, Settings
from pipeline_tests.loopback import answer, free_port
from pipeline_tests.patience import PATIENCE
from pipeline_tests.reports.writing import Desk, csv, row

PAGE = (PROJECT_ROOT / "pipeline" / "docs" / "submitting.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.slow


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server over a data folder, as a process of its own."""
    port = free_port()
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env={"PODIUM_DATA_DIR": str(folder), "PATH": ""}, stderr=subprocess.DEVNULL)
    try:
        answer(f"http://127.0.0.1:{port}/reports/healthz")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    with serving(desk.folder) as found:
        yield found


def shown(language: str, containing: str) -> str:
    (found,) = [one for one in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if containing in one]
    return found


def run(command: list[str], desk: Desk, folder: Path) -> str:
    key = desk.key("Ann")["Authorization"].removeprefix("Bearer ")
    environment = os.environ | {"LEAGUE_KEY": key}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return ended.stdout


def test_the_python_prints_what_the_page_says(desk: Desk, address: str, tmp_path: Path) -> None:
    code = shown("python", "urlopen").replace("127.0.0.1:8000", address)
    assert run([sys.executable, "-c", code], desk, tmp_path) == shown("text", "422 part")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_shell_submits_and_lists(desk: Desk, address: str, tmp_path: Path) -> None:
    (tmp_path / "week.csv").write_bytes(csv(row("anna")))
    code = shown("sh", "curl").replace("127.0.0.1:8000", address)
    printed = run(["sh", "-ec", code], desk, tmp_path)
    assert '"is_new":true' in printed
    assert '"state":"waiting"' in printed
    assert len(desk.waiting()) == 1


def test_the_settings_are_as_the_page_says() -> None:
    said = dict(re.findall(r"^\| `PODIUM_(\w+)` \| `?([\w,]+)`? \|", PAGE, re.MULTILINE))
    assert len(said) == 5
    for name, default in said.items():
        assert str(Settings.model_fields[name.lower()].default).lower() == default.replace(",", "")
