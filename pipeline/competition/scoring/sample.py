"""Scores of samples from a predictive distribution, of one outcome or of several jointly."""

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.reasons import Reasons, undefined
from pipeline.competition.scoring.scored import CELLS_AT_ONCE, Measures, Scored, score_blocks

MEASURES = ("crps", "fair_crps", "ae_median", "se_mean")


def score_samples(values: npt.ArrayLike, observed: npt.ArrayLike) -> Scored:
    """Continuous ranked probability score of samples, and the errors of their median and mean.

    With m samples x and the outcome y, CRPS = mean |x_i - y| - sum_ij |x_i - x_j| / (2 m^2): the score of the samples
    as a distribution. The fair one has m (m - 1) in place of m^2: its expectation is the CRPS of the distribution that
    the samples are drawn from, whatever their number.

    Parameters
    ----------
    values : array-like of float, shape (..., samples)
        In the outcome's unit, in any order; NaN is absent, so that rows may have fewer samples than others.
    observed : array-like of float, shape (...)
        Outcomes; NaN is absent.

    Returns
    -------
    Scored
        ``crps`` as the score; measures ``crps``, ``fair_crps`` (undefined for one sample), ``ae_median``, all in the
        outcome's unit, and ``se_mean``, in its square.

    Raises
    ------
    ValueError
        If shapes do not fit.

    References
    ----------
    Gneiting & Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, equation 21.
    Ferro (2014), "Fair scores for ensemble forecasts", QJRMS 140.

    Examples
    --------
    >>> scored = score_samples([[1, 3]], [2])
    >>> {name: measure.tolist() for name, measure in scored.measures.items()}
    {'crps': [0.5], 'fair_crps': [0.0], 'ae_median': [0.0], 'se_mean': [0.0]}
    """
    return score_blocks(_score, MEASURES, values, observed, may_lack=True)


def energy_score(values: npt.ArrayLike, observed: npt.ArrayLike, *, fair: bool = False) -> Scored:
    """Energy score of samples of several outcomes jointly: a path over horizons, or a cross-section of subjects.

    With m samples x and the outcomes y as vectors, ES = mean |x_i - y| - sum_ij |x_i - x_j| / (2 m^2), Euclidean norms;
    the fair one has m (m - 1) in place of m^2. For one dimension it is the CRPS.

    Parameters
    ----------
    values : array-like of float, shape (..., samples, dimensions)
        NaN is absent.
    observed : array-like of float, shape (..., dimensions)
        NaN is absent.
    fair : bool
        Whether the score is of the distribution that samples are drawn from.

    Returns
    -------
    Scored
        Of shape (...), in the unit that the dimensions share. A sample that lacks a dimension is ``incomplete``, as is
        an outcome that does; a sample without any number is absent.

    Raises
    ------
    ValueError
        If shapes do not fit.

    References
    ----------
    Gneiting & Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, equation 22.
    """
    samples, outcomes = np.asarray(values, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if samples.ndim < 2 or outcomes.shape != samples.shape[:-2] + samples.shape[-1:]:
        raise ValueError(
            f"samples have shape {samples.shape} and outcomes {outcomes.shape}; "
            f"give (..., samples, dimensions) and (..., dimensions)"
        )
    shape, each = samples.shape[:-2], samples.shape[-2:]
    rows, flat = samples.reshape(-1, *each), outcomes.reshape(-1, each[1])
    value, reason = np.empty(len(rows)), np.empty(len(rows), dtype=np.int32)
    size = max(1, CELLS_AT_ONCE // max(1, each[0] * each[1]))
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        value[part], reason[part] = _energy(rows[part], flat[part], fair)
    return Scored(value.reshape(shape), reason.reshape(shape))


def _score(values: Floats, observed: Floats) -> tuple[Measures, list[tuple[Bools, str]]]:
    error = np.sort(values - observed[:, None], axis=1)  # what is absent comes last
    absent = np.isnan(error)
    n = (error.shape[1] - np.count_nonzero(absent, axis=1)).astype(np.float64)
    filled = np.where(absent, 0.0, error)
    place = np.arange(error.shape[1])
    # Half the sum of |x_i - x_j| over all i and j, from the sorted samples.
    spread = np.vecdot(filled, np.where(absent, 0.0, 2 * place + 1 - n[:, None]))
    distance = np.abs(filled).sum(axis=1) / n
    middle = n.astype(np.int64) // 2
    rows = np.arange(len(error))
    above, below = error[rows, np.minimum(middle, len(place) - 1)], error[rows, np.maximum(middle - 1, 0)]
    median = np.where(n % 2 == 1, above, (above + below) / 2)
    measures = {
        "crps": distance - spread / n**2,
        "fair_crps": np.where(n > 1, distance - spread / (n * (n - 1)), np.nan),
        "ae_median": np.abs(median),
        "se_mean": (filled.sum(axis=1) / n) ** 2,
    }
    return measures, []


def _energy(samples: Floats, outcomes: Floats, fair: bool) -> tuple[Floats, Reasons]:
    """Energy score of rows (rows, samples, dimensions), and why a row has none."""
    absent, unknown = np.isnan(samples), np.isnan(outcomes)
    is_no_sample = np.asarray(absent.all(axis=2))
    n = samples.shape[1] - np.count_nonzero(is_no_sample, axis=1)
    nothing = np.asarray((n == 0) | unknown.all(axis=1))
    is_partial = np.asarray(absent.any(axis=2)) & ~is_no_sample
    lacking = np.asarray(is_partial.any(axis=1) | unknown.any(axis=1))
    distance = _sum_of_norms(samples - outcomes[:, None])
    # Over all i and j: twice that over j > i.
    spread = sum((_sum_of_norms(samples[:, i + 1 :] - samples[:, i, None]) for i in range(samples.shape[1])), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = distance / n - spread / (n * (n - fair))
    return undefined(value, (nothing, "no_predictions"), (lacking, "incomplete"), (n <= fair, "too_few_samples"))


def _sum_of_norms(vectors: Floats) -> Floats:
    """Sum over the vectors (rows, vectors, dimensions) of their lengths, without what is absent; shape (rows,)."""
    return np.asarray(np.nansum(np.sqrt(np.vecdot(vectors, vectors)), axis=1))
