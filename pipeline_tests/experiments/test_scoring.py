"""Scoring runs: every scorer once, and again only where something changed."""

from typing import ClassVar

import pytest

from pipeline.experiments import RunScore, score_runs
from pipeline.experiments.scorers import Answer, Scorer, Scoring, Tools
from pipeline.settings import settings
from pipeline_tests.experiments.declared import experiment

ANSWERS = [("r1", Answer("Paris", "Paris")), ("r2", Answer("Rome", "Paris"))]


class Failing(Scorer):
    """A scorer that fails."""

    name: ClassVar[str] = "failing"
    version: ClassVar[str] = "1"

    def score(self, answer: Answer, tools: Tools) -> Scoring:
        """Fail."""
        raise ZeroDivisionError("by zero")


class Unwritable(Scorer):
    """A scorer whose details are no JSON."""

    name: ClassVar[str] = "unwritable"
    version: ClassVar[str] = "1"

    def score(self, answer: Answer, tools: Tools) -> Scoring:
        """Say something that cannot be written."""
        return Scoring(1.0, {"ratio": float("nan")})


@pytest.fixture
def own_scorers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
    settings.cache_clear()
    yield "pipeline_tests.experiments.test_scoring"
    settings.cache_clear()


def known(scores: list[RunScore]) -> set[tuple[str, str, str]]:
    return {(one.run_id, one.scorer, one.identity) for one in scores if one.identity is not None}


def test_every_scorer_scores_every_run_under_its_declared_name() -> None:
    declared = experiment(
        scorers={"exact": {}, "close": {"scorer": "fuzzy"}, "human": {}, "theirs": {"scorer": "imported"}}
    )
    found = list(score_runs(declared, ANSWERS))
    assert [(one.run_id, one.scorer, one.scoring.value) for one in found] == [
        ("r1", "exact", 1.0),
        ("r1", "close", 1.0),
        ("r2", "exact", 0.0),
        ("r2", "close", pytest.approx(0.0)),
    ]
    assert {one.kind for one in found} == {"auto"}


def test_what_is_scored_is_not_scored_again_unless_something_changed() -> None:
    declared = experiment(scorers=["exact", "fuzzy"])
    there = known(list(score_runs(declared, ANSWERS)))
    assert list(score_runs(declared, ANSWERS, there)) == []
    changed = experiment(scorers={"exact": {"options": {"ignore_case": False}}, "fuzzy": {}})
    assert [(one.run_id, one.scorer) for one in score_runs(changed, ANSWERS, there)] == [
        ("r1", "exact"),
        ("r2", "exact"),
    ]
    corrected = [("r1", Answer("Paris", ["Paris", "Lutetia"])), ANSWERS[1]]
    assert {one.run_id for one in score_runs(declared, corrected, there)} == {"r1"}


def test_a_scorer_that_fails_is_a_reason_and_is_tried_again(own_scorers: str) -> None:
    declared = experiment(scorers={"mine": {"scorer": f"{own_scorers}.Failing"}, "exact": {}})
    found = list(score_runs(declared, ANSWERS[:1]))
    assert [(one.scorer, one.scoring.value, one.scoring.reason) for one in found] == [
        ("mine", None, "scorer_failed"),
        ("exact", 1.0, None),
    ]
    assert found[0].scoring.details == {"error": "ZeroDivisionError: by zero"}
    assert [one.scorer for one in score_runs(declared, ANSWERS[:1], known(found))] == ["mine"]


def test_a_scorer_whose_details_are_no_json_has_failed(own_scorers: str) -> None:
    declared = experiment(scorers={"mine": {"scorer": f"{own_scorers}.Unwritable"}})
    (found,) = score_runs(declared, ANSWERS[:1])
    assert (found.scoring.value, found.scoring.reason, found.identity) == (None, "scorer_failed", None)
    assert "the value.ratio is nan" in found.scoring.details["error"]


def test_what_an_input_lacks_is_told_once() -> None:
    declared, answers = experiment(scorers=["exact"]), [("r1", Answer("Paris"))]
    (found,) = score_runs(declared, answers)
    assert found.scoring.reason == "no_reference"
    assert list(score_runs(declared, answers, known([found]))) == []


def test_a_judge_that_cannot_be_reached_is_asked_again_and_one_that_answered_is_not() -> None:
    declared = experiment(scorers={"judge": {"options": {"criteria": "Is it right?"}}})

    def down(question):
        raise ConnectionError("no route")

    for tools in (Tools(), Tools(ask=down)):
        (found,) = score_runs(declared, ANSWERS[:1], tools=tools)
        assert (found.scoring.value, found.identity, found.kind) == (None, None, "judge")
    (unread,) = score_runs(declared, ANSWERS[:1], tools=Tools(ask=lambda question: "Hm."))
    assert unread.scoring.reason == "unreadable_verdict"
    assert list(score_runs(declared, ANSWERS[:1], known([unread]))) == []
    (found,) = score_runs(declared, ANSWERS[:1], tools=Tools(ask=lambda question: '{"score": 5}'))
    assert found.scoring.value == 1.0
    assert list(score_runs(declared, ANSWERS[:1], known([found]))) == []
