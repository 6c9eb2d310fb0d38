"""Dagster's home: made on first use, without telemetry, absolute; one that the user has set is respected."""

import os
from pathlib import Path

import dagster as dg
import pytest

from pipeline.cli.instance import dagster_home
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
