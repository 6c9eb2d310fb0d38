"""Runs are executed in one process, unless settings name Celery; a worker says what it would need."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.errors import InputError
from pipeline.components.executor import celery_config, executor
from pipeline.settings import settings
from pipeline_tests.loopback import free_port


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("WAREHOUSE", "EXECUTOR", "BROKER"):
        monkeypatch.delenv(f"PODIUM_{name}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_the_default_is_one_process() -> None:
    assert executor() is dg.in_process_executor


def test_celery_that_is_not_installed_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_EXECUTOR", "celery")
    monkeypatch.setitem(sys.modules, "dagster_celery", None)
    with pytest.raises(RuntimeError, match=r"PODIUM_EXECUTOR=celery needs .*: pip install 'podium\[scale\]'"):
        executor()


def test_celery_gets_its_broker_and_gives_lost_steps_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("dagster_celery") is None:
        pytest.skip("dagster-celery not installed: pip install -e '.[scale]'")
    monkeypatch.setenv("PODIUM_EXECUTOR", "celery")
    monkeypatch.setenv("PODIUM_BROKER", "redis://:secret@broker:1/2")
    monkeypatch.setenv("PODIUM_WORKER_LOST_SECONDS", "77")
    settings.cache_clear()
    assert executor().name == "celery"
    config = celery_config()
    assert config["broker"] == config["backend"] == "redis://:secret@broker:1/2"
    assert config["config_source"]["task_acks_late"]
    assert config["config_source"]["broker_transport_options"] == {"visibility_timeout": 77}
    assert ":secret@" not in repr(settings())


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({}, "workers execute runs of PODIUM_EXECUTOR=celery"),
        ({"PODIUM_EXECUTOR": "celery"}, "a DuckDB file has one writer"),
    ],
)
def test_a_worker_that_could_do_nothing_says_why(
    environment: dict[str, str], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    found = CliRunner().invoke(app, ["worker"])
    assert isinstance(found.exception, InputError)
    assert error in str(found.exception)


@pytest.mark.parametrize("command", ["run", "up", "dev"])
def test_what_workers_could_not_write_is_refused_before_anything_waits_for_them(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PODIUM_EXECUTOR", "celery")
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "/proc/podium")  # nothing is started that gets further
    settings.cache_clear()
    found = CliRunner().invoke(app, [command, *([] if command == "run" else ["--port", str(free_port())])])
    assert isinstance(found.exception, InputError)
    assert str(found.exception) == (
        "a DuckDB file has one writer; workers need PODIUM_WAREHOUSE=ducklake:postgres:<libpq string>, or leave "
        "PODIUM_EXECUTOR empty"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"), [("PODIUM_WAREHOUSE", "postgres:host=db"), ("PODIUM_EXECUTOR", "kubernetes")]
)
def test_what_is_not_known_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(ValueError, match=name.removeprefix("PODIUM_").lower()):
        settings()
