"""A hub's configuration: rounds, targets, deadlines; what is wrong is told with the file and the field."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.competition.hub import HubError, read_hub
from pipeline_tests.competition.hub.toy_hub import write_hub
from pipeline_tests.conftest import SHARED_DATA


def test_rounds_targets_and_task_ids(tmp_path: Path) -> None:
    hub = read_hub(write_hub(tmp_path))
    assert (hub.name, hub.round_ids) == ("Toy hub", ("2024-12-14", "2024-12-21"))
    assert {name: target.target_type for name, target in hub.targets.items()} == {
        "count": "continuous",
        "change": "ordinal",
    }
    declared = hub.round("2024-12-21")
    assert declared.task_ids == ("reference_date", "target", "horizon", "location")
    assert declared.model_tasks[0].task_ids["horizon"].values == {"0", "1"}
    quantile = declared.model_tasks[0].output_type["quantile"]
    assert quantile.is_required
    assert quantile.output_type_id is not None
    assert quantile.output_type_id.values == {"0.1", "0.5", "0.9"}


def test_a_folder_may_be_behind_any_url(tmp_path: Path) -> None:
    write_hub(tmp_path)
    assert read_hub(tmp_path.as_uri()).name == "Toy hub"


@pytest.mark.parametrize(
    ("end", "timezone", "expected"),
    [
        (-3, "US/Eastern", datetime(2024, 12, 12, 5)),  # the end of Wednesday the 11th there
        (0, "UTC", datetime(2024, 12, 15)),
        (3, "Europe/Berlin", datetime(2024, 12, 17, 23)),
    ],
)
def test_a_deadline_is_the_end_of_the_last_day_in_the_hubs_time_zone(
    tmp_path: Path, end: int, timezone: str, expected: datetime
) -> None:
    due = {"relative_to": "reference_date", "start": -6, "end": end}
    hub = read_hub(write_hub(tmp_path, {"timezone": timezone}, submissions_due=due))
    assert hub.deadline("2024-12-14") == expected


def test_a_round_of_its_own_is_due_on_a_date(tmp_path: Path) -> None:
    due = {"start": "2024-06-01", "end": "2024-06-30"}
    hub = read_hub(write_hub(tmp_path, round_id_from_variable=False, round_id="summer", submissions_due=due))
    assert hub.round_ids == ("summer",)
    assert hub.deadline("summer") == datetime(2024, 7, 1, 4)  # daylight saving time


def test_points_of_older_schemas_have_no_id(tmp_path: Path) -> None:
    old = {"mean": {"output_type_id": {"required": ["NA"], "optional": None}, "value": {"type": "double"}}}
    task = {
        "task_ids": {"reference_date": {"required": None, "optional": ["2024-12-14"]}},
        "output_type": old,
        "target_metadata": [{"target_id": "count", "target_type": "continuous"}],
    }
    hub = read_hub(write_hub(tmp_path, model_tasks=[task]))
    mean = hub.round("2024-12-14").model_tasks[0].output_type["mean"]
    assert mean.is_required
    assert mean.output_type_id is not None
    assert mean.output_type_id.values == set()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"round_id": "week"}, "rounds.0: round_id is 'week', which is no task id; task ids: reference_date, target, "),
        ({"model_tasks": []}, "rounds.0.model_tasks: "),
        ({"submissions_due": {"start": -6, "end": -3}}, "relative_to must name the task id they count from"),
        (
            {"submissions_due": {"relative_to": "week", "start": -6, "end": -3}},
            "submissions_due.relative_to is 'week', which is no task id",
        ),
    ],
)
def test_a_wrong_round_is_told_with_its_field(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    write_hub(tmp_path, **changes)
    with pytest.raises(HubError, match=r"hub-config/tasks\.json: rounds\.0") as caught:
        read_hub(tmp_path)
    assert said in str(caught.value)


def test_an_unknown_output_type_lists_the_known(tmp_path: Path) -> None:
    task = {
        "task_ids": {"reference_date": {"required": None, "optional": ["2024-12-14"]}},
        "output_type": {"mode": {"value": {"type": "double"}}},
        "target_metadata": [{"target_id": "count", "target_type": "continuous"}],
    }
    write_hub(tmp_path, model_tasks=[task])
    with pytest.raises(HubError, match="unknown output type 'mode'; known: mean, median, quantile, cdf, pmf, sample"):
        read_hub(tmp_path)


def test_what_is_no_hub_no_json_or_no_time_zone_is_told(tmp_path: Path) -> None:
    with pytest.raises(HubError, match=r"is no hub: it has no hub-config/tasks\.json"):
        read_hub(tmp_path)
    write_hub(tmp_path / "zone", {"timezone": "Mars/Olympus"})
    with pytest.raises(HubError, match=r"admin\.json: timezone: 'Mars/Olympus' is no time zone"):
        read_hub(tmp_path / "zone")
    broken = write_hub(tmp_path / "broken") / "hub-config" / "tasks.json"
    broken.write_text('{"rounds": [\n{]}')
    with pytest.raises(HubError, match=r"tasks\.json is no JSON: line 2"):
        read_hub(tmp_path / "broken")


def test_a_round_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    hub = read_hub(write_hub(tmp_path))
    with pytest.raises(HubError, match="no round '2030-01-05'; it has 2, from 2024-12-14 to 2024-12-21"):
        hub.deadline("2030-01-05")


@pytest.mark.skipif(not (SHARED_DATA / "flusight-hub").exists(), reason="the shared data is not there")
def test_flusight() -> None:
    hub = read_hub(SHARED_DATA / "flusight-hub")
    assert (hub.name, len(hub.round_ids), len(hub.targets)) == ("US CDC FluSight", 89, 5)
    assert hub.deadline("2024-12-14") == datetime(2024, 12, 12, 5)
