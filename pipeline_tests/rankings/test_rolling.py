"""Speeds as medians over days: which days count, which figures, and that it is shown."""

from datetime import date

import pytest

from pipeline.rankings import ModelName, Parsed, Result
from pipeline.rankings.rolling import rolling_medians

TODAY = date(2026, 7, 5)
SPEED = ("speed", "throughput_median")


def said(*values: float | None, name: str = "anvil") -> Parsed:
    """What a source says of one model: its speed, and its price."""
    (value,) = values
    speed = Result(name, *SPEED, value, reason=None if value is not None else "zero_means_missing")
    return Parsed((speed, Result(name, "price", "input", 1.0 if value is None else value)), (ModelName(name),))


def speed(now: Parsed, earlier: dict[date, Parsed], days: int = 7) -> Result:
    return rolling_medians(now, TODAY, earlier, {"speed"}, days).results[0]


def test_a_speed_is_the_median_of_the_days_of_the_window_and_says_so() -> None:
    earlier = {date(2026, 7, 1): said(60.0), date(2026, 7, 3): said(300.0)}
    found = rolling_medians(said(90.0), TODAY, earlier, {"speed"}, 7)
    assert found.results[0] == Result("anvil", *SPEED, 90.0, n=3, config="median of 3 days, 2026-07-01..2026-07-05")
    assert found.results[1] == Result("anvil", "price", "input", 90.0), "prices are those of now"
    assert speed(said(100.0), {date(2026, 7, 4): said(60.0)}).value == 80.0


@pytest.mark.parametrize(
    ("days", "value", "n"), [(1, 90.0, None), (2, 90.0, None), (3, 75.0, 2), (7, 60.0, 3), (30, 60.0, 3)]
)
def test_the_window_ends_with_the_newest_day_and_has_so_many_days(days: int, value: float, n: int | None) -> None:
    earlier = {date(2026, 7, 3): said(60.0), date(2026, 6, 29): said(10.0), date(2026, 7, 6): said(1.0)}
    found = speed(said(90.0), earlier, days)
    assert (found.value, found.n) == (value, n)


def test_one_day_is_that_day_s_and_is_not_called_a_median() -> None:
    assert speed(said(90.0), {}) == said(90.0).results[0]
    assert speed(said(90.0), {date(2026, 7, 4): said(None)}) == said(90.0).results[0]


def test_what_is_not_given_now_has_no_value_and_what_was_given_before_does_not_come_back() -> None:
    found = rolling_medians(said(None), TODAY, {date(2026, 7, 4): said(60.0, name="hammer")}, {"speed"}, 7)
    assert [(one.raw_name, one.value) for one in found.results if one.benchmark == "speed"] == [("anvil", None)]
