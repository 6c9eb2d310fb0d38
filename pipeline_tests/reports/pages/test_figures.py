"""Numbers, moments and names as people read them."""

from datetime import datetime, timedelta

import pytest

from pipeline.reports.pages.figures import (
    ago,
    category_name,
    day,
    metric_name,
    percent,
    reason,
    scale,
    share,
)

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("values", "half_widths", "expected"),
    [
        ([0.02616, -0.0171], [0.034, 0.056], ["+0.026", f"{MINUS}0.017"]),
        ([1.8291, 2.2301], [0.11, 0.12], ["1.83", "2.23"]),
        ([1834.1, 12.0], [210.0, 150.0], ["1,834", "12"]),
        ([0.5217, 0.4444], [], ["0.522", "0.444"]),
        ([0.00000012], [], ["0.000000"]),
        ([-0.0004, 0.02], [0.034], ["0.000", "+0.020"]),
        ([None, 3.0, float("nan")], [], ["–", "3.00", "–"]),
        ([], [], []),
    ],
)
def test_a_column_is_written_as_far_as_its_intervals_know(
    values: list[float | None], half_widths: list[float], expected: list[str]
) -> None:
    assert [scale(values, half_widths).text(one) for one in values] == expected


def test_shares_are_percentages_with_decimals_of_their_intervals() -> None:
    written = scale([0.5217, 0.4444], [0.031, 0.029], "share")
    assert written.text(0.5217) == f"52.2{NARROW}%"
    assert share(0.1) == f"10.0{NARROW}%"


@pytest.mark.parametrize(
    ("part", "text"), [(None, "–"), (1.0, "100"), (0.9999, ">99"), (0.0, "0"), (0.0001, "<1"), (0.755, "76")]
)
def test_what_is_nearly_all_is_not_all(part: float | None, text: str) -> None:
    assert percent(part) == (text if part is None else f"{text}{NARROW}%")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ic", "IC"),
        ("ic_sharpe", "IC Sharpe"),
        ("mean_return", "Mean return"),
        ("sortino_ratio", "Sortino ratio"),
        ("wis", "WIS"),
        ("my_reports.metrics.prediction_spread", "Prediction spread"),
    ],
)
def test_metrics_are_named_in_words(name: str, words: str) -> None:
    assert metric_name(name) == words


def test_moments_have_a_time_where_it_is_not_midnight() -> None:
    assert day(datetime(2022, 12, 3)) == "3 Dec 2022"
    assert day(datetime(2022, 12, 3, 21, 5)) == "3 Dec 2022 21:05"
    assert day(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 seconds ago"), (119, "119 seconds ago"), (120, "2 minutes ago"), (86_400 * 3, "3 days ago")],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    now = datetime(2022, 1, 1)
    assert ago(now - timedelta(seconds=seconds), now) == said


def test_reasons_are_in_words_and_unknown_ones_as_they_are() -> None:
    assert reason("unranked: inactive") == "no submission lately"
    assert reason("unranked: something_new") == "something new"
    assert (category_name("horizon=2"), category_name("overall")) == ("Horizon 2", "Overall")
