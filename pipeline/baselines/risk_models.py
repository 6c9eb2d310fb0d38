"""The reference models of risk: how far each stock may move until the next cycle, as quantiles of its return.

A model is a function from the prices, the rows of the cycles, an array of shape (cycles,), and the quantile levels to
quantiles of the simple return from each cycle's close to the next cycle's, of shape (cycles, subjects, levels), NaN
where there is not enough history. How many trading days lie ahead is known in advance, by the calendar: the return is
over so many days, and its variance grows with their number. The first line of a docstring is the model's
description, the section References its reference. Add a model here and to ``RISK_BASELINES``.
"""

from collections.abc import Callable

import numpy as np

from pipeline.baselines.baseline import Baseline
from pipeline.baselines.prices import Floats, Positions, PriceHistory
from pipeline.baselines.quantiles import pooled_quantiles, rolling_quantiles
from pipeline.baselines.trading_calendar import scheduled_days_ahead
from pipeline.baselines.volatility import (
    ewma_variance,
    expanding_mean,
    garch_variance_over,
    log_returns,
    long_run_variance,
)

PredictQuantiles = Callable[[PriceHistory, Positions, Floats], Floats]

FREEDOM = 5
"""Degrees of freedom of Student's t: tails as fat as those of daily stock returns are usually found to be."""


def constant(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Quantiles of every return so far of all stocks together: the same for each stock, whatever happens.

    References
    ----------
    Murphy (1992), "Climatology, Persistence, and Their Linear Combination as Standards of Reference in Skill Scores",
    Weather and Forecasting 7(4), 692-698: what happened so far is the forecast that others have to beat.
    """

    def pooled(days: int, due: Positions) -> Floats:
        return pooled_quantiles(history.returns_over(days), due, levels)[:, None, :]

    return _by_days_ahead(history, positions, levels, pooled)


def historical_60(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Quantiles of the stock's last 60 returns, which overlap: historical simulation with a short memory.

    References
    ----------
    Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data", Economic Policy Review 2(1), 39-69.
    """
    return _historical(history, positions, levels, 60)


def historical_250(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Quantiles of the stock's last 250 returns, which overlap: historical simulation over a year.

    References
    ----------
    Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data", Economic Policy Review 2(1), 39-69.
    """
    return _historical(history, positions, levels, 250)


def historical_750(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Quantiles of the stock's last 750 returns, which overlap: historical simulation over three years.

    References
    ----------
    Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data", Economic Policy Review 2(1), 39-69.
    """
    return _historical(history, positions, levels, 750)


def filtered_historical(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Quantiles of the stock's last 750 returns, each in units of the volatility of its day, times today's.

    References
    ----------
    Hull & White (1998), "Incorporating Volatility Updating into the Historical Simulation Method for Value-at-Risk",
    Journal of Risk 1(1), 5-19.
    """
    variance = ewma_variance(history)

    def filtered(days: int, due: Positions) -> Floats:
        before = np.concatenate([np.full((days, len(history.tickers)), np.nan), variance[:-days]])
        surprises = _over(np.log1p(history.returns_over(days)), np.sqrt(days * before))
        scale = np.sqrt(days * variance[due])
        return np.asarray(np.expm1(scale[..., None] * rolling_quantiles(surprises, due, 750, levels)))

    return _by_days_ahead(history, positions, levels, filtered)


def ewma_normal(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Log returns normal about 0, their variance an average of past squares that fades by 6 % a day.

    References
    ----------
    Hendricks (1996), "Evaluation of Value-at-Risk Models Using Historical Data", Economic Policy Review 2(1), 39-69;
    J.P. Morgan (1996), RiskMetrics Technical Document, 4th edition.
    """
    return _scaled(history, positions, _normal(levels), _daily(ewma_variance(history)))


def ewma_t5(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """The same variance as EWMA, with the fatter tails of Student's t with 5 degrees of freedom.

    References
    ----------
    Bollerslev (1987), "A Conditionally Heteroskedastic Time Series Model for Speculative Prices and Rates of Return",
    Review of Economics and Statistics 69(3), 542-547.
    """
    return _scaled(history, positions, _student(levels), _daily(ewma_variance(history)))


def ewma_t5_drift(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """EWMA with Student's t about the stock's mean log return so far instead of 0: it says which way, too.

    References
    ----------
    Merton (1980), "On Estimating the Expected Return on the Market: An Exploratory Investigation", Journal of
    Financial Economics 8(4), 323-361.
    """
    drift = scheduled_days_ahead(history.dates[positions])[:, None] * expanding_mean(log_returns(history))[positions]
    return np.asarray(np.expm1(np.log1p(ewma_t5(history, positions, levels)) + drift[..., None]))


def long_run_blend(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Half EWMA, half the mean of all squares so far, with Student's t: storms and calms both pass.

    References
    ----------
    Bates & Granger (1969), "The Combination of Forecasts", Operational Research Quarterly 20(4), 451-468.
    """
    variance = 0.5 * ewma_variance(history) + 0.5 * long_run_variance(history)
    return _scaled(history, positions, _student(levels), _daily(variance))


def garch(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """GARCH(1,1) with weights 0.05 and 0.90 and the long-run variance so far, with Student's t.

    References
    ----------
    Bollerslev (1986), "Generalized Autoregressive Conditional Heteroskedasticity", Journal of Econometrics 31(3),
    307-327; Engle & Mezrich (1996), "GARCH for Groups", Risk 9(8), 36-40.
    """
    return _scaled(history, positions, _student(levels), garch_variance_over(history))


def last_move(history: PriceHistory, positions: Positions, levels: Floats) -> Floats:
    """Log returns normal about 0 with the last day's move as their daily volatility: the random walk of volatility.

    References
    ----------
    Poon & Granger (2003), "Forecasting Volatility in Financial Markets: A Review", Journal of Economic Literature
    41(2), 478-539.
    """
    return _scaled(history, positions, _normal(levels), _daily(log_returns(history) ** 2))


RISK_BASELINES: tuple[Baseline[PredictQuantiles], ...] = (
    Baseline("Constant", constant),
    Baseline("Historical 60 days", historical_60),
    Baseline("Historical 250 days", historical_250),
    Baseline("Historical 750 days", historical_750),
    Baseline("Filtered historical", filtered_historical),
    Baseline("EWMA, normal", ewma_normal),
    Baseline("EWMA, Student t", ewma_t5),
    Baseline("EWMA, Student t, drift", ewma_t5_drift),
    Baseline("EWMA and long run", long_run_blend),
    Baseline("GARCH(1,1)", garch),
    Baseline("Last move", last_move),
)
"""Every reference model of risk."""


def _historical(history: PriceHistory, positions: Positions, levels: Floats, length: int) -> Floats:
    """Quantiles of the last ``length`` returns over as many trading days as lie ahead, one ending on each day."""

    def historical(days: int, due: Positions) -> Floats:
        return rolling_quantiles(history.returns_over(days), due, length, levels)

    return _by_days_ahead(history, positions, levels, historical)


def _scaled(
    history: PriceHistory, positions: Positions, standard: Floats, variance_over: Callable[[int], Floats]
) -> Floats:
    """Quantiles of simple returns from those of a log return with mean 0 and variance 1, and its variance by days."""

    def scaled(days: int, due: Positions) -> Floats:
        return np.asarray(np.expm1(np.sqrt(variance_over(days)[due])[..., None] * standard))

    return _by_days_ahead(history, positions, standard, scaled)


def _daily(variance: Floats) -> Callable[[int], Floats]:
    """The variance of so many days that each have this one."""
    return lambda days: days * variance


def _by_days_ahead(
    history: PriceHistory, positions: Positions, levels: Floats, quantiles_over: Callable[[int, Positions], Floats]
) -> Floats:
    """Quantiles by position, from those over a number of trading days for the positions that have so many ahead."""
    quantiles = np.full((len(positions), len(history.tickers), len(levels)), np.nan)
    ahead = scheduled_days_ahead(history.dates[positions])
    for days in np.unique(ahead):
        quantiles[ahead == days] = quantiles_over(int(days), positions[ahead == days])
    return quantiles


def _over(values: Floats, scale: Floats) -> Floats:
    """Values over a scale; NaN where the scale is 0, of a stock that never moved."""
    quotient: Floats = np.divide(values, scale, out=np.full(values.shape, np.nan), where=scale > 0)
    return quotient


def _normal(levels: Floats) -> Floats:
    """Quantiles of the standard normal distribution."""
    from scipy.special import ndtri

    return np.asarray(ndtri(levels))


def _student(levels: Floats) -> Floats:
    """Quantiles of Student's t scaled to variance 1."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(FREEDOM, levels) * np.sqrt((FREEDOM - 2) / FREEDOM))
