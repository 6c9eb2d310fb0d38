"""Metrics by name: cross-sectional ones, ones pooled over tasks, and ones of a model's series."""

from pipeline.competition.metrics.context import MetricsContext
from pipeline.competition.metrics.cross_section import information_coefficient, mean_return
from pipeline.competition.metrics.distributions import calibration_error, energy, interval_coverage, mean_of
from pipeline.competition.metrics.guard import safely, safely_beside, safely_over_series
from pipeline.competition.metrics.members import contribution, ensemble_correlation
from pipeline.competition.metrics.metric import (
    BESIDE,
    EnsemblePanel,
    Metric,
    Need,
    Pool,
    SectionMetric,
    SeriesMetric,
    base_and_ensemble,
)
from pipeline.competition.metrics.neutral import feature_neutral_correlation
from pipeline.competition.metrics.numerai import mmc, numerai_correlation
from pipeline.competition.metrics.pooling import pool_horizons
from pipeline.competition.metrics.registry import METRICS, Measured, MetricsRegistry
from pipeline.competition.metrics.series import additive_drawdown, max_drawdown, sharpe, sortino
from pipeline.competition.metrics.similarity import model_correlation
from pipeline.competition.metrics.tasks import COVERAGE, RESOLVED, coverage, hit_rate, mean_score, resolved
from pipeline.competition.metrics.turnover import rank_turnover, turnover

__all__ = [
    "BESIDE",
    "COVERAGE",
    "METRICS",
    "RESOLVED",
    "EnsemblePanel",
    "Measured",
    "Metric",
    "MetricsContext",
    "MetricsRegistry",
    "Need",
    "Pool",
    "SectionMetric",
    "SeriesMetric",
    "additive_drawdown",
    "base_and_ensemble",
    "calibration_error",
    "contribution",
    "coverage",
    "energy",
    "ensemble_correlation",
    "feature_neutral_correlation",
    "hit_rate",
    "information_coefficient",
    "interval_coverage",
    "max_drawdown",
    "mean_of",
    "mean_return",
    "mean_score",
    "mmc",
    "model_correlation",
    "numerai_correlation",
    "pool_horizons",
    "rank_turnover",
    "resolved",
    "safely",
    "safely_beside",
    "safely_over_series",
    "sharpe",
    "sortino",
    "turnover",
]
