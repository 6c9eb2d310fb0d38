"""Metrics of how much a model changes its mind from one cycle of the competition to the next.

Both compare what was submitted, whether or not outcomes are known, for the same horizon.
"""

import numpy as np

from pipeline.competition.arrays import Bools, Floats, centred, correlation
from pipeline.competition.metrics.cross_section import long_short
from pipeline.competition.metrics.metric import Metric, Need, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction
from pipeline.leaderboard.ranks import average_ranks


def turnover(panel: Panel) -> SectionMetric:
    """Share of the long-short portfolio that is traded since the previous cycle.

    0.5 sum |w_t - w_(t-1)| over the subjects of either cycle, with w = (s - mean s) / sum |s - mean s| over all that
    the model submitted, 0 where it submitted nothing. 0 is no trade, 1 the opposite or an entirely other portfolio.

    Parameters
    ----------
    panel : Panel
        With ``previous``.

    Returns
    -------
    SectionMetric
        In [0, 1], ``n`` the number of subjects of either cycle. Undefined with ``no_previous`` (the model has nothing
        of the same horizon in the previous cycle of the competition) or ``constant_input`` (in either cycle).

    References
    ----------
    Grinold & Kahn (1999), *Active Portfolio Management*, ch. 16; Qian, Hua & Sorensen (2007), *Quantitative Equity
    Portfolio Management*, ch. 8.
    """
    previous = _previous(panel)
    now, gross, constant = long_short(panel.signals)
    before, gross_before, constant_before = long_short(previous)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 0.5 * np.abs(now / gross[:, :, None] - before / gross_before[:, :, None]).sum(axis=2)
    value = np.minimum(value, 1.0)
    n = np.asarray((panel.submitted | ~np.isnan(previous)).sum(axis=2), dtype=np.int64)
    value, reason = undefined(value, (_absent(previous), "no_previous"), (constant | constant_before, "constant_input"))
    return SectionMetric(value, n, reason)


def rank_turnover(panel: Panel) -> SectionMetric:
    """One minus the correlation of a model's ranks with those of the previous cycle.

    Average ranks among all that the model submitted in each cycle, Pearson correlation over the subjects of both.

    Parameters
    ----------
    panel : Panel
        With ``previous``.

    Returns
    -------
    SectionMetric
        In [0, 2], ``n`` the number of subjects of both cycles; 0 is the same order, 1 an unrelated one. Undefined with
        ``no_previous``, ``too_few_pairs`` (fewer subjects in both than the panel needs) or ``constant_input``.

    References
    ----------
    Factor rank autocorrelation, as in alphalens (``factor_rank_autocorrelation``).
    """
    previous = _previous(panel)
    both = panel.submitted & ~np.isnan(previous)
    n = np.asarray(both.sum(axis=2), dtype=np.int64)
    now = centred(np.where(both, panel.submitted_ranks, np.nan))
    before = centred(np.where(both, average_ranks(previous), np.nan))
    too_few = n < panel.needed[:, None]
    flat = np.asarray((now**2).sum(axis=2) * (before**2).sum(axis=2) < _FLAT)
    causes = (_absent(previous), "no_previous"), (too_few, "too_few_pairs"), (flat, "constant_input")
    value, reason = undefined(1.0 - correlation(now, before), *causes)
    return SectionMetric(value, n, reason)


def _previous(panel: Panel) -> Floats:
    return np.full(panel.shape, np.nan) if panel.previous is None else panel.previous


def _absent(previous: Floats) -> Bools:
    return np.asarray(np.isnan(previous).all(axis=2))


_FLAT = 1e-9
"""Ranks are multiples of a half: a smaller product of sums of squares is the rounding of a mean."""

METRICS.register(
    "turnover",
    Metric(
        "turnover", Pool.CYCLES, Direction.NONE, "share", turnover, needs=frozenset({Need.PREVIOUS}), bounds=(0.0, 1.0)
    ),
)
METRICS.register(
    "rank_turnover",
    Metric(
        "rank_turnover",
        Pool.CYCLES,
        Direction.NONE,
        "1 - correlation",
        rank_turnover,
        needs=frozenset({Need.PREVIOUS}),
        bounds=(0.0, 2.0),
    ),
)
