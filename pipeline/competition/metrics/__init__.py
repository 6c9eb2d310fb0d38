"""Metrics by name: cross-sectional ones, ones pooled over tasks, and ones of a model's series."""

from pipeline.competition.metrics.cross_section import information_coefficient, mean_return
from pipeline.competition.metrics.members import contribution, ensemble_correlation
from pipeline.competition.metrics.metric import (
    METRICS,
    EnsemblePanel,
    Metric,
    Pool,
    SectionMetric,
    SeriesMetric,
)
from pipeline.competition.metrics.series import sharpe
from pipeline.competition.metrics.tasks import COVERAGE, RESOLVED, coverage, hit_rate, mean_score, resolved

__all__ = [
    "COVERAGE",
    "METRICS",
    "RESOLVED",
    "EnsemblePanel",
    "Metric",
    "Pool",
    "SectionMetric",
    "SeriesMetric",
    "contribution",
    "coverage",
    "ensemble_correlation",
    "hit_rate",
    "information_coefficient",
    "mean_return",
    "mean_score",
    "resolved",
    "sharpe",
]
