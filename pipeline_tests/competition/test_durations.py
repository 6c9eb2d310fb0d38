"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.competition.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("-12h", timedelta(hours=-12)),
        ("+7d", timedelta(days=7)),
        (" 2w ", timedelta(weeks=2)),
        ("1.5d", timedelta(hours=36)),
        (timedelta(hours=3), timedelta(hours=3)),
    ],
)
def test_a_number_and_a_unit_is_a_duration(text: object, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "24", 24, "h", "1 d", "1y", "1d12h", "1e3s", None])
def test_anything_else_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="is no duration; write a number and a unit: 30m, 24h, 7d, 2w, -12h"):
        parse_duration(text)


def test_a_duration_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(ValueError, match="duration '9999999999w' is too long"):
        parse_duration("9999999999w")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(hours=-12), "-12h"),
        (timedelta(days=14), "2w"),
        (timedelta(days=8), "8d"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=1234567), "1234567s"),
        (timedelta(seconds=100000, milliseconds=500), "100000.5s"),
        (timedelta(microseconds=1), "0.000001s"),
    ],
)
def test_the_text_uses_the_largest_whole_unit(value: timedelta, text: str) -> None:
    assert format_duration(value) == text


@given(st.timedeltas(min_value=timedelta(days=-40_000), max_value=timedelta(days=40_000)))
@example(timedelta(seconds=1234567))
@example(timedelta(days=-1, microseconds=1))
def test_the_text_is_read_back_exactly(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value
