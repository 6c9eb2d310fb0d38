"""Scores of distribution functions at thresholds: by hand, against an integral and a closed form."""

import itertools

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import score_cdf
from pipeline_tests.competition.contests import NAN

Function = tuple[np.ndarray, np.ndarray]


def drawn(seed: int) -> Function:
    random = np.random.default_rng(seed)
    thresholds = np.sort(random.uniform(-3, 3, 6))
    return np.sort(random.uniform(size=6)), thresholds


@given(st.integers(0, 1000), st.floats(-5, 5))
def test_the_score_is_the_integral(seed: int, observed: float) -> None:
    function, thresholds = drawn(seed)
    if np.diff(thresholds).min() < 1e-3:
        return

    def squared(x: float) -> float:
        return (np.interp(x, thresholds, function, left=0, right=1) - (x >= observed)) ** 2

    knots = sorted({*thresholds.tolist(), observed})
    expected = sum(quad(squared, low + 1e-12, high - 1e-12)[0] for low, high in itertools.pairwise(knots))
    assert float(score_cdf(function, observed, thresholds).value) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("observed", [-1.0, 0.0, 0.3, 1.0, 2.5])
def test_a_straight_function_is_the_uniform_distribution(observed: float) -> None:
    found = score_cdf([0.0, 0.3, 1.0], observed, [0.0, 0.3, 1.0]).value
    assert float(found) == pytest.approx(float(scoringrules.crps_uniform(observed, 0.0, 1.0)))


def test_thresholds_count_without_anything_between_them() -> None:
    assert score_cdf([[0.2, 0.7]], [1.5], [1.0, 2.0]).measures["threshold_brier"][0] == pytest.approx(
        (0.2**2 + (1 - 0.7) ** 2) / 2
    )
    at_threshold = score_cdf([[0.2, 0.7]], [1.0], [1.0, 2.0]).measures["threshold_brier"]
    assert at_threshold[0] == pytest.approx(((1 - 0.2) ** 2 + (1 - 0.7) ** 2) / 2)


@given(st.integers(0, 1000))
def test_the_function_that_the_outcome_follows_scores_best(seed: int) -> None:
    """Of outcomes uniform on [0, 1] the straight function has the least mean score."""
    random = np.random.default_rng(seed)
    outcomes, thresholds = (np.arange(400) + 0.5) / 400, np.linspace(0, 1, 5)
    other = np.sort(np.clip(thresholds + random.normal(scale=0.2, size=5), 0, 1))
    means = [
        {
            name: measure.mean()
            for name, measure in score_cdf(np.tile(row, (400, 1)), outcomes, thresholds).measures.items()
        }
        for row in (thresholds, other)
    ]
    assert means[0]["crps"] <= means[1]["crps"] + 1e-6
    assert means[0]["threshold_brier"] <= means[1]["threshold_brier"] + 1e-6


def test_a_unit_scales_the_score_and_leaves_what_assumes_nothing() -> None:
    function, thresholds = drawn(1)
    one, ten = (score_cdf(function, 0.7 * unit, thresholds * unit).measures for unit in (1, 10))
    assert float(ten["crps"]) == pytest.approx(10 * float(one["crps"]))
    assert float(ten["threshold_brier"]) == pytest.approx(float(one["threshold_brier"]))


def test_what_is_no_distribution_function_has_a_reason() -> None:
    values = [[0.1, 0.9], [0.9, 0.1], [-0.1, 0.5], [0.5, 1.1], [0.5, NAN], [NAN, NAN], [0.5, 0.5]]
    scored = score_cdf(values, [1.0] * 6 + [NAN], [0.0, 2.0])
    bad = ["not_a_cdf"] * 3 + ["incomplete"] + ["no_predictions"] * 2
    assert reason_texts(scored.reason).tolist() == [None, *bad]
    np.testing.assert_array_equal(np.isnan(scored.measures["threshold_brier"]), [False] + [True] * 6)


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ([1.0, 1.0], r"thresholds are \[1\.0, 1\.0\]; give finite numbers in rising order"),
        ([0.0, np.inf], r"thresholds are \[0\.0, inf\]; give finite numbers"),
        ([0.0], r"the function has shape \(1, 2\) and there are 1 thresholds; give one per value"),
    ],
)
def test_thresholds_that_do_not_fit_are_refused(thresholds: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_cdf([[0.1, 0.9]], [1.0], thresholds)
