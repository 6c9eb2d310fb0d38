"""Scores of probabilities of categories, ordered or not, and how well calibrated the most likely one is."""

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.scoring.scored import Measures, Scored, score_blocks

MEASURES = ("rps", "mean_rps", "brier", "log_score", "accuracy", "confidence")

WORST_LOG_SCORE = 10.0
"""The log score of what was said to be impossible, and the worst there is."""
CALIBRATION_BINS = 5

_SUM_TOLERANCE = 1e-6
"""How far from 1 probabilities may sum: what rounding to single precision leaves."""


def score_pmf(values: npt.ArrayLike, observed: npt.ArrayLike) -> Scored:
    """Ranked probability score, Brier score, log score and accuracy of probabilities of K categories.

    With p the probabilities, P their running sums, and y the place of the category that occurred,

    - ``rps`` = sum over k of (P_k - 1{y <= k})^2, for categories that have an order; ``mean_rps`` = rps / K,
    - ``brier`` = sum over k of (p_k - 1{y = k})^2,
    - ``log_score`` = -ln p_y, at most 10, so that an impossible event that happens costs much, not everything,
    - ``accuracy``: 1 if the first of the most likely categories occurred, else 0,
    - ``confidence``: the probability of that category, not a score.

    Parameters
    ----------
    values : array-like of float, shape (..., categories)
        Probabilities in the order of the categories, which sum to 1; NaN is absent.
    observed : array-like of float, shape (...)
        Place of the category that occurred, from 0; NaN is absent.

    Returns
    -------
    Scored
        ``rps`` as the score; all the above as measures. ``incomplete`` rows lack categories; ``not_a_pmf`` rows do not
        sum to 1 within 1e-6. Where a probability is below 0 or above 1, the log score alone is undefined: the others
        are quadratic and still best at the true probabilities.

    Raises
    ------
    ValueError
        If an outcome is the place of no category, or shapes do not fit.

    References
    ----------
    Epstein (1969), "A Scoring System for Probability Forecasts of Ranked Categories", J. Applied Meteorology 8;
    ``mean_rps`` as of the M6 competition: Makridakis et al. (2023), "The M6 forecasting competition: Bridging the gap
    between forecasting and investment decisions". Brier (1950), "Verification of Forecasts Expressed in Terms of
    Probability", Monthly Weather Review 78. The bound of 10 as of Reich et al. (2019), "A collaborative multiyear,
    multimodel assessment of seasonal influenza forecasting in the United States", PNAS 116(8).

    Examples
    --------
    >>> scored = score_pmf([[0.2, 0.5, 0.3]], [2])
    >>> {name: measure.round(3).tolist() for name, measure in scored.measures.items()}
    {'rps': [0.53], 'mean_rps': [0.177], 'brier': [0.78], 'log_score': [1.204], 'accuracy': [0.0], 'confidence': [0.5]}
    """
    return score_blocks(_score, MEASURES, values, observed)


def expected_calibration_error(
    confidence: npt.ArrayLike, accuracy: npt.ArrayLike, bins: int = CALIBRATION_BINS
) -> Floats:
    """How far the confidence of forecasts is from how often they are right: sum over bins of share |conf - acc|.

    Forecasts are put by their confidence into bins of equal width over [0, 1], each closed above; conf and acc are the
    means of a bin, share is its part of all forecasts.

    Parameters
    ----------
    confidence : array-like of float, shape (..., forecasts)
        Probability of the most likely category, what is above 1 counting as 1; NaN is absent.
    accuracy : array-like of float, same shape
        1 where that category occurred, 0 where not; NaN is absent.
    bins : int
        How many.

    Returns
    -------
    array, shape (...)
        From 0 to 1; NaN without any forecast.

    Raises
    ------
    ValueError
        If shapes differ or ``bins`` is not positive.

    References
    ----------
    Naeini, Cooper & Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI; five
    bins as in Samartzis (2024), "Predicting the relative performance among financial assets", Int. J. Forecasting.

    Examples
    --------
    >>> round(float(expected_calibration_error([0.3, 0.35, 0.9], [0, 1, 1])), 4)
    0.15
    """
    conf, acc = np.minimum(confidence, 1.0, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if conf.shape != acc.shape or conf.ndim == 0:
        raise ValueError(f"confidence has shape {conf.shape} and accuracy {acc.shape}; give both for every forecast")
    if bins < 1:
        raise ValueError(f"bins is {bins}; give 1 or more")
    present = ~(np.isnan(conf) | np.isnan(acc))
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], conf, side="left")
    gap = np.where(present, conf - acc, 0.0)
    total = np.zeros(conf.shape[:-1])
    for one in range(bins):
        total += np.abs((gap * (place == one)).sum(axis=-1))
    n = present.sum(axis=-1)
    return np.asarray(np.where(n > 0, total, np.nan) / np.maximum(n, 1))


def _score(values: Floats, observed: Floats) -> tuple[Measures, list[tuple[Bools, str]]]:
    n, categories = values.shape
    occurred = _places(observed, categories)
    rows = np.arange(n)
    of_occurred = values[rows, occurred]
    running = np.cumsum(values, axis=1)
    is_off = np.abs(running[:, -1] - 1) > _SUM_TOLERANCE
    running -= np.arange(categories) >= occurred[:, None]
    rps = np.vecdot(running, running)
    likely = values.argmax(axis=1)
    out_of_range = ((values < 0) | (values > 1)).any(axis=1)
    log_score = -np.log(np.maximum(of_occurred, np.exp(-WORST_LOG_SCORE))) + 0.0
    measures = {
        "rps": rps,
        "mean_rps": rps / categories,
        "brier": np.vecdot(values, values) - 2 * of_occurred + 1,
        "log_score": np.where(out_of_range, np.nan, log_score),
        "accuracy": (likely == occurred).astype(np.float64),
        "confidence": values[rows, likely],
    }
    unusable = is_off | np.isnan(rps)
    return {name: np.where(unusable, np.nan, measure) for name, measure in measures.items()}, [(is_off, "not_a_pmf")]


def _places(observed: Floats, categories: int) -> Ints:
    """Places of the categories that occurred, 0 where absent."""
    places = np.where(np.isnan(observed), 0.0, observed)
    wrong = (places != np.floor(places)) | (places < 0) | (places >= categories)
    if wrong.any():
        raise ValueError(
            f"an outcome is {places[wrong][0]:g}; give the place of the category that occurred, "
            f"from 0 to {categories - 1}, in the order of the {categories} categories"
        )
    return places.astype(np.int64)
