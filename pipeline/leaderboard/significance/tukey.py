"""Tukey's test of honestly significant differences, by randomisation within topics."""

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import FloatArray
from pipeline.leaderboard.significance.paired_tests import RELATIVE_ROUNDING

_CELLS_AT_ONCE = 1 << 20


def tukey_hsd(scores: npt.ArrayLike, *, resamples: int = 10_000, seed: int = 0) -> FloatArray:
    """Which runs differ, tested all together: p values that already allow for the number of pairs.

    If all runs were the same, the values of a topic could have gone to any of them. So they are shuffled within every
    topic, ``resamples`` times, and each time the best mean less the worst is noted. The p value of two runs is the
    share of these ranges that are as large as the difference of their means: (1 + as large) / (1 + resamples).

    Why not the studentised range: it takes the values as normal and equally spread in all runs, which measures
    between 0 and 1 are not, and in its usual form (as in scipy and ranx) takes topics as independent samples of each
    run, so that the difference between hard and easy topics hides the one between runs.

    Parameters
    ----------
    scores : array-like of float
        Shape (topics, runs), all finite: topics that any run lacks are to be left out before.
    resamples, seed : int
        How many times values are shuffled, and what the generator starts from.

    Returns
    -------
    float array
        Shape (runs, runs), symmetric, 1 on the diagonal.

    Raises
    ------
    ValueError
        If scores do not have two dimensions, there are none, or one is not finite.

    References
    ----------
    Carterette (2012), "Multiple Testing in Statistical Analysis of Systems-Based Information Retrieval Experiments",
    TOIS 30(1).
    Sakai (2014), "Statistical Reform in Information Retrieval?", SIGIR Forum 48(1).
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(
            f"scores have shape {values.shape} and {np.count_nonzero(~np.isfinite(values))} absent values; "
            f"give (topics, runs), only topics that every run has, at least one"
        )
    # What a topic gives to all runs changes no range, and costs digits.
    centred = values - values.mean(axis=1, keepdims=True)
    # In the order of the values, so that the order of the runs draws nothing else.
    ranges = np.sort(_ranges(np.sort(centred, axis=1), resamples, seed))
    means = centred.mean(axis=0)
    difference = np.abs(means[:, None] - means) - RELATIVE_ROUNDING * np.abs(centred).max()
    as_large = resamples - np.searchsorted(ranges, difference, side="left")
    p = (1 + as_large) / (1 + resamples)
    np.fill_diagonal(p, 1.0)
    return np.asarray(p, dtype=np.float64)


def _ranges(values: FloatArray, resamples: int, seed: int) -> FloatArray:
    """The best mean less the worst, of values shuffled within topics; shape (resamples,)."""
    random = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // values.size)
    found = []
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        shuffled = random.permuted(np.broadcast_to(values, (size, *values.shape)), axis=2)
        found.append(np.ptp(shuffled.mean(axis=1), axis=1))
    return np.concatenate(found)
