"""Scores of a predictive distribution function known at some thresholds."""

from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.scoring.scored import Measures, Scored, score_blocks

MEASURES = ("crps", "threshold_brier")

_ROUNDING = 1e-9


def score_cdf(values: npt.ArrayLike, observed: npt.ArrayLike, thresholds: npt.ArrayLike) -> Scored:
    """Continuous ranked probability score of a distribution function, and its Brier scores at the thresholds.

    ``crps`` is the integral over x of (F(x) - 1{y <= x})^2, exact, with F linear between the thresholds, 0 below the
    lowest and 1 above the highest, where what is left of the probability lies. ``threshold_brier`` is the mean over
    thresholds t of (F(t) - 1{y <= t})^2: it assumes nothing between them.

    Parameters
    ----------
    values : array-like of float, shape (..., thresholds)
        Probability that the outcome is at most the threshold; NaN is absent.
    observed : array-like of float, shape (...)
        Outcomes; NaN is absent.
    thresholds : array-like of float, shape (thresholds,)
        In rising order, in the outcome's unit.

    Returns
    -------
    Scored
        ``crps`` as the score, in the outcome's unit; measures ``crps`` and ``threshold_brier``. Rows that lack
        thresholds are ``incomplete``; those that fall as thresholds rise, or leave [0, 1], are ``not_a_cdf``.

    Raises
    ------
    ValueError
        If thresholds do not rise, or shapes do not fit.

    References
    ----------
    Gneiting & Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, section 4.2.

    Examples
    --------
    >>> round(float(score_cdf([[0.0, 0.5, 1.0]], [1.0], [0.0, 1.0, 2.0]).value[0]), 6)
    0.166667
    """
    grid = np.asarray(thresholds, dtype=np.float64)
    dense = np.asarray(values, dtype=np.float64)
    if grid.ndim != 1 or not np.isfinite(grid).all() or (np.diff(grid) <= 0).any():
        raise ValueError(f"thresholds are {grid.tolist()}; give finite numbers in rising order")
    if dense.shape[-1:] != grid.shape:
        raise ValueError(
            f"the function has shape {dense.shape} and there are {grid.size} thresholds; give one per value"
        )
    return score_blocks(partial(_score, grid), MEASURES, dense, observed)


def _score(grid: Floats, values: Floats, observed: Floats) -> tuple[Measures, list[tuple[Bools, str]]]:
    y = observed[:, None]
    outside = np.maximum(grid[0] - observed, 0) + np.maximum(observed - grid[-1], 0)
    # Each stretch between thresholds is cut where the outcome lies: F^2 counts below it, (1 - F)^2 above.
    start, end, f_start, f_end = grid[:-1], grid[1:], values[:, :-1], values[:, 1:]
    cut = np.clip(y, start, end)
    f_cut = f_start + (f_end - f_start) * (cut - start) / (end - start)
    crps = outside + _squares(cut - start, f_start, f_cut) + _squares(end - cut, 1 - f_cut, 1 - f_end)
    brier = ((values - (grid >= y)) ** 2).mean(axis=1)
    falls = np.asarray((np.diff(values, axis=1) < -_ROUNDING).any(axis=1))
    wrong = falls | (values < -_ROUNDING).any(axis=1) | (values > 1 + _ROUNDING).any(axis=1)
    measures = {"crps": crps, "threshold_brier": brier}
    return {name: np.where(wrong, np.nan, measure) for name, measure in measures.items()}, [(wrong, "not_a_cdf")]


def _squares(length: Floats, first: Floats, last: Floats) -> Floats:
    """Sum over stretches of the integral of the square of what is linear from ``first`` to ``last``."""
    return np.asarray((length * (first * first + first * last + last * last)).sum(axis=1) / 3)
