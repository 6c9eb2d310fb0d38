"""The scoring rule that a contest declares: on its scale, with every measure that its output type has."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.competition.outputs import ONE_NUMBER, Output
from pipeline.competition.panel import Panel
from pipeline.competition.scoring import cdf, pmf, sample
from pipeline.competition.scoring.distributions import score_forecasts
from pipeline.competition.scoring.quantile import QuantileLevels
from pipeline.competition.scoring.rules import RULES, ScoringRule
from pipeline.competition.scoring.scale import SCALES, on_scale
from pipeline.competition.scoring.scored import Measures, Scored

_OF_POINT = {"mean": "se_mean", "median": "ae_median"}
"""What else is said of one number, where the output type says which number of a distribution it is."""


def declared_rule(name: str, scale: str, output_type: str) -> ScoringRule:
    """A scoring rule with the measures of an output type, on a scale.

    Raises
    ------
    UnknownNameError
        If there is no such rule or scale.
    ValueError
        If predictions of that type have no such scale.
    """
    rule = RULES.get(name)
    if output_type in _OF_POINT or ("." in name and output_type not in ONE_NUMBER):
        rule = _measured(rule, output_type)
    return on_scale(rule, SCALES.get(scale), output_type)


def measure_names(output: Output) -> Sequence[str]:
    """The measures that predictions of an output type have.

    Raises
    ------
    ValueError
        If quantile levels are not what :meth:`QuantileLevels.of` takes.
    """
    if output.type == "quantile":
        return QuantileLevels.of([float(level) for level in output.ids]).names
    if output.type in _OF_POINT:
        return [_OF_POINT[output.type]]
    of_type = {"pmf": pmf.MEASURES, "sample": sample.MEASURES, "cdf": cdf.MEASURES}
    return of_type.get(output.type, ())


def _measured(rule: ScoringRule, output_type: str) -> ScoringRule:
    """The rule with the measures of the output type beside its own."""

    def function(panel: Panel) -> Scored:
        scored = rule.function(panel)
        measures = {**_measures(panel, output_type), **scored.measures}
        return replace(scored, measures=measures)

    return replace(rule, function=function)


def _measures(panel: Panel, output_type: str) -> Measures:
    if output_type not in ONE_NUMBER:
        return dict(score_forecasts(panel).measures)
    error = panel.signals - panel.outcomes[:, None, :]
    return {_OF_POINT[output_type]: np.abs(error) if output_type == "median" else error**2}
