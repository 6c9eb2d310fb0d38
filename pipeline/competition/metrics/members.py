"""Metrics of real models beside an ensemble: what each adds to it, and how much it is like the rest of it.

They are computed against the first ensemble that a contest declares; ``contribution@top5`` is against the one called
``top5``.
"""

import numpy as np

from pipeline.competition.arrays import Bools, centred, correlation
from pipeline.competition.metrics.metric import EnsemblePanel, Metric, Pool, SectionMetric
from pipeline.competition.metrics.numerai import mmc
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction
from pipeline.leaderboard.ranks import average_ranks


def contribution(panel: Panel, ensemble: EnsemblePanel) -> SectionMetric:
    """What a member adds to the ensemble's primary metric: with it minus without it.

    Without it the ensemble is weighed anew by its own strategy, filter and normalisation; where a filter takes the
    best n, the next one is let in. Positive is better, for losses too.

    Parameters
    ----------
    panel : Panel
        Of the real models.
    ensemble : EnsemblePanel

    Returns
    -------
    SectionMetric
        In units of the primary metric. Undefined with ``not_member``, ``only_member``, ``not_separable`` (more than
        50 members under a strategy that must be solved anew for each) or the reason of the primary metric.

    References
    ----------
    Leave-one-out (Cook 1977, *Technometrics* 19), of the score of an ensemble.
    """
    whole = ensemble.primary(panel.with_signals(ensemble.signals[:, None, :], panel.models[:1], ensemble.forecasts))
    without = ensemble.primary(panel.with_signals(ensemble.without, forecasts=ensemble.forecasts_without))
    alone, separable = _alone(ensemble), _of_models(ensemble.is_separable, panel)
    value, reason = undefined(
        ensemble.sign * (whole.value - without.value),
        (~ensemble.is_member, "not_member"),
        (~separable, "not_separable"),
        (alone, "only_member"),
    )
    why = np.where(whole.reason > 0, whole.reason, without.reason)
    explained = (reason > 0) & ensemble.is_member & separable & ~alone
    return SectionMetric(value, without.n, np.where(explained & (why > 0), why, reason))


def ensemble_correlation(panel: Panel, ensemble: EnsemblePanel) -> SectionMetric:
    """Spearman correlation of a model with the ensemble without it: how much it is like the others.

    Parameters
    ----------
    panel : Panel
        Of the real models.
    ensemble : EnsemblePanel

    Returns
    -------
    SectionMetric
        In [-1, 1]; undefined with ``not_separable``, ``not_member`` (nobody is), ``only_member``, ``too_few_pairs`` or
        ``constant_input``.
    """
    both = ~np.isnan(panel.signals) & ~np.isnan(ensemble.without)
    own = centred(average_ranks(np.where(both, panel.signals, np.nan)))
    others = centred(average_ranks(np.where(both, ensemble.without, np.nan)))
    n = np.asarray(both.sum(axis=2), dtype=np.int64)
    value = correlation(own, others)
    value, reason = undefined(
        value,
        (~_of_models(ensemble.is_separable, panel), "not_separable"),
        (_alone(ensemble) & ~ensemble.is_member, "not_member"),
        (_alone(ensemble), "only_member"),
        (n < panel.needed[:, None], "too_few_pairs"),
        (np.isnan(value), "constant_input"),
    )
    return SectionMetric(value, n, reason)


def meta_model_contribution(panel: Panel, ensemble: EnsemblePanel) -> SectionMetric:
    """Numerai's meta model contribution (MMC), the ensemble being the meta model.

    Parameters
    ----------
    panel : Panel
        Of the real models.
    ensemble : EnsemblePanel
        As a whole, with every member in it, as Numerai's meta model is.

    Returns
    -------
    SectionMetric
        In units of the outcome; undefined with ``too_few_pairs`` or ``constant_input``.

    References
    ----------
    See :func:`pipeline.competition.metrics.numerai.mmc`.
    """
    n = np.asarray((panel.paired & ~np.isnan(ensemble.signals)[:, None, :]).sum(axis=2), dtype=np.int64)
    value = mmc(panel.signals, ensemble.signals, panel.outcomes)
    too_few = n < panel.needed[:, None]
    value, reason = undefined(value, (too_few, "too_few_pairs"), (np.isnan(value), "constant_input"))
    return SectionMetric(value, n, reason)


def _alone(ensemble: EnsemblePanel) -> Bools:
    """Where nothing is left of an ensemble without a model; shape (sections, models)."""
    return np.asarray(np.isnan(ensemble.without).all(axis=2))


def _of_models(of_sections: Bools, panel: Panel) -> Bools:
    """What holds of a section, for each model; shape (sections, models)."""
    return np.asarray(np.broadcast_to(of_sections[:, None], panel.shape[:2]))


METRICS.register(
    "contribution",
    Metric("contribution", Pool.CYCLES, Direction.DESC, "primary metric", of_members=contribution),
)
METRICS.register(
    "ensemble_correlation",
    Metric(
        "ensemble_correlation",
        Pool.CYCLES,
        Direction.NONE,
        "correlation",
        of_members=ensemble_correlation,
        bounds=(-1.0, 1.0),
    ),
)
METRICS.register("mmc", Metric("mmc", Pool.CYCLES, Direction.DESC, "outcome", of_members=meta_model_contribution))
