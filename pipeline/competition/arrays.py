"""Arithmetic on arrays with absences (NaN) that metrics and scoring rules share."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def average_ranks(values: Floats) -> Floats:
    """Ranks along the last axis, 1 for the lowest, ties sharing the mean of their places.

    Parameters
    ----------
    values : array, shape (..., n)
        NaN is absent: it gets NaN and takes no place.

    Returns
    -------
    array, shape (..., n)
    """
    n = values.shape[-1]
    if values.size == 0:
        return np.full(values.shape, np.nan)
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    place = np.arange(n)
    starts = np.ones(values.shape, dtype=bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    ends = np.ones(values.shape, dtype=bool)
    ends[..., :-1] = starts[..., 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, place, n)[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    ranks[np.isnan(values)] = np.nan
    return ranks


def centred(values: Floats) -> Floats:
    """Values minus their mean along the last axis, 0 where absent."""
    present = ~np.isnan(values)
    n = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    filled = np.where(present, values, 0.0)
    return np.where(present, filled - filled.sum(axis=-1, keepdims=True) / n, 0.0)


def correlation(left: Floats, right: Floats) -> Floats:
    """Pearson correlation along the last axis of what :func:`centred` gives; NaN where either is 0 throughout."""
    spread = (left**2).sum(axis=-1) * (right**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip((left * right).sum(axis=-1) / np.sqrt(spread), -1.0, 1.0))
