"""The plan: every run once, in an order that stays, without what is done."""

import pytest

from pipeline.experiments import (
    PlanError,
    PromptSpec,
    RunConfig,
    changed_without_version,
    messages,
    plan,
    run_id,
)
from pipeline.experiments.inputs import InputSpec
from pipeline_tests.experiments.declared import DECLARED, experiment


def test_every_configuration_is_asked_every_input_as_often_as_declared() -> None:
    declared = experiment(repeats=3)
    planned = plan(declared)
    assert len(planned) == len({one.run_id for one in planned}) == 4 * 2 * 3
    asked = {(one.configuration.id, one.input_id, one.repeat) for one in planned}
    assert asked == {(c.id, i, r) for c in declared.configurations for i in ("fr", "it") for r in (1, 2, 3)}


def test_a_run_is_what_its_identity_says() -> None:
    first = plan(experiment())[0]
    config = RunConfig("Capital of {{ country }}?", "small", {}, {"country": "France"})
    assert first.config == config
    assert first.key == (config.config_hash, 1)
    assert first.run_id == run_id("capitals", config.config_hash, 1)


def test_all_configurations_are_asked_an_input_before_the_next_and_all_before_they_are_asked_again() -> None:
    planned = plan(experiment(repeats=2))
    assert [one.repeat for one in planned] == [1] * 8 + [2] * 8
    assert [one.input_id for one in planned[:8]] == ["fr"] * 4 + ["it"] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"models": ["tiny", "small", "large"]},
        {"prompts": {"new": "{{ country }}", **DECLARED["prompts"]}},
        {"inputs": [{"id": "es", "variables": {"country": "Spain"}}, *DECLARED["inputs"]]},
        {"repeats": 5},
        {"scorers": ["fuzzy", "exact"]},
        {"title": "Another"},
    ],
)
def test_what_is_added_moves_nothing_that_was_there(changes) -> None:
    before = [one.run_id for one in plan(experiment(repeats=2))]
    after = [one.run_id for one in plan(experiment(**{"repeats": 2} | changes))]
    assert [one for one in after if one in set(before)] == before


def test_what_is_done_is_left_out_and_nothing_else() -> None:
    declared = experiment(repeats=2)
    planned = plan(declared)
    done = {planned[0].key, planned[9].key}
    assert plan(declared, done=done) == [one for one in planned if one.key not in done]
    assert plan(declared, done={one.key for one in planned}) == []


def test_more_runs_than_were_meant_are_refused() -> None:
    with pytest.raises(
        PlanError, match=r"4 configurations on 2 inputs, 3 times, are 24 runs, more than max_runs \(23\)"
    ):
        plan(experiment(repeats=3, max_runs=23))
    assert len(plan(experiment(repeats=3, max_runs=24))) == 24


def test_inputs_of_a_file_are_given() -> None:
    declared = experiment(inputs=[], inputs_file="inputs.csv")
    with pytest.raises(PlanError, match=r"the inputs are in inputs.csv; read them with read_inputs"):
        plan(declared)
    assert len(plan(declared, [InputSpec(variables={"country": "Spain"})])) == 4
    with pytest.raises(ValueError, match="prompt 'terse' takes country: input 'a' has no country"):
        plan(declared, [InputSpec(id="a", variables={"town": "x"})])


def test_what_is_sent_is_the_system_message_and_the_prompt_filled_in() -> None:
    prompt = PromptSpec(template="{{ q }}?", system="In {{ tongue }}.")
    assert messages(prompt, {"q": "Why", "tongue": "French"}) == [
        {"role": "system", "content": "In French."},
        {"role": "user", "content": "Why?"},
    ]
    assert messages(PromptSpec(template="x"), {}) == [{"role": "user", "content": "x"}]


def test_another_text_needs_another_version() -> None:
    old, new = PromptSpec(template="a"), PromptSpec(template="b")
    known = [("p", "1", old.sha256), ("q", "1", old.sha256)]
    assert changed_without_version({"p": old}, known) == []
    assert changed_without_version({"p": new.model_copy(update={"version": "2"}), "new": new}, known) == []
    assert changed_without_version({"p": new}, known) == [
        "prompt 'p' is another text than version '1' was; give it another version"
    ]
