"""Variances of days, against loops over plain numbers."""

import math
from itertools import pairwise

import numpy as np
import pytest

from pipeline.baselines import PriceHistory
from pipeline.baselines.volatility import (
    ewma_variance,
    expanding_mean,
    garch_variance,
    garch_variance_over,
    log_returns,
    long_run_variance,
)
from pipeline_tests.baselines.conftest import two_stocks

STOCK, DAYS = 4, 700


def squares_of(history: PriceHistory, stock: int = STOCK, days: int = DAYS) -> list[float]:
    """Squared log returns of a stock from its second day on, as a list of numbers."""
    closes = history.prices[:days, stock].tolist()
    return [math.log(after / before) ** 2 for before, after in pairwise(closes)]


def test_ewma_is_the_recursion_of_riskmetrics(history: PriceHistory) -> None:
    first, *later = squares_of(history)
    expected = [first]
    for square in later:
        expected.append(0.94 * expected[-1] + 0.06 * square)
    np.testing.assert_allclose(ewma_variance(history)[60:DAYS, STOCK], expected[59:], rtol=1e-12)


def test_ewma_is_a_weighted_sum_of_all_squares_so_far(history: PriceHistory) -> None:
    squares = squares_of(history)[::-1]
    weights = [0.06 * 0.94**age for age in range(len(squares) - 1)] + [0.94 ** (len(squares) - 1)]
    expected = math.fsum(weight * square for weight, square in zip(weights, squares, strict=True))
    assert sum(weights) == pytest.approx(1)
    assert ewma_variance(history)[DAYS - 1, STOCK] == pytest.approx(expected, rel=1e-12)


def test_the_long_run_variance_is_the_mean_square_so_far(history: PriceHistory) -> None:
    squares = squares_of(history)
    assert long_run_variance(history)[DAYS - 1, STOCK] == pytest.approx(math.fsum(squares) / len(squares), rel=1e-12)


def test_garch_is_its_recursion_with_the_long_run_variance_so_far(history: PriceHistory) -> None:
    squares = squares_of(history)
    variance = squares[0]
    for at, square in enumerate(squares[1:], start=2):
        long_run = math.fsum(squares[:at]) / at
        variance = 0.05 * long_run + 0.05 * square + 0.90 * variance
    assert garch_variance(history)[DAYS - 1, STOCK] == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("days", [1, 4, 5, 9])
def test_garch_over_several_days_adds_up_the_variance_expected_of_each(history: PriceHistory, days: int) -> None:
    long_run = long_run_variance(history)[DAYS - 1, STOCK]
    expected, total = garch_variance(history)[DAYS - 1, STOCK], 0.0
    for _ in range(days):
        total += expected
        expected = 0.05 * long_run + (0.05 + 0.90) * expected
    assert garch_variance_over(history)(days)[DAYS - 1, STOCK] == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("variance", [ewma_variance, garch_variance, long_run_variance])
def test_a_variance_needs_60_returns_and_a_day_without_one_changes_nothing(history: PriceHistory, variance) -> None:
    prices = history.prices[:300].copy()
    prices[:100, 3] = np.nan
    prices[200, 5] = np.nan
    found = variance(PriceHistory(history.dates[:300], history.tickers, prices))
    assert np.flatnonzero(~np.isnan(found[:, 0]))[0] == 60
    assert np.flatnonzero(~np.isnan(found[:, 3]))[0] == 160
    assert found[200, 5] == found[201, 5] == found[199, 5] != found[202, 5]


def test_the_first_day_and_a_missing_close_have_no_return() -> None:
    returns = log_returns(two_stocks(4, [(1, math.e * 100), (2, np.nan)]))
    assert np.isnan(returns[:, 0]).tolist() == [True, False, True, True]
    assert returns[1].tolist() == [pytest.approx(1.0), 0.0]


def test_an_expanding_mean_passes_over_what_is_absent() -> None:
    values = np.ones((70, 1))
    values[10:15] = np.nan
    values[69] = 66.0
    means = expanding_mean(values)[:, 0]
    assert np.isnan(means[:64]).all()
    assert means[64:69].tolist() == [1.0] * 5
    assert means[69] == pytest.approx((64 + 66) / 65)
