"""Charts of a board, from plain rows: pure functions that give Vega-Lite specifications, readable in light and dark.

Add a chart here when both the Dagster UI and the pages should show it; how it becomes a picture is not its matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Spec = dict[str, Any]

_ACCENT = "#2457d6"
_SOFT = "#5c6675"
_LINE = "#e4e8ee"
_NAME = 11
"""Size of the names at the ends of lines, in points."""
_CONFIG = {
    "background": "#ffffff",
    "font": "Inter, system-ui, sans-serif",
    "title": {"anchor": "start", "fontSize": 15, "subtitleColor": _SOFT, "subtitleFontSize": 12, "offset": 14},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleColor": _SOFT,
        "titleFontWeight": "normal",
        "gridColor": _LINE,
        "domain": False,
    },
    "view": {"stroke": None},
    "legend": {"labelFontSize": 12, "title": None},
}


def board_chart(rows: Sequence[Row], title: str, subtitle: str, value_title: str) -> Spec:
    """The top of a board: each model's value with its 95 % interval, best first.

    Parameters
    ----------
    rows : sequence of mappings
        ``position``, ``label``, ``value``, ``ci_low``, ``ci_high``; the interval may be None.
    title, subtitle, value_title : str
        What the board is of, and what is measured in which unit.
    """
    y = {"field": "label", "type": "nominal", "sort": {"field": "position"}, "title": None, "axis": {"labelLimit": 260}}
    tooltip = [{"field": field} for field in ("label", "value", "ci_low", "ci_high")]
    return {
        "config": _CONFIG,
        "title": {"text": title, "subtitle": subtitle},
        "width": 520,
        "height": {"step": 26},
        "data": {"values": [dict(row) for row in rows]},
        "layer": [
            {"mark": {"type": "rule", "color": _SOFT, "strokeDash": [3, 3]}, "encoding": {"x": {"datum": 0}}},
            {
                "mark": {"type": "rule", "color": _ACCENT, "opacity": 0.45, "strokeWidth": 2.5},
                "encoding": {
                    "y": y,
                    "x": {"field": "ci_low", "type": "quantitative", "title": value_title},
                    "x2": {"field": "ci_high"},
                },
            },
            {
                "mark": {"type": "circle", "color": _ACCENT, "size": 70, "opacity": 1},
                "encoding": {"y": y, "x": {"field": "value", "type": "quantitative"}, "tooltip": tooltip},
            },
        ],
    }


def cumulative_chart(
    rows: Sequence[Row], title: str, subtitle: str, value_title: str, highlight: str | None = None
) -> Spec:
    """Sums over time, a line for each model, named at its end; names are moved apart where lines end together.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``label``, ``value``, in the order of time.
    title, subtitle, value_title : str
        What is summed, and its unit.
    highlight : str, optional
        The label of the line that it is about: drawn over the others, more strongly.
    """
    height = 320
    color = {"field": "label", "type": "nominal", "legend": None, "scale": {"scheme": "dark2"}}
    of_name = color if highlight is None else color | {"condition": _is(highlight) | {"value": _ACCENT}}
    x = {"field": "time", "type": "temporal", "title": None}
    y = {"field": "value", "type": "quantitative", "title": value_title}
    return {
        "config": _CONFIG,
        "title": {"text": title, "subtitle": subtitle},
        "width": 490,
        "height": height,
        "layer": [
            {
                "data": {"values": [dict(row) for row in rows]},
                "mark": {"type": "line", "strokeWidth": 1.8},
                "encoding": {"x": x, "y": y, "color": color},
            },
            *_highlighted(rows, highlight, {"x": x, "y": y}),
            {
                "data": {"values": named_ends(rows, height)},
                "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": _NAME, "limit": 150},
                "encoding": {"x": x, "y": y | {"field": "place"}, "color": of_name, "text": {"field": "label"}},
            },
        ],
    }


def _highlighted(rows: Sequence[Row], label: str | None, place: Spec) -> list[Spec]:
    """A strong line over that of a label; none without one."""
    if label is None:
        return []
    values = [dict(row) for row in rows if row["label"] == label]
    mark = {"type": "line", "strokeWidth": 3.2, "color": _ACCENT}
    return [{"data": {"values": values}, "mark": mark, "encoding": place}]


def _is(label: str) -> Spec:
    return {"test": {"field": "label", "equal": label}}


def named_ends(rows: Sequence[Row], height: int) -> list[dict[str, Any]]:
    """The last row of each label, lowest first, with ``place``: the value at which its name is clear of the others.

    The places are those nearest to the values, by least squares, that keep the distance.
    """
    from scipy.optimize import isotonic_regression

    if not rows:
        return []
    ends = sorted({row["label"]: dict(row) for row in rows}.values(), key=lambda row: row["value"])
    values = [0.0, *(row["value"] for row in rows)]
    apart = 1.4 * _NAME / height * (max(values) - min(values))
    shift = [apart * number for number in range(len(ends))]
    placed = isotonic_regression([row["value"] - by for row, by in zip(ends, shift, strict=True)]).x
    return [row | {"place": float(place) + by} for row, place, by in zip(ends, placed, shift, strict=True)]
