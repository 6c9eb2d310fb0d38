"""Metrics that pool single predictions: a window's value is a sum of numerators over a sum of denominators."""

import numpy as np

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.metrics.metric import Metric, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction


def share(total: Floats, counted: Bools, *causes: tuple[Bools, str]) -> SectionMetric:
    """A sum over what is counted, by how many there are; ``causes`` say why nothing may be."""
    n = np.asarray(np.count_nonzero(counted, axis=2), dtype=np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = total / n
    value, reason = undefined(value, *causes)
    return SectionMetric(value, n, reason, numerator=total, denominator=n.astype(float))


def nowhere(counted: Bools) -> Bools:
    """Where nothing is counted; shape (sections, models)."""
    return np.asarray(~counted.any(axis=2))


def hit_rate(panel: Panel) -> SectionMetric:
    """Share of predictions on the right side: sign(signal - center) = sign(outcome), zeros left out.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    SectionMetric
        In [0, 1]; undefined with ``too_few_pairs`` when there is no pair, and with ``zero_outcomes`` when every
        pair has a neutral signal or a zero outcome.

    References
    ----------
    Pesaran & Timmermann (1992), *Journal of Business & Economic Statistics* 10.
    """
    high, low = panel.signals > panel.center, panel.signals < panel.center  # neither where absent
    rose, fell = (panel.outcomes > 0)[:, None, :], (panel.outcomes < 0)[:, None, :]
    counted = (high | low) & (rose | fell)
    right = np.count_nonzero((high & rose) | (low & fell), axis=2).astype(float)
    return share(right, counted, (panel.n_pairs == 0, "too_few_pairs"), (nowhere(counted), "zero_outcomes"))


def mean_score(panel: Panel) -> SectionMetric:
    """Mean of the scoring rule's value over scored predictions.

    Parameters
    ----------
    panel : Panel
        With ``scores``.

    Returns
    -------
    SectionMetric
        In the rule's unit; undefined with ``no_scores``.
    """
    scored = ~np.isnan(panel.scores)
    total = np.where(scored, panel.scores, 0.0).sum(axis=2)
    return share(total, scored, (nowhere(scored), "no_scores"))


def coverage(panel: Panel) -> SectionMetric:
    """Scored predictions over outcomes known, per cross-section.

    Parameters
    ----------
    panel : Panel
        With ``scores``.

    Returns
    -------
    SectionMetric
        In [0, 1]; undefined with ``no_scores`` when the cross-section has no outcome.
    """
    scored = np.asarray(np.count_nonzero(~np.isnan(panel.scores), axis=2), dtype=np.int64)
    outcomes = np.broadcast_to(panel.n_outcomes[:, None], scored.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = scored / outcomes
    value, reason = undefined(value, (outcomes == 0, "no_scores"))
    return SectionMetric(value, scored, reason, scored.astype(float), outcomes.astype(float))


def resolved(panel: Panel) -> SectionMetric:
    """Cross-sections with an outcome over those that the model predicted: below 1 a board is provisional.

    One outcome is enough: a subject whose outcome never comes must not leave a board provisional for ever.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    SectionMetric
        0 or 1; undefined with ``no_predictions`` where the model predicted nothing.
    """
    predicted = np.asarray((~np.isnan(panel.signals)).any(axis=2))
    known = predicted & (panel.n_outcomes > 0)[:, None]
    value, reason = undefined(known.astype(float), (~predicted, "no_predictions"))
    return SectionMetric(value, known.astype(np.int64), reason, known.astype(float), predicted.astype(float))


METRICS.register("hit_rate", Metric("hit_rate", Pool.TASKS, Direction.DESC, "share", hit_rate, bounds=(0.0, 1.0)))
METRICS.register("score", Metric("score", Pool.TASKS, None, "score", mean_score))
COVERAGE = METRICS.register(
    "coverage", Metric("coverage", Pool.TASKS, Direction.DESC, "share", coverage, bounds=(0.0, 1.0))
)
"""Computed for every contest, listed or not: eligibility and every snapshot rest on it."""
RESOLVED = METRICS.register(
    "resolved", Metric("resolved", Pool.TASKS, Direction.NONE, "share", resolved, bounds=(0.0, 1.0))
)
"""Computed for every contest, listed or not: it says which values are final."""
