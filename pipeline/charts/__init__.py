"""Charts of boards as Vega-Lite specifications, and pictures of them."""

from pipeline.charts.boards import board_chart, cumulative_chart
from pipeline.charts.picture import markdown_picture, png, svg

__all__ = ["board_chart", "cumulative_chart", "markdown_picture", "png", "svg"]
