"""What is printed: numbers rounded once, undefined never a number, JSON that any program reads."""

import io
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from rich.text import Text

from pipeline.cli.output import Column, SafeConsole, console, counted, day, percent, print_json, print_table, signed


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0256, "+0.026"), (-0.0004, "-0.000"), (0.0, "+0.000"), (12.5, "+12.500"), (None, "–")]
)
def test_a_signed_number_always_shows_its_sign(value: float | None, expected: str) -> None:
    assert signed(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(1.0, "100 %"), (0.875, "88 %"), (0.0, "0 %"), (None, "–")])
def test_a_share_is_a_percentage(value: float | None, expected: str) -> None:
    assert percent(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2020, 1, 17), "2020-01-17"),
        (datetime(2020, 1, 17, 22), "2020-01-17 22:00 UTC"),
        (datetime(1, 1, 1), "0001-01-01"),
    ],
)
def test_a_day_shows_the_time_only_where_it_has_one(value: datetime, expected: str) -> None:
    assert day(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (Decimal("NaN"), None),
        (Decimal("0.10"), 0.1),
        (datetime(2020, 1, 17, 22), "2020-01-17T22:00:00Z"),
        (datetime(2020, 1, 17, 22, tzinfo=UTC), "2020-01-17T22:00:00Z"),
        (datetime(2020, 1, 17, 22, tzinfo=timezone(timedelta(hours=2))), "2020-01-17T20:00:00Z"),
        ({"a": (1, math.nan)}, {"a": [1, None]}),
        (b"\xff", "ff"),
    ],
)
def test_json_has_no_nan_and_no_ambiguous_time(
    capsys: pytest.CaptureFixture[str], value: object, expected: object
) -> None:
    print_json(value)
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.parametrize(("number", "expected"), [(0, "0 rows"), (1, "1 row"), (1669, "1,669 rows")])
def test_one_is_singular(number: int, expected: str) -> None:
    assert counted(number, "row") == expected


HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\x9b31mred\u202egnp.exe\x7f"
SHOWN = r"\x1b]0;owned\x07\x1b[2J\x0d\x9b31mred\u202egnp.exe\x7f"
STRIPPED = SHOWN.replace(r"\x07", "").replace(r"\x0d", "")
"""Rich itself leaves out bells and carriage returns."""


def test_a_terminal_obeys_nothing_that_a_table_shows(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Column("model", [HOSTILE, "two\nlines"], is_text=True), Column("n", ["1", "2"])], Text("title"))
    printed = capsys.readouterr().out
    assert printed.count(SHOWN) == 1
    assert not set(printed) & set(HOSTILE) - set(SHOWN)
    assert len({len(line) for line in printed.splitlines()[1:]}) == 1  # no line is longer than it looks


def test_a_terminal_obeys_nothing_else_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(HOSTILE, markup=False)
    console().print(Text(HOSTILE))
    assert capsys.readouterr().out == 2 * f"{STRIPPED}\n"


def test_the_console_s_own_colours_are_kept() -> None:
    written = io.StringIO()
    SafeConsole(file=written, force_terminal=True, color_system="standard").print(Text(HOSTILE, style="red"))
    assert written.getvalue() == f"\x1b[31m{STRIPPED}\x1b[0m\n"


def test_json_is_the_same_value_without_what_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": HOSTILE, "b": "ü–😀"})
    printed = capsys.readouterr().out
    assert not set(printed) & set(HOSTILE) - set(SHOWN)
    assert "ü–😀" in printed
    assert json.loads(printed) == {"a": HOSTILE, "b": "ü–😀"}
