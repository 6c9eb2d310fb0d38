"""Numerai's published scores: correlation that weighs the tails, and contribution to a meta model."""

import numpy as np
from scipy.special import ndtri

from pipeline.competition.arrays import Bools, Floats, centred, correlation
from pipeline.competition.metrics.metric import Metric, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction
from pipeline.leaderboard.ranks import average_ranks

_POWER = 1.5
_BINS = 4.0
"""Numerai's targets are quarters from 0 to 1; contribution counts them as bins 0 to 4."""


def numerai_correlation(panel: Panel) -> SectionMetric:
    """Numerai's correlation: Gaussian ranks and centred outcomes, both to the power of 1.5, then Pearson.

    Average ranks of the paired signals as shares (r - 0.5) / n, through the normal quantile function; outcomes minus
    the mean of all that are known in the cross-section; x becomes sign(x) |x|^1.5 in both.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    SectionMetric
        In [-1, 1]; undefined with ``too_few_pairs`` or ``constant_input``.

    References
    ----------
    numerai-tools, ``scoring.numerai_corr``; docs.numer.ai, "Correlation (CORR)".
    """
    signal = centred(_gaussian(panel.signal_ranks, _POWER))
    target = np.where(np.isnan(panel.outcomes), np.nan, centred(panel.outcomes))
    # The scale of outcomes is without effect; to a power, very small ones would vanish.
    largest = np.nanmax(np.abs(target), axis=1, initial=0.0, keepdims=True)
    target = _stretched(target / np.where(largest > 0, largest, 1.0), _POWER)
    outcome = centred(np.where(panel.paired, target[:, None, :], np.nan))
    ranks = panel.centred_signal_ranks, panel.centred_outcome_ranks
    constant = np.asarray(np.vecdot(ranks[0], ranks[0]) * np.vecdot(ranks[1], ranks[1]) == 0)
    value, reason = undefined(
        correlation(signal, outcome), (panel.too_few, "too_few_pairs"), (constant, "constant_input")
    )
    return SectionMetric(value, panel.n_pairs, reason)


def mmc(signals: Floats, meta: Floats, outcomes: Floats) -> Floats:
    """Numerai's meta model contribution: covariance of outcomes and what a signal adds to a meta model.

    Over the subjects with all three: Gaussian ranks of signal and meta model as in :func:`numerai_correlation`, the
    signal's minus its projection on the meta model's, then the mean product with the centred outcomes. Outcomes that
    all lie in [0, 1] are counted as Numerai's bins 0 to 4. Where numerai-tools asks that of the outcomes that a model
    has, here it is asked of all that are known in the cross-section, so that models are measured alike.

    Parameters
    ----------
    signals : array, shape (sections, models, subjects)
        NaN is absent, here and below.
    meta, outcomes : arrays, shape (sections, subjects)

    Returns
    -------
    array, shape (sections, models)
        In the outcome's unit; NaN where there is nothing in common or the signal or the meta model is constant there.

    References
    ----------
    numerai-tools, ``scoring.correlation_contribution``; docs.numer.ai, "Meta Model Contribution (MMC)".
    """
    common = ~(np.isnan(signals) | np.isnan(meta)[:, None, :] | np.isnan(outcomes)[:, None, :])
    signal_ranks = average_ranks(np.where(common, signals, np.nan))
    meta_ranks = average_ranks(np.where(common, meta[:, None, :], np.nan))
    signal, base = (np.where(common, _gaussian(ranks), 0.0) for ranks in (signal_ranks, meta_ranks))
    in_bins = np.where(np.isnan(outcomes), True, (outcomes >= 0) & (outcomes <= 1)).all(axis=1, keepdims=True)
    target = centred(np.where(common, (outcomes * np.where(in_bins, _BINS, 1.0))[:, None, :], np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        projection = (signal * base).sum(axis=2) / (base**2).sum(axis=2)
        value = (target * (signal - base * projection[:, :, None])).sum(axis=2) / common.sum(axis=2)
    return np.where(_constant(signal_ranks) | _constant(meta_ranks), np.nan, value)


def _gaussian(ranks: Floats, power: float = 1.0) -> Floats:
    """Normal quantiles of ranks as shares (r - 0.5) / n of those present, to a power; NaN where absent.

    Ranks are multiples of a half, so that each n has few quantiles, looked up in a table.
    """
    absent = np.isnan(ranks)
    n = np.maximum(ranks.shape[-1] - np.count_nonzero(absent, axis=-1), 1)
    counts, row = np.unique(n, return_inverse=True)
    twice = np.arange(2 * ranks.shape[-1] + 1)
    table = _stretched(ndtri((twice / 2 - 0.5) / counts[:, None]), power)
    table[:, 0] = np.nan  # of what is absent
    places = np.where(absent, 0.0, 2 * ranks).astype(np.int64)
    places += (row.reshape(n.shape) * len(twice))[..., None]
    return np.asarray(table.ravel()[places])


def _stretched(values: Floats, power: float) -> Floats:
    return np.asarray(np.sign(values) * np.abs(values) ** power)


def _constant(ranks: Floats) -> Bools:
    """Where all ranks along the last axis are equal, or there is none."""
    return np.asarray(np.nanmax(ranks, axis=-1, initial=-np.inf) <= np.nanmin(ranks, axis=-1, initial=np.inf))


METRICS.register(
    "numerai_corr",
    Metric("numerai_corr", Pool.CYCLES, Direction.DESC, "correlation", numerai_correlation, bounds=(-1.0, 1.0)),
)
