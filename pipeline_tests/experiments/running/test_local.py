"""The local provider: the same answer to the same prompt, out of nothing but the prompt."""

import threading

import pytest

from pipeline.experiments.running.local import NO_ANSWER, LocalProvider
from pipeline.experiments.running.provider import Call, ProviderError

TEXT = """Context: The Loire is the longest river of France. It flows into the Atlantic.
Mont Blanc is the highest mountain of France. The Loire has 1,006 kilometres."""


def ask(question: str, text: str = TEXT, **params) -> str:
    return reply(f"{text}\n\nQuestion: {question}", **params).text


def reply(prompt: str, **params):
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt})
    return LocalProvider().complete(Call("extractive", messages, params), threading.Event())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which mountain is the highest of France?", "Mont Blanc is the highest mountain of France."),
        ("What is the longest river?", "The Loire is the longest river of France."),
        ("Where does it flow, into the Atlantic?", "It flows into the Atlantic."),
        ("Who wrote Faust?", NO_ANSWER),
    ],
)
def test_the_sentence_that_shares_most_words_with_the_question_is_the_answer(question, answer) -> None:
    assert ask(question) == answer


def test_configurations_differ_in_what_they_answer() -> None:
    question = "How many kilometres has the Loire?"
    both = "The Loire is the longest river of France. The Loire has 1,006 kilometres."
    assert ask(question) == "The Loire has 1,006 kilometres."
    assert ask(question, sentences=2) == both
    assert ask(question, method="first") == "The Loire is the longest river of France."
    assert ask("Which mountain is the highest of France?", answer="span") == "Mont Blanc"


def test_rare_words_tell_more_than_frequent_ones() -> None:
    text = "Cats eat fish daily. Dogs eat fish daily. Cats eat fish. Owls hunt."
    assert ask("Do owls eat?", text) == "Cats eat fish daily."
    assert ask("Do owls eat?", text, method="rare_words") == "Owls hunt."


def test_an_answer_is_cut_off_at_its_limit_and_says_so() -> None:
    found = reply(f"{TEXT}\nWhat is the longest river?", max_tokens=3)
    assert (found.text, found.finish_reason, found.usage.tokens_out) == ("The Loire is", "length", 3)


def test_it_counts_words_and_costs_nothing() -> None:
    found = reply("Owls hunt. Who hunts?")
    assert (found.usage.tokens_in, found.usage.cost, found.finish_reason) == (6, 0.0, "stop")


def test_without_a_text_there_is_no_answer() -> None:
    assert reply("What is the capital of France?").text == NO_ANSWER
    assert reply("").text == NO_ANSWER


def test_what_other_models_take_changes_nothing() -> None:
    assert ask("What is the longest river?", temperature=0.7, seed=3) == ask("What is the longest river?")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"sentence": 2}, "unknown parameter 'sentence'; known: method, answer, sentences, max_tokens"),
        ({"method": "bm25"}, "method 'bm25'; known: overlap, rare_words, first"),
        ({"sentences": 0}, "sentences is 0; give a whole number from 1"),
        ({"max_tokens": "many"}, "max_tokens is 'many'; give a whole number from 1"),
    ],
)
def test_a_wrong_parameter_is_named(params, said) -> None:
    with pytest.raises(ProviderError, match=said) as raised:
        ask("What?", **params)
    assert not raised.value.may_pass


def test_vectors_have_letters_in_common_and_cost_nothing() -> None:
    found = LocalProvider().embed("any", ["river", "river", "mountain"], threading.Event())
    assert found.vectors[0] == found.vectors[1] != found.vectors[2]
    assert found.usage.cost == 0.0


def test_spaces_without_end_take_no_time_without_end() -> None:
    assert reply(f"Owls hunt.{' ' * 1_000_000}x{' ' * 1_000_000}Who? Do owls hunt?").text == "Owls hunt."
