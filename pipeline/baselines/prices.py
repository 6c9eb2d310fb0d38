"""Daily closing prices and the weekly cycles that follow from them.

Everything that a model or a factor may look at goes through ``PriceHistory.close`` and ``over_window``: both take
rows and hand out closes of those rows and earlier ones, so that nothing later can leak in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Dates = NDArray[np.datetime64]

MIN_RETURNS = 252
"""Daily returns that lie before the first cycle: one year of trading days."""

_FRIDAY = 4


@dataclass(frozen=True, eq=False)
class PriceHistory:
    """Daily closes of several stocks, and the weeks that they make up.

    A *position* is the row of a trading day. A *cycle* is the last trading day of a calendar week (Monday to Sunday)
    that is over: a later week has a trading day, or the day is a Friday. The first cycle has ``MIN_RETURNS`` daily
    returns before it. The calendar is taken as known: that a week ended on a Thursday was known on the Thursday. The
    one exception is the week of Monday 2001-09-10, which nobody knew to be over.

    Parameters
    ----------
    dates : array of datetime64[D], shape (days,)
        Trading days, ascending.
    tickers : tuple of str
        Names of the stocks.
    prices : array of float, shape (days, subjects)
        Closing prices, adjusted for splits and dividends, in US dollars; NaN where there is none.

    Raises
    ------
    ValueError
        If the shapes do not fit together, the days do not ascend, a ticker occurs twice or a price is not above 0.
    """

    dates: Dates
    tickers: tuple[str, ...]
    prices: Floats

    def __post_init__(self) -> None:
        expected = (len(self.dates), len(self.tickers))
        if self.prices.shape != expected:
            raise ValueError(f"prices have shape {self.prices.shape}; expected (days, tickers) = {expected}")
        if not np.all(self.dates[1:] > self.dates[:-1]):
            raise ValueError("trading days must ascend, each once; sort the prices by date and drop duplicates")
        if len(set(self.tickers)) != len(self.tickers):
            raise ValueError(f"each ticker must occur once; got {', '.join(self.tickers)}")
        if np.any(self.prices <= 0) or np.any(np.isinf(self.prices)):
            raise ValueError("prices must be above 0 and finite; a missing price is NaN")
        # A copy in one memory layout: sums run in the order of memory, and the last bit of a signal must not depend
        # on how a caller happened to build the array.
        prices = np.array(self.prices, dtype=np.float64, order="C")
        prices.flags.writeable = False
        object.__setattr__(self, "prices", prices)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "PriceHistory":
        """Closes out of a frame with trading days as index and one column for each ticker.

        Raises
        ------
        ValueError
            As for the class.
        """
        return cls(
            dates=frame.index.to_numpy().astype("datetime64[D]"),
            tickers=tuple(str(ticker) for ticker in frame.columns),
            prices=frame.to_numpy(dtype=np.float64),
        )

    @cached_property
    def returns(self) -> Floats:
        """Simple daily returns, shape (days, subjects); the first day has none (NaN)."""
        first = np.full((1, len(self.tickers)), np.nan)
        return np.concatenate([first, self.prices[1:] / self.prices[:-1] - 1])

    @cached_property
    def market_returns(self) -> Floats:
        """Daily return of the market, shape (days,): the mean over the stocks that have a return."""
        return mean_of_present(self.returns, axis=1)

    @cached_property
    def cycle_positions(self) -> Positions:
        """Rows of the cycles, ascending, shape (cycles,)."""
        weeks = _weekday_and_week(self.dates)[1]
        week_ends = np.flatnonzero(weeks[1:] != weeks[:-1])
        if len(self.dates) and _weekday_and_week(self.dates[-1:])[0][0] >= _FRIDAY:
            week_ends = np.append(week_ends, len(self.dates) - 1)
        return week_ends[week_ends >= MIN_RETURNS]

    @property
    def cycle_dates(self) -> Dates:
        """Days of the cycles, shape (cycles,)."""
        return self.dates[self.cycle_positions]

    @cached_property
    def target_dates(self) -> Dates:
        """When each cycle's outcome is known, shape (cycles,): the next cycle; for the newest the next Friday week."""
        return np.concatenate([self.cycle_dates[1:], friday_of_next_week(self.cycle_dates[-1:])])

    @cached_property
    def outcomes(self) -> Floats:
        """Simple returns from each cycle's close to the next cycle's, shape (cycles, subjects).

        NaN where a close is missing, and for the newest cycle.
        """
        closes = self.prices[self.cycle_positions]
        outcomes = np.full(closes.shape, np.nan)
        outcomes[:-1] = closes[1:] / closes[:-1] - 1
        return outcomes

    def close(self, positions: Positions, lag: int = 0) -> Floats:
        """Closes ``lag`` trading days before the rows asked for; NaN before the first day.

        Parameters
        ----------
        positions : array of int, shape (cycles,)
            Rows of trading days.
        lag : int
            Trading days back, 0 or more.

        Returns
        -------
        array of float, shape (cycles, subjects)
            Closing prices in US dollars.

        Raises
        ------
        ValueError
            If ``lag`` is negative: that would look ahead.
        """
        if lag < 0:
            raise ValueError(f"lag {lag} looks ahead; expected 0 or more trading days back")
        rows = positions - lag
        return np.where((rows >= 0)[:, None], self.prices[np.maximum(rows, 0)], np.nan)

    def past_return(self, positions: Positions, since: int, until: int = 0) -> Floats:
        """Simple return from ``since`` to ``until`` trading days before each row, shape (cycles, subjects).

        Raises
        ------
        ValueError
            As for ``close``.
        """
        return self.close(positions, until) / self.close(positions, since) - 1

    def returns_over(self, days: int) -> Floats:
        """Simple returns over the last so many trading days, shape (days, subjects); NaN in the first rows."""
        return self.past_return(np.arange(len(self.dates)), since=days)


def over_window(values: Floats, positions: Positions, length: int, statistic: Callable[[Floats], Floats]) -> Floats:
    """A statistic of the last ``length`` rows of ``values``, for each row asked for.

    It runs row by row, so the result of a row is the same to the last bit whatever other rows are asked for.

    Parameters
    ----------
    values : array of float, shape (days, columns)
        Prices or returns.
    positions : array of int, shape (cycles,)
        Last rows of the windows.
    length : int
        Rows in a window.
    statistic : callable
        From a window of shape (length, columns) to one value for each stock, shape (subjects,).

    Returns
    -------
    array of float, shape (cycles, subjects)
        NaN for a row that has fewer than ``length`` rows up to it.
    """
    # The statistic of an empty past says how many values there are: fewer than columns where one is the market.
    undefined = np.atleast_1d(statistic(np.full((length, values.shape[1]), np.nan)))
    rows = [
        statistic(values[position - length + 1 : position + 1]) if position >= length - 1 else undefined
        for position in positions
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(undefined))


def mean_of_present(values: Floats, axis: int) -> Floats:
    """Mean over the values that are not NaN; NaN where there is none."""
    present = ~np.isnan(values)
    count = present.sum(axis=axis)
    total = np.where(present, values, 0.0).sum(axis=axis)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def friday_of_next_week(dates: Dates) -> Dates:
    """The Friday of the calendar week after each date's own: known in advance, whatever the holidays."""
    weekday, _ = _weekday_and_week(dates)
    fridays: Dates = dates + (7 + _FRIDAY - weekday).astype("timedelta64[D]")
    return fridays


def load_prices() -> PriceHistory:
    """Daily closes of 20 S&P 500 stocks, 1990-01-02 to 2022-12-28, out of the installed ``skfolio`` package.

    The 20 stocks were picked with hindsight: all of them are still large companies at the end.
    """
    from skfolio.datasets import load_sp500_dataset  # takes over a second, so only when prices are needed

    return PriceHistory.from_frame(load_sp500_dataset())


def _weekday_and_week(dates: Dates) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weekday (Monday is 0) and number of the Monday-to-Sunday week of each date."""
    since_monday = (dates - np.datetime64("1969-12-29", "D")).astype(np.int64)
    return since_monday % 7, since_monday // 7
