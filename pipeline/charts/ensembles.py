"""Charts of ensembles, from plain rows; whoever shows them gives the colours."""

from collections.abc import Sequence

from pipeline.charts.boards import Row, Spec, named_ends

_TIME = {"field": "time", "type": "temporal", "title": None}


def weights_chart(rows: Sequence[Row], members: Sequence[str]) -> Spec:
    """The weights of members over time, one above the other.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``label`` (of a member), ``value`` (its share of 1).
    members : sequence of str
        The labels in the order of the legend.
    """
    color = {"field": "label", "type": "nominal", "sort": list(members), "legend": {"orient": "right", "title": None}}
    value = {
        "field": "value",
        "type": "quantitative",
        "stack": "zero",
        "title": "weight",
        "axis": {"format": "%"},
        "scale": {"domain": [0, 1]},
    }
    return {
        "data": {"values": [dict(row) for row in rows]},
        "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.85},
        "encoding": {"x": _TIME, "y": value, "color": color, "order": {"field": "order", "type": "quantitative"}},
    }


def against_members_chart(rows: Sequence[Row], value_title: str, height: int) -> Spec:
    """An ensemble's value over time beside those of others, each line named at its end.

    Parameters
    ----------
    rows : sequence of mappings
        ``time`` (ISO date), ``label``, ``value``, in the order of time; the label drawn strongly is the first row's.
    value_title : str
        What boards are ranked by.
    height : int
        Of the drawing, in pixels: names are kept apart by it.
    """
    strong = rows[0]["label"] if rows else None
    y = {"field": "value", "type": "quantitative", "title": value_title, "scale": {"zero": False}}
    is_strong = {"test": {"field": "label", "equal": strong}}
    ends = named_ends(rows, height)
    return {
        "data": {"values": [dict(row) for row in rows]},
        "layer": [
            {
                "transform": [{"filter": {"not": is_strong["test"]}}],
                "mark": {"type": "line", "style": "soft", "strokeWidth": 1.2},
                "encoding": {"x": _TIME, "y": y, "detail": {"field": "label"}},
            },
            {
                "transform": [{"filter": is_strong["test"]}],
                "mark": {"type": "line", "style": "accent", "strokeWidth": 2.6},
                "encoding": {"x": _TIME, "y": y},
            },
            {
                "data": {"values": ends},
                "mark": {"type": "text", "align": "left", "dx": 6},
                "encoding": {"x": _TIME, "y": y | {"field": "place"}, "text": {"field": "label"}},
            },
        ],
    }
