"""Charts of models over time for the pages: pure functions that give Vega-Lite specifications.

They have no colours and no size of their own: the page draws them in its own, light or dark, by the styles ``accent``,
``soft`` and ``bad``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Spec = dict[str, Any]

_X: Spec = {"field": "time", "type": "temporal", "title": None, "axis": {"grid": False, "tickCount": 6}}
_ZERO: Spec = {
    "data": {"values": [{}]},
    "mark": {"type": "rule", "style": "soft", "strokeWidth": 0.6, "aria": False},
    "encoding": {"y": {"datum": 0}},
}


def drawdown_chart(rows: Sequence[Row], breaks: Sequence[Row], value_title: str) -> Spec:
    """A sum over time, shaded from its highest point so far down to it, with a break where the version changed.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``value``, ``peak`` (the highest value so far), ``run`` (one number for each version), in
        the order of time; where the run changes no line is drawn.
    breaks : sequence of mappings
        ``time`` and ``label`` of every change.
    value_title : str
        What is summed.
    """
    y = {"field": "value", "type": "quantitative", "title": value_title, "axis": {"tickCount": 5}}
    tooltip = [{"field": "time", "type": "temporal", "title": "Cycle"}, {"field": "value", "format": ".3f"}]
    return {
        "data": {"values": [dict(row) for row in rows]},
        "layer": [
            {
                "mark": {"type": "area", "style": "bad", "opacity": 0.2},
                "encoding": {"x": _X, "y": y, "y2": {"field": "peak"}, "detail": {"field": "run"}},
            },
            _ZERO,
            {
                "mark": {"type": "line", "style": "accent", "strokeWidth": 1.8},
                "encoding": {"x": _X, "y": y, "detail": {"field": "run"}, "tooltip": tooltip},
            },
            *_breaks(breaks),
        ],
    }


def rank_chart(rows: Sequence[Row], last: int, breaks: Sequence[Row] = ()) -> Spec:
    """Ranks over time, the best on top, with the band of those that they could have been.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``rank``, ``best`` and ``worst`` (None without a range), ``run`` (one number for each
        stretch of time with ranks), in the order of time.
    last : int
        The last rank of the axis.
    breaks : sequence of mappings
        As for :func:`drawdown_chart`.
    """
    y = {
        "field": "rank",
        "type": "quantitative",
        "title": "Rank",
        "scale": {"domain": [1, max(2, last)], "reverse": True, "zero": False, "nice": False},
        "axis": {"values": _places(max(2, last)), "format": "d"},
    }
    tooltip = [{"field": "time", "type": "temporal", "title": "As of"}, *({"field": one} for one in _RANKS)]
    ranged = [dict(row) for row in rows if row["best"] is not None]
    band = {
        "data": {"values": ranged},
        "mark": {"type": "area", "style": "accent", "opacity": 0.14, "interpolate": "step-after"},
        "encoding": {"x": _X, "y": y | {"field": "best"}, "y2": {"field": "worst"}, "detail": {"field": "run"}},
    }
    line = {
        "data": {"values": [dict(row) for row in rows]},
        "mark": {"type": "line", "style": "accent", "strokeWidth": 1.8, "interpolate": "step-after"},
        "encoding": {"x": _X, "y": y, "detail": {"field": "run"}, "tooltip": tooltip},
    }
    return {"layer": [*([band] if ranged else []), line, *_breaks(breaks)]}


_RANKS = ("rank", "best", "worst")
_MOST_TICKS = 6


def _places(last: int) -> list[int]:
    """Ranks to mark on an axis: the first, the last, and some between at even distances."""
    step = max(1, -(-(last - 1) // _MOST_TICKS))
    return [*range(1, last - step // 2, step), last]


def lines_chart(rows: Sequence[Row], order: Sequence[str], value_title: str) -> Spec:
    """Several sums over time in one chart, a colour for each.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``label``, ``value``, in the order of time.
    order : sequence of str
        The labels in the order of their colours, which is that of the legend.
    value_title : str
        What is summed.
    """
    color = {
        "field": "label",
        "type": "nominal",
        "scale": {"domain": list(order)},
        "legend": {"title": None, "orient": "bottom", "columns": 2, "labelLimit": 240, "symbolType": "stroke"},
    }
    y = {"field": "value", "type": "quantitative", "title": value_title, "axis": {"tickCount": 5}}
    tooltip = [
        {"field": "label", "title": "Line"},
        {"field": "time", "type": "temporal", "title": "Cycle"},
        {"field": "value", "format": ".3f"},
    ]
    return {
        "data": {"values": [dict(row) for row in rows]},
        "layer": [
            _ZERO,
            {
                "mark": {"type": "line", "strokeWidth": 1.8},
                "encoding": {"x": _X, "y": y, "color": color, "tooltip": tooltip},
            },
        ],
    }


def _breaks(breaks: Sequence[Row]) -> list[Spec]:
    """A dashed line with a label at every break; nothing without one."""
    if not breaks:
        return []
    data = {"values": [dict(row) for row in breaks]}
    label = {"type": "text", "style": "soft", "align": "left", "baseline": "top", "dx": 4, "y": 0, "fontSize": 11}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "style": "soft", "strokeDash": [4, 3], "aria": False},
            "encoding": {"x": _X},
        },
        {"data": data, "mark": label, "encoding": {"x": _X, "text": {"field": "label"}}},
    ]
