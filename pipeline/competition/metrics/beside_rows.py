"""An ensemble from rows, for metrics of members in the row form."""

from collections.abc import Mapping

import numpy as np

from pipeline.competition.arrays import Floats, average_ranks
from pipeline.competition.metrics.context import MetricsContext, Row
from pipeline.competition.metrics.metric import EnsemblePanel, PanelFunction
from pipeline.competition.metrics.rows import utc
from pipeline.competition.panel import Panel
from pipeline.competition.peers import are_virtual

_DECIMALS = 10
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
        If there is no such ensemble.
    """
    known = context.ensemble_predictions
    chosen = name or next(iter(known), "")
    if chosen not in known:
        raise ValueError(f"the context has no ensemble {chosen or 'at all'}; known: {', '.join(known) or 'none'}")
    signals = (average_ranks(panel.signals) - 0.5) / np.maximum(panel.submitted.sum(axis=2, keepdims=True), 1)
    weights = _weights(panel, {_section(row): _declared(row) for row in known[chosen]})
    present = np.where(panel.submitted, weights[:, :, None], 0.0)
    weighed = present * np.where(panel.submitted, signals, 0.0)
    total, left = weighed.sum(axis=1), present.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = total / left
        others = left[:, None, :] - present
        without = np.where(others > 1e-12, (total[:, None, :] - weighed) / others, np.nan)
    return EnsemblePanel(
        # Sums that differ by rounding only must tie, as they do on paper.
        signals=np.round(whole, _DECIMALS),
        without=np.asarray(np.round(without, _DECIMALS)),
        is_member=(weights > 0) & panel.submitted.any(axis=2),
        is_separable=np.ones(panel.shape[0], dtype=bool),
        primary=primary,
    )


def _weights(panel: Panel, declared: Mapping[_Section | None, Mapping[str, float] | None]) -> Floats:
    """The weight of every model in every section, 0 for virtual ones."""
    weights = np.tile((~are_virtual(panel.models)).astype(float), (panel.shape[0], 1))
    for place, section in enumerate(zip(panel.cycles, panel.horizons.tolist(), strict=True)):
        given = declared.get((np.datetime64(section[0], "us"), section[1]), declared.get(None))
        if given is not None:
            weights[place] *= [float(given.get(model, 0.0)) for model in panel.models]
    return weights


def _declared(row: Row) -> Mapping[str, float] | None:
    weights: Mapping[str, float] | None = row.get("weights") or (row.get("meta") or {}).get("weights")
    return weights


def _section(row: Row) -> _Section | None:
    """The cross-section of a row; None where rows are of one, and do not say so."""
    return (utc(row["cycle"]), int(row.get("horizon", 1))) if "cycle" in row else None
