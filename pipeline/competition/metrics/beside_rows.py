"""An ensemble from rows, for metrics of members in the row form."""

from collections.abc import Mapping

import numpy as np

from pipeline.competition.arrays import Floats
from pipeline.competition.ensembles import Combined, EnsembleConfig, Weighing, Without, combine, normalized
from pipeline.competition.metrics.context import MetricsContext, Row
from pipeline.competition.metrics.metric import EnsemblePanel, PanelFunction
from pipeline.competition.metrics.rows import utc
from pipeline.competition.panel import Panel
from pipeline.competition.peers import are_virtual

_Section = tuple[np.datetime64, int]
"""Cycle and horizon."""


def ensemble_of_rows(
    panel: Panel, context: MetricsContext, primary: PanelFunction, name: str | None = None
) -> EnsemblePanel:
    """The ensemble of a context: the mean of its members' ranks by its weights, and the same without each member.

    A row of an ensemble may carry the weights of its cross-section, ``weights`` (or ``meta["weights"]``) by model; all
    real models weigh the same where none does. Leaving one out leaves the other weights as they are: rows do not say
    how they came about.

    Parameters
    ----------
    panel : Panel
        Of the real models in the window.
    context : MetricsContext
    primary : function
        The contest's primary metric of a panel; more must be better.
    name : str or None
        Which of ``context.ensemble_predictions``; the first without it.

    Raises
    ------
    ValueError
        If there is no such ensemble, or a weight is below 0.
    """
    known = context.ensemble_predictions
    chosen = name or next(iter(known), "")
    if chosen not in known:
        raise ValueError(f"the context has no ensemble {chosen or 'at all'}; known: {', '.join(known) or 'none'}")
    weights = _weights(panel, {_section(row): _declared(row) for row in known[chosen]})
    combined = [_mean(*one) for one in zip(normalized(panel.signals, "rank"), weights, strict=True)]
    return EnsemblePanel(
        signals=np.array([one.value for one in combined]),
        without=np.array([one.without for one in combined], dtype=np.float64),
        is_member=(weights > 0) & panel.submitted.any(axis=2),
        is_separable=np.ones(panel.shape[0], dtype=bool),
        primary=primary,
    )


def _mean(signals: Floats, weights: Floats) -> Combined:
    """The weighed mean of one cross-section, and that without each model."""
    others = Without(np.flatnonzero(weights > 0), weights)
    return combine(signals, Weighing(weights, np.full(len(weights), None), (others,)), EnsembleConfig(name="mean"))


def _weights(panel: Panel, declared: Mapping[_Section | None, Mapping[str, float] | None]) -> Floats:
    """The weight of every model in every section, 0 for virtual ones."""
    weights = np.tile((~are_virtual(panel.models)).astype(float), (panel.shape[0], 1))
    for place, section in enumerate(zip(panel.cycles, panel.horizons.tolist(), strict=True)):
        given = declared.get((np.datetime64(section[0], "us"), section[1]), declared.get(None))
        if given is not None:
            weights[place] *= [float(given.get(model, 0.0)) for model in panel.models]
    if len(below := np.argwhere(weights < 0)):
        section, model = below[0]
        raise ValueError(f"the ensemble weighs {panel.models[model]} by {weights[section, model]:g}; give 0 or more")
    return weights


def _declared(row: Row) -> Mapping[str, float] | None:
    weights: Mapping[str, float] | None = row.get("weights") or (row.get("meta") or {}).get("weights")
    return weights


def _section(row: Row) -> _Section | None:
    """The cross-section of a row; None where rows are of one, and do not say so."""
    return (utc(row["cycle"]), int(row.get("horizon", 1))) if "cycle" in row else None
