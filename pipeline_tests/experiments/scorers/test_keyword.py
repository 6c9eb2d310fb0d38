"""Keywords that an output has, or should not have."""

from typing import Any

import pytest

from pipeline.experiments.scorers import Answer, Tools, make_scorer


@pytest.mark.parametrize(
    ("output", "options", "expected"),
    [
        ("A cat and a dog", {"all_of": ["cat", "dog"]}, 1.0),
        ("A cat", {"all_of": ["cat", "dog"]}, 0.5),
        ("A cat", {"all_of": "cat"}, 1.0),
        ("A CAT", {"all_of": ["cat"], "ignore_case": False}, 0.0),
        ("party", {"all_of": ["art"]}, 0.0),
        ("party", {"all_of": ["art"], "whole_words": False}, 1.0),
        ("C++ is fine", {"all_of": ["C++"]}, 1.0),
        ("the  big\ncat", {"all_of": ["big cat"]}, 1.0),
        ("b", {"any_of": ["a", "b"]}, 1.0),
        ("c", {"any_of": ["a", "b"]}, 0.0),
        ("x b", {"all_of": ["x", "y"], "any_of": ["a", "b"]}, 2 / 3),
        ("I cannot", {"none_of": ["cannot"]}, 0.0),
        ("I can", {"none_of": ["cannot"]}, 1.0),
        ("cat, sorry", {"all_of": ["cat"], "none_of": ["sorry"]}, 0.0),
        ("Paris", {"from_reference": True}, 1.0),
        ("Paris", {"from_reference": True, "all_of": ["France"]}, 0.5),
    ],
)
def test_words_are_found(output: str, options: dict[str, Any], expected: float) -> None:
    scoring = make_scorer("keyword", options).score(Answer(output, "Paris"), Tools())
    assert scoring.value == pytest.approx(expected)


def test_which_words_are_missing_or_forbidden_is_told() -> None:
    scorer = make_scorer("keyword", {"all_of": ["a", "b"], "none_of": ["c", "d"]})
    assert scorer.score(Answer("a c"), Tools()).details == {"missing": ["b"], "forbidden": ["c"], "any_of": []}


def test_an_input_without_reference_has_no_keywords_of_its_own() -> None:
    scorer = make_scorer("keyword", {"from_reference": True, "all_of": ["a"]})
    assert scorer.score(Answer("a"), Tools()).reason == "no_reference"


@pytest.mark.parametrize(
    ("options", "told"),
    [({}, "no words; give all_of"), ({"all_of": [" "]}, "' ' is no word"), ({"any_of": [""]}, "at least 1 character")],
)
def test_no_words_are_a_mistake(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_scorer("keyword", options)
