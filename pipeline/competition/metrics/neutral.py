"""Rank correlation of what known factors do not explain."""

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats, Ints, average_ranks, centred, correlation
from pipeline.competition.metrics.metric import METRICS, Metric, Need, Pool, SectionMetric
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction

LEAST_UNEXPLAINED = 0.01
"""A smaller share of the signal's variance left over is rounding and chance, not a view of the model's own."""

_DEPENDENT = 1e-12
"""Eigenvalues of the factors' cross products below this share of the largest: one factor repeats others."""

_DIGITS = 10
"""Residuals of shares of ranks are equal to so many decimals or differ: rounding must not break ties."""


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
    variance = (signal**2).sum(axis=2)
    explained = np.asarray((residual**2).sum(axis=2) < LEAST_UNEXPLAINED * variance)
    ranks = centred(average_ranks(np.where(usable, np.round(residual, _DIGITS), np.nan)))
    n_factors = np.asarray(known.sum(axis=1), dtype=np.int64)[:, None]
    value, reason = undefined(
        correlation(ranks, outcome),
        (np.broadcast_to(n_factors == 0, n.shape), "no_factors"),
        (n < np.maximum(panel.needed[:, None], 2 * n_factors + 5), "too_few_pairs"),
        (np.asarray(variance * (outcome**2).sum(axis=2) == 0), "constant_input"),
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
    signal, outcome = panel.signal_ranks, panel.outcome_ranks
    if (usable != panel.paired).any():
        signal = average_ranks(np.where(usable, panel.signals, np.nan))
        outcome = average_ranks(np.where(usable, panel.outcomes[:, None, :], np.nan))
    n = np.maximum(usable.sum(axis=2, keepdims=True), 1)
    return centred(signal) / n, centred(outcome)


def _residual(signal: Floats, factors: Floats, known: Bools, usable: Bools) -> Floats:
    """What is left of one section's signals, centred and of shape (models, subjects), beside its factors.

    Models that lack the same subjects share one projection; as a rule that is all of them.
    """
    patterns, of_model = _patterns(usable)
    values = np.where(patterns[:, None, :], factors[:, known].T[None], np.nan)
    basis = _orthonormal(np.swapaxes(centred(average_ranks(values)), 1, 2))
    residual = np.empty_like(signal)
    for pattern, columns in enumerate(basis):
        models = of_model == pattern
        residual[models] = signal[models] - (signal[models] @ columns) @ columns.T
    return residual


def _patterns(usable: Bools) -> tuple[Bools, Ints]:
    """The distinct rows, and which of them each row is."""
    if (usable == usable[:1]).all():
        return usable[:1], np.zeros(len(usable), dtype=np.int64)
    # One number of any size for each row: comparing bytes as a whole is much faster than row by row.
    packed = np.ascontiguousarray(np.packbits(usable, axis=1))
    keys: npt.NDArray[np.void] = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, of_row = np.unique(keys, return_index=True, return_inverse=True)
    return usable[first], np.asarray(of_row, dtype=np.int64)


def _orthonormal(columns: Floats) -> Floats:
    """An orthonormal basis of each set of columns; what repeats other columns becomes 0.

    Parameters
    ----------
    columns : array, shape (sets, subjects, columns)

    Returns
    -------
    array, same shape
    """
    eigenvalues, vectors = np.linalg.eigh(np.swapaxes(columns, 1, 2) @ columns)
    kept = eigenvalues > _DEPENDENT * eigenvalues.max(axis=1, keepdims=True, initial=0.0)
    scale = np.where(kept, 1 / np.sqrt(np.where(kept, eigenvalues, 1.0)), 0.0)
    return np.asarray(columns @ (vectors * scale[:, None, :]))


METRICS.register(
    "fnc",
    Metric(
        "fnc",
        Pool.CYCLES,
        Direction.DESC,
        "correlation",
        feature_neutral_correlation,
        needs=frozenset({Need.FACTORS}),
    ),
)
