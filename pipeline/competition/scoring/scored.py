"""What every scoring rule gives back, and scoring in blocks of rows, so that memory stays bounded.

A predictive distribution is one row along the last axis of a dense array: quantiles by level, probabilities by
category, samples by number, a distribution function by threshold. The leading axes are anything: (tasks,) of one
model, or (sections, models, subjects) of a panel.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.reasons import Reasons, reason_code, undefined

CELLS_AT_ONCE = 1 << 16
"""Numbers of a block of rows, about: what a score works out in between stays in the processor's cache."""

Measures = dict[str, Floats]
"""Named numbers of every row."""

Block = Callable[[Floats, Floats], tuple[Measures, Iterable[tuple[Bools, str]]]]
"""Rows (rows, ids) and their outcomes (rows,) to measures, and what makes a row no distribution, first cause first."""


@dataclass(frozen=True)
class Scored:
    """Scores of every prediction.

    Parameters
    ----------
    value : array, shape (...)
        The rule's score, of shape (sections, models, subjects) for a panel; NaN where there is none.
    reason : array of int, same shape
        Code into ``reasons.REASONS``; 0 where there is a score.
    measures : mapping of str to array, same shape
        What a rule says of a distribution, its score included, NaN where undefined; none of one number.
    """

    value: Floats
    reason: Reasons
    measures: Mapping[str, Floats] = field(default_factory=dict)

    def by(self, name: str, otherwise: str = "undefined") -> "Scored":
        """The same with one of the measures as the score; ``otherwise`` is the reason where only that is undefined."""
        value = self.measures[name]
        reason = np.where((self.reason == 0) & np.isnan(value), np.int32(reason_code(otherwise)), self.reason)
        return Scored(np.where(reason == 0, value, np.nan), reason, self.measures)


def score_blocks(
    block: Block, names: Iterable[str], values: npt.ArrayLike, observed: npt.ArrayLike, *, may_lack: bool = False
) -> Scored:
    """Score distributions a block of rows at a time.

    Parameters
    ----------
    block : callable
        Scores some rows. A measure holds wherever it is finite, in rows without a score too.
    names : iterable of str
        Its measures; the first is the score.
    values : array-like of float, shape (..., ids)
        Distributions; NaN is absent.
    observed : array-like of float, shape (...)
        Outcomes, or what broadcasts to that shape; NaN is absent.
    may_lack : bool
        Whether a row may have fewer numbers than others, as samples may.

    Returns
    -------
    Scored
        ``no_predictions`` where a row has no number at all, or no outcome; ``incomplete`` where it has some but not
        all; then the causes that the block names.

    Raises
    ------
    ValueError
        If outcomes do not fit the distributions.
    """
    dense, outcomes = _fitting(np.asarray(values, dtype=np.float64), np.asarray(observed, dtype=np.float64))
    shape, ids = dense.shape[:-1], dense.shape[-1]
    rows, flat = dense.reshape(-1, ids), outcomes.reshape(-1)
    measures = {name: np.empty(len(rows)) for name in names}
    score = next(iter(measures))
    reason = np.empty(len(rows), dtype=np.int32)
    size = max(1, CELLS_AT_ONCE // ids)
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        numbers = np.ascontiguousarray(rows[part])  # or the last digits of a sum would depend on the layout
        absent = np.isnan(numbers)
        nothing = absent.all(axis=1) | np.isnan(flat[part])
        lacking = np.asarray(absent.any(axis=1) & (not may_lack))
        with np.errstate(invalid="ignore", divide="ignore"):
            found, causes = block(numbers, flat[part])
        for name, column in measures.items():
            column[part] = np.where(nothing | ~np.isfinite(found[name]), np.nan, found[name])
        _, reason[part] = undefined(found[score], (nothing, "no_predictions"), (lacking, "incomplete"), *causes)
    value = np.where(reason == 0, measures[score], np.nan)
    named = {name: column.reshape(shape) for name, column in measures.items()}
    return Scored(value.reshape(shape), reason.reshape(shape), named)


def _fitting(values: Floats, observed: Floats) -> tuple[Floats, Floats]:
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"distributions have shape {values.shape}; give at least one number of each: shape (..., ids)")
    try:
        return values, np.broadcast_to(observed, values.shape[:-1])
    except ValueError as error:
        raise ValueError(
            f"outcomes have shape {observed.shape} and distributions {values.shape}; "
            f"give one outcome of each distribution: shape {values.shape[:-1]}"
        ) from error
