"""How alike the signals of models are, pair by pair; of all others together see ``model_correlation``."""

from dataclasses import dataclass

import numpy as np

from pipeline.competition.arrays import Floats, Ints, centred, correlation
from pipeline.competition.panel import MIN_SUBJECTS
from pipeline.leaderboard.ranks import average_ranks, ranks_among


@dataclass(frozen=True, eq=False)
class SignalCorrelations:
    """How alike the signals of one model are to those of others; arrays of shape (models,).

    Parameters
    ----------
    value : array of float
        Mean over the cross-sections that count, in [-1, 1]; NaN without any.
    n : array of int
        Cross-sections that count.
    """

    value: Floats
    n: Ints


def signal_correlations(own: Floats, others: Floats, min_subjects: int | None = None) -> SignalCorrelations:
    """Spearman rank correlation of a model's signals with those of each other model, averaged over cross-sections.

    Of every cross-section both are ranked among the subjects that both have, ties sharing the mean of their places. It
    does not count where these are fewer than ``min_subjects``, or where either signal is the same for all of them.

    Parameters
    ----------
    own : array of float, shape (sections, subjects)
        The signals of the model; NaN is absent.
    others : array of float, shape (sections, models, subjects)
    min_subjects : int or None
        Fewest subjects in common; None for 5.

    Returns
    -------
    SignalCorrelations

    Raises
    ------
    ValueError
        If sections or subjects differ.

    References
    ----------
    Spearman (1904), "The Proof and Measurement of Association between Two Things".
    """
    if (others.shape[0], others.shape[2]) != own.shape:
        raise ValueError(f"signals have shape {own.shape} and those of others {others.shape}; give the same sections")
    common = ~np.isnan(own)[:, None, :] & ~np.isnan(others)
    ranks = centred(ranks_among(own, common))
    found = correlation(ranks, centred(average_ranks(np.where(common, others, np.nan))))
    needed = MIN_SUBJECTS if min_subjects is None else min_subjects
    counts = (common.sum(axis=2) >= needed) & ~np.isnan(found)
    n = np.asarray(counts.sum(axis=0), dtype=np.int64)
    total = np.where(counts, found, 0.0).sum(axis=0)
    return SignalCorrelations(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0), n)
