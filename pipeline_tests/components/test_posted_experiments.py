"""Experiments that were posted to the report API: brought up to date as declared ones are, each for itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.components.keys import POSTED
from pipeline.components.posted_experiments import EVERY_ONE, posted_definitions
from pipeline.experiments import Experiment, canonical_json
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import EXPERIMENT_LEADERBOARD, EXPERIMENT_RUNS
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.experiment_graph import experiment
from pipeline_tests.toy_graph import FILE

LOCAL: dict[str, Any] = {
    "models": {"small": {"provider": "local", "parameters": {"answer": "span"}}},
    "prompts": {"notes": "The capital of Italy is Rome. {{ question }}"},
    "scorers": {"exact": {}},
    "min_scorers": None,
    "execution": {},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own."""
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def post(folder: Path, declared: Experiment | str, name: str = "answers") -> None:
    path = folder / "experiments" / "declared" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = declared if isinstance(declared, str) else canonical_json(declared.model_dump(mode="json"))
    path.write_text(text, encoding="utf-8")


def run(folder: Path, **config: Any) -> tuple[dg.ExecuteInProcessResult, Warehouse]:
    warehouse = Warehouse(database=str(folder / FILE), lock_timeout=5)
    resources = dg.Definitions(resources={"warehouse": warehouse}, executor=dg.in_process_executor)
    job = dg.Definitions.merge(posted_definitions(), resources).resolve_implicit_global_asset_job_def()
    return job.execute_in_process({"ops": {POSTED.path[-1]: {"config": config}}}), warehouse


def told(result: dg.ExecuteInProcessResult) -> str | None:
    (check,) = [one for one in result.get_asset_check_evaluations() if one.check_name == EVERY_ONE]
    assert check.passed == (check.description is None)
    return check.description


def test_what_was_posted_is_run_landed_and_ranked(folder: Path) -> None:
    post(folder, experiment(**LOCAL))
    result, warehouse = run(folder)
    assert told(result) is None
    with warehouse.write("a test") as store:
        assert store.read(EXPERIMENT_RUNS, "answers")["status"].tolist() == ["completed"] * 3
        board = store.read(EXPERIMENT_LEADERBOARD, "answers")
    assert board.loc[board["grouping"] == "model", "rank"].tolist() == [1]


def test_what_waits_is_not_run_where_that_was_not_asked_for(folder: Path) -> None:
    post(folder, experiment(**LOCAL))
    result, warehouse = run(folder, only_land=True)
    assert told(result) is None
    with warehouse.write("a test") as store:
        assert store.read(EXPERIMENT_RUNS, "answers")["status"].tolist() == ["pending"] * 3


def test_one_that_is_wrong_keeps_no_other_from_being_done(folder: Path) -> None:
    post(folder, experiment(**LOCAL))
    post(folder, "{", "broken")
    post(folder, experiment(**LOCAL), "other")
    result, warehouse = run(folder)
    said = told(result) or ""
    assert "broken.json: it cannot be read" in said
    assert "other.json: it declares 'answers'; name the file after its experiment" in said
    with warehouse.write("a test") as store:
        assert len(store.read(EXPERIMENT_RUNS, "answers")) == 3


def test_nothing_posted_is_nothing_to_do(folder: Path) -> None:
    result, _ = run(folder)
    assert told(result) is None


def test_the_sensor_asks_for_a_run_when_something_was_posted(folder: Path) -> None:
    (sensor,) = posted_definitions().sensors or []
    assert isinstance(sensor, dg.SensorDefinition)
    with dg.DagsterInstance.ephemeral() as instance:
        without = sensor(dg.build_sensor_context(instance=instance))
        post(folder, experiment(**LOCAL))
        asked_for = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(without, dg.SkipReason)
    assert isinstance(asked_for, dg.SensorResult)
    assert len(asked_for.run_requests or []) == 1
