"""Confidence intervals of one statistic each over items that have nothing to do with one another: topics, inputs.

Those over cycles, which depend on each other, are in ``intervals``.
"""

import numpy as np
from scipy.special import stdtrit

from pipeline.leaderboard.influence import Influence
from pipeline.leaderboard.intervals import MIN_CYCLES, NOT_SMOOTH, UNDEFINED, ZERO_VARIANCE, Interval

STUDENT = "t"
TOO_FEW_ITEMS = "too_few_items"
_CONFIDENCE = 0.95
_RELATIVE_ZERO = 1e-12


def item_interval(influence: Influence, least: int = MIN_CYCLES) -> Interval:
    """95 % confidence intervals of a statistic over independent items.

    SE^2 = sum(psi^2) / (n (n - 1)) over the n items in which a contestant is present, interval =
    value +- t_(n-1)(0.975) SE: of a mean, Student's; of a ratio of sums over items of different size, that of the
    delta method, so that what is alike within an item does not count as evidence.

    Parameters
    ----------
    influence : Influence
        Over items in place of cycles.
    least : int
        Items needed, 2 at least; by default as many as cycles.

    Returns
    -------
    Interval
        ``method`` is ``t``, or why there is none: ``undefined``, ``not_smooth``, ``too_few_items``,
        ``zero_variance``.

    Raises
    ------
    ValueError
        If ``least`` is below 2.

    References
    ----------
    Student (1908), "The Probable Error of a Mean"; Cochran, *Sampling Techniques*, ch. 6 (ratio estimates).

    Examples
    --------
    >>> from pipeline.leaderboard import mean_influence
    >>> found = item_interval(mean_influence([[1.0], [2.0], [3.0]]), least=2)
    >>> found.low.round(3).tolist(), found.high.round(3).tolist()
    ([-0.484], [4.484])
    """
    if least < 2:
        raise ValueError(f"least is {least}; an interval needs 2 items, or more")
    n = influence.n
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt((influence.psi**2).sum(axis=0) / (n * (n - 1)))
    method = np.full(n.shape, STUDENT, dtype=object)
    method[se <= _RELATIVE_ZERO * np.abs(influence.value)] = ZERO_VARIANCE
    method[n < least] = TOO_FEW_ITEMS
    if not influence.is_smooth:
        method[:] = NOT_SMOOTH
    method[~np.isfinite(influence.value)] = UNDEFINED
    se = np.where(method == STUDENT, se, np.nan)
    half = se * stdtrit(np.maximum(n - 1, 1).astype(np.float64), (1 + _CONFIDENCE) / 2)
    return Interval(se, influence.value - half, influence.value + half, method)
