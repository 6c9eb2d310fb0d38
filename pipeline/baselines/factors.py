"""The factors of the bundled competition: well-known properties of a stock, each known at the cycle.

A factor is a function from the prices and the rows of the cycles, an array of shape (cycles,), to its values, shape
(cycles, subjects), NaN where there is not enough history. Add one here and to ``FACTORS``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from pipeline.baselines.prices import Floats, Positions, PriceHistory, over_window

Factor = Callable[[PriceHistory, Positions], Floats]


def market_beta(history: PriceHistory, positions: Positions) -> Floats:
    """Least-squares slope of 252 daily returns on those of the equal-weight mean of all stocks, its own included.

    NaN where that mean never moves.
    """

    def slopes(window: Floats) -> Floats:
        stocks, market = window[:, :-1], window[:, -1]
        market = market - market.mean()
        covariances: Floats = (market[:, None] * (stocks - stocks.mean(axis=0))).sum(axis=0)
        variance = float((market**2).sum())
        return covariances / variance if variance > 0 else np.full(covariances.shape, np.nan)

    returns = np.column_stack([history.returns, history.market_returns])
    return over_window(returns, positions, 252, slopes)


def momentum_12_1(history: PriceHistory, positions: Positions) -> Floats:
    """Simple return from 252 to 21 trading days ago."""
    return history.past_return(positions, since=252, until=21)


def reversal_20d(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the simple return of the last 20 trading days: high for a stock that fell."""
    return -history.past_return(positions, since=20)


def volatility_60d(history: PriceHistory, positions: Positions) -> Floats:
    """Standard deviation (ddof 1) of the last 60 daily returns, not annualised."""
    return over_window(history.returns, positions, 60, lambda window: window.std(axis=0, ddof=1))


FACTORS: Mapping[str, Factor] = MappingProxyType(
    {factor.__name__: factor for factor in (market_beta, momentum_12_1, reversal_20d, volatility_60d)}
)
"""Every factor by its name, in the order of the arrays of ``factor_values``."""


def factor_values(history: PriceHistory, positions: Positions) -> Floats:
    """All factors of all stocks.

    Parameters
    ----------
    history : PriceHistory
        Daily closes.
    positions : array of int, shape (cycles,)
        Rows of the cycles.

    Returns
    -------
    array of float, shape (cycles, subjects, factors)
        Factors in the order of ``FACTORS``; NaN where there is not enough history.
    """
    return np.stack([factor(history, positions) for factor in FACTORS.values()], axis=-1)
