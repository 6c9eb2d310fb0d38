"""Rank correlation and long-short return, against scipy and by hand."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.competition.metrics import SectionMetric, information_coefficient, mean_return
from pipeline.competition.reasons import REASONS
from pipeline.competition.scoring import rank_product
from pipeline_tests.competition.contests import NAN, panel, random_panel

OUTCOMES = [[0.01, -0.02, 0.03, 0.0, 0.05]]


def reasons(metric: SectionMetric) -> list[str | None]:
    return [REASONS[code] for code in metric.reason.ravel()]


@pytest.mark.parametrize("seed", range(8))
def test_ic_is_scipys_spearman_with_the_same_gaps(seed: int) -> None:
    given_panel = random_panel(seed)
    found = information_coefficient(given_panel)
    for section, model in np.ndindex(found.value.shape):
        paired = given_panel.paired[section, model]
        needed = max(5, -(-int(given_panel.n_outcomes[section]) // 2))
        with warnings.catch_warnings(action="ignore"):
            expected = stats.spearmanr(
                given_panel.signals[section, model, paired], given_panel.outcomes[section, paired]
            ).statistic
        if paired.sum() < needed:
            expected = NAN
        np.testing.assert_allclose(found.value[section, model], expected, rtol=0, atol=1e-12)
        assert found.n[section, model] == paired.sum()


@pytest.mark.parametrize("seed", range(4))
def test_ic_is_the_mean_of_the_rank_products(seed: int) -> None:
    given_panel = random_panel(seed)
    ic, scored = information_coefficient(given_panel).value, rank_product(given_panel).value
    np.testing.assert_array_equal(np.isnan(scored), ~given_panel.paired | np.isnan(ic)[:, :, None])
    mean = np.nansum(scored, axis=2) / given_panel.n_pairs
    np.testing.assert_allclose(mean[~np.isnan(ic)], ic[~np.isnan(ic)], atol=1e-12)


@pytest.mark.parametrize("metric", [information_coefficient, mean_return])
@pytest.mark.parametrize(
    ("signals", "outcomes", "reason"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], None),
        ([1, 2, 3, 4, NAN], [1, 2, 3, 4, 5], "too_few_pairs"),
        ([1, 2, 3, 4, 5], [1, 2, NAN, 4, 5], "too_few_pairs"),
        ([NAN] * 5, [1, 2, 3, 4, 5], "too_few_pairs"),
        ([1, 2, 3, 4, 5], [NAN] * 5, "too_few_pairs"),
        ([0.1] * 5, [1, 2, 3, 4, 5], "constant_input"),
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.9], [1, 2, 3, 4, 5, NAN], "constant_input"),
    ],
)
def test_undefined_has_its_reason(metric, signals: list[float], outcomes: list[float], reason: str | None) -> None:
    found = metric(panel([[signals]], [outcomes]))
    assert reasons(found) == [reason]
    assert np.isnan(found.value[0, 0]) == (reason is not None)


def test_ic_of_equal_outcomes_is_undefined_and_the_return_is_not() -> None:
    flat = panel([[[1, 2, 3, 4, 5]]], [[2.0] * 5])
    assert reasons(information_coefficient(flat)) == ["constant_input"]
    assert reasons(mean_return(flat)) == [None]
    np.testing.assert_allclose(mean_return(flat).value, 0.0, atol=1e-15)


def test_mean_return_by_hand() -> None:
    # s - mean = -2, -1, 0, 1, 2; gross 6; -2(0.01) + 0.02 + 0 + 0 + 2(0.05) = 0.10
    found = mean_return(panel([[[1, 2, 3, 4, 5]]], OUTCOMES))
    np.testing.assert_allclose(found.value, [[0.10 / 6]], rtol=1e-14)
    assert found.n.tolist() == [[5]]


def test_mean_return_leaves_out_subjects_without_both() -> None:
    whole = mean_return(panel([[[1, 2, 3, 4, 5]]], OUTCOMES, min_subjects=2))
    padded = panel([[[1, 2, 3, 4, 5, 99, NAN]]], [[*OUTCOMES[0], NAN, 0.5]], min_subjects=2)
    np.testing.assert_allclose(mean_return(padded).value, whole.value, rtol=1e-14)


@pytest.mark.parametrize(
    ("horizon", "horizon_cycles", "cycles"),
    [(1, 1.0, 1), (4, 1.0, 4), (5, 0.2, 1), (6, 0.2, 2), (0, 1.0, 1), (1, 2.5, 3), (7, 1 / 7, 1), (14, 0.142857143, 2)],
)
def test_a_return_over_several_cycles_is_spread_over_them(horizon: int, horizon_cycles: float, cycles: int) -> None:
    one = panel([[[1, 2, 3, 4, 5]]], OUTCOMES)
    many = panel([[[1, 2, 3, 4, 5]]], OUTCOMES, horizons=np.array([horizon]), horizon_cycles=horizon_cycles)
    np.testing.assert_allclose(mean_return(many).value, mean_return(one).value / cycles, rtol=1e-14)


def test_numbers_beyond_all_measure_are_an_error_not_an_infinity() -> None:
    found = mean_return(panel([[[1, 2, 3, 4, 5]]], [[1, 2, 3, 4, np.inf]]))
    assert np.isnan(found.value).all()
    assert reasons(found) == ["error"]


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_an_undefined_value_always_has_a_reason_and_only_that(seed: int) -> None:
    for metric in (information_coefficient, mean_return):
        found = metric(random_panel(seed, sections=3, gaps=0.5))
        np.testing.assert_array_equal(np.isnan(found.value), found.reason != 0)
        assert not np.isinf(found.value).any()


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_order_of_sections_models_and_subjects_is_without_effect(seed: int) -> None:
    given_panel = random_panel(seed)
    random = np.random.default_rng(seed)
    section, model, subject = (random.permutation(size) for size in given_panel.shape)
    moved = panel(given_panel.signals[np.ix_(section, model, subject)], given_panel.outcomes[np.ix_(section, subject)])
    for metric in (information_coefficient, mean_return):
        np.testing.assert_allclose(
            metric(moved).value, metric(given_panel).value[np.ix_(section, model)], rtol=0, atol=1e-12
        )


@given(st.integers(0, 10_000), st.sampled_from([np.exp, np.cbrt, lambda x: 3 * x - 7]))
@settings(max_examples=30, deadline=None)
def test_a_monotone_transform_leaves_ic_alone(seed: int, transform) -> None:
    given_panel = random_panel(seed)
    moved = panel(transform(given_panel.signals), given_panel.outcomes)
    np.testing.assert_array_equal(information_coefficient(moved).value, information_coefficient(given_panel).value)


@given(st.integers(0, 10_000), st.sampled_from([-64.0, 0.5, 8.0]))
@settings(max_examples=30, deadline=None)
def test_a_constant_added_to_signals_changes_nothing(seed: int, constant: float) -> None:
    given_panel = random_panel(seed)
    moved = panel(given_panel.signals + constant, given_panel.outcomes)
    np.testing.assert_array_equal(information_coefficient(moved).value, information_coefficient(given_panel).value)
    np.testing.assert_allclose(mean_return(moved).value, mean_return(given_panel).value, atol=1e-12)


def test_the_negated_model_has_the_negated_numbers() -> None:
    given_panel = random_panel(1)
    negated = panel(-given_panel.signals, given_panel.outcomes)
    for metric in (information_coefficient, mean_return):
        np.testing.assert_allclose(metric(negated).value, -metric(given_panel).value, atol=1e-15)


def test_a_duplicated_model_has_the_same_numbers() -> None:
    given_panel = random_panel(2)
    doubled = panel(np.concatenate([given_panel.signals, given_panel.signals], axis=1), given_panel.outcomes)
    for metric in (information_coefficient, mean_return):
        value = metric(doubled).value
        np.testing.assert_array_equal(value[:, :5], value[:, 5:])
        np.testing.assert_array_equal(value[:, :5], metric(given_panel).value)
