"""Rank correlation of what known factors do not explain."""

import numpy as np

from pipeline.competition.arrays import Bools, Floats, centred, correlation
from pipeline.competition.metrics.metric import Metric, Need, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction
from pipeline.leaderboard.ranks import average_ranks, ranks_among

LEAST_UNEXPLAINED = 0.01
"""A smaller share of the signal's variance left over is rounding and chance, not a view of the model's own."""

_DEPENDENT = 1e-12
"""Eigenvalues of the factors' cross products below this share of the largest: one factor repeats others."""

_STEPS = 1e10
"""Residuals of shares of ranks are equal to ten decimals or differ: rounding must not break ties."""


def feature_neutral_correlation(panel: Panel) -> SectionMetric:
    """Rank correlation with the outcome of what is left of the signal beside known factors.

    Over the subjects with signal, outcome and every factor: average ranks of the signal and of each factor as shares
    (r - 0.5) / n, least squares of the signal's on the factors' with an intercept, Spearman correlation of the residual
    with the outcome. A factor that no paired subject of the cross-section has is not a factor of that cycle.

    Parameters
    ----------
    panel : Panel
        With ``factors``.

    Returns
    -------
    SectionMetric
        In [-1, 1], ``n`` the number of those subjects. Undefined with ``no_factors``, ``too_few_pairs`` (n below
        2 x factors + 5 or below what the panel needs), ``constant_input`` or ``explained_by_factors`` (the residual has
        less than 1 % of the signal's variance).

    References
    ----------
    Numerai's feature neutral correlation, here with ranks for its Gaussian scores and Spearman for its own
    correlation; Grinold & Kahn (1999), *Active Portfolio Management*, ch. 10, on neutralisation.
    """
    factors = np.empty((*panel.outcomes.shape, 0)) if panel.factors is None else panel.factors
    known, usable = _known(panel, factors)
    n = np.asarray(usable.sum(axis=2), dtype=np.int64)
    signal, outcome = _shares(panel, usable)
    residual = np.empty_like(signal)
    for section, of_section in enumerate(zip(signal, factors, known, usable, strict=True)):
        residual[section] = _residual(*of_section)
    variance = np.vecdot(signal, signal)
    explained = np.asarray(np.vecdot(residual, residual) < LEAST_UNEXPLAINED * variance)
    ranks = centred(average_ranks(np.where(usable, np.rint(residual * _STEPS), np.nan)))
    n_factors = np.count_nonzero(known, axis=1)[:, None]
    value, reason = undefined(
        correlation(ranks, outcome),
        (np.broadcast_to(n_factors == 0, n.shape), "no_factors"),
        (n < np.maximum(panel.needed[:, None], 2 * n_factors + 5), "too_few_pairs"),
        (np.asarray(variance * np.vecdot(outcome, outcome) == 0), "constant_input"),
        (explained, "explained_by_factors"),
    )
    return SectionMetric(value, n, reason)


def _known(panel: Panel, factors: Floats) -> tuple[Bools, Bools]:
    """Which factors each section has, (sections, factors), and where a model has all it takes, in the panel's shape."""
    missing = np.isnan(factors)
    known = np.asarray((~missing & np.asarray(panel.paired.any(axis=1))[:, :, None]).any(axis=1))
    incomplete = np.asarray((missing & known[:, None, :]).any(axis=2))
    return known, panel.paired & ~incomplete[:, None, :]


def _shares(panel: Panel, usable: Bools) -> tuple[Floats, Floats]:
    """Centred ranks of usable signals as shares of n, and of their outcomes, 0 where not usable."""
    signal, outcome = panel.centred_signal_ranks, panel.centred_outcome_ranks
    if (usable != panel.paired).any():
        signal = centred(average_ranks(np.where(usable, panel.signals, np.nan)))
        outcome = centred(ranks_among(panel.outcomes, usable))
    return signal / np.maximum(np.count_nonzero(usable, axis=2, keepdims=True), 1), outcome


def _residual(signal: Floats, factors: Floats, known: Bools, usable: Bools) -> Floats:
    """What is left of one section's signals, centred and of shape (models, subjects), beside its factors."""
    # Models that have the same subjects, as they do as a rule, share the ranks of the factors.
    choices = usable[:1] if (usable == usable[:1]).all() else usable
    values = np.ascontiguousarray(factors[:, known].T)
    columns = centred(ranks_among(values, np.broadcast_to(choices, (len(values), *choices.shape))))
    coefficients = _least_squares(np.vecdot(columns[:, None], columns[None]), np.vecdot(columns, signal[None]))
    residual = signal.copy()
    for column, coefficient in zip(columns, coefficients, strict=True):
        residual -= coefficient[:, None] * column
    return residual


def _least_squares(products: Floats, on_signal: Floats) -> Floats:
    """Coefficients of columns that explain a signal best; what repeats other columns has no part of its own.

    Parameters
    ----------
    products : array, shape (columns, columns, sets)
        Of the columns of each set with one another; one set may serve all models.
    on_signal : array, shape (columns, models)
        Of the columns with each model's signal.

    Returns
    -------
    array, shape (columns, models)
    """
    eigenvalues, vectors = np.linalg.eigh(np.moveaxis(products, 2, 0))
    kept = eigenvalues > _DEPENDENT * eigenvalues.max(axis=1, keepdims=True, initial=0.0)
    scale = np.where(kept, 1 / np.where(kept, eigenvalues, 1.0), 0.0)
    inverse = (vectors * scale[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.asarray((np.moveaxis(inverse, 0, 2) * on_signal[None]).sum(axis=1))


METRICS.register(
    "fnc",
    Metric(
        "fnc",
        Pool.CYCLES,
        Direction.DESC,
        "correlation",
        feature_neutral_correlation,
        needs=frozenset({Need.FACTORS}),
        bounds=(-1.0, 1.0),
    ),
)
