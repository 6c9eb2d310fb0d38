"""From the members' predictions of a cross-section to one: normalised, weighed, combined, and without each member."""

from dataclasses import dataclass

import numpy as np

from pipeline.competition.arrays import Floats, Ints
from pipeline.competition.ensembles.config import EnsembleConfig, Normalize
from pipeline.competition.ensembles.weighing import MOST_JOINT_MEMBERS, Weighing
from pipeline.leaderboard.ranks import average_ranks, shared_places

_DIGITS = 10
"""Digits kept, of signals of the usual size: sums that differ by rounding only must tie, as they do on paper."""
_ROUNDING = 1e-9
"""More than rounding makes of a number of members, or of a spread beside the values themselves."""


def normalized(signals: Floats, how: Normalize) -> Floats:
    """Predictions of cross-sections on a common scale.

    Parameters
    ----------
    signals : array, shape (..., models, subjects)
        NaN where absent.
    how : str
        ``rank``: (average rank - 0.5) / n, in (0, 1); ``zscore``: minus the mean, over the population standard
        deviation (0 for a constant); ``none``.

    Returns
    -------
    array of the same shape
    """
    if how == "none":
        return signals
    n = (~np.isnan(signals)).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        if how == "rank":
            return np.asarray((average_ranks(signals) - 0.5) / n)
        deviation = signals - np.nansum(signals, axis=-1, keepdims=True) / n
        spread = np.sqrt(np.nansum(deviation**2, axis=-1, keepdims=True) / n)
        size = np.sqrt(np.nansum(signals**2, axis=-1, keepdims=True) / n)
        varies = spread > _ROUNDING * size  # the mean of a constant is not always the constant
        return np.where(varies, deviation / spread, np.where(np.isnan(signals), np.nan, 0.0))


@dataclass(frozen=True)
class Combined:
    """An ensemble's prediction of one cross-section.

    Parameters
    ----------
    value : array, shape (subjects,)
        NaN for a subject that no member with weight predicted.
    without : array, shape (candidates, subjects), or None
        The prediction without each candidate: that of the whole ensemble for who is no member; None where leaving
        members out is too dear.
    """

    value: Floats
    without: Floats | None


def combine(signals: Floats, weighing: Weighing, config: EnsembleConfig, *, leave_out: bool = True) -> Combined:
    """Combine the candidates' predictions of one cross-section.

    Missing members drop out, subject by subject, and the weights of the others are renormalised:
    sum(u a s) / sum(u a), a = 1 where a prediction is present. Without member i that is
    (sum(u a s) - u_i s_i) / (sum(u a) - u_i a_i), with the weights that hold without it.

    Parameters
    ----------
    signals : array, shape (candidates, subjects)
        Normalised predictions, NaN where absent.
    weighing : Weighing
    config : EnsembleConfig
    leave_out : bool
        Whether the predictions without each member are wanted.
    """
    decimals = _decimals(signals[weighing.weights > 0])
    whole = settled(_combined(signals, weighing.weights, config), decimals)
    if not leave_out or weighing.without is None:
        return Combined(whole, None)
    if config.combine != "mean" and int((weighing.weights > 0).sum()) > MOST_JOINT_MEMBERS:
        return Combined(whole, None)
    without = np.tile(whole, (len(signals), 1))
    for group in weighing.without:
        without[group.removed] = _without(signals, group.weights, group.removed, config)
    return Combined(whole, settled(without, decimals))


def settled(values: Floats, decimals: int) -> Floats:
    """Values without the last digits, which depend on the order of summing."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.round(values, decimals)
    return np.where(np.isfinite(rounded), rounded, values)


def _decimals(signals: Floats) -> int:
    """Decimals to keep; one absurd prediction, the largest of all, must not cost the others theirs."""
    sizes = np.abs(signals[~np.isnan(signals) & (signals != 0)])
    usual = np.log10(np.median(sizes)) if sizes.size else 0.0
    return int(np.clip(_DIGITS - np.ceil(usual), -300, 300))


def _without(signals: Floats, weights: Floats, removed: Ints, config: EnsembleConfig) -> Floats:
    if config.combine != "mean":
        rows = [
            _combined(signals, np.where(np.arange(len(weights)) == place, 0.0, weights), config) for place in removed
        ]
        return np.array(rows)
    weighed = np.where(np.isnan(signals), 0.0, weights[:, None])
    summands = np.where(weighed > 0, weighed * signals, 0.0)
    left = weighed.sum(axis=0) - weighed[removed]
    total = summands.sum(axis=0) - summands[removed]
    # Taking away most of a sum leaves its rounding: without the heaviest of a subject the others are summed anew.
    heaviest = weighed.argmax(axis=0)
    is_heaviest = np.arange(len(weights))[:, None] == heaviest
    left = np.where(is_heaviest[removed], np.where(is_heaviest, 0.0, weighed).sum(axis=0), left)
    total = np.where(is_heaviest[removed], np.where(is_heaviest, 0.0, summands).sum(axis=0), total)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(left > 0, total / left, np.nan))


def _combined(signals: Floats, weights: Floats, config: EnsembleConfig) -> Floats:
    """One combination of shape (subjects,)."""
    weighed = np.where(np.isnan(signals), 0.0, weights[:, None])
    if config.combine == "median":
        return _weighted_median(signals, weighed)
    if config.combine == "trimmed":
        weighed = _trimmed(signals, weighed, config.trim)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weighed * np.where(weighed > 0, signals, 0.0)).sum(axis=0) / weighed.sum(axis=0))


def _weighted_median(signals: Floats, weighed: Floats) -> Floats:
    """Where half of the weight lies below: the mean of the two neighbours where it is exactly half."""
    order = np.argsort(np.where(weighed > 0, signals, np.nan), axis=0, kind="stable")
    ordered = np.take_along_axis(signals, order, axis=0)
    total = weighed.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.cumsum(np.take_along_axis(weighed, order, axis=0), axis=0) / total
    low = np.argmax(share >= 0.5 - 1e-12, axis=0)
    high = np.argmax(share > 0.5 + 1e-12, axis=0)
    columns = np.arange(signals.shape[1])
    return np.where(total > 0, (ordered[low, columns] + ordered[high, columns]) / 2, np.nan)


def _trimmed(signals: Floats, weighed: Floats, trim: float) -> Floats:
    """The weights without the members whose predictions of a subject are the lowest and the highest.

    Of members that predict the same each loses the same share, so that their order decides nothing.
    """
    counted = weighed > 0
    n = counted.sum(axis=0)
    cut = np.floor(trim * n + _ROUNDING).astype(int)
    first, last = (places.T for places in shared_places(np.where(counted, signals, np.nan).T))
    kept = np.minimum(last, n - cut - 1) - np.maximum(first, cut) + 1
    return np.where(counted, weighed * np.maximum(kept, 0) / (last - first + 1), 0.0)
