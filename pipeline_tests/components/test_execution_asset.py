"""Execution in the graph: what waits is run before the tables are made, and delivered even where it is not run."""

from pathlib import Path

import pytest

from pipeline.intake.queueing import open_queue
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import EXPERIMENT_RUNS, EXPERIMENT_SCORES
from pipeline_tests.experiment_graph import NAME, ExperimentGraph, experiment

LOCAL = {"models": {"words": {"provider": "local"}}, "baseline": None}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def metadata(result) -> dict:
    (materialization,) = result.asset_materializations_for_node(f"{NAME}__execution")
    return {name: one.value for name, one in materialization.metadata.items()}


def test_what_waits_is_run_and_is_on_the_board_in_one_go(folder) -> None:
    graph = ExperimentGraph(folder, experiment(**LOCAL, execution={}))
    found = metadata(graph.run())
    assert (found["podium/runs_completed"], found["podium/runs_waiting"]) == (3, 0)
    assert set(graph.table(EXPERIMENT_RUNS)["status"]) == {"completed"}
    assert metadata(graph.run())["podium/runs_completed"] == 0


def test_where_runs_wait_for_a_command_scores_of_people_land_all_the_same(folder) -> None:
    ExperimentGraph(folder, experiment(**LOCAL, execution={})).run()
    with open_queue(NAME, settings()) as queue:
        (run_id, *_) = queue.run_ids
        queue.scores.give(run_id, "stars", kind="human", version="1", rater="ann", value=0.5)
    by_hand = ExperimentGraph(folder, experiment(**LOCAL, execution={"automatic": False}, repeats=2))
    assert metadata(by_hand.run())["podium/files_delivered"] == 1
    scores = by_hand.table(EXPERIMENT_SCORES)
    assert list(scores.loc[scores["scorer"] == "stars", "value"]) == [0.5]
    assert list(by_hand.table(EXPERIMENT_RUNS)["status"]).count("completed") == 3
