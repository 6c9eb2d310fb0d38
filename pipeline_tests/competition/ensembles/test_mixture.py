"""Linear pools beside scipy: quantiles of mixtures found by root finding, samples counted by hand."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from pipeline.competition.ensembles import mixture_quantiles, pooled_samples

NAN = np.nan
LEVELS = np.array([0.01, 0.025, *np.arange(0.05, 0.951, 0.05), 0.975, 0.99])


def function(levels: np.ndarray, quantiles: np.ndarray, x: float) -> float:
    """Lines between the levels, the normal distribution through the outermost two beyond them."""
    z = stats.norm.ppf(levels)
    for beyond, (one, other) in ((x < quantiles[0], (0, 1)), (x > quantiles[-1], (-2, -1))):
        if beyond:
            spread = (quantiles[other] - quantiles[one]) / (z[other] - z[one])
            return float(stats.norm.cdf(x, quantiles[one] - spread * z[one], spread))
    return float(np.interp(x, quantiles, levels))


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_where_the_mixture_of_the_functions_reaches_the_level(seed: int) -> None:
    random = np.random.default_rng(seed)
    members, subjects = 4, 3
    centres, widths = random.normal(size=(members, subjects)), random.uniform(0.2, 2, size=(members, subjects))
    values = centres[..., None] + widths[..., None] * np.sort(random.normal(size=(members, subjects, LEVELS.size)))
    weights = random.uniform(0, 1, members)
    found = mixture_quantiles(values, weights, LEVELS)
    shares = weights / weights.sum()
    for subject in range(subjects):
        for place, level in enumerate(LEVELS):

            def short(x: float, subject: int = subject, level: float = level) -> float:
                of_members = [function(LEVELS, values[member, subject], x) for member in range(members)]
                return float(shares @ of_members) - level

            expected = brentq(short, values[:, subject].min() - 50, values[:, subject].max() + 50, xtol=1e-13)
            np.testing.assert_allclose(found[subject, place], expected, atol=1e-8)


def test_a_pool_of_normal_distributions_is_their_mixture() -> None:
    """With many levels the lines are close to the distributions that they stand for."""
    levels = np.linspace(0.001, 0.999, 999)
    values = np.stack([stats.norm.ppf(levels, centre, 1.0) for centre in (-2.0, 2.0)])[:, None]
    found = mixture_quantiles(values, np.array([3.0, 1.0]), levels)[0]
    exact = 0.75 * stats.norm.cdf(found, -2, 1) + 0.25 * stats.norm.cdf(found, 2, 1)
    np.testing.assert_allclose(exact, levels, atol=1e-4)


def test_members_that_say_the_same_are_what_they_say() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=(1, 5, LEVELS.size)))
    found = mixture_quantiles(np.repeat(values, 3, axis=0), np.array([0.2, 0.5, 0.3]), LEVELS)
    np.testing.assert_array_equal(found, values[0])


def test_who_is_missing_drops_out_subject_by_subject() -> None:
    values = np.sort(np.random.default_rng(1).normal(size=(3, 3, LEVELS.size)))
    values[1, 1], values[:, 2] = NAN, NAN
    found = mixture_quantiles(values, np.array([1.0, 2.0, 3.0]), LEVELS)
    alone = mixture_quantiles(values[[0, 2]], np.array([1.0, 3.0]), LEVELS)
    np.testing.assert_allclose(found[1], alone[1])
    assert np.isnan(found[2]).all()
    none = mixture_quantiles(values, np.array([0.0, 2.0, 0.0]), LEVELS)
    assert np.isnan(none[1]).all()
    np.testing.assert_array_equal(none[0], values[1, 0])


def test_certain_members_make_steps() -> None:
    levels = np.array([0.1, 0.4, 0.5, 0.6, 0.9])
    certain = np.array([np.full(5, 1.0), np.full(5, 2.0), np.full(5, 3.0)])[:, None]
    found = mixture_quantiles(certain, np.array([0.45, 0.1, 0.45]), levels)
    np.testing.assert_allclose(found, [[1, 1, 2, 3, 3]], rtol=1e-12)


def test_one_level_alone_is_a_median_of_members() -> None:
    found = mixture_quantiles(np.array([[[1.0]], [[5.0]], [[9.0]]]), np.ones(3), np.array([0.5]))
    np.testing.assert_allclose(found, [[5.0]], rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_a_pool_never_crosses_and_lies_between_its_members(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.sort(np.round(random.normal(size=(5, 4, LEVELS.size)), 1))
    found = mixture_quantiles(values, random.uniform(0, 1, 5), LEVELS)
    assert (np.diff(found, axis=1) >= -1e-9).all()
    assert (found >= values.min(axis=0) - 1e-9).all()
    assert (found <= values.max(axis=0) + 1e-9).all()


def test_equal_members_give_all_their_samples() -> None:
    values = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(pooled_samples(values, np.ones(2)), [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]])


def test_a_member_gives_samples_by_its_weight_the_same_of_every_subject() -> None:
    values = np.arange(16.0).reshape(2, 2, 4)
    found = pooled_samples(values, np.array([3.0, 1.0]))
    np.testing.assert_array_equal(found[0], [0, 0, 1, 2, 2, 3, 8, 10])
    np.testing.assert_array_equal(found[1] - found[0], np.full(8, 4.0))


def test_members_may_have_fewer_samples_and_miss_subjects() -> None:
    values = np.array([[[1.0, NAN, 3.0], [4.0, NAN, 6.0]], [[NAN] * 3, [7.0, 8.0, 9.0]]])
    found = pooled_samples(values, np.ones(2))
    # 5 samples in all, of equal members: 3 of the first by the rule of largest remainders, 2 of the second.
    np.testing.assert_array_equal(found, [[1, 1, 3, NAN, NAN], [4, 4, 6, 7, 8]])
    assert pooled_samples(values, np.zeros(2)).shape == (2, 0)
