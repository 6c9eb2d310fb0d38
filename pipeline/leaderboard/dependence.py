"""How dependent the cycles of a board are: how many of them say as much as one independent cycle.

Consecutive cycles share news, regimes, and outcomes whose periods overlap, so the variance of a mean over n of them is
``inflation`` times that of n independent ones: n cycles count as n / inflation. One series says little about that, so
comparisons use what all contestants of a board say together, and of each only what differs beyond chance.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma

from pipeline.leaderboard.arrays import BoolArray, FloatArray
from pipeline.leaderboard.influence import count_cycles
from pipeline.leaderboard.intervals import MIN_CYCLES, cosine_count, long_run_variance, series_by_length

MOST_CYCLES = 520
"""Dependence is measured over the last so many cycles: the regime that the board is in, and a bound on the work."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """The dependence of the cycles of one board.

    Parameters
    ----------
    inflation : float array
        Long-run variance over variance of each contestant's series, at least 1; shape (contestants,).
    variance : float array
        Variance of each contestant's series, by which it weighs in a pair; shape (contestants,).
    own_uncertainty : float array
        1 / degrees of freedom of that part of the inflation that only the contestant's own series tells; shape
        (contestants,).
    pooled_uncertainty : float
        1 / degrees of freedom of the part that all tell together.
    """

    inflation: FloatArray
    variance: FloatArray
    own_uncertainty: FloatArray
    pooled_uncertainty: float

    @classmethod
    def none(cls, contestants: int) -> "Dependence":
        """That of items which have nothing to do with one another: topics, inputs, benchmarks."""
        return cls(np.ones(contestants), np.zeros(contestants), np.zeros(contestants), 0.0)

    def of_pairs(self) -> tuple[FloatArray, FloatArray]:
        """Inflation of the difference of every two contestants, and its uncertainty; both (contestants, contestants).

        As for the difference of two independent series: each counts by its share of the variance.
        """
        total = self.variance[:, None] + self.variance
        share = np.divide(self.variance[:, None], total, out=np.full(total.shape, 0.5), where=total > 0)
        parts = share * self.inflation[:, None]
        inflation = parts + parts.T
        own = (parts / inflation) ** 2 * self.own_uncertainty[:, None]
        return inflation, self.pooled_uncertainty + own + own.T


def demeaned(psi: FloatArray, present: BoolArray) -> FloatArray:
    """Series less the mean of each cycle over who is present, 0 where absent: what happens to all separates nobody."""
    mean = np.where(present, psi, 0.0).sum(axis=1) / np.maximum(np.count_nonzero(present, axis=1), 1)
    return np.where(present, psi - mean[:, None], 0.0)


def dependence(psi: FloatArray, present: BoolArray) -> Dependence:
    """Measure the dependence of cycles over the last 520 of them, from series demeaned by cycle.

    The pooled inflation is sum(LRV) / sum(variance) over contestants with at least 8 cycles, each weighing as many
    times as its long-run variance has degrees of freedom (nu of :func:`long_run_variance`). Variances are corrected
    for dependence, E[SS / n] = variance - LRV / n, as is due where n is small or inflation large.

    A contestant's own inflation is drawn to the pooled one, on the scale of logarithms, by as much as chance explains
    how the contestants differ: nu LRV / E[LRV] is about chi-square, so the logarithm has variance trigamma(nu / 2),
    and what the contestants differ beyond that is estimated by moments. Where all are alike, which is the usual case,
    each gets the pooled inflation; where some models play lasting bets and others do not, the lasting ones are not
    separated by a false precision that the others lend them.

    Parameters
    ----------
    psi : float array
        Influence, shape (cycles, contestants), cycles in the order of time.
    present : bool array
        Where a contestant has a cycle, same shape.

    Returns
    -------
    Dependence
        None where nobody has 8 cycles, or where nothing varies.

    References
    ----------
    Lazarus, Lewis, Stock & Watson (2018), "HAR Inference: Recommendations for Practice", JBES 36(4).
    Bayley & Hammersley (1946), "The 'Effective' Number of Independent Observations in an Autocorrelated Time Series".
    DerSimonian & Laird (1986), "Meta-analysis in clinical trials" (the moments of what differs beyond chance).
    Bartlett & Kendall (1946), "The statistical analysis of variance-heterogeneity" (the logarithm of chi-square).
    """
    recent = present[-MOST_CYCLES:]
    series = demeaned(psi[-MOST_CYCLES:], recent)
    n = count_cycles(recent)
    lrv, spread = np.zeros((2, len(n)))
    for columns, closed_up in series_by_length(series, recent):
        lrv[columns] = long_run_variance(closed_up)
        spread[columns] = closed_up.var(axis=0)
    told = (n >= MIN_CYCLES) & (spread > 0)
    if not told.any():
        return Dependence.none(len(n))
    nu = np.array([cosine_count(length) if tells else 0 for length, tells in zip(n.tolist(), told, strict=True)])
    variance = spread + lrv / np.maximum(n, 1)
    pooled = float(nu @ lrv / (nu @ variance))
    drawn, own = np.full(len(n), pooled), np.zeros(len(n))
    drawn[told], own[told] = _drawn_together(lrv[told] / variance[told], nu[told], pooled)
    freedom = _independent_series(series) * float(nu[told].mean())
    return Dependence(np.maximum(1.0, drawn), variance, own, 1 / freedom)


def _drawn_together(inflation: FloatArray, nu: FloatArray, pooled: float) -> tuple[FloatArray, FloatArray]:
    """Contestants' inflation drawn to the pooled one, and the uncertainty that their own series leave in it."""
    tiny = np.finfo(np.float64).tiny
    logarithm = np.log(np.maximum(inflation, tiny)) - (digamma(nu / 2) - np.log(nu / 2))
    by_chance = np.asarray(polygamma(1, nu / 2))
    weight = 1 / by_chance
    centre = weight @ logarithm / weight.sum()
    left_over = weight @ (logarithm - centre) ** 2 - (len(nu) - 1)
    scale = weight.sum() - weight @ weight / weight.sum()
    differs = max(0.0, float(left_over / scale)) if scale > 0 else 0.0
    own_share = differs / (differs + by_chance)
    target = np.log(max(pooled, tiny))
    return np.exp(target + own_share * (logarithm - target)), own_share**2 / nu


def _independent_series(series: FloatArray) -> float:
    """How many independent series tell as much as these do together: tr(C)^2 / tr(C^2) of their covariances C.

    M unrelated models demeaned by cycle are M - 1, two models are one, copies of one bet are one.
    """
    # Whichever way round is the smaller product: both have the same non-zero eigenvalues.
    gram = series.T @ series if series.shape[1] <= series.shape[0] else series @ series.T
    return float(np.trace(gram) ** 2 / (gram**2).sum())
