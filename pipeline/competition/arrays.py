"""Arithmetic on arrays with absences (NaN) that metrics and scoring rules share."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def centred(values: Floats) -> Floats:
    """Values minus their mean along the last axis, 0 where absent."""
    absent = np.isnan(values)
    n = np.maximum(values.shape[-1] - np.count_nonzero(absent, axis=-1, keepdims=True), 1)
    filled = values.copy()
    filled[absent] = 0.0
    filled -= filled.sum(axis=-1, keepdims=True) / n
    filled[absent] = 0.0
    return filled


def correlation(left: Floats, right: Floats) -> Floats:
    """Pearson correlation along the last axis of what :func:`centred` gives; NaN where either is 0 throughout."""
    spread = np.vecdot(left, left) * np.vecdot(right, right)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip(np.vecdot(left, right) / np.sqrt(spread), -1.0, 1.0))
