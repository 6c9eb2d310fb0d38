"""What is taken of a hub's file for one target, and what is refused by which rule."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.competition.hub import read_hub
from pipeline.competition.hub.files import Submission
from pipeline.competition.hub.forecast_target import ForecastTarget
from pipeline.competition.hub.listing import listed
from pipeline.competition.hub.reading import Judged, judge
from pipeline_tests.competition.hub.toy_hub import (
    HORIZONS,
    LEVELS,
    PLACES,
    put_submission,
    submission,
    tasks,
    write_hub,
)


def judged(folder: Path, rows: pd.DataFrame, target: str = "count", output_type: str = "quantile") -> Judged:
    if not (folder / "hub-config").exists():
        write_hub(folder)
    put_submission(folder, "team-model", rows)
    hub = read_hub(folder)
    (file,) = listed(hub)
    assert isinstance(file.what, Submission)
    return judge(file.what, hub, ForecastTarget.of(hub, target), output_type)


def records(found: Judged) -> set[tuple[str, int, str, float]]:
    rows = found.accepted
    return set(zip(rows["subject"], rows["horizon"], rows["output_type_id"], rows["value"], strict=True))


def test_rows_of_the_target_and_its_output_type_are_taken(tmp_path: Path) -> None:
    found = judged(tmp_path, submission())
    assert records(found) == {
        (place, horizon, str(level), 10 * level) for place in PLACES for horizon in HORIZONS for level in LEVELS
    }
    assert found.n_rows == len(found.accepted) == 12
    assert found.refused.empty
    assert set(zip(found.accepted["horizon"], found.accepted["target_time"], strict=True)) == {
        (0, pd.Timestamp("2024-12-14")),
        (1, pd.Timestamp("2024-12-21")),
    }


def test_categories_keep_their_names(tmp_path: Path) -> None:
    found = judged(tmp_path, submission(), "change", "pmf")
    assert set(found.accepted["output_type_id"]) == {"down", "stable", "up"}
    assert found.n_rows == 12


def test_a_level_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    rows = submission()
    rows["output_type_id"] = rows["output_type_id"].replace({"0.1": "0.10", "0.5": "5e-1"})
    assert set(judged(tmp_path, rows).accepted["output_type_id"]) == {"0.1", "0.5", "0.9"}


def test_samples_are_numbered_within_their_forecast_in_the_order_of_their_names(tmp_path: Path) -> None:
    rows = submission().query("output_type == 'sample'")
    us = rows.assign(output_type_id=["10", "9", "11"])
    other = rows.assign(location="01", output_type_id=["30", "20", "21"])
    found = judged(tmp_path, pd.concat([us, other]), output_type="sample")
    assert records(found) == {
        *(("US", 0, "2", 0.0), ("US", 0, "1", 1.0), ("US", 0, "3", 2.0)),
        *(("01", 0, "3", 0.0), ("01", 0, "1", 1.0), ("01", 0, "2", 2.0)),
    }


def test_what_breaks_a_rule_is_refused_with_the_rule_the_place_in_the_file_and_the_row(tmp_path: Path) -> None:
    rows = submission()
    wrong = (rows["location"] == "01") & (rows["horizon"] == "1") & (rows["output_type_id"] == "0.9")
    rows.loc[wrong, "value"] = "0"
    found = judged(tmp_path, rows)
    assert len(found.accepted) == 9
    assert set(found.refused["reason"]) == {
        "crossing_quantiles: quantiles cross: the value at 0.9 is below the one before it"
    }
    places = found.refused["row_number"].to_numpy() - 1
    assert (rows.iloc[places]["location"] == "01").all()
    said = [json.loads(text) for text in found.refused["original"]]
    assert said == rows.iloc[places].to_dict("records")


def test_rows_of_nothing_that_the_hub_knows_are_refused_for_every_target(tmp_path: Path) -> None:
    rows = pd.concat([submission(), submission().head(1).assign(target="other")])
    for target, output_type in (("count", "quantile"), ("change", "pmf")):
        found = judged(tmp_path, rows, target, output_type)
        assert found.n_rows == 13
        (reason,) = found.refused["reason"]
        assert reason.startswith("task_id: target 'other' is not among change, count")


def test_a_date_that_contradicts_the_horizon_is_refused(tmp_path: Path) -> None:
    model_tasks = tasks()["rounds"][0]["model_tasks"]
    for task in model_tasks:
        task["task_ids"]["target_end_date"] = {"required": None, "optional": ["2024-12-14", "2024-12-21"]}
    write_hub(tmp_path, model_tasks=model_tasks)
    rows = submission()
    rows["target_end_date"] = rows["horizon"].map({"0": "2024-12-14", "1": "2024-12-21"})
    rows.loc[(rows["location"] == "US") & (rows["horizon"] == "1"), "target_end_date"] = "2024-12-14"
    found = judged(tmp_path, rows)
    assert len(found.accepted) == 9
    assert set(found.refused["reason"]) == {
        "date: target_end_date is 2024-12-14, but horizon 1 of this round ends 2024-12-21"
    }


def test_a_date_that_is_left_out_follows_from_the_horizon(tmp_path: Path) -> None:
    model_tasks = tasks()["rounds"][0]["model_tasks"]
    for task in model_tasks:
        task["task_ids"]["target_end_date"] = {"required": None, "optional": ["NA", "2024-12-14", "2024-12-21"]}
    write_hub(tmp_path, model_tasks=model_tasks)
    found = judged(tmp_path, submission().assign(target_end_date="NA"))
    assert found.refused.empty
    assert set(zip(found.accepted["horizon"], found.accepted["target_time"], strict=True)) == {
        (0, pd.Timestamp("2024-12-14")),
        (1, pd.Timestamp("2024-12-21")),
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"drop": "location"}, "columns: missing columns: location"),
        ({"add": "note"}, "columns: unexpected columns: note"),
    ],
)
def test_a_file_with_other_columns_gives_no_row(tmp_path: Path, change: dict[str, str], why: str) -> None:
    rows = submission()
    rows = rows.drop(columns=change["drop"]) if "drop" in change else rows.assign(**{change["add"]: "x"})
    found = judged(tmp_path, rows)
    assert found.unreadable is not None
    assert found.unreadable.startswith(why)
    assert (found.n_rows, len(found.accepted)) == (0, 0)


def test_a_file_that_is_no_table_gives_no_row(tmp_path: Path) -> None:
    write_hub(tmp_path)
    path = put_submission(tmp_path, "team-model")
    path.write_bytes(b"\xff\xfe\x00")
    hub = read_hub(tmp_path)
    (file,) = listed(hub)
    assert isinstance(file.what, Submission)
    found = judge(file.what, hub, ForecastTarget.of(hub, "count"), "quantile")
    assert found.unreadable is not None
    assert found.unreadable.startswith("file: ")
