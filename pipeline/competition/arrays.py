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
    if values.size == 0:
        return np.full(values.shape, np.nan)
    order, first, last = _ties(values)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    ranks[np.isnan(values)] = np.nan
    return ranks


def shared_places(values: Floats) -> tuple[Ints, Ints]:
    """The first and the last place along the last axis, from 0, that each value shares with its equals.

    Parameters
    ----------
    values : array, shape (..., n), n > 0
        NaN is absent: its places mean nothing and come after those of the others.

    Returns
    -------
    two arrays of int, shape (..., n)
    """
    order, *sorted_places = _ties(values)
    first, last = np.empty((2, *values.shape), dtype=np.int64)
    for places, ordered in zip((first, last), sorted_places, strict=True):
        np.put_along_axis(places, order, ordered, axis=-1)
    return first, last


def _ties(values: Floats) -> tuple[Ints, Ints, Ints]:
    """How to sort along the last axis, and in that order the first and the last place of each run of equals."""
    n = values.shape[-1]
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    place = np.arange(n)
    starts = np.ones(values.shape, dtype=bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    ends = np.ones(values.shape, dtype=bool)
    ends[..., :-1] = starts[..., 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, place, n)[..., ::-1], axis=-1)[..., ::-1]
    return order, first, last


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
