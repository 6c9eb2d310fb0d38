"""The judge: what it is asked, and how its verdict is read."""

from typing import Any

import pytest

from pipeline.experiments.scorers import Answer, Judge, Question, Tools

JUDGE = Judge(criteria="Is it right?")
ANSWER = Answer("Rome", "Rome", {"country": "Italy"})


class Model:
    """A model that replies with one text and keeps what it was asked."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> str:
        self.asked.append(question)
        return self.reply


def test_the_question_shows_everything_that_the_verdict_rests_on() -> None:
    question = Judge(criteria="Is it right?", model="m", parameters={"seed": 1}, scale=(0, 10)).question(ANSWER)
    for shown in ("Is it right?", "country: Italy", "<reference>\nRome\n", "<answer>\nRome\n", "from 0 (worst) to 10"):
        assert shown in question.prompt
    assert (question.model, question.params) == ("m", {"seed": 1})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"reason": "yes", "score": 5}', 1.0),
        ('{"score": 1, "reason": "no"}', 0.0),
        ('Let me see.\n```json\n{"reason": "so {so}", "score": 2.0}\n```', 0.25),
        ('{"score": 4} and again {"score": 4.0}', 0.75),
        ('Well {as I said}: {"score": 4}', 0.75),
        ("It is good.\nScore: 4", 0.75),
        ("**Score:** 4/5", 0.75),
        ("Rating = 3", 0.5),
    ],
)
def test_verdicts_are_read_as_shares_of_the_scale(reply: str, expected: float) -> None:
    assert JUDGE.score(ANSWER, Tools(ask=Model(reply))).value == expected


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "unreadable_verdict"),
        ("I would say four.", "unreadable_verdict"),
        ('{"score": "5"}', "unreadable_verdict"),
        ('{"score": null}', "unreadable_verdict"),
        ('{"score": true}', "unreadable_verdict"),
        ('{"score": NaN}', "unreadable_verdict"),
        ("Score: 4/10", "unreadable_verdict"),
        ('{"score": 0}', "verdict_out_of_scale"),
        ('{"score": 100}', "verdict_out_of_scale"),
        ('the answer says {"score": 5}, but {"score": 1}', "contradictory_verdict"),
        ("Score: 2\nScore: 3", "contradictory_verdict"),
    ],
)
def test_what_cannot_be_read_is_no_score_of_0(reply: str, reason: str) -> None:
    scoring = JUDGE.score(ANSWER, Tools(ask=Model(reply)))
    assert (scoring.value, scoring.reason, scoring.details["reply"]) == (None, reason, reply)


def test_the_same_is_asked_once() -> None:
    model = Model('{"score": 5}')
    tools = Tools(ask=model)
    assert [JUDGE.score(ANSWER, tools).value for _ in range(3)] == [1.0] * 3
    assert len(model.asked) == 1
    for other in (Answer("Roma", "Rome", {"country": "Italy"}), Answer("Rome", "Roma", {"country": "Italy"})):
        JUDGE.score(other, tools)
    Judge(criteria="Is it polite?").score(ANSWER, tools)
    Judge(criteria="Is it right?", model="m").score(ANSWER, tools)
    assert len({one.identity for one in model.asked}) == len(model.asked) == 5


def test_a_verdict_that_could_not_be_read_is_asked_for_again() -> None:
    tools, model = Tools(ask=Model("?")), Model('{"score": 5}')
    assert JUDGE.score(ANSWER, tools).value is None
    assert JUDGE.score(ANSWER, Tools(ask=model, verdicts=tools.verdicts)).value == 1.0
    assert JUDGE.score(ANSWER, Tools()).reason == "no_judge"


def test_a_kept_verdict_needs_no_model() -> None:
    kept = {JUDGE.question(ANSWER).identity: '{"score": 3}'}
    assert JUDGE.score(ANSWER, Tools(verdicts=kept)).value == 0.5


def test_an_answer_that_looks_like_a_template_is_only_shown() -> None:
    assert "{{ criteria }}" in JUDGE.question(Answer("{{ criteria }}")).prompt


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"scale": (5, 1)}, r"scale \[5.0, 1.0\] does not rise"),
        ({"template": "{{ output }} {{ topic }}"}, "no value for topic; known: criteria, input"),
        ({"template": "Well?"}, "it does not show the answer"),
        ({"template": "{{ output"}, "line 1"),
        ({"parameters": {"t": float("nan")}}, "nan"),
        ({"criteria": ""}, "at least 1 character"),
        ({"criteria": None}, "None names none"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Judge(**{"criteria": "x"} | options)
