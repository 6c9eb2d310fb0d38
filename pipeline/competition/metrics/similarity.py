"""Metrics of how alike models are: what a model adds to the others shows here before it shows in returns."""

import numpy as np

from pipeline.competition.metrics.metric import Metric, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction


def model_correlation(panel: Panel) -> SectionMetric:
    """Rank correlation with the other models, on average over them.

    sum_j z_i.z_j / sum_j n_ij / sqrt(n_i n_j) over the other models j, where z are the centred average ranks of all
    that a model submitted, of length 1, 0 where absent; n_i the number of subjects of a model, n_ij of two. With
    complete coverage this is the mean of the pairwise Spearman correlations. Where coverage differs, a pair counts for
    as much as it overlaps, and the ratio is kept within [-1, 1], which it can leave when a model of few subjects shares
    the extreme ones of another.

    The sums over models are taken once per subject, so that the cost is linear in models. Others are the panel's
    ``peers``, by default its own models; a constant model is nobody's peer.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    SectionMetric
        In [-1, 1], ``n`` the number of subjects submitted. Undefined with ``too_few_pairs`` (fewer subjects than
        the panel needs), ``constant_input`` or ``no_peers`` (no other model has a subject of this one).

    References
    ----------
    Spearman (1904); Kendall & Gibbons (1990), *Rank Correlation Methods*, ch. 6, on the mean of all pairs.
    """
    peers = panel.compared_with
    n = np.asarray(panel.submitted.sum(axis=2), dtype=np.int64)
    constant = np.asarray(np.isnan(panel.unit_ranks).all(axis=2))
    units = np.where(np.isnan(panel.unit_ranks), 0.0, panel.unit_ranks)
    # A model is in the sums if it is a peer: its product with itself is 1, as is n_ii / sqrt(n_i n_i).
    itself = peers.members.astype(float)
    common = np.where(panel.submitted, peers.presence[:, None, :], 0.0).sum(axis=2)
    overlap = common / np.sqrt(np.maximum(n, 1)) - itself
    alone = np.asarray(overlap < _NO_OVERLAP)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.clip(((units * peers.ranks[:, None, :]).sum(axis=2) - itself) / overlap, -1.0, 1.0)
    too_few = n < panel.needed[:, None]
    value, reason = undefined(value, (too_few, "too_few_pairs"), (constant, "constant_input"), (alone, "no_peers"))
    return SectionMetric(value, n, reason)


_NO_OVERLAP = 1e-9
"""Less is rounding: one subject in common is at least 1 / sqrt(n_i n_j)."""

METRICS.register(
    "model_correlation", Metric("model_correlation", Pool.CYCLES, Direction.NONE, "correlation", model_correlation)
)
