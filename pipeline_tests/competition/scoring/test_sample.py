"""Scores of samples: by hand, against scoringrules, fair and not."""

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st

from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import energy_score, score_samples
from pipeline.competition.scoring.scored import CELLS_AT_ONCE
from pipeline_tests.competition.contests import NAN


def test_scores_by_hand() -> None:
    """Distances 2, 1, 3; differences of pairs 1, 5, 4: 2 - 20 / 18, and 2 - 20 / 12."""
    measures = score_samples([[1, 2, 6]], [3]).measures
    expected = {"crps": 2 - 20 / 18, "fair_crps": 2 - 20 / 12, "ae_median": 1.0, "se_mean": 0.0}
    assert {name: float(measure[0]) for name, measure in measures.items()} == pytest.approx(expected)


@given(st.integers(0, 10_000), st.integers(2, 40))
def test_scores_are_those_of_scoringrules(seed: int, m: int) -> None:
    random = np.random.default_rng(seed)
    values, observed = np.round(random.normal(size=(10, m)), 1), random.normal(size=10)
    measures = score_samples(values, observed).measures
    for name, estimator in (("crps", "nrg"), ("fair_crps", "fair")):
        expected = scoringrules.crps_ensemble(observed, values, estimator=estimator)
        np.testing.assert_allclose(measures[name], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(measures["ae_median"], np.abs(np.median(values, axis=1) - observed), atol=1e-14)
    np.testing.assert_allclose(measures["se_mean"], (values.mean(axis=1) - observed) ** 2, atol=1e-13)


@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-100, 100))
def test_order_does_not_matter_a_unit_scales_and_a_shift_changes_nothing(seed: int, unit: float, shift: float) -> None:
    random = np.random.default_rng(seed)
    values, observed = random.normal(size=(5, 12)), random.normal(size=5)
    measures = score_samples(values, observed).measures
    shuffled = score_samples(random.permuted(values, axis=1), observed).measures
    moved = score_samples(unit * (values + shift), unit * (observed + shift)).measures
    for name in ("crps", "fair_crps"):
        np.testing.assert_allclose(shuffled[name], measures[name], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(moved[name], unit * measures[name], rtol=1e-8, atol=1e-10 * unit)


@given(st.integers(0, 10_000))
def test_the_samples_that_the_outcome_is_drawn_from_score_best(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, other = random.normal(size=15), random.normal(random.normal(), random.uniform(0.5, 2), size=15)
    best, worse = (score_samples(np.tile(row, (15, 1)), truth).value.mean() for row in (truth, other))
    assert best <= worse + 1e-12


def test_the_fair_score_does_not_depend_on_the_number_of_samples_and_the_other_does() -> None:
    random = np.random.default_rng(1)
    truth = scoringrules.crps_normal(0.5, 0.0, 1.0)
    for m in (2, 5, 50):
        measures = score_samples(random.normal(size=(200_000 // m, m)), 0.5).measures
        fair = measures["fair_crps"]
        assert abs(fair.mean() - truth) < 4 * fair.std() / np.sqrt(fair.size)
        # E|X - X'| = 2 / sqrt(pi) for standard normals, and the score takes off less than half of it.
        bias = 1 / np.sqrt(np.pi) / m
        assert measures["crps"].mean() == pytest.approx(truth + bias, abs=4 * fair.std() / np.sqrt(fair.size))


def test_rows_may_have_fewer_samples_than_others() -> None:
    values = np.array([[1, 2, 6, 9], [NAN, 1, 6, 2], [4, NAN, NAN, NAN], [NAN] * 4, [1, 2, 3, 4]])
    scored = score_samples(values, [3, 3, 3, 3, NAN])
    assert reason_texts(scored.reason).tolist() == [None, None, None, "no_predictions", "no_predictions"]
    alone = score_samples([[1, 2, 6]], [3]).measures
    for name, measure in scored.measures.items():
        assert measure[1] == pytest.approx(alone[name][0])
    assert [float(measure[2]) for measure in scored.measures.values()] == pytest.approx([1, NAN, 1, 1], nan_ok=True)
    fair = scored.by("fair_crps", "too_few_samples")
    assert reason_texts(fair.reason).tolist() == [None, None, "too_few_samples", "no_predictions", "no_predictions"]


@pytest.mark.parametrize(("fair", "estimator"), [(False, "nrg"), (True, "fair")])
def test_energy_scores_are_those_of_scoringrules(fair: bool, estimator: str) -> None:
    random = np.random.default_rng(2)
    rows = 2 * CELLS_AT_ONCE // (12 * 3) + 5
    values, observed = random.normal(size=(rows, 12, 3)), random.normal(size=(rows, 3))
    expected = scoringrules.energy_score(observed, values, estimator=estimator)
    np.testing.assert_allclose(energy_score(values, observed, fair=fair).value, expected, rtol=1e-10)


def test_the_energy_score_of_one_dimension_is_the_crps() -> None:
    random = np.random.default_rng(3)
    values, observed = random.normal(size=(4, 5, 7)), random.normal(size=(4, 5))
    of_paths = energy_score(values[..., None], observed[..., None])
    assert of_paths.value.shape == (4, 5)
    np.testing.assert_allclose(of_paths.value, score_samples(values, observed).value, rtol=1e-10)


def test_an_energy_score_by_hand() -> None:
    """Samples (0, 0) and (3, 4), outcome (0, 0): mean distance 2.5, one pair 5 apart."""
    values, observed = [[[0.0, 0.0], [3.0, 4.0]]], [[0.0, 0.0]]
    assert energy_score(values, observed).value.tolist() == [2.5 - 1.25]
    assert energy_score(values, observed, fair=True).value.tolist() == [0.0]


def test_samples_and_outcomes_without_all_dimensions_have_a_reason() -> None:
    samples = np.array([[0.0, 0.0], [3.0, 4.0]])
    values = np.stack([samples, samples, samples, samples, samples])
    values[1, 0] = NAN  # one sample less
    values[2, 0, 0] = NAN
    values[3] = NAN
    observed = np.zeros((5, 2))
    observed[4, 1] = NAN
    scored = energy_score(values, observed)
    assert reason_texts(scored.reason).tolist() == [None, None, "incomplete", "no_predictions", "incomplete"]
    np.testing.assert_array_equal(scored.value, [1.25, 5.0, NAN, NAN, NAN])
    fair = energy_score(values, observed, fair=True)
    assert reason_texts(fair.reason)[1] == "too_few_samples"


def test_an_outcome_nobody_knows_has_no_energy_score() -> None:
    scored = energy_score(np.zeros((1, 2, 3)), [[NAN] * 3])
    assert reason_texts(scored.reason).tolist() == ["no_predictions"]


def test_outcomes_of_other_dimensions_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"samples have shape \(1, 2, 3\) and outcomes \(1, 2\); give \(\.\.\., samples"
    ):
        energy_score(np.zeros((1, 2, 3)), np.zeros((1, 2)))


def test_distributions_without_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"distributions have shape \(2, 0\); give at least one number of each: shape"):
        score_samples(np.empty((2, 0)), [1.0, 2.0])
