"""What is declared as rows of the tables, and what ad-hoc runs belong to."""

import json
from datetime import datetime

import pandas as pd
import pytest

from pipeline.experiments import (
    RunConfig,
    agreement_rows,
    configuration_of,
    configuration_rows,
    input_of,
    input_rows,
    prompt_rows,
    stage_rows,
    undeclared_prompt_row,
    with_former,
)
from pipeline.tables import EXPERIMENT_AGREEMENT, EXPERIMENT_CONFIGURATIONS, EXPERIMENT_INPUTS, EXPERIMENT_PROMPTS
from pipeline_tests.experiments.declared import experiment


def test_rows_have_the_columns_of_their_tables() -> None:
    declared = experiment()
    assert list(prompt_rows(declared).columns) == list(EXPERIMENT_PROMPTS.column_names[1:])
    assert list(input_rows(declared.inputs).columns) == list(EXPERIMENT_INPUTS.column_names[1:])
    assert list(configuration_rows(declared).columns) == list(EXPERIMENT_CONFIGURATIONS.column_names[1:])


def test_rows_say_what_is_declared() -> None:
    declared = experiment(baseline={"prompt": "terse", "model": "large"}, parameters={"grid": {"t": [0.0]}})
    prompts, inputs, rows = prompt_rows(declared), input_rows(declared.inputs), configuration_rows(declared)
    assert prompts[["prompt", "version", "variables"]].to_numpy().tolist() == [
        ["terse", "1", "country"],
        ["polite", "2", "country"],
    ]
    assert [json.loads(one) for one in inputs["variables"]] == [{"country": "France"}, {"country": "Italy"}]
    assert inputs["reference"].tolist() == ['"Paris"', '"Rome"']
    assert rows.loc[rows["is_baseline"], "title"].tolist() == ["terse@1 · large · t=0"]
    assert set(rows["parameters"]) == {'{"t":0}'}


def test_what_is_no_longer_declared_stays_for_its_runs() -> None:
    before = prompt_rows(experiment())
    now = prompt_rows(experiment(prompts={"terse": {"version": 2, "template": "{{ country }}: capital?"}}))
    found = with_former(now, before, ["prompt", "version"]).set_index(["prompt", "version"])["is_declared"]
    assert found.to_dict() == {("terse", "2"): True, ("terse", "1"): False, ("polite", "2"): False}


def test_an_ad_hoc_run_belongs_to_what_it_is_the_same_as() -> None:
    declared = experiment()
    same = RunConfig("Capital of {{ country }}?", "small", {}, {"country": "Italy"})
    assert configuration_of(same, declared) == declared.configurations[0]
    assert input_of(same, declared.inputs) == "it"


def test_an_ad_hoc_run_of_its_own_has_a_configuration_and_an_input_of_its_own() -> None:
    declared = experiment()
    one, other = (RunConfig("Why {{ x }}?", "small", {}, {"x": x}) for x in "ab")
    found = configuration_of(one, declared)
    assert found.title.startswith("ad_hoc@")
    assert found == configuration_of(other, declared)
    assert input_of(one, declared.inputs) != input_of(other, declared.inputs)
    rows = configuration_rows(declared, [found])
    assert rows.loc[~rows["is_declared"], "configuration"].tolist() == [found.id]
    assert len(configuration_rows(declared, [declared.configurations[0]])) == 4


def test_prompts_of_runs_may_be_of_any_shape() -> None:
    pair = undeclared_prompt_row("p", "1", {"system": "Be {{ how }}.", "template": "{{ x }}"})
    assert (pair["system"], pair["template"], pair["variables"]) == ("Be {{ how }}.", "{{ x }}", "how, x")
    assert undeclared_prompt_row("p", "1", {"other": 1})["template"] == ""
    assert undeclared_prompt_row("p", "1", "{% if")["variables"] == ""


def test_times_of_stages_are_utc() -> None:
    first, second = stage_rows("r", [{"stage": "ask", "started_at": "2026-01-01T02:00:00+02:00"}, {"stage": "read"}])
    assert (first["number"], first["started_at"], first["completed_at"]) == (1, datetime(2026, 1, 1), None)
    assert (second["number"], second["stage"], second["run_id"]) == (2, "read", "r")


def test_agreement_is_that_of_the_newest_ratings_of_people() -> None:
    given = [
        *(("a", f"r{n}", 1, value) for n, value in enumerate([1, 1, 0, 0])),
        *(("a", f"r{n}", 2, value) for n, value in enumerate([0, 0, 1, 1])),
        *(("a", f"r{n}", 2, value) for n, value in enumerate([1, 0, 0, 0])),
        ("a", "r0", 0, 0.5),
        ("machine", "r0", 0, 0.5),
        ("alone", "r0", 1, 0.5),
    ]
    scores = pd.DataFrame(given, columns=["scorer", "run_id", "rater", "value"])
    scores["scored_at"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(range(len(scores)), unit="s")
    found = agreement_rows(scores).set_index(["scorer", "coefficient", "level"])
    assert list(found.columns) == [one for one in EXPERIMENT_AGREEMENT.column_names[2:] if one not in found.index.names]
    assert found.loc[("a", "cohen_kappa", "nominal"), "value"] == pytest.approx(0.5)
    assert found.loc[("a", "krippendorff_alpha", "interval"), ["n_raters", "n_runs"]].tolist() == [2, 4]
    assert found.loc[("alone", "cohen_kappa", "nominal"), "reason"] == "not_two_raters"
    assert found.loc[("alone", "krippendorff_alpha", "ordinal"), "reason"] == "too_few_ratings"
    assert "machine" not in found.index.get_level_values("scorer")
    assert len(agreement_rows(scores.iloc[:0])) == 0
