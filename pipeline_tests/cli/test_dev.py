"""``podium dev``: Dagster's own command, in the project, with the home and the folders that the caller meant."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipeline.cli.dev import is_loopback
from pipeline.cli.instance import run_tags
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.command import Podium, error


class Executed(BaseException):
    """What would have replaced this process."""

    def __init__(self, path: str, arguments: list[str]) -> None:
        self.path, self.arguments, self.environment, self.folder = path, arguments, dict(os.environ), Path.cwd()


@pytest.fixture(autouse=True)
def _execv(monkeypatch: pytest.MonkeyPatch) -> None:
    def execv(path: str, arguments: list[str]) -> None:
        raise Executed(path, arguments)

    monkeypatch.setattr(os, "execv", execv)


def executed(podium: Podium, *arguments: str, **options: object) -> Executed:
    with pytest.raises(Executed) as raised:
        podium("dev", *arguments, **options)
    return raised.value


def test_dev_becomes_dagster_dev_of_this_environment(podium: Podium) -> None:
    process = executed(podium, "--host", "0.0.0.0", "--port", "3333")
    assert Path(process.path) == Path(sys.executable).with_name("dagster")
    assert Path(process.path).exists()
    assert process.arguments[1:] == ["dev", "--host", "0.0.0.0", "--port", "3333", "--log-level", "warning"]


def test_dev_listens_on_this_machine_only_by_default(podium: Podium) -> None:
    assert executed(podium).arguments[1:5] == ["dev", "--host", "127.0.0.1", "--port"]


HOSTS = [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("box", False)]


@pytest.mark.parametrize(("host", "alone"), HOSTS)
def test_an_address_that_others_reach_is_told_from_one_of_this_machine(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_dev_is_quiet_unless_asked(podium: Podium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    quiet = executed(podium)
    assert quiet.arguments[-2:] == ["--log-level", "warning"]
    assert executed(podium, "--verbose").arguments[-2:] == ["--log-level", "info"]
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster_home")) as instance:
        assert instance.python_log_level == "INFO"
    ended = subprocess.run(  # without a home it ends at once
        [quiet.path, "dev"],
        env=quiet.environment | {"DAGSTER_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "DAGSTER_HOME" in ended.stderr
    assert "superseded" not in ended.stderr


def test_dev_starts_in_the_project_with_the_home_under_the_data(
    podium: Podium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    process = executed(podium)
    assert process.folder == PROJECT_ROOT
    assert process.environment["DAGSTER_HOME"] == str(tmp_path / "dagster_home")


def test_relative_folders_mean_those_of_the_caller(
    podium: Podium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PODIUM_DBT_PROJECT_DIR", "my_dbt")
    monkeypatch.setenv("PODIUM_DEFS_DIR", "my_boards")
    process = executed(podium, data_dir=Path("here"))
    assert process.environment["PODIUM_DATA_DIR"] == str(tmp_path / "here")
    assert process.environment["PODIUM_DBT_PROJECT_DIR"] == str(tmp_path / "my_dbt")
    assert process.environment["PODIUM_DEFS_DIR"] == str(tmp_path / "my_boards")
    assert process.environment["DAGSTER_HOME"] == str(tmp_path / "here" / "dagster_home")


def test_a_run_that_was_killed_keeps_no_run_of_the_ui_waiting(podium: Podium, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    executed(podium)
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster_home")) as instance:
        tags = run_tags() | {"podium/pid": str(ended.pid)}
        killed = dg.DagsterRun(job_name="toy", run_id="killed", status=dg.DagsterRunStatus.STARTED, tags=tags)
        instance.add_run(killed)
        executed(podium)
        assert [one.status for one in instance.get_runs()] == [dg.DagsterRunStatus.FAILURE]


def test_a_wrong_configuration_is_one_line(podium: Podium, tmp_path: Path) -> None:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home" / "dagster.yaml").write_text("telemetry: [", encoding="utf-8")
    assert error(podium("dev"), 2).startswith("Dagster cannot be configured by ")


def test_a_port_that_is_taken_is_one_line(podium: Podium) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = error(podium("dev", "--port", str(port)), 2)
    assert message == f"nothing can listen on 127.0.0.1:{port}: Address already in use; name another --port"
