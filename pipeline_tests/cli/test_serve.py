"""``podium serve`` as a process of its own: it answers, it stops when told to, it says when it cannot listen."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline_tests.cli import command
from pipeline_tests.cli.command import error
from pipeline_tests.conftest import toy_environment
from pipeline_tests.loopback import answer, free_port
from pipeline_tests.patience import PATIENCE
from pipeline_tests.reports.served import declared, publish


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("serve")
    with toy_environment(folder, dbt_dir):
        publish(folder, declared())
    return folder


def serve(data_dir: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "serve", "--port", str(port)]
    environment = {"PODIUM_DATA_DIR": str(data_dir), "PATH": ""}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def address(data_dir: Path) -> Iterator[str]:
    port = free_port()
    process = serve(data_dir, port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(timeout=PATIENCE) in (0, -15)


def test_it_serves_the_published_boards_with_no_configuration(address: str) -> None:
    found = answer(f"{address}/reports/leaderboard").json()
    assert (found["competition"], found["rank_by"]) == ("toy", "anchor.ic")
    assert answer(f"{address}/docs").status_code == 200


def test_an_address_that_is_taken_is_told(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = serve(data_dir, int(taken.getsockname()[1]))
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "podium: cannot listen on 127.0.0.1:" in told
    assert "give another --port" in told


@pytest.mark.parametrize("service", ["serve", "up"])
def test_routes_that_are_not_there_are_refused_before_anything_starts(
    service: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, why in {
        "os.path": "is outside the packages that dotted paths may use (pipeline)",
        "pipeline.nothing.there": "cannot be imported: No module named 'pipeline.nothing'",
        "pipeline.clock.utc_now": "name an APIRouter of FastAPI",
    }.items():
        monkeypatch.setenv("PODIUM_REPORT_ROUTES", f'["{path}"]')
        told = error(command.podium(service, "--port", str(free_port()), data_dir=data_dir), 2)
        assert told.startswith(f"PODIUM_REPORT_ROUTES cannot be used: report route '{path}' ")
        assert why in told
