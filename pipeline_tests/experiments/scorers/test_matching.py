"""Exact, fuzzy and embedding matches."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.scorers import Answer, Tools, character_ngrams, make_scorer


def value(scorer: str, output: str, reference: object, **options: Any) -> float | None:
    return make_scorer(scorer, options).score(Answer(output, reference), Tools()).value


@pytest.mark.parametrize(
    ("output", "reference", "options", "expected"),
    [
        ("Paris", "Paris", {}, 1.0),
        (" paris\n", "Paris", {}, 1.0),
        ("paris", "Paris", {"ignore_case": False}, 0.0),
        ("Paris.", "Paris", {}, 0.0),
        ("Paris.", "Paris", {"ignore_punctuation": True}, 1.0),
        ("Lutetia", ["Paris", "Lutetia"], {}, 1.0),
        ("42", 42, {}, 1.0),
        ("", "", {}, 1.0),
        ("cafe\u0301", "café", {}, 1.0),
    ],
)
def test_exact_matches(output: str, reference: object, options: dict[str, Any], expected: float) -> None:
    assert value("exact", output, reference, **options) == expected


def levenshtein(a: str, b: str) -> int:
    """The textbook's recursion by rows."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


@given(st.text("abc", min_size=1, max_size=8), st.text("abc", min_size=1, max_size=8))
def test_a_fuzzy_match_is_1_less_edits_per_letter(output: str, reference: str) -> None:
    expected = 1 - levenshtein(output, reference) / max(len(output), len(reference))
    assert value("fuzzy", output, reference) == pytest.approx(expected)


def test_ways_to_be_alike() -> None:
    assert value("fuzzy", "kitten", "sitting") == pytest.approx(4 / 7)
    assert value("fuzzy", "the answer is Paris", "Paris", method="partial") == 1.0
    assert value("fuzzy", "b a", "a b", method="token_sort") == 1.0
    assert value("fuzzy", "a a b", "a b", method="token_set") == 1.0
    assert value("fuzzy", "ab", "abcd", method="ratio") == pytest.approx(2 * 2 / 6)
    assert value("fuzzy", "Rome", ["Paris", "Roma"]) == 0.75
    with pytest.raises(ValueError, match="method: Input should be 'levenshtein'"):
        make_scorer("fuzzy", {"method": "jaro"})


def test_the_cosine_of_what_a_function_embeds_is_the_score() -> None:
    vectors = {"out": [3.0, 4.0], "near": [4.0, 3.0], "far": [-3.0, -4.0]}
    tools = Tools(embed=lambda texts: np.array([vectors[one] for one in texts]))
    scorer = make_scorer("embedding")
    assert scorer.score(Answer("out", ["far", "near"]), tools).value == pytest.approx(24 / 25)
    opposite = scorer.score(Answer("out", "far"), tools)
    assert (opposite.value, opposite.details["cosine"]) == (0.0, pytest.approx(-1.0))


@pytest.mark.parametrize(
    ("embed", "reason"),
    [
        (None, "no_embedder"),
        (lambda texts: [[1.0]], "bad_embedding"),
        (lambda texts: [1.0, 2.0], "bad_embedding"),
        (lambda texts: [[np.nan], [1.0]], "bad_embedding"),
        (lambda texts: [[0.0], [1.0]], "bad_embedding"),
        (lambda texts: [[1.0], [0.0]], "bad_embedding"),
    ],
)
def test_what_cannot_be_embedded_is_no_score_of_0(embed, reason: str) -> None:
    assert make_scorer("embedding").score(Answer("a", "b"), Tools(embed=embed)).reason == reason


def test_an_embedder_may_be_declared() -> None:
    path = "pipeline.experiments.scorers.character_ngrams"
    for embedder in ("character_ngrams", path):
        assert value("embedding", "the capital is Paris", "Paris is the capital", embedder=embedder) > 0.7
        assert value("embedding", "xyzw", "Paris", embedder=embedder) == 0.0
    for wrong, told in (
        ("nowhere", "outside the packages"),
        ("pipeline.experiments.RUNS", "is a str; name a function"),
    ):
        with pytest.raises(ValueError, match=told):
            make_scorer("embedding", {"embedder": wrong})


def test_letters_in_common_are_counted_whatever_their_case() -> None:
    same, other = character_ngrams(["Rome", "rome"]), character_ngrams(["Lisbon"])
    np.testing.assert_array_equal(same[0], same[1])
    assert same[0].sum() == 4 + 3 + 2
    assert same[0] @ other[0] == 0


@pytest.mark.parametrize(
    ("method", "n_output", "n_reference"),
    [("levenshtein", 101_000, 100_000), ("token_set", 100_000, 101_000), ("partial", 2_001, 2_001)],
)
def test_texts_that_would_take_minutes_to_compare_have_no_score(method: str, n_output: int, n_reference: int) -> None:
    answer = Answer("a" * n_output, "b" * n_reference)
    scoring = make_scorer("fuzzy", {"method": method}).score(answer, Tools())
    assert (scoring.value, scoring.reason) == (None, "too_long")


def test_a_part_is_sought_in_a_long_text() -> None:
    scoring = make_scorer("fuzzy", {"method": "partial"}).score(Answer("b" * 50_000 + "abc", "abc"), Tools())
    assert scoring.value == 1.0
