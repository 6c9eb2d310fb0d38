"""Intervals of correlations, by drawing topics again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from pipeline.leaderboard.arrays import FloatArray, TextArray
from pipeline.leaderboard.intervals import MIN_CYCLES

BOOTSTRAP = "topic_bootstrap"
UNDEFINED = "undefined"
NO_TOPICS = "no_topics"
TOO_FEW_TOPICS = "too_few_topics"
UNDEFINED_RESAMPLES = "undefined_resamples"

MIN_TOPICS = MIN_CYCLES
_CONFIDENCE = 0.95
_LEAST_DEFINED = 0.9
_CELLS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class CorrelationIntervals:
    """95 % intervals, arrays of the shape of the correlations.

    Parameters
    ----------
    se : float array
        Standard error; NaN where there is no interval.
    low, high : float array
        The ends; NaN where there is none.
    method : object array of str
        ``topic_bootstrap``, or why there is none: ``undefined`` (so is the correlation), ``no_topics`` (the boards have
        ``all`` rows only), ``too_few_topics`` (fewer than 8), ``undefined_resamples`` (more than a tenth of the
        resamples have no correlation), or what the caller says.
    """

    se: FloatArray
    low: FloatArray
    high: FloatArray
    method: TextArray


def no_intervals(value: FloatArray, why: str) -> CorrelationIntervals:
    """None, for a reason; ``undefined`` where the correlation is."""
    se, low, high = np.full((3, *value.shape), np.nan)
    return CorrelationIntervals(se, low, high, np.where(np.isnan(value), UNDEFINED, why).astype(object))


def bootstrap_intervals(
    value: FloatArray,
    correlations: Callable[[FloatArray], FloatArray],
    n_topics: int,
    *,
    resamples: int,
    seed: int,
    cells: int,
    lowest: FloatArray,
) -> CorrelationIntervals:
    """Intervals of value +- t_(n-1)(0.975) SE, with the standard error over topics drawn again; cut to the range.

    n of n topics are drawn with replacement, and SE is the standard deviation over the resamples, times sqrt(n / (n -
    1)). The interval is one for the correlation that other topics of the same kind, as many, would show: in simulated
    boards of 10 to 100 topics and 5 to 100 runs it holds the expectation of that in 90 to 98 % of cases. Percentiles
    of the resamples hold it in 61 to 100 %: drawing topics again adds their noise again, which lowers correlations.
    For that same reason the correlation of very many topics is usually higher than what few topics show, and no
    interval here is one for it.

    Parameters
    ----------
    value : float array
        The correlations of all topics once.
    correlations : callable
        From weights of topics, shape (some resamples, topics), to correlations, shape (some resamples, ...).
    n_topics : int
        How many topics there are.
    resamples : int
        How often topics are drawn.
    seed : int
        What the generator starts from.
    cells : int
        Numbers that one resample holds, which bounds how many are made at once.
    lowest : float array
        The least value that a correlation can have, which broadcasts with ``value``.

    References
    ----------
    Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, ch. 6 and 12.
    """
    if n_topics < MIN_TOPICS:
        return no_intervals(value, NO_TOPICS if n_topics == 0 else TOO_FEW_TOPICS)
    drawn = np.concatenate([correlations(weights) for weights in _weights(n_topics, resamples, seed, cells)])
    defined = np.isfinite(drawn)
    count = np.count_nonzero(defined, axis=0)
    found = no_intervals(value, BOOTSTRAP)
    found.method[(found.method == BOOTSTRAP) & (count < _LEAST_DEFINED * resamples)] = UNDEFINED_RESAMPLES
    mean = np.where(defined, drawn, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(defined, (drawn - mean) ** 2, 0.0).sum(axis=0)
    se = np.sqrt(squares / np.maximum(count - 1, 1) * n_topics / (n_topics - 1))
    half = float(stdtrit(n_topics - 1, (1 + _CONFIDENCE) / 2)) * se
    for column, ends in ((found.se, se), (found.low, value - half), (found.high, value + half)):
        column[:] = np.where(found.method == BOOTSTRAP, ends, np.nan)
    np.maximum(found.low, lowest, out=found.low)
    np.minimum(found.high, 1.0, out=found.high)
    return found


def _weights(n_topics: int, resamples: int, seed: int, cells: int) -> Iterator[FloatArray]:
    """How often each topic is drawn, in parts of shape (some resamples, topics)."""
    random = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // max(1, cells))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        yield random.multinomial(n_topics, np.full(n_topics, 1 / n_topics), size=size).astype(np.float64)
