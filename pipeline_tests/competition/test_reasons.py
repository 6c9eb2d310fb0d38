"""Reasons: undefined is NaN with a code, never one without the other."""

import numpy as np
import pytest

from pipeline.competition.reasons import REASONS, reason_code, undefined
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


def test_codes_fit_the_array_type_and_zero_is_none() -> None:
    assert REASONS[0] is None
    assert len(REASONS) <= np.iinfo(np.int8).max
    assert [reason_code(name) for name in REASONS if name is not None] == list(range(1, len(REASONS)))
