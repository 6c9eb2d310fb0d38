"""Scoring rules for predictive distributions: quantiles, probabilities of categories, samples, distribution functions.

A rule picks its score among the measures of the output type; the others go beside it.
"""

from functools import partial

import numpy as np

from pipeline.competition.arrays import Floats
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import Reasons
from pipeline.competition.scoring.cdf import score_cdf
from pipeline.competition.scoring.pmf import score_pmf
from pipeline.competition.scoring.quantile import score_quantiles
from pipeline.competition.scoring.rules import RULES, ScoringRule
from pipeline.competition.scoring.sample import score_samples
from pipeline.competition.scoring.scored import Scored
from pipeline.leaderboard import Direction


def score_forecasts(panel: Panel) -> Scored:
    """Every measure of the panel's distributions, with the usual score of their output type as the score.

    ``wis`` of quantiles, ``rps`` of a pmf, ``crps`` of samples and of a distribution function. The outcome of a pmf is
    the place of the category that occurred, among the ids of the forecasts.

    Raises
    ------
    ValueError
        If the panel has no distributions, or an outcome is the place of no category.
    """
    forecasts, outcomes = _forecasts(panel), panel.outcomes[:, None, :]
    if forecasts.output_type == "quantile":
        return score_quantiles(forecasts.values, outcomes, forecasts.ids)
    if forecasts.output_type == "cdf":
        return score_cdf(forecasts.values, outcomes, forecasts.ids)
    if forecasts.output_type == "sample":
        return score_samples(forecasts.values, outcomes)
    _require_categories(forecasts.ids, panel.outcomes)
    return score_pmf(forecasts.values, outcomes - forecasts.ids[0])


def faults(forecasts: Forecasts) -> Reasons:
    """Why distributions are none, as their scores would say; code 0 where they are. Shape as the distributions'."""
    if forecasts.output_type == "quantile":
        return score_quantiles(forecasts.values, 0.0, forecasts.ids).reason
    if forecasts.output_type == "cdf":
        return score_cdf(forecasts.values, forecasts.ids[0], forecasts.ids).reason
    return (score_pmf if forecasts.output_type == "pmf" else score_samples)(forecasts.values, 0.0).reason


def _require_categories(places: Floats, outcomes: Floats) -> None:
    wrong = ~np.isnan(outcomes) & ~np.isin(outcomes, places)
    if wrong.any():
        raise ValueError(
            f"an outcome is {outcomes[wrong][0]:g}; that of probabilities is the place of the category that occurred, "
            f"a whole number from {places[0]:g} to {places[-1]:g}"
        )


def _forecasts(panel: Panel) -> Forecasts:
    if panel.forecasts is None:
        raise ValueError(
            "the panel has no distributions; give it forecasts, or use a rule for predictions of one number"
        )
    return panel.forecasts


def _measure(name: str, otherwise: str, panel: Panel) -> Scored:
    return score_forecasts(panel).by(name, otherwise)


def _register(name: str, *output_types: str, otherwise: str = "undefined") -> None:
    RULES.register(name, ScoringRule(name, Direction.ASC, partial(_measure, name, otherwise), output_types))


_register("wis", "quantile")
_register("rps", "pmf")
_register("mean_rps", "pmf")
_register("brier", "pmf")
_register("log_score", "pmf", otherwise="not_a_pmf")
_register("crps", "sample", "cdf")
_register("fair_crps", "sample", otherwise="too_few_samples")
