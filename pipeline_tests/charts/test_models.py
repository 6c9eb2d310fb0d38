"""Charts of models draw what they are given, and have no colours or size of their own."""

import json
import re
from typing import Any

import pytest
import vl_convert

from pipeline.charts import drawdown_chart, lines_chart, rank_chart

SUMS = [
    {"time": "2024-01-05T00:00:00", "value": 0.1, "peak": 0.1, "run": 1},
    {"time": "2024-01-12T00:00:00", "value": -0.2, "peak": 0.1, "run": 1},
    {"time": "2024-01-19T00:00:00", "value": 0.0, "peak": 0.1, "run": 2},
    {"time": "2024-01-26T00:00:00", "value": 0.3, "peak": 0.3, "run": 2},
]
BREAK = [{"time": "2024-01-19T00:00:00", "label": "version <2>"}]
RANKS = [
    {"time": "2024-01-05T00:00:00", "rank": 3, "best": 1, "worst": 9, "run": 0},
    {"time": "2024-01-12T00:00:00", "rank": 1, "best": 1, "worst": 4, "run": 0},
]
LINES = [
    {"time": "2024-01-05T00:00:00", "label": "A", "value": 0.1},
    {"time": "2024-01-12T00:00:00", "label": "A", "value": 0.2},
    {"time": "2024-01-05T00:00:00", "label": "B <b>", "value": -0.1},
    {"time": "2024-01-12T00:00:00", "label": "B <b>", "value": 0.0},
]
SPECS = {
    "drawdown": drawdown_chart(SUMS, BREAK, "Cumulative IC"),
    "ranks": rank_chart(RANKS, 9, BREAK),
    "ranks of an ensemble": rank_chart([row | {"best": None, "worst": None} for row in RANKS], 3),
    "lines": lines_chart(LINES, ["A", "B <b>"], "Cumulative IC"),
}


def drawn(spec: dict[str, Any]) -> str:
    return str(vl_convert.vegalite_to_svg(spec))


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("name", SPECS)
def test_they_draw_and_leave_colours_and_size_to_the_page(name: str) -> None:
    spec = SPECS[name]
    assert "<svg" in drawn(spec)
    written = json.dumps(spec)
    assert "#" not in written
    assert '"color": "' not in written
    assert not {"width", "height", "config", "background"} & set(spec)


def test_a_line_breaks_where_the_version_changes() -> None:
    svg = drawn(SPECS["drawdown"])
    lines = re.findall(r'<g class="mark-line[^"]*".*?</g>', svg, flags=re.S)
    assert sum(group.count("<path") for group in lines) == 2
    assert "version &lt;2&gt;" in texts(svg)
    whole = drawn(drawdown_chart([row | {"run": 1} for row in SUMS], [], "Cumulative IC"))
    lines = re.findall(r'<g class="mark-line[^"]*".*?</g>', whole, flags=re.S)
    assert sum(group.count("<path") for group in lines) == 1


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        (1, ["1", "2"]),
        (3, ["1", "2", "3"]),
        (9, ["1", "3", "5", "7", "9"]),
        (14, ["1", "4", "7", "10", "14"]),
    ],
)
def test_ranks_are_marked_by_whole_numbers_from_the_first_to_the_last(last: int, ticks: list[str]) -> None:
    assert [text for text in texts(drawn(rank_chart(RANKS, last))) if text.isdigit() and len(text) < 3] == ticks


def test_only_ranks_with_a_range_have_a_band() -> None:
    assert "mark-area" in drawn(SPECS["ranks"])
    assert "mark-area" not in drawn(SPECS["ranks of an ensemble"])


def test_a_legend_names_every_line_in_order() -> None:
    named = texts(drawn(SPECS["lines"]))
    assert [text for text in named if text in {"A", "B &lt;b&gt;"}] == ["A", "B &lt;b&gt;"]
