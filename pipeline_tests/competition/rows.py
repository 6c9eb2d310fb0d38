"""The rows that a panel would be made of, for what is computed from rows."""

from typing import Any

import numpy as np

from pipeline.competition import Panel
from pipeline.competition.metrics import MetricsContext, MetricsRegistry

Row = dict[str, Any]
MODEL = "m2"
"""The model that is measured."""


def rows_of(panel: Panel, model: int) -> list[Row]:
    """The model's predictions, and those of the cycle before the first as rows of their own cycle."""
    found = []
    for section, subject in np.argwhere(panel.submitted[:, model]):
        found.append(
            {
                "cycle": panel.cycles[section].item(),
                "horizon": int(panel.horizons[section]),
                "subject": panel.subjects[subject],
                "value": float(panel.signals[section, model, subject]),
            }
        )
    return found


def scores_of(panel: Panel, model: int) -> list[Row]:
    """Every outcome of the panel's sections, with the model's score where it has one."""
    return [
        {
            "cycle": panel.cycles[section].item(),
            "horizon": int(panel.horizons[section]),
            "subject": panel.subjects[subject],
            "outcome": float(panel.outcomes[section, subject]),
            "value": float(panel.scores[section, model, subject]),
        }
        for section, subject in np.argwhere(~np.isnan(panel.outcomes))
    ]


def context_of(panel: Panel, **changes: Any) -> MetricsContext:
    assert panel.factors is not None
    factors = [
        {
            "cycle": panel.cycles[section].item(),
            "subject": panel.subjects[subject],
            "factor": f"f{factor}",
            "value": float(panel.factors[section, subject, factor]),
        }
        for section, subject, factor in np.argwhere(~np.isnan(panel.factors))
    ]
    given: dict[str, Any] = {
        "model_id": MODEL,
        "window_start": panel.cycles[0].item(),
        "window_end": panel.cycles[-1].item(),
        "all_model_predictions": {name: rows_of(panel, place) for place, name in enumerate(panel.models)},
        "factors": factors,
    }
    return MetricsContext(**(given | changes))


def compute(panel: Panel, names: list[str], **changes: Any) -> dict[str, float | None]:
    model = panel.models.tolist().index(MODEL)
    return MetricsRegistry().compute(
        metrics=names,
        predictions=rows_of(panel, model),
        scores=scores_of(panel, model),
        context=context_of(panel, **changes),
    )
