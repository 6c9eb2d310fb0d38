"""Scoring rules by name, the scores of every output type, and the scales that they are taken on."""

from pipeline.competition.outputs import ONE_NUMBER
from pipeline.competition.scoring.cdf import score_cdf
from pipeline.competition.scoring.declared import declared_rule, measure_names
from pipeline.competition.scoring.distributions import faults, score_forecasts
from pipeline.competition.scoring.pmf import expected_calibration_error, score_pmf
from pipeline.competition.scoring.quantile import QuantileLevels, score_quantiles
from pipeline.competition.scoring.rules import (
    RULES,
    ScoringRule,
    absolute_error,
    directional,
    rank_product,
    squared_error,
)
from pipeline.competition.scoring.sample import energy_score, score_samples
from pipeline.competition.scoring.scale import SCALES, Scale, on_scale
from pipeline.competition.scoring.scored import Scored

__all__ = [
    "ONE_NUMBER",
    "RULES",
    "SCALES",
    "QuantileLevels",
    "Scale",
    "Scored",
    "ScoringRule",
    "absolute_error",
    "declared_rule",
    "directional",
    "energy_score",
    "expected_calibration_error",
    "faults",
    "measure_names",
    "on_scale",
    "rank_product",
    "score_cdf",
    "score_forecasts",
    "score_pmf",
    "score_quantiles",
    "score_samples",
    "squared_error",
]
