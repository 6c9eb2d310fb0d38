"""The Dagster resource: a run holds the lock from its first write to its end, and closes its connections in between."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.settings import settings
from pipeline.tables import BOARDS, WHOLE
from pipeline.warehouse import Dirty, WarehouseFiles
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.warehouse import processes
from pipeline_tests.warehouse.frames import boards


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(database=str(tmp_path / "warehouse" / "podium.duckdb"))


def open_as_dbt_does(warehouse: Warehouse) -> str:
    """Read and write the file in a process that knows no lock."""
    code = (
        f"import duckdb; c = duckdb.connect({warehouse.database!r});"
        "c.execute('CREATE OR REPLACE TABLE marts.m AS SELECT 1'); print('built')"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


class Seen:
    """What the assets of a run saw."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}


def job(seen: Seen, fails: bool) -> list[dg.AssetsDefinition]:
    @dg.asset
    def first(warehouse: Warehouse) -> None:
        seen.facts["held before the first write"] = warehouse.files.lock.held
        with warehouse.write("run 1, first") as store:
            store.replace(BOARDS, "sp500", [Dirty(WHOLE, 0)], boards(), "v1")
        seen.facts["held after the first write"] = warehouse.files.lock.held

    @dg.asset(deps=[first])
    def second(warehouse: Warehouse) -> None:
        seen.facts["held in the next step"] = warehouse.files.lock.held
        holder = warehouse.files.lock.holder()
        seen.facts["holder"] = holder.purpose if holder else None
        seen.facts["dbt"] = open_as_dbt_does(warehouse)
        with warehouse.read() as store:
            seen.facts["read"] = store.read(BOARDS, "sp500")["title"].to_list()
        with warehouse.write("run 1, second") as store:
            seen.facts["mart"] = store.query("SELECT count(*) AS n FROM marts.m")["n"].to_list()
        seen.facts["published"] = warehouse.publish(["sp500"]).changed
        seen.facts["held after publishing"] = warehouse.files.lock.held
        if fails:
            raise ZeroDivisionError

    return [first, second]


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_holds_the_lock_from_its_first_write_to_its_end(warehouse: Warehouse, fails: bool) -> None:
    seen = Seen()
    result = dg.materialize(job(seen, fails), resources={"warehouse": warehouse}, raise_on_error=False)
    assert result.success is not fails
    assert seen.facts == {
        "held before the first write": False,
        "held after the first write": True,
        "held in the next step": True,
        "holder": "run 1, first",
        "dbt": "built",
        "read": ["Test"],
        "mart": [1],
        "published": True,
        "held after publishing": True,
    }
    assert not warehouse.files.lock.held
    assert not warehouse.files.lock.note_path.exists()
    assert open_as_dbt_does(warehouse) == "built"


def test_a_job_in_process_does_the_same(warehouse: Warehouse) -> None:
    seen = Seen()
    definitions = dg.Definitions(
        assets=job(seen, fails=False),
        jobs=[dg.define_asset_job("all")],
        resources={"warehouse": warehouse},
        executor=dg.in_process_executor,
    )
    assert definitions.resolve_job_def("all").execute_in_process().success
    assert seen.facts["held in the next step"]
    assert not warehouse.files.lock.held


def test_a_run_that_cannot_get_the_lock_fails_with_the_holders_name(tmp_path: Path) -> None:
    warehouse = Warehouse(database=str(processes.warehouse(str(tmp_path)).path), lock_timeout=0.2)
    with processes.running(processes.hold, tmp_path) as holder:
        processes.line(holder)
        result = dg.materialize(job(Seen(), fails=False), resources={"warehouse": warehouse}, raise_on_error=False)
        (failure,) = (event for event in result.all_events if event.is_step_failure)
        assert f"process {holder.pid} on" in str(failure.step_failure_data.error)
    assert not result.success
    assert not warehouse.files.lock.held


def test_outside_a_run_the_lock_is_released_with_the_block(warehouse: Warehouse) -> None:
    with warehouse.write("by hand") as store:
        store.replace(BOARDS, "sp500", [Dirty(WHOLE, 0)], boards(), "v1")
        assert warehouse.files.lock.held
    assert not warehouse.files.lock.held
    warehouse.hold("nothing to hold for")
    assert not warehouse.files.lock.held
    assert warehouse.publish().seq == 1
    assert not warehouse.files.lock.held


def test_the_connection_of_its_base_class_goes_through_the_lock(warehouse: Warehouse) -> None:
    with warehouse.get_connection() as connection:
        assert warehouse.files.lock.held
        assert connection.execute("SELECT count(*) FROM competition.scores").fetchone() == (0,)
    assert not warehouse.files.lock.held


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield tmp_path / "data"
    settings.cache_clear()


def test_by_default_it_is_the_warehouse_of_the_settings(data_dir: Path) -> None:
    warehouse = Warehouse()
    assert warehouse.files.path == WarehouseFiles().path == data_dir / "warehouse" / "podium.duckdb"
    assert warehouse.files.published_dir == data_dir / "published"


def test_every_field_reaches_the_files(tmp_path: Path) -> None:
    warehouse = Warehouse(
        database=str(tmp_path / "w.duckdb"),
        published_dir=str(tmp_path / "out"),
        lock_timeout=1.5,
        connection_config={"threads": 1},
    )
    assert (warehouse.files.published_dir, warehouse.files.timeout) == (tmp_path / "out", 1.5)
    with warehouse.write("a test") as store:
        assert store.query("SELECT current_setting('threads') AS n")["n"].to_list() == [1]


def test_readers_do_not_load_dagster() -> None:
    code = "import sys, pipeline.warehouse; print([m for m in ('dagster', 'dagster_duckdb') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
