"""How well one ranking of runs predicts another: who takes part, and why a correlation is undefined."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray
from pipeline.leaderboard.correlation.coefficients import Rankings, coefficient
from pipeline.leaderboard.correlation.method import MIN_RUNS, CorrelationMethod
from pipeline.leaderboard.ties import decimal_codes

TOO_FEW_RUNS = "too_few_runs"
TRUTH_ALL_TIED = "truth_all_tied"
JUDGE_ALL_TIED = "judge_all_tied"
TIES = "ties"
TIES_IN_TRUTH = "ties_in_truth"


@dataclass(frozen=True, eq=False)
class Correlations:
    """Correlations of every truth measure with every judge measure, shape (..., truth measures, judge measures).

    Parameters
    ----------
    value : float array
        From -1 to 1 (an overlap: from 0); NaN where undefined.
    n_runs : int array
        Runs that were correlated.
    reason : object array of str or None
        Why it is undefined: ``too_few_runs`` (fewer than 3 have both values), ``truth_all_tied``,
        ``judge_all_tied``, ``ties`` (of ``tau_ap``, on either side), ``ties_in_truth`` (of ``tau_ap_a``).
    """

    value: FloatArray
    n_runs: IntArray
    reason: TextArray

    def __getitem__(self, at: Any) -> "Correlations":
        """Some of them."""
        return Correlations(self.value[at], self.n_runs[at], self.reason[at])

    @classmethod
    def stacked(cls, parts: Sequence["Correlations"]) -> "Correlations":
        """Several of one shape, along a new first axis."""
        return cls(
            np.stack([part.value for part in parts]),
            np.stack([part.n_runs for part in parts]),
            np.stack([part.reason for part in parts]),
        )


def correlate(truth: npt.ArrayLike, judge: npt.ArrayLike, method: CorrelationMethod | str = "kendall") -> Correlations:
    """Correlate every measure of a truth with every measure of a judge, over the runs that have both values.

    Values tie when they are equal to 12 significant digits (:func:`pipeline.leaderboard.ties.decimal_codes`).
    ``@k`` keeps the k runs best by the truth, with all that tie with the last of them, before anything is ranked.

    Parameters
    ----------
    truth, judge : array-like of float
        Shape (..., measures, runs), higher is better (negate what is better when lower); the leading axes, such as
        topics or resamples, are the same for both. What is not finite is absent: it leaves the run out, it is not 0.
    method : CorrelationMethod or str
        Such as ``kendall``, ``tau_ap_b@10``, ``rbo(p=0.8)``.

    Returns
    -------
    Correlations
        Arrays of shape (..., truth measures, judge measures).

    Raises
    ------
    ValueError
        If the method is unknown, or leading axes or runs of the two differ.

    References
    ----------
    Kendall (1945), "The Treatment of Ties in Ranking Problems".
    Yilmaz, Aslam & Robertson (2008), "A New Rank Correlation Coefficient for Information Retrieval", SIGIR.
    Urbano & Marrero (2017), "The Treatment of Ties in AP Correlation", ICTIR.
    Gao & Oard (2015), "A Head-Weighted Gap-Sensitive Correlation Coefficient", SIGIR.
    Webber, Moffat & Zobel (2010), "A Similarity Measure for Indefinite Rankings", TOIS 28(4).
    Corsi & Urbano (2024), "The Treatment of Ties in Rank-Biased Overlap", SIGIR.

    Examples
    --------
    >>> found = correlate([[0.4, 0.3, 0.2, 0.1]], [[4, 2, 3, 1], [1, 1, 1, 1]], "kendall")
    >>> found.value.round(3).tolist(), found.reason.tolist()
    ([[0.667, nan]], [[None, 'judge_all_tied']])
    """
    by = CorrelationMethod.parse(method) if isinstance(method, str) else method
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(judge, dtype=np.float64)
    _require_alike(x, y)
    leading = x.shape[:-2]
    x, y = (z.reshape(math.prod(leading), *z.shape[-2:]) for z in (x, y))
    found = _nothing((len(x), x.shape[1], y.shape[1]))
    for rows, of_truth, of_judge, runs in _complete_blocks(np.isfinite(x), np.isfinite(y)):
        block = np.ix_(rows, of_truth, of_judge)
        x_block, y_block = x[np.ix_(rows, of_truth, runs)], y[np.ix_(rows, of_judge, runs)]
        _fill(found, block, _of_complete(x_block, y_block, by))
    shape = (*leading, *found.value.shape[1:])
    return Correlations(found.value.reshape(shape), found.n_runs.reshape(shape), found.reason.reshape(shape))


def _require_alike(x: FloatArray, y: FloatArray) -> None:
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(
            f"truth has shape {x.shape} and judge {y.shape}, expected (..., measures, runs); one measure is x[None]"
        )
    if x.shape[:-2] != y.shape[:-2] or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            f"truth has shape {x.shape} and judge {y.shape}; align both on the same runs (last axis) and the same "
            f"leading axes, with NaN where a value is absent"
        )


def _nothing(shape: tuple[int, ...]) -> Correlations:
    """Correlations of nobody."""
    return Correlations(np.full(shape, np.nan), np.zeros(shape, dtype=np.int64), np.full(shape, TOO_FEW_RUNS, object))


def _fill(found: Correlations, where: tuple[npt.NDArray[np.intp], ...], part: Correlations) -> None:
    found.value[where], found.n_runs[where], found.reason[where] = part.value, part.n_runs, part.reason


def _complete_blocks(
    x_present: BoolArray, y_present: BoolArray
) -> Iterator[tuple[IntArray, IntArray, IntArray, IntArray]]:
    """Rows of the batch, truth measures, judge measures and runs, such that these have all their values there.

    Each row, truth measure and judge measure is in one block, with all the runs that it can have.
    """
    x_pattern, x_runs = _patterns(x_present)
    y_pattern, y_runs = _patterns(y_present)
    together = np.concatenate([x_pattern, y_pattern], axis=1)
    _, kind = np.unique(together, axis=0, return_inverse=True)
    for one in range(kind.max(initial=-1) + 1):
        rows = np.flatnonzero(kind.ravel() == one)
        for x_kind in np.unique(x_pattern[rows[0]]):
            for y_kind in np.unique(y_pattern[rows[0]]):
                yield (
                    rows,
                    np.flatnonzero(x_pattern[rows[0]] == x_kind),
                    np.flatnonzero(y_pattern[rows[0]] == y_kind),
                    np.flatnonzero(x_runs[x_kind] & y_runs[y_kind]),
                )


def _patterns(present: BoolArray) -> tuple[IntArray, BoolArray]:
    """Which runs are there, as a number per row and measure; and for each such number the runs."""
    rows, measures, runs = present.shape
    if present.all():
        return np.zeros((rows, measures), dtype=np.int64), np.ones((1, runs), dtype=bool)
    distinct, number = np.unique(present.reshape(-1, runs), axis=0, return_inverse=True)
    return np.asarray(number, dtype=np.int64).reshape(rows, measures), distinct


def _of_complete(x: FloatArray, y: FloatArray, method: CorrelationMethod) -> Correlations:
    """Correlations of arrays without gaps, shapes (rows, measures, runs)."""
    runs = x.shape[-1]
    if method.top_k is None or runs <= method.top_k:
        return _of_all(x, y, method)
    codes = decimal_codes(x)
    last = np.partition(codes, runs - method.top_k, axis=-1)[..., runs - method.top_k]
    kept = codes >= last[..., None]
    size = np.count_nonzero(kept, axis=-1)
    found = _nothing((len(x), x.shape[1], y.shape[1]))
    for n in np.unique(size):
        row, measure = np.nonzero(size == n)
        run = np.nonzero(kept[row, measure])[1].reshape(-1, n)
        x_kept = np.take_along_axis(x[row, measure], run, axis=-1)[:, None]
        y_kept = np.take_along_axis(y[row], run[:, None], axis=-1)
        part = _of_all(x_kept, y_kept, method)
        _fill(found, (row, measure), part[:, 0])
    return found


def _of_all(x: FloatArray, y: FloatArray, method: CorrelationMethod) -> Correlations:
    """Correlations of all the runs given."""
    found = _nothing((len(x), x.shape[1], y.shape[1]))
    found.n_runs[:] = x.shape[-1]
    if x.shape[-1] < MIN_RUNS:
        return found
    rankings = Rankings(x, decimal_codes(x)), Rankings(y, decimal_codes(y))
    found.reason[:] = None
    (x_ties, x_all), (y_ties, y_all) = (_ties(z.codes) for z in rankings)
    if method.name == "tau_ap":
        found.reason[x_ties[:, :, None] | y_ties[:, None, :]] = TIES
    if method.name == "tau_ap_a":
        found.reason[x_ties] = TIES_IN_TRUTH
    found.reason.swapaxes(1, 2)[y_all] = JUDGE_ALL_TIED
    found.reason[x_all] = TRUTH_ALL_TIED
    found.value[:] = np.where(found.reason == np.array(None), coefficient(method, *rankings), np.nan)
    return found


def _ties(codes: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Whether some runs tie, and whether all do; shape (batch, measures)."""
    steps = np.diff(np.sort(codes, axis=-1), axis=-1) == 0
    return steps.any(axis=-1), steps.all(axis=-1)
