"""Reasons: undefined is NaN with a code, never one without the other."""

import numpy as np
import pytest

from pipeline.competition.reasons import REASONS, error_code, reason_code, reason_codes, reason_texts, undefined
from pipeline_tests.competition.contests import NAN


def test_the_first_cause_wins() -> None:
    value, reason = undefined(
        np.array([1.0, 2.0, 3.0]),
        (np.array([True, False, False]), "too_few_pairs"),
        (np.array([True, True, False]), "constant_input"),
    )
    np.testing.assert_array_equal(value, [NAN, NAN, 3.0])
    assert [REASONS[code] for code in reason] == ["too_few_pairs", "constant_input", None]


@pytest.mark.parametrize("value", [NAN, np.inf, -np.inf])
def test_what_is_not_finite_without_a_cause_is_an_error(value: float) -> None:
    found, reason = undefined(np.array([value, 1.0]))
    np.testing.assert_array_equal(found, [NAN, 1.0])
    assert [REASONS[code] for code in reason] == ["error", None]


def test_an_unknown_reason_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown reason 'bored'; known: too_few_pairs, .*error, .*; add it"):
        undefined(np.array([1.0]), (np.array([True]), "bored"))


def test_zero_is_none_and_every_reason_has_its_code() -> None:
    assert REASONS[0] is None
    assert [reason_code(name) for name in REASONS if name is not None] == list(range(1, len(REASONS)))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ZeroDivisionError("division by zero"), "error: ZeroDivisionError: division by zero"),
        (KeyError("x"), "error: KeyError: 'x'"),
        (ValueError(), "error: ValueError"),
        (ValueError("two\n lines"), "error: ValueError: two lines"),
        (ValueError("x" * 500), "error: ValueError: " + "x" * 180 + "…"),
    ],
)
def test_what_was_raised_has_a_code_of_its_own_and_keeps_its_text(error: Exception, text: str) -> None:
    code = error_code(error)
    assert code >= len(REASONS)
    assert error_code(error) == code
    assert reason_texts([[code, 0]]).tolist() == [[text, None]]
    assert len(text) <= 200


def test_texts_of_tables_get_their_codes_back() -> None:
    texts = [None, "no_scores", "error: of another process", None, "error: of another process"]
    codes = reason_codes(texts)
    assert codes[:2].tolist() == [0, reason_code("no_scores")]
    assert codes[2] == codes[4] >= len(REASONS)
    assert reason_texts(codes).tolist() == texts
    assert reason_texts(reason_codes(REASONS)).tolist() == list(REASONS)
