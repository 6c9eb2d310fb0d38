"""What is declared of execution: who has a model, and which scorers ask one."""

import pytest
import yaml
from pydantic import ValidationError

from pipeline.experiments import ExecutionSpec, score_runs
from pipeline.experiments.scorers import Answer, make_scorer
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.experiments.declared import experiment


def test_a_model_is_known_by_what_its_provider_calls_it() -> None:
    declared = experiment(
        models={"small": {"model": "vendor/small-1", "input_price": 2.0}, "large": {"provider": "local"}},
        execution={"models": {"judging": {"provider": "other"}}},
    )
    assert declared.model_called("vendor/small-1").input_price == 2.0
    assert declared.model_called("large").provider == "local"
    assert declared.model_called("judging").provider == "other"
    assert [one.model for one in declared.configurations][:2] == ["vendor/small-1", "large"]


def test_of_an_undeclared_model_the_provider_is_that_of_all_others() -> None:
    same = experiment(models={"a": {"provider": "local"}, "b": {"provider": "local"}})
    assert same.model_called("c").provider == "local"
    assert same.model_called("c").output_price is None
    assert experiment(models={"a": {"provider": "local"}, "b": {}}).model_called("c").provider == "openai"


@pytest.mark.parametrize("name", ["", "Open AI", "../x", 3])
def test_a_provider_is_a_name_that_a_variable_can_have(name) -> None:
    with pytest.raises(ValidationError, match="is no name of a provider; use lower-case letters"):
        experiment(models={"a": {"provider": name}})


@pytest.mark.parametrize(
    ("name", "options", "reaches_out"),
    [
        ("judge", {"criteria": "right?"}, True),
        ("embedding", {}, True),
        ("embedding", {"embedder": "character_ngrams"}, False),
        ("exact", {}, False),
        ("human", {}, False),
    ],
)
def test_a_scorer_says_whether_it_calls_a_model(name, options, reaches_out) -> None:
    assert make_scorer(name, options).reaches_out is reaches_out


def test_an_embedder_and_a_model_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="embedder 'character_ngrams' and model 'm' are given; keep one of the two"):
        make_scorer("embedding", {"embedder": "character_ngrams", "model": "m"})


def test_only_the_named_scorers_are_asked() -> None:
    declared = experiment(scorers=["exact", "fuzzy"])
    found = list(score_runs(declared, [("r", Answer("Paris", "Paris"))], names=["fuzzy"]))
    assert [(one.scorer, one.scoring.value) for one in found] == [("fuzzy", 1.0)]


def test_the_page_on_experiments_names_every_field_of_execution() -> None:
    page = (PROJECT_ROOT / "pipeline" / "docs" / "experiments.md").read_text(encoding="utf-8")
    section = page.split("## Running experiments", 1)[1]
    declared = yaml.safe_load(section.split("```yaml\n", 1)[1].split("```", 1)[0])
    assert set(declared["execution"]) == set(ExecutionSpec.model_fields)
    assert experiment(**declared).model_called("vendor/large-1").max_output_tokens == 2000
