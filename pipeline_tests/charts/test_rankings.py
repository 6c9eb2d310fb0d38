"""The chart of prices and scores draws what it is given, and has no colours or size of its own."""

import json
import re
from typing import Any

import vl_convert

from pipeline.charts import cost_chart

FRONT = [
    {"label": "Cheap <1>", "price": 0.1, "value": 120.0, "low": 115.0, "high": 125.0, "is_best": True},
    {"label": "Near", "price": 0.11, "value": 120.1, "low": None, "high": None, "is_best": True},
    {"label": "Dear", "price": 10.0, "value": 150.0, "low": 146.0, "high": 154.0, "is_best": True},
]
BEATEN = {"label": "Beaten", "price": 5.0, "value": 119.0, "low": 110.0, "high": 130.0, "is_best": False}


def chart(*rows: dict[str, Any]) -> dict[str, Any]:
    return cost_chart(rows, "USD", "Ability")


def drawn(spec: dict[str, Any]) -> str:
    return str(vl_convert.vegalite_to_svg(spec))


def points(svg: str) -> int:
    groups = re.findall(r'<g class="mark-symbol[^"]*".*?</g>', svg, flags=re.S)
    return sum(group.count("<path") for group in groups)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_every_model_is_a_point_and_the_line_goes_through_the_best() -> None:
    svg = drawn(chart(*FRONT, BEATEN))
    assert points(svg) == 4
    assert svg.count('class="mark-line') == 1
    assert "USD" in texts(svg)


def test_colours_and_size_are_left_to_the_page() -> None:
    spec = chart(*FRONT, BEATEN)
    assert "#" not in json.dumps(spec)
    assert not {"width", "height", "config", "background"} & set(spec)


def test_names_that_would_be_on_each_other_are_left_out() -> None:
    shown = texts(drawn(chart(*FRONT, BEATEN)))
    assert "Dear" in shown
    assert ("Near" in shown) != ("Cheap &lt;1&gt;" in shown)
    assert "Beaten" not in shown


def test_intervals_are_drawn_of_those_that_have_one() -> None:
    rules = [layer for layer in chart(*FRONT, BEATEN)["layer"] if layer["mark"]["type"] == "rule"]
    assert [[row["label"] for row in layer["data"]["values"]] for layer in rules] == [["Cheap <1>", "Dear"]]


def test_models_that_are_all_among_the_best_leave_no_empty_layer() -> None:
    assert all(layer["data"]["values"] for layer in chart(FRONT[0], FRONT[2])["layer"])
    same = [{**FRONT[0], "label": "A"}, {**FRONT[0], "label": "B"}]
    assert points(drawn(chart(*same))) == 2
