"""Scores of probabilities of categories: by hand, against scoringrules, and that the truth scores best."""

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st

from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import expected_calibration_error, score_pmf
from pipeline_tests.competition.contests import NAN

QUADRATIC = ("rps", "mean_rps", "brier")


def test_scores_by_hand() -> None:
    scored = score_pmf([[0.2, 0.5, 0.3]], [0])
    expected = {
        "rps": (0.2 - 1) ** 2 + (0.7 - 1) ** 2,
        "mean_rps": ((0.2 - 1) ** 2 + (0.7 - 1) ** 2) / 3,
        "brier": (0.2 - 1) ** 2 + 0.5**2 + 0.3**2,
        "log_score": -np.log(0.2),
        "accuracy": 0.0,
        "confidence": 0.5,
    }
    assert {name: float(measure[0]) for name, measure in scored.measures.items()} == pytest.approx(expected)
    assert scored.value[0] == scored.measures["rps"][0]


def test_a_sure_forecast_is_perfect_or_as_bad_as_can_be() -> None:
    scored = score_pmf([[0, 0, 1], [1, 0, 0]], [2, 2])
    assert scored.measures["rps"].tolist() == [0, 2]
    assert scored.measures["brier"].tolist() == [0, 2]
    assert scored.measures["log_score"].tolist() == pytest.approx([0, 10])
    assert scored.measures["accuracy"].tolist() == [1, 0]


def test_the_uniform_forecast_of_quintiles_scores_what_the_m6_competition_says() -> None:
    scored = score_pmf(np.full((100, 5), 0.2), np.repeat(np.arange(5), 20))
    assert scored.measures["mean_rps"].mean() == pytest.approx(0.16)


def test_of_equally_likely_categories_the_first_counts() -> None:
    assert score_pmf([[0.4, 0.4, 0.2]] * 2, [0, 1]).measures["accuracy"].tolist() == [1, 0]


@given(st.integers(0, 10_000), st.integers(2, 8))
def test_scores_are_those_of_scoringrules(seed: int, categories: int) -> None:
    random = np.random.default_rng(seed)
    values, observed = random.dirichlet(np.ones(categories), 20), random.integers(0, categories, 20)
    scored = score_pmf(values, observed)
    np.testing.assert_allclose(scored.value, scoringrules.rps_score(observed + 1, values), rtol=1e-10, atol=1e-13)
    happened = (observed[:, None] == np.arange(categories)).astype(float)
    brier = scoringrules.brier_score(happened, values).sum(axis=1)
    np.testing.assert_allclose(scored.measures["brier"], brier, rtol=1e-10, atol=1e-13)
    of_occurred = values[np.arange(20), observed]
    log_score = np.minimum(scoringrules.log_score(np.ones(20), of_occurred), 10)
    np.testing.assert_allclose(scored.measures["log_score"], log_score, rtol=1e-10, atol=1e-13)


@given(st.integers(0, 10_000))
def test_the_true_probabilities_score_best_in_expectation(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, other = random.dirichlet(np.ones(4)), random.dirichlet(np.ones(4))
    if truth.min() < 1e-3:  # where the log score is bounded, it is not proper
        truth = (truth + 0.01) / 1.04
    outcomes = np.arange(4)
    best, worse = (score_pmf(np.tile(row, (4, 1)), outcomes).measures for row in (truth, other))
    for name in (*QUADRATIC, "log_score"):
        expected = truth @ best[name]
        if name == "log_score" and other.min() < np.exp(-10):
            continue
        assert expected <= truth @ worse[name] + 1e-12


@given(st.integers(0, 10_000), st.permutations(range(4)))
def test_unordered_scores_do_not_depend_on_the_order_of_categories(seed: int, order: list[int]) -> None:
    random = np.random.default_rng(seed)
    values, observed = random.dirichlet(np.ones(4), 10), random.integers(0, 4, 10)
    scored = score_pmf(values, observed).measures
    permuted = score_pmf(values[:, order], np.argsort(order)[observed]).measures
    for name in ("brier", "log_score", "accuracy", "confidence"):
        np.testing.assert_allclose(permuted[name], scored[name], rtol=1e-12, atol=1e-14)


def test_what_is_no_distribution_has_a_reason() -> None:
    scored = score_pmf(
        [[0.5, 0.5], [0.5, 0.6], [0.5, NAN], [NAN, NAN], [0.5, 0.5], [0.5, 0.5 + 5e-7]], [0, 0, 0, 0, NAN, 0]
    )
    assert reason_texts(scored.reason).tolist() == [
        None,
        "not_a_pmf",
        "incomplete",
        "no_predictions",
        "no_predictions",
        None,
    ]
    for measure in scored.measures.values():
        np.testing.assert_array_equal(np.isnan(measure), [False, True, True, True, True, False])


def test_a_probability_out_of_range_costs_the_log_score_only() -> None:
    scored = score_pmf([[1.2, -0.2]], [0])
    assert reason_texts(scored.by("log_score", "not_a_pmf").reason).tolist() == ["not_a_pmf"]
    assert np.isnan(scored.by("log_score", "not_a_pmf").value).all()
    assert scored.measures["brier"].tolist() == pytest.approx([0.08])
    assert scored.measures["rps"].tolist() == pytest.approx([0.04])


@pytest.mark.parametrize("outcome", [-1.0, 2.0, 0.5])
def test_an_outcome_that_is_no_category_is_refused(outcome: float) -> None:
    with pytest.raises(ValueError, match=rf"an outcome is {outcome:g}; give the place of the category .* from 0 to 1"):
        score_pmf([[0.5, 0.5]], [outcome])


def test_calibration_error_by_hand() -> None:
    """Bins (0, 0.2], ..., (0.8, 1]: |0.4 - 1| x 1/4 + |(0.5 + 0.6) / 2 - 0| x 2/4 + |1 - 1| x 1/4."""
    assert expected_calibration_error([0.4, 0.5, 0.6, 1.0], [1, 0, 0, 1]) == pytest.approx(0.15 + 0.275)


def test_confidence_at_the_edge_of_a_bin_is_below_it_and_what_is_above_1_counts_as_1() -> None:
    assert expected_calibration_error([0.4, 0.3], [1, 0]) == pytest.approx(abs(0.7 - 1) / 2)
    assert expected_calibration_error([0.4, 0.5], [1, 0]) == pytest.approx((0.6 + 0.5) / 2)
    assert expected_calibration_error([1.2], [1]) == 0


def test_calibration_error_is_per_row_and_passes_over_what_is_absent() -> None:
    found = expected_calibration_error([[0.4, NAN, 0.9], [NAN] * 3], [[1, 1, NAN], [1] * 3])
    np.testing.assert_allclose(found, [0.6, NAN])


@given(st.integers(0, 10_000))
def test_the_order_of_forecasts_does_not_change_the_calibration_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    confidence, accuracy = random.uniform(size=40), random.integers(0, 2, 40)
    order = random.permutation(40)
    found = expected_calibration_error(confidence, accuracy)
    assert 0 <= found <= 1
    assert expected_calibration_error(confidence[order], accuracy[order]) == pytest.approx(float(found), abs=1e-15)


def test_calibration_of_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confidence has shape \(2,\) and accuracy \(1,\); give both"):
        expected_calibration_error([0.5, 0.5], [1])
    with pytest.raises(ValueError, match="bins is 0; give 1 or more"):
        expected_calibration_error([0.5], [1], bins=0)
