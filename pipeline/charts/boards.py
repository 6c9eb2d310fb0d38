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


def cumulative_chart(rows: Sequence[Row], title: str, subtitle: str, value_title: str) -> Spec:
    """Sums over time, a line for each model, named at its end.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``label``, ``value``, in the order of time.
    title, subtitle, value_title : str
        What is summed, and its unit.
    """
    last = {row["label"]: row for row in rows}
    color = {"field": "label", "type": "nominal", "legend": None, "scale": {"scheme": "dark2"}}
    x = {"field": "time", "type": "temporal", "title": None}
    y = {"field": "value", "type": "quantitative", "title": value_title}
    return {
        "config": _CONFIG,
        "title": {"text": title, "subtitle": subtitle},
        "width": 620,
        "height": 320,
        "layer": [
            {
                "data": {"values": [dict(row) for row in rows]},
                "mark": {"type": "line", "strokeWidth": 1.8},
                "encoding": {"x": x, "y": y, "color": color},
            },
            {
                "data": {"values": [dict(row) for row in last.values()]},
                "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 11},
                "encoding": {"x": x, "y": y, "color": color, "text": {"field": "label"}},
            },
        ],
    }
