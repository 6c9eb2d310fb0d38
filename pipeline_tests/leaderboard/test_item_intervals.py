"""Confidence intervals over independent items."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from pipeline.leaderboard import item_interval, mean_influence, ratio_influence, sharpe_influence
from pipeline.leaderboard.influence import Influence

RNG = np.random.default_rng(11)


def test_of_a_mean_it_is_students() -> None:
    x = RNG.normal(2, 3, (20, 3))
    x[4:9, 1] = math.nan
    found = item_interval(mean_influence(x))
    for column in range(3):
        series = x[~np.isnan(x[:, column]), column]
        low, high = stats.t.interval(0.95, len(series) - 1, series.mean(), stats.sem(series))
        assert_allclose([found.se[column], found.low[column], found.high[column]], [stats.sem(series), low, high])
    assert found.method.tolist() == ["t"] * 3


def test_of_a_ratio_it_covers_the_truth_as_often_as_it_says() -> None:
    """Items of 1 to 9 runs that are alike within an item: runs taken for independent would cover far too rarely."""
    n_items, n_tries = 40, 2000
    sizes = RNG.integers(1, 10, (n_items, n_tries)).astype(float)
    means = RNG.normal(0.5, 0.2, (n_items, n_tries))
    found = item_interval(ratio_influence(sizes * means, sizes))
    covered = ((found.low <= 0.5) & (found.high >= 0.5)).mean()
    assert 0.93 <= covered <= 0.965


@pytest.mark.parametrize(
    ("influence", "method"),
    [
        (mean_influence(np.arange(7.0)[:, None]), "too_few_items"),
        (mean_influence(np.full((9, 1), 0.3)), "zero_variance"),
        (mean_influence(np.full((9, 1), math.nan)), "undefined"),
        (Influence(np.array([1.0]), np.zeros((9, 1)), np.ones((9, 1), dtype=bool), is_smooth=False), "not_smooth"),
        (sharpe_influence(np.full((9, 1), 0.3)), "undefined"),
    ],
)
def test_where_there_is_none_it_says_why(influence: Influence, method: str) -> None:
    found = item_interval(influence)
    assert found.method.tolist() == [method]
    assert np.isnan([found.se, found.low, found.high]).all()


def test_fewer_items_may_be_asked_for_but_not_fewer_than_two() -> None:
    found = item_interval(mean_influence([[1.0], [3.0]]), least=2)
    half = float(stats.t.ppf(0.975, 1))
    assert_allclose([found.low[0], found.high[0]], [2 - half, 2 + half])
    assert item_interval(mean_influence([[1.0]]), least=2).method.tolist() == ["too_few_items"]
    with pytest.raises(ValueError, match="least is 1; an interval needs 2 items, or more"):
        item_interval(mean_influence([[1.0]]), least=1)
