"""Quantiles of past returns: of one stock over the last days, or of all stocks over all days."""

import numpy as np

from pipeline.baselines.prices import Floats, Positions


def rolling_quantiles(values: Floats, positions: Positions, length: int, levels: Floats) -> Floats:
    """Quantiles of the last ``length`` rows of each column, for each row asked for.

    Parameters
    ----------
    values : array of float, shape (days, subjects)
    positions : array of int, shape (cycles,)
        Last rows of the windows.
    length : int
        Rows in a window.
    levels : array of float, shape (levels,)

    Returns
    -------
    array of float, shape (cycles, subjects, levels)
        Interpolated between order statistics (type 7 of Hyndman & Fan 1996); NaN where a value of the window is.
    """
    by_column = np.ascontiguousarray(values.T)
    found = np.full((len(positions), values.shape[1], len(levels)), np.nan)
    for at, position in enumerate(positions):
        if position >= length - 1:
            found[at] = sorted_quantiles(np.sort(by_column[:, position - length + 1 : position + 1], axis=1), levels)
    return found


def pooled_quantiles(values: Floats, positions: Positions, levels: Floats) -> Floats:
    """Quantiles of all columns together, of all rows up to each row asked for.

    Parameters
    ----------
    values : array of float, shape (days, subjects)
        NaN is passed over.
    positions : array of int, shape (cycles,)
        Last rows that count.
    levels : array of float, shape (levels,)

    Returns
    -------
    array of float, shape (cycles, levels)
        Interpolated as in ``rolling_quantiles``; NaN where there is no value yet.
    """
    rows, columns = np.nonzero(~np.isnan(values))
    order = np.argsort(values[rows, columns], kind="stable")
    rows, ordered = rows[order], values[rows, columns][order]
    known = (ordered[rows <= position] for position in positions)
    none = np.full(len(levels), np.nan)
    found = [sorted_quantiles(past, levels) if past.size else none for past in known]
    return np.array(found).reshape(len(positions), len(levels))


def sorted_quantiles(ordered: Floats, levels: Floats) -> Floats:
    """Quantiles of values that rise along the last axis, NaN last; shape (..., levels), NaN where a value is."""
    place = levels * (ordered.shape[-1] - 1)
    below = np.floor(place).astype(np.intp)
    low, high = ordered[..., below], ordered[..., np.minimum(below + 1, ordered.shape[-1] - 1)]
    complete = ~np.isnan(ordered[..., -1:])
    return np.where(complete, low + (place - below) * (high - low), np.nan)
