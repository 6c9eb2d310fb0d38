"""Ensembles of distributions, number by number, beside numpy."""

import itertools

import numpy as np
import pytest

from pipeline.competition.ensembles import EnsembleConfig, Weighing, Without, combine_forecasts, only_whole
from pipeline.competition.forecasts import Forecasts, OutputType
from pipeline.competition.scoring import faults

NAN = np.nan
LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
COMBINES = ("mean", "median", "trimmed", "linear_pool")


def members(output_type: OutputType, seed: int = 0, models: int = 6, subjects: int = 4) -> Forecasts:
    random = np.random.default_rng(seed)
    values = np.sort(random.normal(size=(models, subjects, LEVELS.size)))
    ids = LEVELS
    if output_type == "pmf":
        values, ids = random.dirichlet(np.ones(4), (models, subjects)), np.arange(1.0, 5)
    if output_type == "cdf":
        values, ids = np.sort(random.random((models, subjects, 4))), np.arange(4.0)
    if output_type == "sample":
        ids = np.arange(1.0, 6)
    values[0, 1] = NAN
    return Forecasts(output_type, ids, values)


def weighing(weights: np.ndarray, *, leave_out: bool = False) -> Weighing:
    without = (Without(np.arange(len(weights)), weights),) if leave_out else None
    return Weighing(weights, np.full(len(weights), None), without)


def combined(given: Forecasts, weights: np.ndarray, **declared: object) -> np.ndarray:
    config = EnsembleConfig(name="e", strategy="equal_weight", **declared)
    return combine_forecasts(given, weighing(weights), config, leave_out=False).values


@pytest.mark.parametrize("output_type", ["quantile", "pmf", "cdf"])
def test_the_mean_is_that_of_each_number_over_who_is_there(output_type: OutputType) -> None:
    given, weights = members(output_type), np.random.default_rng(1).uniform(0, 1, 6)
    found = combined(given, weights)
    for subject in range(4):
        there = ~np.isnan(given.values[:, subject, 0])
        expected = np.average(given.values[there, subject], axis=0, weights=weights[there])
        np.testing.assert_allclose(found[subject], expected, atol=1e-9)


@pytest.mark.parametrize("output_type", ["pmf", "cdf"])
def test_a_pool_of_probabilities_is_their_mean(output_type: OutputType) -> None:
    given, weights = members(output_type), np.random.default_rng(1).uniform(0, 1, 6)
    np.testing.assert_array_equal(combined(given, weights, combine="linear_pool"), combined(given, weights))


def test_the_median_is_that_of_each_level() -> None:
    given = members("quantile")
    np.testing.assert_allclose(
        combined(given, np.ones(6), combine="median"), np.nanmedian(given.values, axis=0), atol=1e-9
    )


def test_a_median_of_probabilities_is_scaled_to_sum_to_1() -> None:
    given = members("pmf")
    median = np.nanmedian(given.values, axis=0)
    expected = median / median.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(combined(given, np.ones(6), combine="median"), expected, atol=1e-9)


@pytest.mark.parametrize(("output_type", "combine"), itertools.product(["quantile", "pmf", "cdf"], COMBINES))
@pytest.mark.parametrize("seed", range(5))
def test_what_is_combined_is_a_distribution(output_type: OutputType, combine: str, seed: int) -> None:
    given, random = members(output_type, seed), np.random.default_rng(seed)
    trim = {"trim": 0.2} if combine == "trimmed" else {}
    found = combined(given, random.uniform(0, 1, 6) ** 4, combine=combine, **trim)
    assert (faults(Forecasts(output_type, given.ids, found)) == 0).all()


def test_weights_cannot_make_trimmed_quantiles_cross() -> None:
    values = np.array([[3.0, 3.2], [0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.1, 3.1]])[:, None]
    weights = np.array([10.0, 1.0, 1.0, 1.0, 1.0])
    found = combined(Forecasts("quantile", np.array([0.4, 0.6]), values), weights, combine="trimmed", trim=0.2)
    means = [33 / 12, 6.1 / 3]
    assert means[0] > means[1]
    np.testing.assert_allclose(found, [sorted(means)])


def test_levels_may_be_in_any_order() -> None:
    given, weights = members("quantile"), np.random.default_rng(1).uniform(0, 1, 6)
    order = np.array([3, 0, 4, 1, 2])
    other = Forecasts("quantile", LEVELS[order], given.values[..., order])
    for combine in COMBINES:
        found = combined(other, weights, combine=combine)
        np.testing.assert_allclose(found, combined(given, weights, combine=combine)[..., order], atol=1e-12)


def test_only_what_is_a_distribution_takes_part() -> None:
    values = np.array([[0.2, 0.8], [0.8, 0.2], [0.5, NAN], [0.5, 0.5]])
    assert np.isnan(only_whole(Forecasts("quantile", np.array([0.1, 0.9]), values)).values).all(axis=1).tolist() == [
        *(False, True, True, False)
    ]
    values[3] = 0.6
    assert np.isnan(only_whole(Forecasts("pmf", np.array([1.0, 2.0]), values)).values).all(axis=1).tolist() == [
        *(False, False, True, True)
    ]


@pytest.mark.parametrize(("output_type", "combine"), itertools.product(["quantile", "pmf", "cdf"], COMBINES[:3]))
def test_without_a_member_it_is_that_of_the_others(output_type: OutputType, combine: str) -> None:
    given, weights = members(output_type), np.random.default_rng(2).uniform(0.1, 1, 6)
    config = EnsembleConfig(name="e", strategy="equal_weight", combine=combine)
    found = combine_forecasts(given, weighing(weights, leave_out=True), config)
    assert found.without is not None
    for place in range(6):
        others = np.arange(6) != place
        rest = Forecasts(output_type, given.ids, given.values[others])
        expected = combined(rest, weights[others], combine=combine)
        np.testing.assert_allclose(found.without[place], expected, atol=1e-8)


@pytest.mark.parametrize("output_type", ["quantile", "sample"])
def test_a_pool_is_not_told_without_each_member(output_type: OutputType) -> None:
    config = EnsembleConfig(name="e", strategy="equal_weight", combine="linear_pool")
    assert combine_forecasts(members(output_type), weighing(np.ones(6), leave_out=True), config).without is None
