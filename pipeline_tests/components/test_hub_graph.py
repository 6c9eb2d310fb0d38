"""A hub's target as a declared board: its assets and checks in the graph, and the sensor that looks into its folder."""

import os
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline.competition import Contract
from pipeline.competition.hub import contest_of
from pipeline.components import competition, hub_sensor
from pipeline.components.competition import competition_definitions
from pipeline.components.hub_sensor import hub_sensors
from pipeline.tables import EVALUATIONS
from pipeline_tests.competition.hub.toy_hub import COUNTS, put_outcomes, put_submission, write_hub
from pipeline_tests.toy_graph import ToyGraph, failed_checks, metadata, recomputed

BOARD = "toy_hub_count"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    folder = write_hub(tmp_path / "hub")
    put_submission(folder, "team-baseline")
    put_submission(folder, "team-one")
    put_outcomes(folder, COUNTS)
    return folder


@pytest.fixture
def graph(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyGraph:
    monkeypatch.setattr(competition, "_PICTURES", {})
    (tmp_path / "warehouse").mkdir()
    return ToyGraph(tmp_path, [contest_of(hub, "count").contract])


def test_a_run_makes_the_board_and_a_second_one_does_nothing(graph: ToyGraph) -> None:
    first = graph.run(board=BOARD)
    assert failed_checks(first) == {}
    assert metadata(first)[f"{BOARD}/predictions"]["podium/hub_files"] == "2"
    assert set(graph.table(EVALUATIONS, BOARD)["model_id"]) == {"team-baseline", "team-one"}
    assert set(recomputed(graph.run(board=BOARD)).values()) == {0}


def test_what_is_kept_of_files_is_checked_with_the_predictions(graph: ToyGraph) -> None:
    graph.run(board=BOARD)
    graph.execute("UPDATE competition.files SET n_rejected = 1 WHERE file_number = 1")
    failed = failed_checks(graph.run(board=BOARD, raise_on_error=False))
    assert failed == {"predictions.files_rows_of_files_add_up": "ERROR"}


class Ticks:
    """The sensor of a hub, tick by tick."""

    def __init__(self, graph: ToyGraph) -> None:
        self.graph = graph
        self.cursor: str | None = None

    def tick(self) -> dg.RunRequest | str:
        """The run that is requested, or why none is."""
        (sensor,) = (one for one in self.graph.definitions.sensors or [] if one.name == f"{BOARD}_files")
        result = sensor(dg.build_sensor_context(self.graph.instance, cursor=self.cursor))
        if isinstance(result, dg.SkipReason):
            return str(result.skip_message)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        (request,) = result.run_requests or []
        return request


@pytest.fixture
def ticks(graph: ToyGraph, monkeypatch: pytest.MonkeyPatch) -> Ticks:
    monkeypatch.setattr(hub_sensor, "_SETTLED_AFTER", timedelta(0))
    return Ticks(graph)


def age(path: Path) -> None:
    moment = path.stat().st_mtime - 60
    os.utime(path, (moment, moment))


def test_nothing_is_asked_for_while_nothing_in_the_hub_changed(ticks: Ticks) -> None:
    assert ticks.tick() == f"the first run is that of {BOARD}_first_run"
    ticks.graph.run(board=BOARD)
    assert ticks.tick() == "2 files, none new, changed or gone"


def test_a_new_submission_and_new_outcomes_ask_for_one_run_each(ticks: Ticks, hub: Path) -> None:
    ticks.graph.run(board=BOARD)
    age(put_submission(hub, "team-two"))
    assert isinstance(ticks.tick(), dg.RunRequest)
    ticks.graph.run(board=BOARD)
    assert ticks.tick() == "3 files, none new, changed or gone"
    put_outcomes(hub, COUNTS.replace("quantile,NA,5", "quantile,NA,7"))
    assert isinstance(ticks.tick(), dg.RunRequest)
    result = ticks.graph.run(board=BOARD)
    assert recomputed(result)["predictions"] == 0
    assert recomputed(result)["evaluations"] == 1
    assert ticks.tick() == "3 files, none new, changed or gone"


def test_while_files_are_written_nothing_is_asked_for(ticks: Ticks, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_sensor, "_SETTLED_AFTER", timedelta(days=1))
    assert ticks.tick() == "2 of 2 files are being written"


def test_a_hub_behind_a_url_is_not_looked_at_all_the_time(graph: ToyGraph) -> None:
    (contract,) = graph.contracts
    elsewhere = contract.predictions.model_copy(update={"path": "memory://somewhere"})
    assert hub_sensors(contract.model_copy(update={"predictions": elsewhere})) == []


def test_the_source_is_named_beside_the_inbox_when_another_is_not_known(graph: ToyGraph) -> None:
    from pipeline.components.competition import Competition

    (contract,) = graph.contracts
    declared = contract.model_dump(mode="json", exclude_unset=True)
    declared["predictions"] = {"source": "hubs"}
    declared["predictions"]["output_type"] = "quantile"
    declared["predictions"]["output_type_ids"] = [0.1, 0.5, 0.9]
    declared["truth"] = {"source": "inbox"}
    with pytest.raises(ValueError, match=r"unknown source 'hubs' \(did you mean hub\?\); known: inbox, hub, or"):
        Competition.check(Contract.model_validate(declared))


@pytest.mark.parametrize(
    ("predictions", "told"),
    [
        ({"target": None}, "predictions.source is 'hub' and predictions.target is None; give path and target"),
        ({"path": None}, "predictions.source is 'hub' and predictions.path is None; give path and target"),
        ({"source": "inbox"}, "predictions.source is 'inbox' and predictions.path is "),
        ({"source": "inbox", "path": None, "target": None}, "truth.source is 'hub', but predictions come from 'inbox'"),
    ],
)
def test_a_hub_is_declared_whole(graph: ToyGraph, predictions: dict[str, str | None], told: str) -> None:
    (contract,) = graph.contracts
    declared = contract.model_dump(mode="json", exclude_unset=True)
    declared["predictions"] |= predictions
    with pytest.raises(ValueError, match="Contract") as caught:
        Contract.model_validate(declared)
    assert told in str(caught.value)


def test_the_assets_of_a_hub_have_no_inbox(graph: ToyGraph) -> None:
    definitions = competition_definitions(graph.contracts[0])
    keys = {key.path[-1] for asset in definitions.assets or [] for key in asset.keys}
    assert "files" not in keys
    assert {"predictions", "truth", "scores", "evaluations", "leaderboard"} <= keys
