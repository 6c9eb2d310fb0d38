"""The coefficients themselves, over arrays without gaps: one function each, for many pairs of rankings at once.

Each is made of inner products of what the truth and what the judge say about runs, about pairs of runs, or about depths
of a ranking, so that all pairs of measures are one product of matrices for every resample, pivot or depth. Who takes
part, and why a coefficient is undefined, is decided in ``correlate``.

In every function ``x`` is the truth, of shape (batch, truth measures, runs), and ``y`` the judge, of shape (batch,
judge measures, runs); higher is better, all values are finite, not all tie, and there are 3 runs or more. The result
has shape (batch, truth measures, judge measures).
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import FloatArray
from pipeline.leaderboard.correlation.method import CorrelationMethod
from pipeline.leaderboard.ranks import average_ranks, shared_places

_CELLS_AT_ONCE = 1 << 19
"""Numbers of one intermediate array, about, so that a few of them stay in the processor's cache."""
_MOST_CELLS = 1 << 22
"""The same where one ranking of many runs has more, so that measures are taken a few at a time."""

Counts = npt.NDArray[np.float32]
"""Whole numbers up to 2^24, which 32 bits hold exactly, and multiply in half the time."""


@dataclass(frozen=True, eq=False)
class Rankings:
    """Values of runs on several measures, and their codes, equal where values tie: of shape (batch, measures, runs)."""

    value: FloatArray
    codes: FloatArray

    def part(self, rows: slice, measures: slice) -> "Rankings":
        """Some of the batch, on some of the measures."""
        return Rankings(self.value[rows, measures], self.codes[rows, measures])

    def above(self) -> FloatArray:
        """How many runs are strictly above each."""
        first, _ = shared_places(-self.codes)
        return first.astype(np.float64)

    def tied(self) -> FloatArray:
        """How many runs tie with each, itself included."""
        first, last = shared_places(-self.codes)
        return (last - first + 1).astype(np.float64)


def coefficient(method: CorrelationMethod, x: Rankings, y: Rankings) -> FloatArray:
    """The values of a method; anything where all runs tie in ``x`` or in ``y``."""
    batch, truths, runs = x.value.shape
    judges = y.value.shape[1]
    value = np.empty((batch, truths, judges))
    of_part = _function(method)
    at_once = max(1, _MOST_CELLS // max(1, runs * runs))
    all_rows = _parts(batch, _CELLS_AT_ONCE // max(1, runs * max(runs * max(truths, judges), truths * judges)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for rows, some, others in itertools.product(all_rows, _parts(truths, at_once), _parts(judges, at_once)):
            value[rows, some, others] = of_part(x.part(rows, some), y.part(rows, others))
    # An inner product of unit vectors may exceed 1 by rounding.
    return np.clip(value, method.lowest, 1.0)


def _kendall(x: Rankings, y: Rankings) -> FloatArray:
    """(C - D) / sqrt((pairs not tied in x) (pairs not tied in y)): Kendall (1945). Each pair is counted twice."""
    x_signs, y_signs = (_pairs(z) - _pairs(z, below=True) for z in (x, y))
    agreement = _products(x_signs, y_signs).sum(axis=1)
    x_untied, y_untied = (np.count_nonzero(signs, axis=(1, 3)) for signs in (x_signs, y_signs))
    return np.asarray(agreement / np.sqrt(x_untied[:, :, None] * y_untied[:, None, :]), dtype=np.float64)


def _spearman(x: Rankings, y: Rankings) -> FloatArray:
    """Pearson's correlation of average ranks."""
    return _cosines(*(average_ranks(z.codes) for z in (x, y)))


def _pearson(x: Rankings, y: Rankings) -> FloatArray:
    return _cosines(x.value, y.value)


def _tau_ap(x: Rankings, y: Rankings) -> FloatArray:
    """2 / (n - 1) sum over i >= 2 of C(i) / (i - 1), less 1.

    Of the i - 1 runs above rank i of the judge, C(i) are above it in the truth too: Yilmaz, Aslam & Robertson (2008).
    """
    concordant = _products(_pairs(x), _pairs(y))
    return 2 * _over_pivots(concordant, _pivot_weights(y)) - 1


def _tau_ap_b(x: Rankings, y: Rankings) -> FloatArray:
    """The mean of both directions; a pivot is compared with the runs strictly above it: Urbano & Marrero (2017)."""
    concordant = _products(_pairs(x), _pairs(y))
    by_judge = _over_pivots(concordant, _pivot_weights(y))
    by_truth = _over_pivots(concordant.swapaxes(2, 3), _pivot_weights(x)).swapaxes(1, 2)
    return by_judge + by_truth - 1


def _tau_ap_a(x: Rankings, y: Rankings) -> FloatArray:
    """The mean of :func:`_tau_ap` over all orders of runs tied in y, in closed form: Urbano & Marrero (2017).

    Of g tied runs with a above them each is equally often at the places a + 1 to a + g, where a run above counts
    1 / (place - 1); and half of those before it within the group are concordant.
    """
    runs = x.codes.shape[-1]
    above, tied = y.above(), y.tied()
    a, last = above.astype(np.int64), (above + tied - 1).astype(np.int64)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, runs + 1))])
    weights = np.where(a > 0, (harmonic[last] - harmonic[np.maximum(a - 1, 0)]) / tied, 0.0)
    within = (tied - 1 - a * (harmonic[last] - harmonic[a])) / (2 * tied)
    concordant = _over_pivots(_products(_pairs(x), _pairs(y)), weights)
    return np.asarray(2 / (runs - 1) * (concordant + within.sum(axis=-1)[:, None, :]) - 1, dtype=np.float64)


def _tau_gap(x: Rankings, y: Rankings) -> FloatArray:
    """:func:`_tau_ap` with pairs weighed by how far the truth sets them apart, after Gao & Oard (2015).

    2 / m times the sum over pivots i of [sum of gap_ij over concordant j above i] / [sum of gap_ij over all j above i],
    less 1, gap_ij = abs(x_i - x_j). Above is strictly above in y. The m pivots are those with a positive denominator:
    n - 1 without ties. The tie treatment is Podium's, and so is the reading of the paper, whose own numbers were not
    at hand: tests compare with this definition, worked by hand.
    """
    gap = x.value[:, None, :, :] - x.value.swapaxes(1, 2)[..., None]
    above = _pairs(y).astype(np.float64)
    concordant = _products(np.where(_pairs(x) > 0, gap, 0.0), above)
    discordant = _products(np.where(_pairs(x, below=True) > 0, -gap, 0.0), above)
    total = concordant + discordant
    counts = total > 0
    shares = np.divide(concordant, total, out=np.zeros_like(total), where=counts)
    return np.asarray(2 * shares.sum(axis=1) / np.count_nonzero(counts, axis=1) - 1, dtype=np.float64)


def _rbo(x: Rankings, y: Rankings, p: float, corrected: bool) -> FloatArray:
    """(1 - p) sum over d of p^(d - 1) A_d, with the agreement A_d at depth d: Webber, Moffat & Zobel (2010).

    Both rankings hold all n runs, so that the agreement beyond n is extrapolated from A_n = 1, which adds p^n. Of g
    tied runs with a above them each is within depth d by the share (d - a) / g. Variant a of Corsi & Urbano (2024)
    has A_d = x_d . y_d / d over these shares; variant b, which is ``corrected`` for ties, has their cosine.
    """
    runs = x.codes.shape[-1]
    depth = np.arange(1, runs + 1.0)
    x_shares, y_shares = _shares(x, depth), _shares(y, depth)
    agreement = _products(x_shares, y_shares)
    if corrected:
        x_size, y_size = (np.sqrt(np.einsum("bdmi,bdmi->bdm", z, z)) for z in (x_shares, y_shares))
        agreement /= x_size[..., None] * y_size[:, :, None, :]
    else:
        agreement /= depth[:, None, None]
    return np.asarray(np.tensordot(agreement, (1 - p) * p ** (depth - 1), axes=(1, 0)) + p**runs, dtype=np.float64)


def _pairs(z: Rankings, below: bool = False) -> Counts:
    """1 where run k is strictly above (or below) run i, else 0; shape (batch, i, measures, k)."""
    other, pivot = z.codes[:, None, :, :], z.codes.swapaxes(1, 2)[..., None]
    return np.asarray(other < pivot if below else other > pivot, dtype=np.float32)


def _pivot_weights(z: Rankings) -> FloatArray:
    """1 / (runs above), so that each run which has some above it weighs the same, and all together 1; else 0."""
    above = z.above()
    pivots = np.count_nonzero(above, axis=-1)[..., None]
    return np.where(above > 0, 1 / (np.maximum(above, 1) * pivots), 0.0)


def _over_pivots(concordant: FloatArray, weights: FloatArray) -> FloatArray:
    """The sum over pivots (second axis of four) by their weights, (batch, measures of the last axis, pivots)."""
    return np.asarray(np.einsum("bitj,bji->btj", concordant, weights), dtype=np.float64)


def _shares(z: Rankings, depth: FloatArray) -> FloatArray:
    """By how much each run is within a depth of its ranking, 0 to 1; shape (batch, depths, measures, runs)."""
    share = depth[:, None, None] - z.above()[:, None]
    share /= z.tied()[:, None]
    return np.clip(share, 0.0, 1.0, out=share)


def _cosines(x: FloatArray, y: FloatArray) -> FloatArray:
    """Pearson's correlation of all measures of x with all of y."""
    x_unit, y_unit = (z - z.mean(axis=-1, keepdims=True) for z in (x, y))
    x_unit /= np.linalg.norm(x_unit, axis=-1, keepdims=True)
    y_unit /= np.linalg.norm(y_unit, axis=-1, keepdims=True)
    return np.asarray(x_unit @ y_unit.swapaxes(1, 2), dtype=np.float64)


def _products(x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> FloatArray:
    """Inner products over the last axis, of every truth measure with every judge measure; (batch, i, truth, judge)."""
    return np.asarray(x @ y.swapaxes(-1, -2), dtype=np.float64)


def _parts(length: int, at_once: int) -> list[slice]:
    """Places cut into parts of so many, at least one each."""
    size = max(1, at_once)
    return [slice(start, start + size) for start in range(0, length, size)]


Function = Callable[[Rankings, Rankings], FloatArray]

_FUNCTIONS: dict[str, Function] = {
    "kendall": _kendall,
    "spearman": _spearman,
    "pearson": _pearson,
    "tau_ap": _tau_ap,
    "tau_ap_a": _tau_ap_a,
    "tau_ap_b": _tau_ap_b,
    "tau_gap": _tau_gap,
}


def _function(method: CorrelationMethod) -> Function:
    if method.is_overlap:
        return partial(_rbo, p=method.persistence, corrected=method.name == "rbo")
    return _FUNCTIONS[method.name]
