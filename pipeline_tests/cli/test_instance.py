"""Dagster's home: made on first use, without telemetry, absolute; one that the user has set is respected."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import dagster as dg
import pytest

from pipeline.cli.errors import InputError
from pipeline.cli.instance import dagster_home, open_instance, run_tags
from pipeline.settings import settings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What the function changes is put back afterwards."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    return monkeypatch


@pytest.fixture(autouse=True)
def _data_dir(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.chdir(tmp_path)
    environment.setenv("PODIUM_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()


def test_the_home_is_made_under_the_data_and_set_for_dagster(tmp_path: Path) -> None:
    home = dagster_home()
    assert home == tmp_path / "data" / "dagster_home"
    assert home.is_dir()
    assert os.environ["DAGSTER_HOME"] == str(home)


def test_dagster_takes_the_configuration_with_telemetry_off_and_one_run_at_a_time() -> None:
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1


def test_a_relative_data_folder_gives_an_absolute_home(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("PODIUM_DATA_DIR", "here")
    settings.cache_clear()
    assert dagster_home() == tmp_path / "here" / "dagster_home"


def test_a_home_that_is_set_is_respected(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("DAGSTER_HOME", str(tmp_path / "mine"))
    assert dagster_home() == tmp_path / "mine"
    assert not (tmp_path / "data").exists()


def test_a_configuration_that_is_there_is_left_alone(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: true}\n", encoding="utf-8")
    dagster_home()
    assert (tmp_path / "dagster.yaml").read_text(encoding="utf-8") == "telemetry: {enabled: true}\n"


@pytest.mark.parametrize(("given", "expected"), [("mine", "mine"), ("~/mine", "home/mine"), ("a/../mine", "mine")])
def test_a_relative_home_is_made_absolute(
    environment: pytest.MonkeyPatch, tmp_path: Path, given: str, expected: str
) -> None:
    environment.setenv("HOME", str(tmp_path / "home"))
    environment.setenv("DAGSTER_HOME", given)
    assert dagster_home() == tmp_path / expected
    assert os.environ["DAGSTER_HOME"] == str(tmp_path / expected)


def add_run(instance: dg.DagsterInstance, **tags: str) -> str:
    """A run that has started, as one that was killed leaves it."""
    run_id = str(uuid.uuid4())
    run = dg.DagsterRun(job_name="toy", run_id=run_id, status=dg.DagsterRunStatus.STARTED, tags=run_tags() | tags)
    instance.add_run(run)
    return run_id


def test_a_run_whose_process_is_gone_is_reported_as_failed_and_no_other_one() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    home = dagster_home()
    with open_instance(home) as instance:
        dead = add_run(instance, **{"podium/pid": str(ended.pid)})
        others = [
            add_run(instance),
            add_run(instance, **{"podium/host": "elsewhere", "podium/pid": str(ended.pid)}),
            add_run(instance, **{"podium/pid": "no number"}),
        ]
    with open_instance(home) as instance:
        assert {one.run_id: one.status for one in instance.get_runs()} == {
            dead: dg.DagsterRunStatus.FAILURE,
            **dict.fromkeys(others, dg.DagsterRunStatus.STARTED),
        }
        messages = [entry.message for entry in instance.all_logs(dead)]
    assert any(f"process {ended.pid} of this run ended without a word" in message for message in messages)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("dagster.yaml", "telemetry: [", "Dagster cannot be configured by {file}: while parsing a flow node"),
        ("dagster.yaml", "telemetri: {}", 'Received unexpected config entry "telemetri" at the root.; mend it'),
        ("history/runs.db", "no database" * 99, "Dagster's history in {home}/history cannot be used: (sqlite3."),
    ],
)
def test_a_home_that_cannot_be_used_is_named_with_the_remedy(
    file: str, content: str, message: str, tmp_path: Path
) -> None:
    home = tmp_path / "data" / "dagster_home"
    (home / file).parent.mkdir(parents=True)
    (home / file).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as raised, open_instance(dagster_home()):
        pass
    assert message.format(file=home / file, home=home) in str(raised.value)
    assert "move" in str(raised.value)


def test_history_that_fails_later_is_named_too(tmp_path: Path) -> None:
    index = tmp_path / "data" / "dagster_home" / "history" / "runs" / "index.db"
    index.parent.mkdir(parents=True)
    index.write_text("no database" * 99, encoding="utf-8")
    with pytest.raises(InputError, match="Dagster's history in"), open_instance(dagster_home()) as instance:
        instance.get_asset_keys()


def test_another_error_in_the_block_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), open_instance(dagster_home()):
        raise ZeroDivisionError


def test_a_data_folder_that_is_a_file_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(InputError, match=r"dagster_home cannot be used: .*; set PODIUM_DATA_DIR to one you may write"):
        dagster_home()
    environment.setenv("DAGSTER_HOME", str(tmp_path / "data" / "mine"))
    with pytest.raises(InputError, match="set DAGSTER_HOME to one you may write in"):
        dagster_home()


def test_a_folder_without_permission_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="no permission to write in it; set PODIUM_DATA_DIR"):
        dagster_home()
