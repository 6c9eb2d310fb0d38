"""A hub's target as a contract: how it is scored, by which evaluation sets, and from which baseline."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.competition.hub import HubError, contest_of, hub_source, read_hub
from pipeline.competition.hub.contest import baseline_of, name_of, slug
from pipeline.competition.hub.source import HubSource
from pipeline_tests.competition.hub.toy_hub import COUNTS, put_outcomes, put_submission, tasks, write_hub


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    write_hub(tmp_path)
    for model in ("team-one", "team-baseline", "another-baseline"):
        put_submission(tmp_path, model)
    put_outcomes(tmp_path, COUNTS)
    return tmp_path


def test_a_target_of_quantiles_is_scored_by_the_interval_score(hub: Path) -> None:
    contract = contest_of(hub, "count").contract
    assert contract.name == "toy_hub_count"
    assert contract.predictions.output_type == "quantile"
    assert contract.predictions.output_type_ids == ("0.1", "0.5", "0.9")
    assert contract.predictions.deadline.total_seconds() == -43 * 3600
    assert (contract.scoring.rule, contract.scoring.scale) == ("wis", "natural")
    assert contract.metrics == ("wis", "ae_median", "dispersion", "underprediction", "overprediction")
    assert contract.truth.known_at == "arrival"


def test_a_target_of_ordered_categories_is_scored_by_ranked_probabilities(hub: Path) -> None:
    contract = contest_of(hub, "change").contract
    assert contract.predictions.output_type_ids == ("down", "stable", "up")
    assert contract.scoring.rule == "rps"


def test_without_an_order_categories_are_scored_by_the_logarithm(hub: Path) -> None:
    model_tasks: list[dict[str, Any]] = tasks()["rounds"][0]["model_tasks"]
    model_tasks[1]["target_metadata"][0]["target_type"] = "nominal"
    (hub / "hub-config" / "tasks.json").write_text(json.dumps(tasks(model_tasks=model_tasks)))
    assert contest_of(hub, "change").contract.scoring.rule == "log_score"


def test_another_output_type_may_be_asked_for(hub: Path) -> None:
    contract = contest_of(hub, "count", "sample").contract
    assert (contract.predictions.output_type, contract.predictions.output_type_ids) == ("sample", ())
    assert contract.scoring.rule == "crps"


@pytest.mark.parametrize(("output_type", "rule"), [("median", "absolute_error"), ("mean", "squared_error")])
def test_a_target_of_one_number_is_scored_by_its_error(tmp_path: Path, output_type: str, rule: str) -> None:
    model_tasks: list[dict[str, Any]] = tasks()["rounds"][0]["model_tasks"]
    model_tasks[0]["output_type"] = {
        output_type: {"output_type_id": {"required": None}, "is_required": True, "value": {"type": "double"}}
    }
    write_hub(tmp_path, model_tasks=model_tasks)
    put_submission(tmp_path, "team-baseline")
    put_outcomes(tmp_path, COUNTS)
    assert contest_of(tmp_path, "count").contract.scoring.rule == rule


def test_without_configuration_all_rounds_are_evaluated_from_the_first_baseline(hub: Path) -> None:
    (spec,) = contest_of(hub, "count").contract.evaluations
    assert (spec.name, spec.baseline, spec.min_submitted) == ("all rounds", "another-baseline", 0.75)
    assert spec.metrics == ("wis", "ae_median")
    assert spec.relative_metrics == ("wis", "ae_median")
    assert set(spec.by) == {"subject", "cycle", "horizon", "target_time"}


def test_of_many_rounds_the_last_eight_are_a_set_of_their_own(tmp_path: Path) -> None:
    rounds = [f"2024-{month:02d}-15" for month in range(1, 10)]
    model_tasks: list[dict[str, Any]] = tasks()["rounds"][0]["model_tasks"]
    for task in model_tasks:
        task["task_ids"]["reference_date"]["optional"] = rounds
    write_hub(tmp_path, model_tasks=model_tasks)
    for round_id in rounds:
        put_submission(tmp_path, "team-baseline", round_id=round_id)
    put_outcomes(tmp_path, COUNTS)
    sets = {one.name: one.cycles.last for one in contest_of(tmp_path, "count").contract.evaluations}
    assert sets == {"all rounds": None, "last 8 rounds": 8}


def test_the_hubs_own_evaluation_sets_come_first(hub: Path) -> None:
    config = {
        "targets": [
            {
                "target_id": "count",
                "metrics": ["wis", "ae_median", "interval_coverage_80", "interval_coverage_95"],
                "relative_metrics": ["wis"],
                "baseline": "team-baseline",
                "disaggregate_by": ["location", "reference_date"],
                "transform": {"fun": "log_shift", "args": {"offset": 1}, "append": False},
            }
        ],
        "eval_sets": [{"eval_set_name": "US", "task_filters": {"location": ["US"], "horizon": [0, 1]}}],
    }
    (hub / "hub-config" / "predevals-config.yml").write_text(yaml.safe_dump(config))
    contest = contest_of(hub, "count")
    assert contest.notes == ("metric interval_coverage_95 of target 'count' is left out: its predictions have none",)
    (spec,) = contest.contract.evaluations
    assert (spec.name, spec.baseline, spec.subjects, spec.horizons) == ("US", "team-baseline", ("US",), (0, 1))
    assert spec.by == ("subject", "cycle")
    assert spec.metrics == ("wis", "ae_median", "interval_coverage_80")
    assert contest.contract.scoring.scale == "log1p"
    # Of another target it says nothing but which model is the baseline.
    (other,) = contest_of(hub, "change").contract.evaluations
    assert (other.name, other.baseline) == ("all rounds", "team-baseline")


def test_a_hub_without_a_baseline_has_skill_beside_the_field(tmp_path: Path) -> None:
    write_hub(tmp_path)
    put_submission(tmp_path, "team-one")
    put_outcomes(tmp_path, COUNTS)
    assert baseline_of(HubSource(tmp_path, "count")) is None
    (spec,) = contest_of(tmp_path, "count").contract.evaluations
    assert spec.baseline is None
    assert spec.ranked_by is not None
    assert spec.ranked_by.name == "wis_relative_skill"


def test_the_contract_names_its_source(hub: Path) -> None:
    contest = contest_of(hub, "count")
    source = hub_source(contest.contract)
    assert source.fingerprint() == contest.source.fingerprint()
    assert Path(contest.contract.predictions.path or "").is_absolute()


def test_a_target_that_never_comes_true_says_so(tmp_path: Path) -> None:
    model_tasks: list[dict[str, Any]] = tasks()["rounds"][0]["model_tasks"]
    model_tasks[0]["task_ids"]["horizon"] = {"required": None, "optional": None}
    write_hub(tmp_path, model_tasks=model_tasks)
    put_submission(tmp_path, "team-one")
    with pytest.raises(HubError, match="nothing says when it comes true"):
        contest_of(tmp_path, "count")


def test_names_are_good_for_folders_and_schemas(tmp_path: Path) -> None:
    assert slug("US CDC FluSight") == "us_cdc_flusight"
    assert slug("2024: flu & RSV") == "hub_2024_flu_rsv"
    assert len(slug("wk inc flu hosp " * 10)) <= 63
    assert name_of(read_hub(write_hub(tmp_path)), "wk inc") == "toy_hub_wk_inc"
