"""Linear pools: the distribution that draws a member by its weight, then an outcome from what that member predicts.

A pool of probabilities is their weighted mean. Quantiles of a pool are not the mean of the members' quantiles: they are
those of the mean of the members' distribution functions, which quantiles say at their levels only. In between these
are taken to be lines; beyond the outermost levels, the normal distribution through the two quantiles nearest.

References
----------
Stone (1961), "The opinion pool", Annals of Mathematical Statistics 32. Lines and normal tails as in Ray & Gerding,
``distfromq``, which hubEnsembles pools quantiles with (there a monotone spline by default).
"""

import numpy as np
from scipy.special import ndtr, ndtri

from pipeline.competition.arrays import Bools, Floats, Ints

_HALVINGS = 52
"""Steps of the search, each of which halves what is left: as many as a number has binary digits."""
_CELLS_AT_ONCE = 1 << 20


def mixture_quantiles(values: Floats, weights: Floats, levels: Floats) -> Floats:
    """Quantiles of the weighted mixture of what members predict of each subject.

    Parameters
    ----------
    values : array, shape (members, subjects, levels)
        Quantiles that rise with the level; NaN throughout where a member predicts nothing of a subject.
    weights : array, shape (members,)
        At least 0; they are renormalised over the members of each subject.
    levels : array, shape (levels,)
        In rising order.

    Returns
    -------
    array, shape (subjects, levels)
        At each level the least number whose probability in the mixture is at least that. NaN for a subject that no
        member with weight predicts.
    """
    rising = np.maximum.accumulate(values, axis=2)  # what falls by rounding alone passes for a distribution
    pooled = np.full(values.shape[1:], np.nan)
    size = max(1, _CELLS_AT_ONCE // max(1, len(values) * levels.size**2))
    for start in range(0, values.shape[1], size):
        part = slice(start, start + size)
        pooled[part] = _quantiles(rising[:, part], weights, levels)
    return pooled


def pooled_samples(values: Floats, weights: Floats) -> Floats:
    """Samples of all members together, each member with as many as its weight gives it.

    There are as many in all as the members have: with equal weights and numbers, exactly theirs. A member with more
    than it has gives some of them again, one with less gives some, evenly spaced. The same samples are taken of every
    subject, so that what was drawn together stays together; of a subject that a member does not predict there are
    fewer.

    Parameters
    ----------
    values : array, shape (members, subjects, samples)
        NaN is absent.
    weights : array, shape (members,)

    Returns
    -------
    array, shape (subjects, pooled samples)
        NaN is absent.
    """
    own = [np.flatnonzero(~np.isnan(of_member).all(axis=0)) for of_member in values]
    there = np.array([found.size for found in own])
    shares = np.where(there > 0, weights, 0.0)
    counts = _apportioned(int(there[shares > 0].sum()), shares)
    chosen = [
        of_member[:, found[np.arange(count) * found.size // count]]
        for of_member, found, count in zip(values, own, counts.tolist(), strict=True)
        if count
    ]
    return np.concatenate(chosen, axis=1) if chosen else np.full((values.shape[1], 0), np.nan)


def _apportioned(total: int, shares: Floats) -> Ints:
    """A whole number divided by shares, the largest remainders rounded up."""
    if not shares.sum() > 0:
        return np.zeros(len(shares), dtype=np.int64)
    exact = np.round(total * shares / shares.sum(), 9)
    counts = np.floor(exact).astype(np.int64)
    left = total - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    return np.asarray(counts)


def _quantiles(values: Floats, weights: Floats, levels: Floats) -> Floats:
    """The same of a few subjects: where the mixture reaches each level, between the members' lowest and highest."""
    is_there = ~np.isnan(values).any(axis=2) & (weights > 0)[:, None]
    shares = np.where(is_there, weights[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares /= shares.sum(axis=0)
    filled = np.where(is_there[:, :, None], values, np.nan)
    low, high = np.fmin.reduce(filled, axis=0), np.fmax.reduce(filled, axis=0)
    functions = _Functions.of(np.where(is_there[:, :, None], values, 0.0), levels)
    lowest = low.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = _reaches(functions, middle, shares, levels)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.asarray(np.where(_reaches(functions, lowest, shares, levels), lowest, high))


def _reaches(functions: "_Functions", x: Floats, shares: Floats, levels: Floats) -> Bools:
    """Where the mixture at some numbers has the probability of their level, but for rounding."""
    probability = np.einsum("ms,msl->sl", shares, functions.at(x))
    return np.asarray(probability >= levels - 1e-12)


class _Functions:
    """The distribution functions of members and subjects that quantiles stand for."""

    def __init__(self, values: Floats, levels: Floats, location: Floats, spread: Floats) -> None:
        self._values, self._levels = values, levels
        self._location, self._spread = location, spread

    @classmethod
    def of(cls, values: Floats, levels: Floats) -> "_Functions":
        """From quantiles of shape (members, subjects, levels), none absent."""
        normal = ndtri(levels)
        ends = [(0, 1), (-2, -1)] if levels.size > 1 else [(0, 0), (0, 0)]
        apart = np.array([normal[high] - normal[low] if high != low else 1.0 for low, high in ends])
        spread = np.stack([values[..., high] - values[..., low] for low, high in ends]) / apart[:, None, None]
        outer = np.stack([values[..., 0], values[..., -1]])
        return cls(values, levels, outer - spread * normal[[0, -1]][:, None, None], spread)

    def at(self, x: Floats) -> Floats:
        """Probability of at most x, of shape (subjects, levels), for each member; shape (members, subjects, levels)."""
        values, levels = self._values, self._levels
        place = (values[:, :, None, :] <= x[None, :, :, None]).sum(axis=3)
        inner = np.clip(place, 1, levels.size - 1) if levels.size > 1 else np.ones_like(place)
        start, end = np.clip(inner - 1, 0, levels.size - 1), np.clip(inner, 0, levels.size - 1)
        q_start, q_end = (np.take_along_axis(values, at, axis=2) for at in (start, end))
        with np.errstate(invalid="ignore", divide="ignore"):
            line = levels[start] + (levels[end] - levels[start]) * (x - q_start) / (q_end - q_start)
        tails = [self._tail(side, x) for side in (0, 1)]
        return np.asarray(np.where(place == 0, tails[0], np.where(place == levels.size, tails[1], line)))

    def _tail(self, side: int, x: Floats) -> Floats:
        """The normal distribution beyond the lowest (0) or highest (1) level; without spread all of it is there."""
        location, spread = self._location[side][:, :, None], self._spread[side][:, :, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            normal = ndtr((x - location) / spread)
        return np.asarray(np.where(spread > 0, normal, float(side)))
