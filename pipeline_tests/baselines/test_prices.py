"""Cycles, outcomes and windows of daily closes."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.baselines import PriceHistory
from pipeline.baselines.prices import (
    MIN_RETURNS,
    friday_of_next_week,
    mean_of_present,
    over_window,
)
from pipeline_tests.baselines.conftest import two_stocks


def days(*dates: str) -> np.ndarray:
    return np.array(dates, dtype="datetime64[D]")


def flat(dates: np.ndarray) -> PriceHistory:
    return PriceHistory(dates, ("A", "B"), np.full((len(dates), 2), 100.0))


def test_a_cycle_is_the_last_trading_day_of_its_week(history: PriceHistory) -> None:
    index = pd.DatetimeIndex(history.dates)
    last_days = pd.Series(index, index=index.to_period("W-SUN")).groupby(level=0).last()
    complete = last_days.iloc[:-1]
    expected = complete[complete.map(index.get_loc) >= 252]
    assert list(pd.DatetimeIndex(history.cycle_dates)) == list(expected)


def test_real_prices_have_1669_cycles_on_fridays_and_on_thursdays_before_a_holiday(history: PriceHistory) -> None:
    assert history.cycle_dates[0] == np.datetime64("1991-01-04")
    assert history.cycle_dates[-1] == np.datetime64("2022-12-23")
    weekdays = pd.Series(pd.DatetimeIndex(history.cycle_dates).day_name()).value_counts().to_dict()
    assert weekdays == {"Friday": 1611, "Thursday": 57, "Monday": 1}


@pytest.mark.parametrize("good_friday", ["1991-03-29", "2008-03-21", "2022-04-15"])
def test_a_week_with_good_friday_ends_on_thursday(history: PriceHistory, good_friday: str) -> None:
    friday = np.datetime64(good_friday)
    assert friday not in history.cycle_dates
    assert friday - 1 in history.cycle_dates


def test_the_only_cycle_on_a_monday_is_the_day_before_markets_closed(history: PriceHistory) -> None:
    monday = history.cycle_dates[pd.DatetimeIndex(history.cycle_dates).day_name() == "Monday"]
    assert list(monday) == [np.datetime64("2001-09-10")]
    assert np.datetime64("2001-09-21") in history.cycle_dates


def test_the_last_week_is_no_cycle_while_it_may_go_on(history: PriceHistory) -> None:
    assert history.dates[-1] == np.datetime64("2022-12-28")
    assert history.dates[-1] not in history.cycle_dates


@pytest.mark.parametrize(
    ("last_day", "newest_cycle"),
    [
        ("1991-05-16", "1991-05-10"),  # a Thursday: the week may have a Friday to come
        ("1991-05-17", "1991-05-17"),  # a Friday ends it
        ("1991-05-20", "1991-05-17"),  # so does a day of the next week
    ],
)
def test_the_newest_cycle_is_the_last_complete_week(last_day: str, newest_cycle: str) -> None:
    history = flat(pd.bdate_range("1990-01-01", last_day).to_numpy().astype("datetime64[D]"))
    assert history.cycle_dates[-1] == np.datetime64(newest_cycle)


def test_the_first_cycle_has_a_year_of_returns_before_it() -> None:
    assert len(two_stocks(252, []).cycle_dates) == 0
    friday = int(np.flatnonzero(two_stocks(260, []).dates == np.datetime64("1990-12-21"))[0])
    assert friday == 254
    assert list(two_stocks(friday + 1, []).cycle_positions) == [friday]
    assert two_stocks(friday + 1, []).cycle_positions[0] >= MIN_RETURNS


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 399), max_size=120))
def test_each_week_with_a_trading_day_has_one_cycle_its_last(closed: set[int]) -> None:
    start = date(1990, 1, 1)
    open_days = [start + timedelta(day) for day in range(420) if (start + timedelta(day)).weekday() < 5]
    trading = [day for number, day in enumerate(open_days) if number not in closed or number > 280]
    trading = [date(1989, 1, 1) + timedelta(number) for number in range(300)] + trading
    history = flat(np.array(trading, dtype="datetime64[D]"))
    last_of_week = {day.isocalendar()[:2]: day for day in trading}
    expected = [day for day in last_of_week.values() if trading.index(day) >= 252]
    if expected and expected[-1].weekday() < 4:
        expected.pop()
    assert history.cycle_dates.tolist() == expected


def test_friday_of_next_week_from_every_weekday() -> None:
    week = days("2024-02-26", "2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03")
    assert set(friday_of_next_week(week).tolist()) == {date(2024, 3, 8)}


def test_target_is_the_next_cycle_and_for_the_newest_the_friday_of_the_next_week(history: PriceHistory) -> None:
    assert list(history.target_dates[:-1]) == list(history.cycle_dates[1:])
    assert history.target_dates[-1] == np.datetime64("2022-12-30")


def test_outcomes_compound_to_the_whole_change_of_the_price_so_they_do_not_overlap(history: PriceHistory) -> None:
    first, last = history.cycle_positions[[0, -1]]
    compounded = np.prod(1 + history.outcomes[:-1], axis=0)
    np.testing.assert_allclose(compounded, history.prices[last] / history.prices[first], rtol=1e-10)
    assert np.isnan(history.outcomes[-1]).all()
    assert not np.isnan(history.outcomes[:-1]).any()


def test_an_outcome_compounds_the_daily_returns_after_its_cycle_up_to_the_next(history: PriceHistory) -> None:
    for number in (0, 500, 1667):
        start, end = history.cycle_positions[number : number + 2]
        daily = np.prod(1 + history.returns[start + 1 : end + 1], axis=0) - 1
        np.testing.assert_allclose(history.outcomes[number], daily, atol=1e-12)


def test_close_before_the_first_day_is_absent() -> None:
    history = two_stocks(10, [(3, 130.0)])
    closes = history.close(np.array([2, 5]), lag=2)
    assert closes.tolist() == [[100.0, 100.0], [130.0, 100.0]]
    assert np.isnan(history.close(np.array([1]), lag=2)).all()


def test_a_close_after_the_row_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="lag -1 looks ahead"):
        two_stocks(10, []).close(np.array([2]), lag=-1)


def test_a_window_ends_with_its_row_and_needs_its_whole_length() -> None:
    values = np.arange(10.0).reshape(5, 2)
    sums = over_window(values, np.array([1, 2, 4]), 3, lambda window: window.sum(axis=0))
    assert np.isnan(sums[0]).all()
    assert sums[1:].tolist() == [[6.0, 9.0], [18.0, 21.0]]


def test_no_windows_still_have_the_shape_of_the_stocks() -> None:
    sums = over_window(np.ones((5, 2)), np.array([], dtype=np.intp), 3, lambda window: window.sum(axis=0))
    assert sums.shape == (0, 2)


def test_mean_of_present_leaves_absent_values_out() -> None:
    means = mean_of_present(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]), axis=1)
    assert means[0] == 2.0
    assert np.isnan(means[1])


def test_the_market_is_the_mean_of_the_stocks_that_have_a_return() -> None:
    history = two_stocks(4, [(0, np.nan), (1, 100.0), (2, 110.0), (3, 110.0)])
    assert np.isnan(history.market_returns[0])
    np.testing.assert_allclose(history.market_returns[1:], [0.0, 0.05, 0.0])


@pytest.mark.parametrize(
    ("dates", "tickers", "prices", "message"),
    [
        (days("2024-01-01"), ("A", "B"), [[1.0]], r"prices have shape \(1, 1\); expected \(days, tickers\) = \(1, 2\)"),
        (days("2024-01-02", "2024-01-01"), ("A",), [[1.0], [1.0]], "trading days must ascend"),
        (days("2024-01-01", "2024-01-01"), ("A",), [[1.0], [1.0]], "trading days must ascend"),
        (days("2024-01-01"), ("A", "A"), [[1.0, 1.0]], "each ticker must occur once; got A, A"),
        (days("2024-01-01"), ("A",), [[0.0]], "prices must be above 0"),
        (days("2024-01-01"), ("A",), [[np.inf]], "prices must be above 0 and finite"),
    ],
)
def test_a_malformed_history_is_refused(
    dates: np.ndarray, tickers: tuple[str, ...], prices: list, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PriceHistory(dates, tickers, np.array(prices))


def test_a_frame_becomes_a_history_of_its_own() -> None:
    frame = pd.DataFrame({"A": [1.0, 2.0], "B": [3, 4]}, index=pd.to_datetime(["2024-01-01", "2024-01-02"]))
    history = PriceHistory.from_frame(frame)
    frame.loc[:, "A"] = 9.0
    assert history.tickers == ("A", "B")
    assert history.prices.tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert history.dates.tolist() == [date(2024, 1, 1), date(2024, 1, 2)]


def test_a_history_keeps_a_copy_that_cannot_be_written_to() -> None:
    prices = np.full((2, 1), 5.0)
    history = PriceHistory(days("2024-01-01", "2024-01-02"), ("A",), prices)
    prices[0, 0] = 7.0
    assert history.prices.tolist() == [[5.0], [5.0]]
    with pytest.raises(ValueError, match="read-only"):
        history.prices[0, 0] = 7.0
