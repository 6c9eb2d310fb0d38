"""Evaluation sets out of a hub's own configuration: what is translated, what is left out, and what is told."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.competition.hub import HubError
from pipeline.competition.hub.predevals import TaskNames, find_predevals, read_predevals

NAMES = TaskNames()


def written(tmp_path: Path, target: dict[str, Any] | None = None, **declared: Any) -> Path:
    """A configuration as operators write it, changed so."""
    config: dict[str, Any] = {
        "schema_version": "https://example.org/v1.1.0/config_schema.json",
        "rounds_idx": 0,
        "targets": [
            {
                "target_id": "count",
                "metrics": ["wis", "ae_median"],
                "relative_metrics": "wis",
                "baseline": "hub-base",
                "disaggregate_by": ["location", "reference_date"],
                **(target or {}),
            }
        ],
        "eval_sets": [
            {
                "eval_set_name": "Season, states",
                "task_filters": {"location": ["01", "02"], "horizon": [0, 1], "reference_date": ["2024-12-14"]},
            },
            {
                "eval_set_name": "Last 4 weeks",
                "round_filters": {"min": "2024-11-30", "n_last": 5},
                "task_filters": {"location": "US"},
            },
        ],
        **declared,
    }
    path = tmp_path / "predevals-config.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def test_every_set_of_a_target_is_an_evaluation_set(tmp_path: Path) -> None:
    (season, last), notes = read_predevals(written(tmp_path)).evaluations("count", NAMES)
    assert notes == ()
    assert season.name == "Season, states"
    assert [column.name for column in season.columns] == ["wis_scaled_relative_skill", "wis", "ae_median"]
    assert (season.baseline, season.by, season.min_submitted) == ("hub-base", ("subject", "cycle"), 0)
    assert (season.subjects, season.horizons) == (("01", "02"), (0, 1))
    assert season.cycles.only == (datetime(2024, 12, 14),)
    assert (last.subjects, last.horizons, last.cycles.last) == (("US",), None, 5)
    assert last.cycles.since == datetime(2024, 11, 30)


def test_what_a_dashboard_publishes_is_read_too(tmp_path: Path) -> None:
    config = yaml.safe_load(written(tmp_path).read_text())
    config["targets"][0]["metrics"] = ["wis_scaled_relative_skill", "wis", "ae_median"]
    path = tmp_path / "predevals-options.json"
    path.write_text(json.dumps(config))
    (season, _), _ = read_predevals(path).evaluations("count", NAMES)
    assert [column.name for column in season.columns] == ["wis_scaled_relative_skill", "wis", "ae_median"]


def test_dates_and_numbers_without_quotes_are_what_they_look_like(tmp_path: Path) -> None:
    path = tmp_path / "predevals-config.yml"
    path.write_text(
        "targets: [{target_id: count, metrics: wis}]\n"
        "eval_sets:\n- eval_set_name: s\n  round_filters: {min: 2024-11-30}\n"
        "  task_filters: {location: [08, 10], horizon: 1}\n"
    )
    (one,), _ = read_predevals(path).evaluations("count", NAMES)
    assert (one.subjects, one.horizons) == (("08", "10"), (1,))
    assert one.cycles.since == datetime(2024, 11, 30)


def test_several_task_ids_make_a_subject(tmp_path: Path) -> None:
    names = TaskNames(units={"location": ("US", "01"), "age": ("young", "old")})
    sets = [{"eval_set_name": "old", "task_filters": {"age": "old"}}, {"eval_set_name": "all"}]
    path = written(tmp_path, {"disaggregate_by": ["location", "horizon"]}, eval_sets=sets)
    (old, every), notes = read_predevals(path).evaluations("count", names)
    assert old.subjects == ("US/old", "01/old")
    assert every.subjects is None
    assert old.by == ("horizon",)
    (note,) = notes
    assert "not divided by location: Podium divides by reference_date, horizon, target_end_date" in note


def test_metrics_that_predictions_do_not_have_are_left_out_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"metrics": ["wis", "bias", "ae_point"]})
    found, notes = read_predevals(path).evaluations("count", NAMES, measures=["wis"])
    assert found[0].metrics == ("wis",)
    assert notes == (
        "metric bias of target 'count' is left out: its predictions have none",
        "metric absolute_error of target 'count' is left out: its predictions have none",
    )
    with pytest.raises(HubError, match="no metric that its predictions have"):
        read_predevals(path).evaluations("count", NAMES, measures=["rps"])


@pytest.mark.parametrize(
    ("transform", "scale"),
    [
        (None, "natural"),
        (False, "natural"),
        ({"fun": "log1p", "append": True}, "natural"),
        ({"fun": "log1p", "append": False}, "log1p"),
        ({"fun": "log_shift", "args": {"offset": 1}, "append": False}, "log1p"),
        ({"fun": "sqrt", "append": False, "label": "root"}, "sqrt"),
    ],
)
def test_the_scale_of_a_target(tmp_path: Path, transform: Any, scale: str) -> None:
    given = {} if transform is None else {"transform": transform}
    assert read_predevals(written(tmp_path, given)).scale("count") == scale
    if isinstance(transform, dict):
        by_default = read_predevals(written(tmp_path, transform_defaults=transform))
        assert by_default.scale("count") == scale


def test_a_scale_that_podium_does_not_have_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, {"transform": {"fun": "log2", "append": False}})
    with pytest.raises(HubError, match="scale 'log2'; Podium scores on log1p"):
        read_predevals(path).scale("count")


@pytest.mark.parametrize(
    ("target", "declared", "message"),
    [
        ({"baseline": None}, {}, r"targets\.0: target 'count' has relative_metrics and no baseline"),
        ({"metrics": []}, {}, r"targets\.0\.metrics: "),
        ({"metric": "wis"}, {}, r"targets\.0\.metric: Extra inputs"),
        ({}, {"eval_sets": []}, "eval_sets: "),
        ({}, {"eval_sets": [{"eval_set_name": "s", "round_filters": {"n_lst": 3}}]}, "n_lst: Extra inputs"),
    ],
)
def test_what_is_no_configuration_is_told_with_the_file_and_the_field(
    tmp_path: Path, target: dict[str, Any], declared: dict[str, Any], message: str
) -> None:
    with pytest.raises(HubError, match=r"predevals-config\.yml: .*" + message):
        read_predevals(written(tmp_path, target, **declared))


@pytest.mark.parametrize(
    ("task_filters", "message"),
    [
        ({"age": "old"}, "'s' filters on age; known: reference_date, horizon, target_end_date, location"),
        ({"reference_date": "soon"}, "'s': .*valid datetime"),
    ],
)
def test_filters_that_cannot_be_are_refused(tmp_path: Path, task_filters: dict[str, Any], message: str) -> None:
    sets = [{"eval_set_name": "s", "task_filters": task_filters}]
    with pytest.raises(HubError, match=message):
        read_predevals(written(tmp_path, eval_sets=sets)).evaluations("count", NAMES)


def test_files_that_are_not_there_or_no_yaml_and_unknown_targets_are_told(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="is not there"):
        read_predevals(tmp_path / "none.yml")
    (tmp_path / "broken.yml").write_text("targets: [")
    with pytest.raises(HubError, match="is no YAML"):
        read_predevals(tmp_path / "broken.yml")
    with pytest.raises(HubError, match="has no target 'rate'; it has: count"):
        read_predevals(written(tmp_path)).evaluations("rate", NAMES)


def test_a_hub_without_any_has_none(tmp_path: Path) -> None:
    assert find_predevals(tmp_path) is None
    written(tmp_path)
    found = find_predevals(tmp_path)
    assert found is not None
    assert list(found.targets) == ["count"]
