"""Ensembles: virtual models made of the real ones, weighed walk-forward by what was known at each deadline."""

from pipeline.competition.ensembles.combine import Combined, combine, normalized
from pipeline.competition.ensembles.config import (
    EnsembleConfig,
    FilterSpec,
    filter_of,
    min_metric,
    top_n,
)
from pipeline.competition.ensembles.distributions import CombinedForecasts, combine_forecasts, only_whole
from pipeline.competition.ensembles.joint import strategy_of
from pipeline.competition.ensembles.mixture import mixture_quantiles, pooled_samples
from pipeline.competition.ensembles.strategies import (
    STRATEGIES,
    JointStrategy,
    JointWeights,
    Section,
    SeparableStrategy,
    Strategy,
    Terms,
    Track,
    equal_weight,
    inverse_variance,
    skill_variance,
)
from pipeline.competition.ensembles.weighing import Weighing, Without, weigh

__all__ = [
    "STRATEGIES",
    "Combined",
    "CombinedForecasts",
    "EnsembleConfig",
    "FilterSpec",
    "JointStrategy",
    "JointWeights",
    "Section",
    "SeparableStrategy",
    "Strategy",
    "Terms",
    "Track",
    "Weighing",
    "Without",
    "combine",
    "combine_forecasts",
    "equal_weight",
    "filter_of",
    "inverse_variance",
    "min_metric",
    "mixture_quantiles",
    "normalized",
    "only_whole",
    "pooled_samples",
    "skill_variance",
    "strategy_of",
    "top_n",
    "weigh",
]
