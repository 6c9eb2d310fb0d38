"""The trading days of the New York Stock Exchange as its rules give them in advance.

That the exchange stayed closed after 11 September 2001, for a storm or for a president's funeral is not in it: nobody
knew. So a forecast that counts the days ahead by this calendar looks at nothing later than its own day.
"""

import functools
from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.baselines.prices import Dates, friday_of_next_week

Observance = Callable[[datetime], datetime]


def scheduled_days_ahead(dates: Dates) -> NDArray[np.int64]:
    """Trading days after each date, up to the Friday of the calendar week that follows its own, as scheduled.

    Parameters
    ----------
    dates : array of datetime64[D], shape (cycles,)
        Any days from 1990 on.

    Returns
    -------
    array of int, shape (cycles,)
        5 after an ordinary Friday, 4 before a week with a holiday.
    """
    if not len(dates):
        return np.zeros(0, dtype=np.int64)
    fridays = friday_of_next_week(dates)
    first, last = (int(str(dates.min())[:4]), int(str(fridays.max())[:4]))
    one = np.timedelta64(1, "D")
    return np.asarray(np.busday_count(dates + one, fridays + one, holidays=_holidays(first, last)), dtype=np.int64)


@functools.cache
def _holidays(first: int, last: int) -> Dates:
    """Weekdays from the first year to the last on which the exchange is closed by its rules, as of 1990 to 2022."""
    from pandas.tseries import holiday as rules

    def date(
        name: str, month: int, day: int, since: str, observed: Observance = rules.nearest_workday
    ) -> rules.Holiday:
        return rules.Holiday(name, month=month, day=day, start_date=since, observance=observed)

    third_monday = pd.offsets.WeekOfMonth(week=2, weekday=0)
    closed = [
        # A New Year's Day on a Saturday is not made up for on the last trading day of the old year.
        date("New Year's Day", 1, 1, "1990-01-01", rules.sunday_to_monday),
        rules.Holiday("Martin Luther King Day", month=1, day=1, offset=third_monday, start_date="1998-01-01"),
        rules.USPresidentsDay,
        rules.GoodFriday,
        rules.USMemorialDay,
        date("Juneteenth", 6, 19, "2022-01-01"),
        date("Independence Day", 7, 4, "1990-01-01"),
        rules.USLaborDay,
        rules.USThanksgivingDay,
        date("Christmas Day", 12, 25, "1990-01-01"),
    ]
    calendar = rules.AbstractHolidayCalendar(name=f"NYSE {first}-{last}", rules=closed)
    holidays: Dates = calendar.holidays(f"{first}-01-01", f"{last}-12-31").to_numpy().astype("datetime64[D]")
    return holidays
