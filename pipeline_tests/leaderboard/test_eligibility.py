"""Who may be ranked."""

import numpy as np
import pytest

from pipeline.leaderboard import eligibility


@pytest.mark.parametrize(
    ("coverage", "n", "inactive", "reason"),
    [
        (1.0, 50, False, None),
        (0.75, 10, False, None),
        (0.52, 50, False, "low_coverage"),
        (np.nan, 50, False, "low_coverage"),
        (1.0, 9, False, "too_few_predictions"),
        (0.1, 9, False, "too_few_predictions"),
        (1.0, 50, True, "inactive"),
        (0.1, 0, True, "inactive"),
    ],
)
def test_the_first_reason_that_applies_is_given(coverage: float, n: int, inactive: bool, reason: str | None) -> None:
    reasons = eligibility([coverage], [n], min_coverage=0.75, min_predictions=10, inactive=[inactive])
    assert reasons.tolist() == [reason]


def test_without_minimums_everyone_is_eligible() -> None:
    assert eligibility([0.0, np.nan], [0, 3]).tolist() == [None, None]


def test_a_share_that_equals_the_minimum_meets_it_whatever_its_denominator() -> None:
    for denominator in range(1, 200):
        coverage = np.arange(denominator + 1) / denominator
        for numerator, minimum in enumerate(coverage):
            reasons = eligibility(coverage, np.ones(denominator + 1), min_coverage=float(minimum))
            assert reasons[numerator] is None


@pytest.mark.parametrize("minimum", [-0.1, 1.1, 75, float("nan")])
def test_a_minimum_coverage_that_is_no_share_is_refused(minimum: float) -> None:
    with pytest.raises(ValueError, match=r"min_coverage is .* give a number from 0 to 1"):
        eligibility([1.0], [1], min_coverage=minimum)


def test_a_negative_minimum_of_predictions_is_refused() -> None:
    with pytest.raises(ValueError, match="min_predictions is -1; give 0"):
        eligibility([1.0], [1], min_predictions=-1)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"n has shape \(2,\), expected \(1,\)"):
        eligibility([1.0], [1, 2])
    with pytest.raises(ValueError, match=r"inactive has shape \(2,\), expected \(1,\)"):
        eligibility([1.0], [1], inactive=[True, False])
