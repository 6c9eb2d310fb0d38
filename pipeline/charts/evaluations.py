"""Charts of evaluation sets, from plain rows; whoever shows them gives the colours."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.charts.boards import Row, Spec

_MOST_SIDE_BY_SIDE = 12


@dataclass(frozen=True)
class ValueAxis:
    """The axis of values: what is measured, how numbers are written (as in d3), and a value drawn as a line."""

    title: str
    format: str = ""
    reference: float | None = None


def parts_chart(rows: Sequence[Row], models: Sequence[str], axis: ValueAxis, *, is_series: bool) -> Spec:
    """A metric of some models over the parts of an evaluation set, with 95 % intervals where they can be told apart.

    Parameters
    ----------
    rows : sequence of mappings
        ``part`` and ``label`` (of a model), in the order of parts; ``value``, ``ci_low``, ``ci_high``, which may be
        None.
    models : sequence of str
        The labels in the order of the legend.
    axis : ValueAxis
    is_series : bool
        Whether parts follow each other in time, so that lines join them; they are ISO dates then.
    """
    label = {"field": "label", "type": "nominal"}
    legend = {"orient": "top", "title": None, "symbolSize": 70, "symbolOpacity": 1, "columns": 2, "labelLimit": 240}
    named = label | {"scale": {"domain": list(models)}, "legend": legend}
    upright = {"axis": {"labelAngle": 0}} if not is_series and _n_parts(rows) <= _MOST_SIDE_BY_SIDE else {}
    place = {"field": "part", "type": "temporal" if is_series else "ordinal", "sort": None, "title": None, **upright}
    beside = {"xOffset": label | {"sort": list(models)}} if has_intervals(rows) else {}
    written = {"axis": {"format": axis.format}} if axis.format else {}
    value = {"field": "value", "type": "quantitative", "title": axis.title, "scale": {"zero": False}, **written}
    encoding = {"x": place, **beside, "color": named}
    layers: list[Spec] = []
    if axis.reference is not None:
        layers.append(
            {
                "mark": {"type": "rule", "strokeDash": [4, 4], "aria": False},
                "encoding": {"y": {"datum": axis.reference}},
            }
        )
    if beside:
        mark = {"type": "rule", "strokeWidth": 2.5, "opacity": 0.4}
        ends = {"y": value | {"field": "ci_low"}, "y2": {"field": "ci_high"}}
        known = [{"filter": {"field": "ci_low", "valid": True}}]
        layers.append({"transform": known, "mark": mark, "encoding": encoding | ends})
    if is_series:
        layers.append({"mark": {"type": "line", "strokeWidth": 1.6}, "encoding": encoding | {"y": value}})
    mark = {"type": "point", "filled": True, "size": 45, "opacity": 1}
    layers.append({"mark": mark, "encoding": encoding | {"y": value, "shape": named}})
    return {"data": {"values": [dict(row) for row in rows]}, "layer": layers}


def has_intervals(rows: Sequence[Row]) -> bool:
    """Whether there are intervals, on so few parts that they can be told apart."""
    return _n_parts(rows) <= _MOST_SIDE_BY_SIDE and any(row["ci_low"] is not None for row in rows)


def _n_parts(rows: Sequence[Row]) -> int:
    return len({row["part"] for row in rows})
