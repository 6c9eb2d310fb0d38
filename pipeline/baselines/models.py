"""The reference models: what any entrant should be compared with, each a few lines, each from the literature.

A model is a function from the prices and the rows of the cycles, an array of shape (cycles,), to its signals, shape
(cycles, subjects): the higher a stock's signal, the higher the return predicted for the week that follows, relative
to the other stocks. A signal is NaN where it is undefined, because there is not enough history. The function's name
is the model's id, the first line of its docstring its description, the section References its reference.
Add a model here and to ``BASELINES``. What fits on past outcomes lives in a module of its own.
"""

import zlib
from collections.abc import Callable

import numpy as np

from pipeline.baselines import factors
from pipeline.baselines.baseline import Baseline
from pipeline.baselines.prices import (
    Floats,
    Positions,
    PriceHistory,
    friday_of_next_week,
    mean_of_present,
    over_window,
)
from pipeline.baselines.ridge import ridge_on_factors

RANDOM_SEED = 20_240_229

Predict = Callable[[PriceHistory, Positions], Floats]


def momentum_12_1(history: PriceHistory, positions: Positions) -> Floats:
    """Return from 252 to 21 trading days ago: the winners of a year go on winning.

    References
    ----------
    Jegadeesh & Titman (1993), "Returns to Buying Winners and Selling Losers: Implications for Stock Market
    Efficiency", Journal of Finance 48(1), 65-91.
    """
    return factors.momentum_12_1(history, positions)


def momentum_6m(history: PriceHistory, positions: Positions) -> Floats:
    """Return of the last 126 trading days: the winners of half a year go on winning.

    References
    ----------
    Jegadeesh & Titman (1993), "Returns to Buying Winners and Selling Losers: Implications for Stock Market
    Efficiency", Journal of Finance 48(1), 65-91.
    """
    return history.past_return(positions, since=126)


def reversal_1w(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the return of the last 5 trading days: the losers of a week recover.

    References
    ----------
    Lehmann (1990), "Fads, Martingales, and Market Efficiency", Quarterly Journal of Economics 105(1), 1-28.
    """
    return -history.past_return(positions, since=5)


def reversal_1m(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the return of the last 21 trading days: the losers of a month recover.

    References
    ----------
    Jegadeesh (1990), "Evidence of Predictable Behavior of Security Returns", Journal of Finance 45(3), 881-898.
    """
    return -history.past_return(positions, since=21)


def reversal_3y(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the return from 756 to 252 trading days ago: the losers of years recover.

    References
    ----------
    De Bondt & Thaler (1985), "Does the Stock Market Overreact?", Journal of Finance 40(3), 793-805.
    """
    return -history.past_return(positions, since=756, until=252)


def low_volatility(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the standard deviation of the last 252 daily returns: calm stocks pay more for their risk.

    References
    ----------
    Ang, Hodrick, Xing & Zhang (2006), "The Cross-Section of Volatility and Expected Returns", Journal of Finance
    61(1), 259-299; Blitz & van Vliet (2007), "The Volatility Effect: Lower Risk without Lower Return", Journal of
    Portfolio Management 34(1), 102-113.
    """
    return -over_window(history.returns, positions, 252, lambda window: window.std(axis=0, ddof=1))


def low_beta(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the market beta over 252 daily returns: stocks of high beta cost too much.

    References
    ----------
    Frazzini & Pedersen (2014), "Betting Against Beta", Journal of Financial Economics 111(1), 1-25.
    """
    return -factors.market_beta(history, positions)


def low_max_return(history: PriceHistory, positions: Positions) -> Floats:
    """Minus the highest daily return of the last 21 trading days: stocks bought as lottery tickets disappoint.

    References
    ----------
    Bali, Cakici & Whitelaw (2011), "Maxing Out: Stocks as Lotteries and the Cross-Section of Expected Returns",
    Journal of Financial Economics 99(2), 427-446.
    """
    return -over_window(history.returns, positions, 21, lambda window: window.max(axis=0))


def moving_average_crossover(history: PriceHistory, positions: Positions) -> Floats:
    """Mean close of 5 days over mean close of 150 days, minus 1: a stock above its long average goes on rising.

    References
    ----------
    Brock, Lakonishok & LeBaron (1992), "Simple Technical Trading Rules and the Stochastic Properties of Stock
    Returns", Journal of Finance 47(5), 1731-1764.
    """
    return over_window(
        history.prices, positions, 150, lambda window: window[-5:].mean(axis=0) / window.mean(axis=0) - 1
    )


def high_52w(history: PriceHistory, positions: Positions) -> Floats:
    """Close over the highest close of 252 days, minus 1: a stock near its 52-week high goes on rising.

    References
    ----------
    George & Hwang (2004), "The 52-Week High and Momentum Investing", Journal of Finance 59(5), 2145-2176.
    """
    return over_window(history.prices, positions, 252, lambda window: window[-1] / window.max(axis=0) - 1)


def same_month_seasonality(history: PriceHistory, positions: Positions) -> Floats:
    """Mean return in earlier years of the calendar month in which the predicted week's Friday lies.

    A month's return runs from the last close of the month before to its own last close. One earlier year is enough.

    References
    ----------
    Heston & Sadka (2008), "Seasonality in the Cross-Section of Stock Returns", Journal of Financial Economics 87(2),
    418-445.
    """
    months = history.dates.astype("datetime64[M]").astype(np.int64)
    ends = np.flatnonzero(months[1:] != months[:-1])
    returns, months = history.prices[ends[1:]] / history.prices[ends[:-1]] - 1, months[ends[1:]]
    targets = friday_of_next_week(history.dates[positions]).astype("datetime64[M]").astype(np.int64)
    signals = np.full((len(positions), len(history.tickers)), np.nan)
    for target in np.unique(targets):
        earlier_years = (months % 12 == target % 12) & (months < target)
        signals[targets == target] = mean_of_present(returns[earlier_years], axis=0)
    return signals


def random_seeded(history: PriceHistory, positions: Positions) -> Floats:
    """A uniform random number between 0 and 1 that depends on the seed, the ticker and the day alone.

    Every stock has its own stream of numbers and takes the one at the day's ordinal, whatever cycles are asked for.

    References
    ----------
    Fama (1970), "Efficient Capital Markets: A Review of Theory and Empirical Work", Journal of Finance 25(2),
    383-417: under it no signal from past prices does better than this one.
    """
    ordinals = (history.dates[positions] - np.datetime64("0001-01-01", "D")).astype(np.int64) + 1
    length = int(ordinals.max(initial=0)) + 1
    streams = [np.random.default_rng([RANDOM_SEED, zlib.crc32(ticker.encode())]) for ticker in history.tickers]
    return np.column_stack([stream.random(length)[ordinals] for stream in streams])


def constant(history: PriceHistory, positions: Positions) -> Floats:
    """The number 1 for every stock and cycle: all stocks rise alike.

    References
    ----------
    Welch & Goyal (2008), "A Comprehensive Look at the Empirical Performance of Equity Premium Prediction", Review of
    Financial Studies 21(4), 1455-1508: a constant is the forecast that predictors have to beat, and mostly do not.
    """
    return np.ones((len(positions), len(history.tickers)))


BASELINES: tuple[Baseline[Predict], ...] = (
    Baseline("Momentum 12-1", momentum_12_1),
    Baseline("Momentum 6-month", momentum_6m),
    Baseline("Reversal 1-week", reversal_1w),
    Baseline("Reversal 1-month", reversal_1m),
    Baseline("Reversal 3-year", reversal_3y),
    Baseline("Low volatility", low_volatility),
    Baseline("Low beta", low_beta),
    Baseline("Low maximum return", low_max_return),
    Baseline("Moving-average crossover", moving_average_crossover),
    Baseline("52-week high", high_52w),
    Baseline("Same-month seasonality", same_month_seasonality),
    Baseline("Ridge on factors", ridge_on_factors),
    Baseline("Random (seeded)", random_seeded),
    Baseline("Constant", constant),
)
"""Every reference model."""
