"""A hub's target as a source: its cycles, who takes part, what is predicted and what came true."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from upath import UPath

from pipeline.competition.hub import HubError, read_hub
from pipeline.competition.hub.forecast_target import ForecastTarget, default_target
from pipeline.competition.hub.source import HubSource
from pipeline.competition.source import Source
from pipeline_tests.competition.hub.toy_hub import (
    COUNTS,
    LEVELS,
    put_outcomes,
    put_submission,
    submission,
    tasks,
    write_hub,
)

FIRST, SECOND = datetime(2024, 12, 14), datetime(2024, 12, 21)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    write_hub(tmp_path)
    put_submission(tmp_path, "team-one")
    put_submission(tmp_path, "team-two")
    put_submission(tmp_path, "team-one", round_id="2024-12-21")
    put_outcomes(tmp_path, COUNTS)
    return tmp_path


def test_rounds_with_submissions_are_the_cycles(hub: Path) -> None:
    source = HubSource(hub, "count")
    assert isinstance(source, Source)
    assert source.cycles() == [FIRST, SECOND]
    assert source.output_type == "quantile"


def test_predictions_are_those_of_the_rounds_asked_for(hub: Path) -> None:
    source = HubSource(hub, "count")
    rows = source.predictions([FIRST])
    assert set(rows["model_id"]) == {"team-one", "team-two"}
    assert set(rows["cycle"]) == {pd.Timestamp(FIRST)}
    assert len(rows) == 2 * 4 * len(LEVELS)
    assert len(source.predictions([FIRST, SECOND])) == 3 * 4 * len(LEVELS)
    assert source.predictions([]).empty


def test_what_is_in_a_clone_was_in_time(hub: Path) -> None:
    # Due on the third day before the round's date, until midnight in US/Eastern.
    rows = HubSource(hub, "count").predictions([FIRST])
    assert set(rows["deadline"]) == set(rows["received_at"]) == {pd.Timestamp("2024-12-12 05:00")}


def test_models_are_those_that_submitted_and_say_who_they_are_of(hub: Path) -> None:
    (hub / "model-metadata").mkdir()
    about = {"team_abbr": "team", "model_abbr": "one", "team_name": "The team", "model_name": "One", "methods": "Luck"}
    (hub / "model-metadata" / "team-one.yml").write_text(json.dumps(about))
    (hub / "model-metadata" / "team-idle.yml").write_text(json.dumps(about | {"model_abbr": "idle"}))
    rows = HubSource(hub, "count").models().set_index("model_id")
    assert list(rows.index) == ["team-one", "team-two"]
    assert rows.loc["team-one", "player"] == "The team"
    assert rows.loc["team-one", "description"] == "One: Luck"


def test_subjects_are_what_may_be_asked_for_with_their_names(hub: Path) -> None:
    (hub / "auxiliary-data").mkdir()
    (hub / "auxiliary-data" / "locations.csv").write_text("location,location_name\n01,Alabama\n")
    rows = HubSource(hub, "count").subjects()
    assert dict(zip(rows["subject"], rows["title"], strict=True)) == {"US": "US", "01": "Alabama"}


def test_outcomes_serve_any_horizon_and_count_from_when_they_are_seen(hub: Path) -> None:
    found = HubSource(hub, "count").outcomes()
    assert not found.is_dated
    rows = found.rows.dropna(subset=["value"])
    assert set(zip(rows["subject"], rows["target_time"], rows["value"], strict=True)) == {
        ("US", pd.Timestamp(FIRST), 5.0),
        ("US", pd.Timestamp(SECOND), 6.0),
        ("01", pd.Timestamp(FIRST), 1.0),
    }
    assert set(rows["horizon"]) == {-1}


def test_the_outcome_of_categories_is_the_place_of_the_one_that_came_true(hub: Path) -> None:
    (row,) = HubSource(hub, "change").truth().to_dict("records")
    assert (row["subject"], row["value"]) == ("US", 3.0)


def test_a_dated_time_series_gives_the_history_of_the_oracle_output(hub: Path) -> None:
    series = (
        "target,date,location,observation,as_of\ncount,2024-12-14,US,{},2024-12-18\ncount,2024-12-14,US,5,2024-12-25\n"
    )
    put_outcomes(hub, series.format(4), "time-series.csv")
    found = HubSource(hub, "count").outcomes()
    us = found.rows[(found.rows["subject"] == "US") & (found.rows["target_time"] == pd.Timestamp(FIRST))]
    assert dict(zip(us["known_at"], us["value"], strict=True)) == {
        pd.Timestamp("2024-12-18"): 4.0,
        pd.Timestamp("2024-12-25"): 5.0,
    }
    # What only the oracle output has is known from when it is seen.
    assert len(found.rows[found.rows["known_at"].isna() & (found.rows["value"] == 6.0)]) == 1


def test_a_time_series_of_something_else_is_left_alone(hub: Path) -> None:
    series = "target,date,location,observation,as_of\ncount,2024-12-14,US,50,2024-12-25\n"
    put_outcomes(hub, series, "time-series.csv")
    assert not HubSource(hub, "count").outcomes().is_dated


def test_older_files_of_admissions_give_history_too(tmp_path: Path) -> None:
    write_hub(tmp_path, model_tasks=tasks()["rounds"][0]["model_tasks"][:1])
    put_submission(tmp_path, "team-one")
    put_outcomes(tmp_path, "date,location,value\n2024-12-14,US,5\n", "target-hospital-admissions.csv")
    archive = tmp_path / "auxiliary-data" / "target-data-archive"
    archive.mkdir(parents=True)
    assert not HubSource(tmp_path, "count").outcomes().is_dated
    (archive / "README.md").write_text("Older files")
    for day, value in (("2024-12-18", 4), ("2024-12-25", 5)):
        (archive / f"target-hospital-admissions_{day}.csv").write_text(f"date,location,value\n2024-12-14,US,{value}\n")
    rows = HubSource(tmp_path, "count").truth()
    assert rows.sort_values("known_at")["value"].tolist() == [4.0, 5.0]


def test_outcomes_that_name_no_target_are_of_the_one_that_is_required(hub: Path) -> None:
    assert default_target(read_hub(hub)) == "count"
    put_outcomes(hub, "location,target_end_date,oracle_value\nUS,2024-12-14,5\n")
    assert HubSource(hub, "count").truth()["value"].tolist() == [5.0]
    with pytest.raises(HubError, match="has no outcomes of target 'change'"):
        HubSource(hub, "change").truth()


def test_outcomes_that_do_not_say_whose_they_are_are_an_error(hub: Path) -> None:
    put_outcomes(hub, "target_end_date,oracle_value\n2024-12-14,5\n")
    with pytest.raises(HubError, match="does not say whose outcomes it has: add location"):
        HubSource(hub, "count").truth()


def test_several_task_ids_are_one_subject(tmp_path: Path) -> None:
    model_tasks: list[dict[str, Any]] = tasks()["rounds"][0]["model_tasks"][:1]
    model_tasks[0]["task_ids"]["age"] = {"required": None, "optional": ["old", "young"]}
    write_hub(tmp_path, model_tasks=model_tasks)
    rows = pd.concat([submission().query("target == 'count'").assign(age=age) for age in ("old", "young")])
    put_submission(tmp_path, "team-one", rows)
    put_outcomes(tmp_path, "age,location,target_end_date,oracle_value\nold,US,2024-12-14,5\n")
    source = HubSource(tmp_path, "count")
    assert set(source.predictions(source.cycles())["subject"]) == {"US/old", "US/young", "01/old", "01/young"}
    assert source.truth()["subject"].tolist() == ["US/old"]


def test_the_fingerprint_changes_with_submissions_outcomes_and_rules(hub: Path) -> None:
    def both() -> tuple[str, str]:
        source = HubSource(hub, "count")
        return source.fingerprint(), source.rules_fingerprint()

    first = both()
    assert both() == first
    put_submission(hub, "team-three")
    second = both()
    put_outcomes(hub, COUNTS + "01,2024-12-28,count,quantile,NA,2\n")
    third = both()
    assert len({first[0], second[0], third[0]}) == 3
    assert first[1] == second[1] == third[1]
    config = hub / "hub-config" / "admin.json"
    config.write_text(config.read_text().replace("Toy hub", "Renamed"))
    assert both()[1] != first[1]


def test_a_second_file_of_a_model_for_a_round_is_told_and_not_taken(hub: Path) -> None:
    path = hub / "model-output" / "team-one" / "2024-12-14-team-one.parquet"
    submission().to_parquet(path)
    source = HubSource(hub, "count")
    told = {file.name: file.what for file in source.files if file.name.endswith(".parquet")}
    assert "keep one" in told["model-output/team-one/2024-12-14-team-one.parquet"].reason  # type: ignore[union-attr]
    assert not source.predictions([FIRST]).duplicated(["model_id", "horizon", "subject", "output_type_id"]).any()


def test_an_unknown_target_or_output_type_lists_the_known(hub: Path) -> None:
    with pytest.raises(HubError, match="no target 'counts'; known: count, change"):
        HubSource(hub, "counts")
    with pytest.raises(HubError, match="takes no output type 'pmf'; it takes quantile, sample"):
        HubSource(hub, "count", "pmf")


def test_a_hub_behind_a_url_is_read_as_one_in_a_folder(hub: Path) -> None:
    there = UPath("memory://toy-hub-of-test-source")
    for path in hub.rglob("*"):
        if path.is_file():
            target = there / path.relative_to(hub).as_posix()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    here, remote = HubSource(hub, "count"), HubSource(str(there), "count")
    pd.testing.assert_frame_equal(remote.predictions(remote.cycles()), here.predictions(here.cycles()))
    pd.testing.assert_frame_equal(remote.truth(), here.truth())
    assert remote.fingerprint() == remote.fingerprint()


def test_a_target_without_a_date_is_known_as_such(tmp_path: Path) -> None:
    model_tasks: list[dict[str, Any]] = tasks()["rounds"][0]["model_tasks"]
    model_tasks[0]["task_ids"]["horizon"] = {"required": None, "optional": None}
    write_hub(tmp_path, model_tasks=model_tasks)
    hub = read_hub(tmp_path)
    assert not ForecastTarget.of(hub, "count").is_dated
    assert ForecastTarget.of(hub, "change").is_dated
