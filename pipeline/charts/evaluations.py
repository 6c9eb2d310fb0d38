"""Charts of evaluation sets, from plain rows; whoever shows them gives the colours."""

from collections.abc import Sequence

from pipeline.charts.boards import Row, Spec


def parts_chart(
    rows: Sequence[Row], models: Sequence[str], value_title: str, reference: float | None, *, is_series: bool
) -> Spec:
    """A metric of some models over the parts of an evaluation set, with 95 % intervals where there are some.

    Parameters
    ----------
    rows : sequence of mappings
        ``part`` and ``label`` (of a model), in the order of parts; ``value``, ``ci_low``, ``ci_high``, which may be
        None.
    models : sequence of str
        The labels in the order of the legend.
    value_title : str
        What is measured.
    reference : float or None
        The value that others are read against, drawn as a line.
    is_series : bool
        Whether parts follow each other, so that lines join them; else models stand side by side.
    """
    named = {"field": "label", "type": "nominal", "sort": list(models)}
    legend = {"orient": "top", "title": None, "symbolSize": 70}
    place = {"field": "part", "type": "ordinal", "sort": None, "title": None, "axis": {"labelOverlap": True}}
    beside = {} if is_series else {"xOffset": named}
    value = {"field": "value", "type": "quantitative", "title": value_title, "scale": {"zero": False}}
    color = named | {"legend": legend}
    encoding = {"x": place, **beside, "color": color}
    lines: list[Spec] = [{"mark": {"type": "line", "strokeWidth": 1.6}, "encoding": encoding | {"y": value}}]
    rule: list[Spec] = [{"mark": {"type": "rule", "strokeDash": [4, 4]}, "encoding": {"y": {"datum": reference}}}]
    return {
        "data": {"values": [dict(row) for row in rows]},
        "layer": [
            *(rule if reference is not None else []),
            {
                "transform": [{"filter": {"field": "ci_low", "valid": True}}],
                "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.4},
                "encoding": encoding | {"y": value | {"field": "ci_low"}, "y2": {"field": "ci_high"}},
            },
            *(lines if is_series else []),
            {
                "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
                "encoding": encoding | {"y": value, "shape": color},
            },
        ],
    }
