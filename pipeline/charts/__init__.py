"""Charts of boards and models as Vega-Lite specifications, and pictures of them."""

from pipeline.charts.boards import board_chart, cumulative_chart
from pipeline.charts.ensembles import against_members_chart, weights_chart
from pipeline.charts.evaluations import ValueAxis, has_intervals, parts_chart
from pipeline.charts.models import drawdown_chart, lines_chart, rank_chart
from pipeline.charts.picture import markdown_picture, png, svg
from pipeline.charts.rankings import cost_chart

__all__ = [
    "ValueAxis",
    "against_members_chart",
    "board_chart",
    "cost_chart",
    "cumulative_chart",
    "drawdown_chart",
    "has_intervals",
    "lines_chart",
    "markdown_picture",
    "parts_chart",
    "png",
    "rank_chart",
    "svg",
    "weights_chart",
]
