"""Who may be ranked: the conditions that any kind of board can set, and the reasons they give."""

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import TextArray, sized

INACTIVE = "inactive"
TOO_FEW_PREDICTIONS = "too_few_predictions"
LOW_COVERAGE = "low_coverage"


def eligibility(
    coverage: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    min_coverage: float = 0.0,
    min_predictions: int = 0,
    inactive: npt.ArrayLike | None = None,
) -> TextArray:
    """Why contestants may not be ranked, as reasons for :func:`pipeline.leaderboard.ranking.rank_contestants`.

    The first that applies of ``inactive``, ``too_few_predictions`` (n below ``min_predictions``) and
    ``low_coverage`` (coverage below ``min_coverage``). What equals a minimum meets it; a minimum above 0 is not
    met by an unknown (NaN) coverage.

    Parameters
    ----------
    coverage : array-like of float
        Share of the tasks that were scored, 0 to 1, shape (contestants,).
    n : array-like of int
        Predictions that count, shape (contestants,).
    min_coverage : float
        From 0 (no minimum) to 1.
    min_predictions : int
        0 or more.
    inactive : array-like of bool, optional
        Who has stopped submitting, shape (contestants,); by default nobody.

    Returns
    -------
    object array of str or None
        None where eligible.

    Raises
    ------
    ValueError
        If ``min_coverage`` is not in [0, 1], ``min_predictions`` is negative, or lengths differ.

    Examples
    --------
    >>> eligibility([1.0, 0.5, 1.0], [40, 20, 3], min_coverage=0.75, min_predictions=10).tolist()
    [None, 'low_coverage', 'too_few_predictions']
    """
    if not 0 <= min_coverage <= 1:
        raise ValueError(f"min_coverage is {min_coverage!r}; it is a share of the tasks, give a number from 0 to 1")
    if min_predictions < 0:
        raise ValueError(f"min_predictions is {min_predictions!r}; give 0 (no minimum) or more")
    shares = np.asarray(coverage, dtype=np.float64)
    counts = sized("n", np.asarray(n, dtype=np.float64), len(shares))
    reasons = np.full(len(shares), None, dtype=object)
    if min_coverage > 0:
        reasons[~(shares >= min_coverage)] = LOW_COVERAGE
    reasons[~(counts >= min_predictions)] = TOO_FEW_PREDICTIONS
    if inactive is not None:
        reasons[sized("inactive", np.asarray(inactive, dtype=bool), len(shares))] = INACTIVE
    return reasons
