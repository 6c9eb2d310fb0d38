"""The chart of what language models cost against how good they are, as a Vega-Lite specification without colours."""

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

Row = Mapping[str, Any]
Spec = dict[str, Any]

_OF_A_LETTER, _LINE = 0.016, 0.06
"""About what a letter takes of the width, and a line of the height."""
_PRICES = {"tickCount": 6, "format": "~g", "grid": False}
_PRICE_SCALE = {"type": "log", "nice": False, "padding": 12}


def cost_chart(rows: Sequence[Row], price_title: str, score_title: str, called: str = "Model", digits: int = 1) -> Spec:
    """Price against score: every model a point, and a line through those that none beats in both.

    Parameters
    ----------
    rows : sequence of mappings
        ``label``, ``price`` (above 0), ``value``, ``low`` and ``high`` (None without an interval), and ``is_best``,
        whether it is one of those that none beats.
    price_title, score_title : str
    called : str
        What the points are.
    digits : int
        Decimals of scores.
    """
    front = sorted((dict(row) for row in rows if row["is_best"]), key=lambda row: row["price"])
    x = {"field": "price", "type": "quantitative", "title": price_title, "axis": _PRICES, "scale": _PRICE_SCALE}
    y = {"field": "value", "type": "quantitative", "title": score_title, "scale": {"zero": False}}
    tooltip = [
        {"field": "label", "title": called},
        {"field": "price", "title": price_title, "format": ".3~g"},
        {"field": "value", "title": score_title, "format": f".{digits}f"},
    ]
    at = {"x": x, "y": y}
    to_the_right, to_the_left = _sides(_named(front, rows), rows)
    text = {"type": "text", "dy": -9, "fontSize": 12, "limit": 160}
    named = {**at, "text": {"field": "label"}}
    layers = [
        (
            [dict(row) for row in rows if not row["is_best"]],
            {"type": "circle", "style": "soft", "size": 36, "opacity": 0.4},
            {**at, "tooltip": tooltip},
        ),
        (front, {"type": "line", "style": "accent", "interpolate": "step-after", "strokeWidth": 1.4}, at),
        (
            [row for row in front if row["low"] is not None],
            {"type": "rule", "style": "accent", "opacity": 0.4, "strokeWidth": 2},
            {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        ),
        (front, {"type": "circle", "style": "accent", "size": 70, "opacity": 1}, {**at, "tooltip": tooltip}),
        (to_the_right, {**text, "align": "left", "dx": 7}, named),
        (to_the_left, {**text, "align": "right", "dx": -7}, named),
    ]
    return {
        "layer": [
            {"data": {"values": values}, "mark": mark, "encoding": encoding}
            for values, mark, encoding in layers
            if values
        ]
    }


def _sides(named: Sequence[Row], rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Names that stand right of their points, because these are far left, and names that stand left of them."""
    middle = _middle(rows)
    right = [row for row in named if log10(row["price"]) < middle]
    return right, [row for row in named if log10(row["price"]) >= middle]


def _middle(rows: Sequence[Row]) -> float:
    prices = [log10(row["price"]) for row in rows]
    return (min(prices) + max(prices)) / 2


def _named(front: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Those of the front whose names have room, the best first."""
    prices, values = [log10(row["price"]) for row in rows], [row["value"] for row in rows]
    width, height = max(prices) - min(prices) or 1.0, max(values) - min(values) or 1.0
    middle = _middle(rows)
    named: list[tuple[Row, tuple[float, float]]] = []
    for row in reversed(front):
        at, length = (log10(row["price"]) - min(prices)) / width, _OF_A_LETTER * len(row["label"])
        ends = (at, at + length) if log10(row["price"]) < middle else (at - length, at)
        has_room = all(
            ends[1] < other[0] or other[1] < ends[0] or abs(row["value"] - one["value"]) / height > _LINE
            for one, other in named
        )
        if has_room:
            named.append((row, ends))
    return [row for row, _ in named]
