"""Daily variances of stocks, each known at the close of its day: recursions over squared log returns.

A variance of a day uses the returns of that day and of earlier ones. A day without a return changes nothing.
"""

from collections.abc import Callable

import numpy as np

from pipeline.baselines.prices import Floats, PriceHistory

DECAY = 0.94
"""Weight of yesterday's variance in today's: that of RiskMetrics for daily data."""
ARCH, GARCH = 0.05, 0.90
"""Weights of the last squared return and of the last variance in the next one: round numbers, never tuned."""
MIN_RETURNS = 60
"""Daily returns that a variance needs; of the start of the recursion 2 % is left by then."""


def log_returns(history: PriceHistory) -> Floats:
    """Daily log returns, shape (days, subjects); NaN without a close on the day or on the one before."""
    first = np.full((1, len(history.tickers)), np.nan)
    return np.concatenate([first, np.log(history.prices[1:] / history.prices[:-1])])


def expanding_mean(values: Floats) -> Floats:
    """Mean of all rows up to each one, column by column; NaN with fewer than ``MIN_RETURNS`` values."""
    count = np.cumsum(~np.isnan(values), axis=0)
    total = np.cumsum(np.where(np.isnan(values), 0.0, values), axis=0)
    mean: Floats = np.divide(total, count, out=np.full(values.shape, np.nan), where=count >= MIN_RETURNS)
    return mean


def long_run_variance(history: PriceHistory) -> Floats:
    """Mean squared log return of all days so far, shape (days, subjects)."""
    return expanding_mean(log_returns(history) ** 2)


def ewma_variance(history: PriceHistory) -> Floats:
    """Exponentially weighted moving average of squared log returns, shape (days, subjects).

    s2_t = 0.94 s2_(t-1) + 0.06 r_t^2, from the first squared return on.

    References
    ----------
    J.P. Morgan (1996), RiskMetrics Technical Document, 4th edition, section 5.2.
    """
    return _walked(log_returns(history) ** 2, lambda variance, square, _: DECAY * variance + (1 - DECAY) * square)


def garch_variance(history: PriceHistory) -> Floats:
    """Variance of the day that follows each, by GARCH(1,1) with variance targeting, shape (days, subjects).

    s2_(t+1) = (1 - a - b) V_t + a r_t^2 + b s2_t with a = 0.05, b = 0.90 and V_t the mean squared return up to t.

    References
    ----------
    Bollerslev (1986), "Generalized Autoregressive Conditional Heteroskedasticity", Journal of Econometrics 31(3),
    307-327; Engle & Mezrich (1996), "GARCH for Groups", Risk 9(8), 36-40.
    """
    return _walked(
        log_returns(history) ** 2,
        lambda variance, square, mean: (1 - ARCH - GARCH) * mean + ARCH * square + GARCH * variance,
    )


def garch_variance_over(history: PriceHistory) -> Callable[[int], Floats]:
    """Sum of the variances that GARCH(1,1) expects of the days ahead, by their number; shape (days, subjects).

    The variance expected of a day comes back to the long-run one by the factor a + b daily: with the persistence
    p = a + b, that is n V + (s2 - V)(1 - p^n)/(1 - p) for n days ahead.
    """
    persistence = ARCH + GARCH
    mean = long_run_variance(history)
    excess = (garch_variance(history) - mean) / (1 - persistence)
    return lambda days: days * mean + excess * (1 - persistence**days)


def _walked(squares: Floats, step: Callable[[Floats, Floats, Floats], Floats]) -> Floats:
    """A recursion from the first square on: ``step(variance, square, mean so far)``; NaN before ``MIN_RETURNS``."""
    known = ~np.isnan(squares)
    count = np.cumsum(known, axis=0)
    means = np.cumsum(np.where(known, squares, 0.0), axis=0) / np.maximum(count, 1)
    variances = np.empty(squares.shape)
    variance = np.full(squares.shape[1], np.nan)
    for at, square in enumerate(squares):
        moved = np.where(np.isnan(variance), square, step(variance, square, means[at]))
        variance = np.where(known[at], moved, variance)
        variances[at] = variance
    return np.where(count >= MIN_RETURNS, variances, np.nan)
