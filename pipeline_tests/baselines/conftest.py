"""The real prices, loaded once, and small price tables made for one test."""

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines import PriceHistory, Sp500Source, load_prices


@pytest.fixture(scope="session")
def history() -> PriceHistory:
    return load_prices()


@pytest.fixture(scope="session")
def sp500(history: PriceHistory) -> Sp500Source:
    return Sp500Source(history)


def two_stocks(rows: int, changed: list[tuple[slice | int, float]]) -> PriceHistory:
    """Stocks A and B at 100 on every business day from Monday 1990-01-01 on, but for the rows of A that are given."""
    prices = np.full((rows, 2), 100.0)
    for row, price in changed:
        prices[row, 0] = price
    dates = pd.bdate_range("1990-01-01", periods=rows).to_numpy().astype("datetime64[D]")
    return PriceHistory(dates, ("A", "B"), prices)
