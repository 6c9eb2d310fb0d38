"""A scoring rule and metrics of an operator's own, as a dotted path names them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.competition import Panel
from pipeline.competition.metrics import (
    Metric,
    MetricsContext,
    Pool,
    SectionMetric,
    SeriesMetric,
    information_coefficient,
    model_correlation,
)
from pipeline.competition.scoring import ScoringRule, squared_error
from pipeline.leaderboard import Direction

Rows = list[dict[str, Any]]


def without_parts(panel: Panel) -> SectionMetric:
    """A metric pooled over tasks that forgets what it is made of."""
    return information_coefficient(panel)


def forward(panel: Panel) -> SectionMetric:
    """Not documented by its name."""
    found = information_coefficient(panel)
    return SectionMetric(-found.value, found.n, found.reason)


def spread(predictions: Rows, scores: Rows, context: MetricsContext) -> float:
    """Highest less lowest prediction."""
    values = [row["value"] for row in predictions]
    return float(max(values) - min(values))


def fails_for_b(predictions: Rows, scores: Rows, context: MetricsContext) -> float:
    """One, but not for b."""
    return 1 / (context.model_id != "b")


def fails(panel: Panel) -> SectionMetric:
    """Never right."""
    raise RuntimeError("out of order")


def unlike(panel: Panel) -> SectionMetric:
    """One minus the correlation with the others."""
    found = model_correlation(panel)
    return SectionMetric(1 - found.value, found.n, found.reason)


def of_nothing(series: npt.NDArray[np.float64]) -> SeriesMetric:
    """Of a series, and never right."""
    raise RuntimeError("out of order")


REVERSED_IC = Metric("reversed", Pool.CYCLES, Direction.ASC, "correlation", forward)
FAILING_SERIES = Metric("failing_series", Pool.SERIES, Direction.DESC, "ratio", of_series=of_nothing, series_of="ic")
DESCRIBES = Metric("describes", Pool.CYCLES, Direction.NONE, "correlation", forward)
FORGETFUL = Metric("forgetful", Pool.TASKS, Direction.DESC, "share", without_parts)
HALF_SQUARED_ERROR = ScoringRule("half_squared_error", Direction.ASC, squared_error)
QUANTILES_ONLY = ScoringRule("quantiles_only", Direction.ASC, squared_error, ("quantile", "sample"))
NOT_A_METRIC = np.pi
