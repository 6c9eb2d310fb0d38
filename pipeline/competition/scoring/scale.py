"""Scales on which predictions are scored: as they are, or both prediction and outcome transformed first.

A transform makes errors relative (log) or tames the variance of counts (square root), so that large places do not
decide a board alone. It keeps order, so the transformed quantiles are the quantiles of the transformed outcome.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import reason_code
from pipeline.competition.scoring.rules import ScoringRule
from pipeline.competition.scoring.scored import Scored
from pipeline.registry import Registry

_TRANSFORMABLE = ("value", "median", "quantile", "sample", "cdf")


@dataclass(frozen=True)
class Scale:
    """A rising function of outcomes and predictions.

    Parameters
    ----------
    name : str
    function : callable
        Of arrays; None for the natural scale.
    lowest : float
        The function is defined from there on.
    is_closed : bool
        Whether it is defined at ``lowest`` too.
    """

    name: str
    function: Callable[[Floats], Floats] | None
    lowest: float = -np.inf
    is_closed: bool = False

    def apply(self, values: npt.ArrayLike) -> tuple[Floats, Bools]:
        """Transformed values, NaN where absent or outside the domain, and where they are outside."""
        given = np.asarray(values, dtype=np.float64)
        outside = np.asarray((given < self.lowest) if self.is_closed else (given <= self.lowest))
        if self.function is None:
            return given, np.zeros(given.shape, dtype=bool)
        return self.function(np.where(outside, np.nan, given)), outside


SCALES: Registry[Scale] = Registry("scale", Scale)
"""Every scale by name."""

SCALES.register("natural", Scale("natural", None))
SCALES.register("log1p", Scale("log1p", np.log1p, -1.0))
SCALES.register("sqrt", Scale("sqrt", np.sqrt, 0.0, is_closed=True))


def on_scale(rule: ScoringRule, scale: Scale, output_type: str) -> ScoringRule:
    """The rule that scores transformed predictions against transformed outcomes.

    Parameters
    ----------
    rule : ScoringRule
    scale : Scale
    output_type : str
        Of the predictions.

    Returns
    -------
    ScoringRule
        The same for the natural scale; else named ``wis_log1p``, say. A prediction with any number outside the scale's
        domain, or whose outcome is outside, is ``outside_domain`` and has neither score nor measures.

    Raises
    ------
    ValueError
        If predictions of that type have no transformed scale: probabilities of categories have no unit, and the mean
        of what is transformed is not the transformed mean. Also, when it scores, if a threshold is outside.

    References
    ----------
    Bosse, Abbott, Cori, van Leeuwen, Bracher & Funk (2023), "Scoring epidemiological forecasts on transformed scales",
    PLOS Computational Biology 19(8).
    """
    if scale.function is None:
        return rule
    if output_type not in _TRANSFORMABLE:
        raise ValueError(
            f"{output_type!r} predictions cannot be scored on the scale {scale.name!r}; "
            f"use natural, or predictions of type {', '.join(_TRANSFORMABLE)}"
        )

    def function(panel: Panel) -> Scored:
        transformed, outside = _transformed(panel, scale)
        scored = rule.function(transformed)
        reason = np.where(outside, np.int32(reason_code("outside_domain")), scored.reason)
        measures = {name: np.where(outside, np.nan, measure) for name, measure in scored.measures.items()}
        return Scored(np.where(outside, np.nan, scored.value), reason, measures)

    return replace(rule, name=f"{rule.name}_{scale.name}", function=function)


def _transformed(panel: Panel, scale: Scale) -> tuple[Panel, Bools]:
    """The panel on that scale, and the predictions that it cannot hold; shape (sections, models, subjects)."""
    outcomes, is_outside = scale.apply(panel.outcomes)
    signals, outside = scale.apply(panel.signals)
    submitted, forecasts = ~np.isnan(panel.signals), None
    if panel.forecasts is not None:
        forecasts, outside = _transformed_forecasts(panel.forecasts, scale)
        submitted = np.asarray(~np.isnan(panel.forecasts.values).all(axis=-1))
    outside = submitted & ~np.isnan(panel.outcomes)[:, None, :] & (outside | is_outside[:, None, :])
    moved = replace(panel.with_signals(signals), outcomes=outcomes, forecasts=forecasts)
    return moved, np.asarray(outside)


def _transformed_forecasts(forecasts: Forecasts, scale: Scale) -> tuple[Forecasts, Bools]:
    if forecasts.output_type != "cdf":
        values, outside = scale.apply(forecasts.values)
        return replace(forecasts, values=values), np.asarray(outside.any(axis=-1))
    thresholds, outside = scale.apply(forecasts.ids)
    if outside.any():
        raise ValueError(
            f"threshold {forecasts.ids[outside][0]:g} is outside the domain of {scale.name!r}; "
            f"leave it out or use the natural scale"
        )
    return replace(forecasts, ids=thresholds), np.zeros(forecasts.values.shape[:-1], dtype=bool)
