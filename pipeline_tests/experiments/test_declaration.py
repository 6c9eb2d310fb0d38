"""The declaration of an experiment: what it may say, and how mistakes in it are told."""

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.experiments import Experiment
from pipeline.tables import EXPERIMENT_FILES, EXPERIMENT_TABLES
from pipeline_tests.experiments.declared import DECLARED, experiment


def mistake(**changes: Any) -> str:
    """What reading says."""
    with pytest.raises(ValidationError) as caught:
        experiment(**changes)
    return str(caught.value)


def test_what_is_said_of_a_model_is_said_of_its_name() -> None:
    same = {"model": "echo", "provider": "one", "input_price": 1}
    models = {"first": same | {"parameters": {"stop": "x"}}, "second": same}
    assert len(experiment(models=models).configurations) == 4
    differing = models | {"second": {"model": "echo", "provider": "two"}}
    said = mistake(models=differing)
    assert "models 'first' and 'second' are both called 'echo'" in said
    assert "their provider and input_price differ" in said
    judging = {"models": {"echo": {"provider": "two", "input_price": 1}}}
    assert "models 'first' and 'echo' are both called 'echo'" in mistake(models=models, execution=judging)


@pytest.mark.parametrize("weight", [1e-7, 5e-324])
def test_a_weight_is_nothing_or_weighs_something(weight: float) -> None:
    assert "is neither 0 nor from 1e-06" in mistake(scorers={"exact": {"weight": weight}})


@pytest.mark.parametrize("weight", [1e308, float("inf"), float("nan"), -1])
def test_a_weight_is_a_number_that_can_be_added_up(weight: float) -> None:
    assert "scorers.exact.weight" in mistake(scorers={"exact": {"weight": weight}})


def test_configurations_are_every_prompt_with_every_model_and_set_of_parameters() -> None:
    declared = experiment(parameters={"grid": {"temperature": [0, 0.7]}})
    assert [one.title for one in declared.configurations] == [
        "terse@1 · small · temperature=0",
        "terse@1 · small · temperature=0.7",
        "terse@1 · large · temperature=0",
        "terse@1 · large · temperature=0.7",
        "polite@2 · small · temperature=0",
        "polite@2 · small · temperature=0.7",
        "polite@2 · large · temperature=0",
        "polite@2 · large · temperature=0.7",
    ]
    assert len({one.id for one in declared.configurations}) == 8


def test_a_version_alone_makes_no_other_configuration_but_another_text_does() -> None:
    before = experiment().configurations
    renamed = experiment(
        prompts=DECLARED["prompts"] | {"terse": {"version": 9, "template": "Capital of {{ country }}?"}}
    )
    reworded = experiment(prompts=DECLARED["prompts"] | {"terse": "The capital of {{ country }}?"})
    assert [one.id for one in renamed.configurations] == [one.id for one in before]
    assert renamed.configurations[0].prompt_version == "9"
    assert [one.id for one in reworded.configurations][:2] != [one.id for one in before][:2]
    assert [one.id for one in reworded.configurations][2:] == [one.id for one in before][2:]


def test_a_model_has_a_name_and_parameters_of_its_own() -> None:
    declared = experiment(models={"a": {"model": "vendor/a", "parameters": {"max_tokens": 9}}, "b": {}})
    first, second = declared.configurations[:2]
    assert (first.model, first.parameters) == ("vendor/a", {"max_tokens": 9})
    assert (second.model, second.parameters) == ("b", {})


def test_weights_are_those_above_0() -> None:
    declared = experiment(scorers={"exact": {"weight": 2}, "close": {"scorer": "fuzzy"}, "human": {"weight": 0}})
    assert declared.weights == {"exact": 2.0, "close": 1.0}
    assert [one.name for one in declared.made_scorers.values()] == ["exact", "fuzzy", "human"]


def test_the_baseline_is_the_one_configuration_that_fits() -> None:
    declared = experiment(
        parameters={"grid": {"temperature": [0, 1]}},
        baseline={"prompt": "polite", "model": "small", "parameters": {"temperature": 0.0}},
    )
    (found,) = [one for one in declared.configurations if one.id == declared.baseline_of(declared.configurations)]
    assert found.title == "polite@2 · small · temperature=0"
    assert experiment().baseline_of(declared.configurations) is None


def test_where_runs_are_imported_the_baseline_is_among_theirs() -> None:
    declared = Experiment(name="a", title="A", baseline={"model": "large", "prompt": "terse"})
    assert declared.baseline_of([]) is None
    assert declared.baseline_of(experiment().configurations) == experiment().configurations[1].id
    with pytest.raises(ValueError, match="baseline fits 0 of 1 configurations"):
        declared.baseline_of(experiment().configurations[:1])


def test_a_declaration_reads_back_as_what_was_written_with_its_defaults() -> None:
    random = {"random": {"t": {"uniform": [0, 1]}}, "budget": 2}
    declared = experiment(parameters=random | {"grid": {"k": [None, 1]}}, scorers={"human": {"options": {"step": 0.5}}})
    again = Experiment.model_validate_json(declared.model_dump_json())
    assert again == declared
    assert again.configurations == declared.configurations


def test_runs_may_be_imported_only() -> None:
    declared = Experiment(name="a", title="A")
    assert declared.configurations == ()
    assert declared.folders == ("runs", "scores")
    assert declared.tables == (EXPERIMENT_FILES, *EXPERIMENT_TABLES)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"models": []}, "no models, so that nothing can be run; give prompts, models and inputs, or none of them"),
        ({"inputs": [], "models": {}}, "no models and no inputs"),
        ({"inputs_file": "a.csv"}, "inputs are listed and inputs_file is given"),
        ({"prompts": {"a b": "x"}}, "'a b' is no name; use letters, digits"),
        ({"prompts": {"a": "{{ x"}}, "line 1: unexpected end of template"),
        ({"prompts": {"a": {"template": "x", "text": "y"}}}, "unknown field 'text'; known: version, template, system"),
        ({"prompts": {"a": "x", "b": "x"}}, "prompts 'a' and 'b' are the same text; keep one"),
        (
            {"prompts": {"a": "{{ country }}{{ year }}", "b": "{{ continent }}"}},
            "prompt 'a' takes country, year: input 'fr' has no year; input 'it' has no year. "
            "prompt 'b' takes continent: input 'fr' has no continent; input 'it' has no continent",
        ),
        (
            {"prompts": {"a": {"template": "{{ country }}", "system": "Speak {{ tongue }}"}}},
            "prompt 'a' takes country, tongue: input 'fr' has no tongue",
        ),
        ({"inputs": [{"id": "a", "variables": {"country": "x"}}] * 2}, "input 'a' is there more than once"),
        (
            {"inputs": [{"id": name, "variables": {"country": "x"}} for name in "ab"]},
            "inputs 'a' and 'b' have the same variables; keep one",
        ),
        ({"models": ["a", "a"]}, "'a' is listed more than once; keep one"),
        ({"models": {"a": {}, "b": {"model": "a"}}}, "configurations are the same: terse@1 · a, terse@1 · a"),
        (
            {"models": {"a": {"parameters": {"t": 1}}}, "parameters": {"grid": {"t": [0]}}},
            "model 'a' fixes t, which parameters vary",
        ),
        ({"scorers": ["exactly"]}, "scorers.exactly: unknown scorer 'exactly'; known: embedding, exact, format, fuzzy"),
        (
            {"scorers": {"exact": {"options": {"case": 1}}, "keyword": {}}},
            "scorers.exact: scorer 'exact': unknown field 'case'; known: ignore_case, ignore_punctuation; "
            "scorers.keyword: scorer 'keyword': no words",
        ),
        ({"scorers": {"exact": {"weight": 0}, "fuzzy": {"weight": 0}}}, "no scorer has a weight above 0: exact, fuzzy"),
        (
            {"prompts": {"a": {"version": 1.1, "template": "x"}}},
            "version 1.1 is a number with a point; write it as text",
        ),
        ({"min_scorers": 2}, "min_scorers is 2, but 1 of 1 scorers have a weight; lower it"),
        ({"baseline": {"model": "small"}}, "baseline fits 2 of 4 configurations; say which, such as: terse@1 · small"),
        ({"baseline": {"model": "tiny"}}, "baseline fits 0 of 4 configurations"),
        ({"comparisons": {"test": "tukey"}}, "Input should be"),
        ({"name": "experiments"}, "'experiments' is the name of a schema"),
        ({"name": "api"}, "'api' is where the API of experiments is"),
        ({"repeats": 0}, "greater than or equal to 1"),
    ],
)
def test_mistakes_are_told_with_what_is_known(changes: dict[str, Any], told: str) -> None:
    assert told in mistake(**changes)
