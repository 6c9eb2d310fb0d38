"""The toy contest on a warehouse of its own: an environment, and one filled warehouse that each test gets a copy of."""

import contextlib
import gc
import importlib.util
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import hypothesis
import pytest
from dagster_dbt import DbtCliResource

from pipeline.cluster import missing_servers, new_database, postgres
from pipeline.components import competition, dbt
from pipeline.components.dbt import dbt_project
from pipeline.settings import PROJECT_ROOT, settings
from pipeline_tests import toy_contest
from pipeline_tests.new_warehouses import copied_where_new
from pipeline_tests.preloaded import Preloaded
from pipeline_tests.toy_graph import FILE, ToyGraph

# Without these, hypothesis fails an example that takes longer than 200 ms, and a property whose examples take long to
# make, as any may on a busy machine.
hypothesis.settings.register_profile("podium", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("podium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with heavy proofs first: begun last, one of them would keep one core busy while the others wait."""
    heavy = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in heavy)


def pytest_sessionstart() -> None:
    """Collect the tests, ten thousand of them, without looking for garbage among them: a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """They stay; no later look goes through them again."""
    gc.freeze()
    gc.enable()


_numbers = itertools.count()
SHARED_DATA = Path(os.environ.get("PODIUM_SHARED_DATA", PROJECT_ROOT.parent / "shared" / "data"))
"""Real data that tests read where they are."""


def copy_dbt_project(target: Path) -> Path:
    """The dbt project without anything that dbt made."""
    return Path(shutil.copytree(PROJECT_ROOT / "dbt_project", target, ignore=shutil.ignore_patterns("target", "logs")))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """DuckDB with one thread: small frames gain nothing from more, which cost a quarter of the processor's time.

    The bundled competitions run with as many as there are cores, as at home; with ``PODIUM_THREADS=0`` all tests do.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_THREADS", os.environ.get("PODIUM_THREADS", "1"))
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _tables_are_made_once(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New warehouses of this process; how tables come to be is asked of migrations, and of other processes."""
    with copied_where_new(tmp_path_factory.mktemp("empty")):
        yield


@contextlib.contextmanager
def toy_environment(data_dir: Path, dbt_dir: Path, *, all_threads: bool = False) -> Iterator[None]:
    """Settings that point away from the repository's data, and toy contests as they begin."""
    with pytest.MonkeyPatch.context() as patch:
        if all_threads:
            patch.setenv("PODIUM_THREADS", "0")
        patch.setenv("PODIUM_DATA_DIR", str(data_dir))
        patch.setenv("PODIUM_DBT_PROJECT_DIR", str(dbt_dir))
        patch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
        _forget()
        yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    dbt_project.cache_clear()
    toy_contest.reset()


@pytest.fixture(scope="session")
def dbt_command() -> Iterator[Preloaded]:
    """dbt whose imports are done."""
    with Preloaded("dbt") as command:
        yield command


@pytest.fixture(scope="session", autouse=True)
def _dbt_is_imported_once(dbt_command: Preloaded) -> Iterator[None]:
    """Whatever starts dbt in this process starts that one."""
    start = DbtCliResource.cli

    def cli(self: DbtCliResource, *args: Any, **options: Any) -> Any:
        dbt_command.start()
        return start(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "dbt_executable", lambda: dbt_command.path)
        patch.setattr(DbtCliResource, "cli", cli)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of these tests alone; its libpq string."""
    packages = ("psycopg2", "duckdb_extension_ducklake", "duckdb_extension_postgres_scanner")
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed: pip install -e '.[scale]'")
    if missing := missing_servers():
        pytest.skip(f"servers not installed: {missing}")
    with postgres() as address:
        yield address


@pytest.fixture
def catalog(postgres_server: str) -> str:
    """An empty database for a lake's catalog; its libpq string."""
    return new_database(postgres_server, f"test_{next(_numbers)}")


@dataclass(frozen=True)
class Filled:
    """A warehouse after one complete run of the toy contest, and what that run said."""

    folder: Path
    result: dg.ExecuteInProcessResult


@pytest.fixture(scope="session")
def dbt_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project, so that the repository's own manifest is left alone."""
    return copy_dbt_project(tmp_path_factory.mktemp("dbt") / "dbt_project")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Filled:
    """The toy contest run once, with marts and publication; do not write there."""
    folder = tmp_path_factory.mktemp("filled")
    with toy_environment(folder, dbt_dir):
        return Filled(folder, ToyGraph(folder, with_marts=True).run())


@pytest.fixture
def toy(tmp_path: Path, dbt_dir: Path) -> Iterator[toy_contest.ToyContest]:
    """The source of the toy contest as it begins, in an environment of its own."""
    with toy_environment(tmp_path, dbt_dir):
        yield toy_contest.toy()


@pytest.fixture
def graph(toy: toy_contest.ToyContest, tmp_path: Path, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> ToyGraph:
    """The toy contest's assets on a copy of the filled warehouse, without marts and pictures, which take long."""
    monkeypatch.setattr(competition, "_PICTURES", {})
    (tmp_path / FILE).parent.mkdir()
    shutil.copy(filled.folder / FILE, tmp_path / FILE)
    return ToyGraph(tmp_path)


@pytest.fixture
def published_graph(graph: ToyGraph, tmp_path: Path, filled: Filled) -> ToyGraph:
    """The same with marts, and with what was published."""
    shutil.copytree(filled.folder / "published", tmp_path / "published", symlinks=True)
    return ToyGraph(tmp_path, with_marts=True)
