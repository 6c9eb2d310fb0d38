"""Metrics of one cross-section whose window value is the mean over cycles: rank correlation, portfolio return."""

import numpy as np

from pipeline.competition.arrays import Bools, Floats, centred, correlation
from pipeline.competition.metrics.metric import Metric, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction

_SPAN_TOLERANCE = 1e-6
"""So much of a cycle is rounding: 7 days of 0.142857143 cycles each are one cycle, not two."""


def information_coefficient(panel: Panel) -> SectionMetric:
    """Spearman rank correlation of signal and outcome over the subjects of a cycle.

    Pearson correlation of average ranks, over subjects with both.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    SectionMetric
        In [-1, 1]; undefined with ``too_few_pairs`` or, when all signals or all outcomes are equal,
        ``constant_input``.

    References
    ----------
    Spearman (1904); Grinold & Kahn (1999), *Active Portfolio Management*, ch. 6.
    """
    signal, outcome = panel.centred_signal_ranks, panel.centred_outcome_ranks
    value = correlation(signal, outcome)
    value, reason = undefined(value, (panel.too_few, "too_few_pairs"), (np.isnan(value), "constant_input"))
    return SectionMetric(value, panel.n_pairs, reason)


def mean_return(panel: Panel) -> SectionMetric:
    """Return of the long-short portfolio whose weights are the demeaned signals, one unit gross.

    w = (s - mean s) / sum |s - mean s| over subjects with signal and outcome; r = sum w * outcome. When the
    horizon spans several cycles, r is divided by their number, so that overlapping returns add up to one.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    SectionMetric
        In units of the outcome; undefined with ``too_few_pairs`` or ``constant_input``.

    References
    ----------
    Lehmann (1990), *Quarterly Journal of Economics* 105; Lo & MacKinlay (1990), *Review of Financial Studies* 3.
    """
    signal, gross, constant = long_short(panel.paired_signals)
    spans = np.maximum(1.0, np.ceil(panel.horizons * panel.horizon_cycles - _SPAN_TOLERANCE))[:, None]
    outcome = np.where(np.isnan(panel.outcomes), 0.0, panel.outcomes)[:, None, :]  # of no pair, the weight is 0
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.vecdot(signal, outcome) / gross / spans
    value, reason = undefined(value, (panel.too_few, "too_few_pairs"), (constant, "constant_input"))
    return SectionMetric(value, panel.n_pairs, reason)


def long_short(signals: Floats) -> tuple[Floats, Floats, Bools]:
    """The portfolio that signals make: w = (s - mean s) / sum |s - mean s|.

    Parameters
    ----------
    signals : array, shape (sections, models, subjects)
        NaN is absent.

    Returns
    -------
    deviation : array, same shape
        s - mean s, 0 where absent: w before it is divided by ``gross``.
    gross : array, shape (sections, models)
    constant : array of bool, shape (sections, models)
        Where all signals are equal, or there is none, so that there is no portfolio.
    """
    highest = np.fmax.reduce(signals, axis=2, initial=-np.inf)
    constant = highest <= np.fmin.reduce(signals, axis=2, initial=np.inf)
    deviation = centred(signals)
    gross = np.abs(deviation).sum(axis=2)
    return deviation, gross, constant | (gross == 0)


METRICS.register(
    "ic", Metric("ic", Pool.CYCLES, Direction.DESC, "correlation", information_coefficient, bounds=(-1.0, 1.0))
)
METRICS.register("mean_return", Metric("mean_return", Pool.CYCLES, Direction.DESC, "outcome", mean_return))
