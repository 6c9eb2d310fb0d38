"""Ranks of numbers along an axis, where some may be absent (NaN)."""

import numpy as np

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray

_ABSENT = np.iinfo(np.int64).max
"""The sort key of what is absent: after every number, and no number's own key."""


def average_ranks(values: FloatArray) -> FloatArray:
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
    absent = np.isnan(values).reshape(-1, n)
    keys = _sort_keys(values).reshape(-1, n)
    keys[absent] = _ABSENT
    order = np.argsort(keys, axis=-1)
    keys.sort(axis=-1)
    is_tie = (keys[:, 1:] == keys[:, :-1]) & (keys[:, 1:] != _ABSENT)
    order += (np.arange(len(keys)) * n)[:, None]  # from here on, places in the flat array
    ranks = np.empty(values.shape)
    ranks.ravel()[order.ravel()] = np.tile(np.arange(1.0, n + 1), len(keys))
    tied = np.flatnonzero(is_tie.any(axis=1))
    if tied.size:
        first, last = _tie_groups(is_tie[tied])
        ranks.ravel()[order[tied]] = (first + last) / 2 + 1
    ranks.reshape(-1, n)[absent] = np.nan
    return ranks


def shared_places(values: FloatArray) -> tuple[IntArray, IntArray]:
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


def _ties(values: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
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


def ranks_among(values: FloatArray, present: BoolArray) -> FloatArray:
    """Average ranks of the same values among many choices of them: the outcomes that each model is paired with.

    Sorts once for all choices and counts who of each comes before, where :func:`average_ranks` would sort for each.

    Parameters
    ----------
    values : array, shape (sections, n)
        NaN is absent.
    present : array of bool, shape (sections, choices, n)
        What is ranked; never where ``values`` is absent.

    Returns
    -------
    array, shape (sections, choices, n)
        NaN where not present.
    """
    ranks = np.full(present.shape, np.nan)
    if present.size == 0:
        return ranks
    order = np.argsort(_sort_keys(values), axis=-1)
    for section, of_section in enumerate(order):
        ordered = values[section, of_section]
        is_tie = ordered[1:] == ordered[:-1]
        place = np.argsort(of_section)
        # How many of a choice are among the lowest 0, 1, ..., n values.
        counts = np.zeros((present.shape[1], values.shape[1] + 1), dtype=np.int32)
        np.cumsum(present[section][:, of_section], axis=1, out=counts[:, 1:])
        if is_tie.any():
            first, last = _tie_groups(is_tie[None])
            found = (counts[:, first[0, place]] + counts[:, last[0, place] + 1] + 1) / 2
        else:
            found = counts[:, place + 1]
        np.copyto(ranks[section], found, where=present[section])
    return ranks


def _sort_keys(values: FloatArray) -> IntArray:
    """Integers in the order of the values; anywhere for NaN.

    They are sorted ten times faster than floats, of which a sort must ask first whether they are NaN.
    """
    keys = (values + 0.0).view(np.int64)  # -0.0 becomes 0.0: the same number, the same key
    keys ^= (keys >> 63) & _ABSENT  # negative floats grow with their bits the other way
    return keys


def _tie_groups(is_tie: BoolArray) -> tuple[IntArray, IntArray]:
    """First and last place of the group that each place belongs to.

    Parameters
    ----------
    is_tie : array of bool, shape (rows, n - 1)
        Whether a place holds the same value as the one before it, from the second on.
    """
    rows, n = is_tie.shape[0], is_tie.shape[1] + 1
    place = np.arange(n)
    starts = np.ones((rows, n), dtype=bool)
    ends = np.ones((rows, n), dtype=bool)
    starts[:, 1:] = ends[:, :-1] = ~is_tie
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, place, n)[:, ::-1], axis=-1)[:, ::-1]
    return first, last
