"""The factors, against pandas and by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines import FACTORS, PriceHistory, factor_values
from pipeline_tests.baselines.conftest import two_stocks


@pytest.fixture(scope="module")
def frame(history: PriceHistory) -> pd.DataFrame:
    return pd.DataFrame(history.prices, index=pd.DatetimeIndex(history.dates), columns=list(history.tickers))


def beta_by_pandas(prices: pd.DataFrame) -> pd.DataFrame:
    returns = prices.pct_change()
    market = returns.mean(axis=1)
    return returns.apply(lambda stock: stock.rolling(252).cov(market)).div(market.rolling(252).var(), axis=0)


BY_PANDAS = {
    "market_beta": beta_by_pandas,
    "momentum_12_1": lambda prices: prices.shift(21) / prices.shift(252) - 1,
    "reversal_20d": lambda prices: -prices.pct_change(20),
    "volatility_60d": lambda prices: prices.pct_change().rolling(60).std(),
}


@pytest.mark.parametrize("name", BY_PANDAS)
def test_factor_equals_pandas(name: str, history: PriceHistory, frame: pd.DataFrame) -> None:
    expected = BY_PANDAS[name](frame).loc[pd.DatetimeIndex(history.cycle_dates)].to_numpy()
    np.testing.assert_allclose(FACTORS[name](history, history.cycle_positions), expected, rtol=1e-8, atol=1e-12)


def test_every_factor_is_defined_from_the_first_cycle_on(history: PriceHistory) -> None:
    values = factor_values(history, history.cycle_positions)
    assert values.shape == (1669, 20, 4)
    assert not np.isnan(values).any()


def test_factors_are_named_and_ordered_as_in_their_array(history: PriceHistory) -> None:
    assert list(FACTORS) == ["market_beta", "momentum_12_1", "reversal_20d", "volatility_60d"]
    position = history.cycle_positions[[700]]
    values = factor_values(history, position)
    for number, factor in enumerate(FACTORS.values()):
        assert values[..., number].tolist() == factor(history, position).tolist()


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("market_beta", [(slice(100, None), 110.0)], 2.0),  # A moves 10 % once, B never: the market moves 5 %
        ("momentum_12_1", [(0, 80.0), (231, 120.0)], 0.5),
        ("reversal_20d", [(232, 80.0)], -0.25),  # it rose: low
        ("reversal_20d", [(232, 125.0)], 0.2),  # it fell: high
        ("volatility_60d", [(slice(240, None), 110.0)], 0.1 / np.sqrt(60)),  # one return of 0.1 and 59 of 0
    ],
)
def test_factor_by_hand(name: str, changed: list, expected: float) -> None:
    values = FACTORS[name](two_stocks(253, changed), np.array([252]))
    assert values[0, 0] == pytest.approx(expected, rel=1e-12)
    assert values[0, 1] == 0.0


@pytest.mark.parametrize(
    ("name", "rows_needed"),
    [("market_beta", 252), ("momentum_12_1", 252), ("reversal_20d", 20), ("volatility_60d", 60)],
)
def test_factor_is_absent_with_one_day_too_few(name: str, rows_needed: int, history: PriceHistory) -> None:
    values = FACTORS[name](history, np.array([rows_needed - 1, rows_needed]))
    assert np.isnan(values[0]).all()
    assert not np.isnan(values[1]).any()
