"""What a metric in the row form is told besides a model's own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
"""A prediction or a score, by column."""

Rows = Sequence[Row]


@dataclass(frozen=True)
class MetricsContext:
    """Whose rows they are, of which window, and what others predicted.

    Parameters
    ----------
    model_id : str
        The model that is measured.
    window_start, window_end : datetime
        First and last cycle of the window, both included.
    all_model_predictions : mapping of str to rows
        Predictions by model, those of the model itself included or not.
    ensemble_predictions : mapping of str to rows
        Predictions by ensemble; for metrics beside an ensemble.
    factors : rows
        Factors: cycle, subject, factor and value.
    min_subjects, center, horizon_cycles
        As in the contract.
    """

    model_id: str
    window_start: datetime
    window_end: datetime
    all_model_predictions: Mapping[str, Rows] = field(default_factory=dict)
    ensemble_predictions: Mapping[str, Rows] = field(default_factory=dict)
    factors: Rows = ()
    min_subjects: int | None = None
    center: float = 0.0
    horizon_cycles: float = 1.0
