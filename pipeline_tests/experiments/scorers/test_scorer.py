"""What every scorer holds to: a value or a reason, and an identity of what was scored."""

import pytest

from pipeline.experiments.scorers import SCORERS, Answer, Scoring, Tools, make_scorer, plain

OPTIONS = {"keyword": {"all_of": ["x"]}, "format": {"is_json": True}, "judge": {"criteria": "Is it right?"}}


@pytest.mark.parametrize("name", SCORERS.available())
def test_nothing_that_came_back_is_no_score_of_0(name: str) -> None:
    scoring = make_scorer(name, OPTIONS.get(name)).score(Answer(None, "x"), Tools())
    assert scoring.value is None
    assert scoring.reason in ("no_output", "awaits_rating", "awaits_import")


@pytest.mark.parametrize("name", ["exact", "fuzzy", "embedding"])
def test_nothing_to_compare_with_is_no_score_of_0(name: str) -> None:
    assert make_scorer(name).score(Answer("x"), Tools()).reason == "no_reference"


@pytest.mark.parametrize(
    ("value", "reason", "told"),
    [
        (None, None, "a value or a reason why not, one of them"),
        (0.5, "no_output", "a value or a reason why not, one of them"),
        (1.5, None, "a score of 1.5; it goes from 0"),
        (-0.1, None, "a score of -0.1"),
        (float("nan"), None, "a score of nan"),
    ],
)
def test_a_score_is_a_share_or_has_a_reason(value: float | None, reason: str | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Scoring(value, {}, reason)


def test_what_changes_a_score_changes_its_identity() -> None:
    scorer, answer = make_scorer("exact"), Answer("x", ["a", "b"], {"q": 1})
    same = make_scorer("exact", {"ignore_case": True}).identity(Answer("x", ("a", "b"), {"q": 1.0}))
    assert scorer.identity(answer) == same
    others = {
        make_scorer("exact", {"ignore_case": False}).identity(answer),
        make_scorer("fuzzy").identity(answer),
        scorer.identity(Answer("y", ["a", "b"], {"q": 1})),
        scorer.identity(Answer("x", ["a"], {"q": 1})),
        scorer.identity(Answer("x", ["a", "b"], {"q": 2})),
        scorer.identity(Answer(None, ["a", "b"], {"q": 1})),
    }
    assert len(others | {same}) == 7


def test_texts_are_compared_in_one_form_with_one_space_and_in_one_case() -> None:
    assert plain(" A\u0301  b\n\tSTRASSE ") == plain("á B straße")
    assert plain("A b", ignore_case=False) == "A b"


def test_references_that_are_no_texts_are_taken_as_written() -> None:
    assert Answer("", [1, True, None, 2.5, "x"]).references == ("1", "true", "2.5", "x")
