"""Between which ranks a model could be: by comparisons, by intervals, and by leaving out one source after another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard import RankBy, RankingKey, rank_contestants

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Score = Callable[[Floats], npt.ArrayLike]
"""Scores of models, shape (models,), of their figures, shape (models, columns); NaN is none, higher is better."""


@dataclass(frozen=True, eq=False)
class RankRange:
    """Between which ranks models could be, as arrays of shape (models,).

    Parameters
    ----------
    lo, hi : int array
        Best and worst rank; 0 where there is none.
    """

    lo: Ints
    hi: Ints


def rank_range_of_comparisons(above: npt.ArrayLike, ranked: npt.ArrayLike | None = None) -> RankRange:
    """Ranks that comparisons of every two models allow: 1 + those surely above, and all less those surely below.

    Parameters
    ----------
    above : array-like of bool, shape (models, models)
        Where the model of the row is surely above that of the column, such as
        :meth:`pipeline.rankings.ability.Ability.surely_above` gives.
    ranked : array-like of bool, shape (models,), optional
        Who is on the board; by default all. Others count for nobody.

    Raises
    ------
    ValueError
        If shapes do not fit, or two models are above each other.

    References
    ----------
    Goldstein & Spiegelhalter (1996), "League Tables and Their Limitations", Journal of the Royal Statistical Society A
    159(3): comparisons of two at a time, rather than of everyone's intervals.
    """
    is_above = np.asarray(above, dtype=bool)
    n = len(is_above)
    listed = np.ones(n, dtype=bool) if ranked is None else np.asarray(ranked, dtype=bool)
    if is_above.shape != (n, n) or listed.shape != (n,):
        raise ValueError(
            f"above has shape {is_above.shape}, ranked {listed.shape}; give a square of models and one for each"
        )
    for model, other in np.argwhere(is_above & is_above.T)[:1]:
        raise ValueError(f"models {model} and {other} are above each other; compare each two once")
    counted = is_above & listed & listed[:, None]
    lo, hi = 1 + counted.sum(axis=0), listed.sum() - counted.sum(axis=1)
    return RankRange(np.where(listed, lo, 0), np.where(listed, hi, 0))


def rank_range_of_intervals(low: npt.ArrayLike, high: npt.ArrayLike) -> RankRange:
    """Ranks that intervals of scores allow: 1 + those surely above, and all less those surely below.

    A model is surely above another if its interval lies wholly above; intervals that touch do not. Two that do not
    overlap differ more surely than either interval says, so ranges are too wide rather than too narrow: for scores
    whose differences have a standard error, :func:`rank_range_of_comparisons` is better.

    Parameters
    ----------
    low, high : array-like of float, shape (models,)
        Ends of the intervals; NaN for a model that is not ranked, which counts for nobody.

    Raises
    ------
    ValueError
        If lengths differ or an end is on the wrong side.

    References
    ----------
    Chiang et al. (2024), "Chatbot Arena: An Open Platform for Evaluating LLMs by Human Preference", section 5: ranks by
    intervals.
    """
    lows, highs = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if lows.shape != highs.shape or lows.ndim != 1:
        raise ValueError(f"low has shape {lows.shape}, high {highs.shape}; give one end of each for every model")
    for model in np.flatnonzero(lows > highs)[:1]:
        raise ValueError(f"the interval of model {model} is from {lows[model]:g} to {highs[model]:g}; swap its ends")
    ranked = ~np.isnan(lows) & ~np.isnan(highs)
    above = ranked.sum() - np.searchsorted(np.sort(lows[ranked]), highs, side="right")
    below = np.searchsorted(np.sort(highs[ranked]), lows, side="left")
    return RankRange(np.where(ranked, 1 + above, 0), np.where(ranked, ranked.sum() - below, 0))


def rank_range_by_leaving_out(
    values: npt.ArrayLike,
    sources: Sequence[str],
    score: Score,
    *,
    min_benchmarks: int = 1,
    ranked: npt.ArrayLike | None = None,
) -> RankRange:
    """The best and worst rank that models get with all sources and with any one of them left out.

    A model that loses its score with a source, or has too few figures then, gets no rank of that and no range of it;
    towards others it stays above or below, as it was with all sources. So ranks always are of the same board: nobody
    rises because others were left out.

    Parameters
    ----------
    values : array-like of float, shape (models, columns)
        Figures; NaN is none.
    sources : sequence of str
        The source of each column.
    score : callable
        Scores of models by such figures. It is called with all and, for each source, with its columns NaN; columns
        keep their places.
    min_benchmarks : int
        A model with fewer figures has no rank.
    ranked : array-like of bool, shape (models,), optional
        Who is on the board; by default all. Others count for nobody.

    Returns
    -------
    RankRange
        0 for a model that has no rank with all sources, or keeps none whichever is left out.

    Raises
    ------
    ValueError
        If values are no matrix, there is not one source for each column, or not one score for each model.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != len(sources):
        raise ValueError(
            f"values have shape {matrix.shape} and sources {len(sources)} names; give one source for each column"
        )
    listed = np.ones(len(matrix), dtype=bool) if ranked is None else np.asarray(ranked, dtype=bool)
    if listed.shape != (len(matrix),):
        raise ValueError(f"ranked has shape {listed.shape}; give one for each of {len(matrix)} models")
    whole = _scores(matrix, score, min_benchmarks, listed)
    rank = _ranks(whole)
    lo, hi, is_held = rank.copy(), rank.copy(), np.zeros(len(matrix), dtype=bool)
    for source in dict.fromkeys(sources):
        rest = np.where([each == source for each in sources], np.nan, matrix)
        left = _scores(rest, score, min_benchmarks, ~np.isnan(whole))
        remains = ~np.isnan(left)
        # Those who drop out and were above stay above.
        now = _ranks(left) + np.where(remains, rank - _ranks(np.where(remains, whole, np.nan)), 0)
        lo, hi = np.where(remains, np.minimum(lo, now), lo), np.where(remains, np.maximum(hi, now), hi)
        is_held |= remains
    return RankRange(np.where(is_held, lo, 0), np.where(is_held, hi, 0))


def _scores(values: Floats, score: Score, min_benchmarks: int, listed: Bools) -> Floats:
    """Scores of those listed who have enough figures; NaN for all others."""
    scores = np.asarray(score(values), dtype=np.float64)
    if scores.shape != (len(values),):
        raise ValueError(f"score gave shape {scores.shape} for {len(values)} models; it should give one for each")
    enough = np.sum(~np.isnan(values), axis=1) >= min_benchmarks
    return np.where(listed & enough & np.isfinite(scores), scores, np.nan)


def _ranks(scores: Floats) -> Ints:
    """Competition ranks; 0 is none."""
    ids = [str(place) for place in range(len(scores))]
    return rank_contestants(ids, {"score": scores}, RankBy(RankingKey("score"))).rank
