"""The calendar by its rules, against the days on which the exchange was open."""

import numpy as np
import pytest

from pipeline.baselines import PriceHistory
from pipeline.baselines.trading_calendar import scheduled_days_ahead

UNSCHEDULED = {
    "1994-04-22": (5, 4),  # President Nixon's funeral
    "2001-09-07": (5, 1),  # 11 September 2001, and the Monday before it makes up a cycle
    "2001-09-10": (9, 5),
    "2004-06-04": (5, 4),  # President Reagan's funeral, a Friday
    "2004-06-10": (6, 5),  # so the Friday after the Thursday counts as scheduled
    "2006-12-29": (4, 3),  # President Ford's
    "2012-10-26": (5, 3),  # hurricane Sandy
    "2018-11-30": (5, 4),  # President G. H. W. Bush's
}
"""Cycles whose trading days ahead were not what the rules said: scheduled, and as it was."""


def test_the_calendar_is_that_of_the_real_prices_but_for_closures_that_nobody_foresaw(history: PriceHistory) -> None:
    scheduled = scheduled_days_ahead(history.cycle_dates)[:-1]
    traded = np.diff(history.cycle_positions)
    differs = np.flatnonzero(scheduled != traded)
    found = {str(history.cycle_dates[at]): (int(scheduled[at]), int(traded[at])) for at in differs}
    assert found == UNSCHEDULED


@pytest.mark.parametrize(
    ("day", "days"),
    [
        ("2022-12-23", 4),  # Christmas on a Sunday: Monday is off
        ("2021-12-23", 5),  # Christmas on a Saturday: Friday the 24th is off, no day of the week that follows
        ("2021-12-31", 5),  # New Year's Day on a Saturday: nothing is made up for
        ("2016-12-30", 4),  # New Year's Day on a Sunday
        ("1997-01-17", 5),  # no Martin Luther King Day yet
        ("1998-01-16", 4),
        ("2021-06-11", 5),  # no Juneteenth yet
        ("2022-06-17", 4),
        ("2022-04-08", 4),  # Good Friday
        ("2022-04-14", 5),  # from the Thursday before it
        ("2022-11-18", 4),  # Thanksgiving
        ("2023-06-30", 4),  # after the prices end
    ],
)
def test_days_ahead_by_hand(day: str, days: int) -> None:
    assert scheduled_days_ahead(np.array([day], dtype="datetime64[D]")).tolist() == [days]


def test_a_date_has_the_same_days_ahead_whatever_dates_are_asked_for_with_it(history: PriceHistory) -> None:
    together = scheduled_days_ahead(history.cycle_dates)
    alone = [scheduled_days_ahead(history.cycle_dates[[number]])[0] for number in range(0, 1669, 97)]
    assert together[::97].tolist() == alone
    assert scheduled_days_ahead(history.cycle_dates[:0]).tolist() == []
