"""Many hypotheses at once: p values that allow for how many were tested."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray

LEVEL = 0.05


class Correction(StrEnum):
    """What is held at the level when several hypotheses are tested."""

    HOLM = "holm"
    """The chance of one or more false rejections, stepping down: never weaker than Bonferroni."""
    BONFERRONI = "bonferroni"
    """The same chance, in one step."""
    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    """The expected share of false ones among the rejections, where tests are independent or positively dependent."""
    NONE = "none"
    """Nothing but each test for itself."""


def adjusted_p_values(p: npt.ArrayLike, correction: Correction | str = Correction.HOLM) -> FloatArray:
    """P values that can be compared with the level whatever the number of hypotheses.

    With p_(1) <= ... <= p_(m): Bonferroni m p_(i); Holm the maximum over j <= i of (m - j + 1) p_(j);
    Benjamini-Hochberg the minimum over j >= i of m p_(j) / j; none above 1.

    Parameters
    ----------
    p : array-like of float
        Shape (hypotheses,); NaN is no hypothesis, and does not count.
    correction : Correction or str

    Returns
    -------
    float array
        Of the same shape, NaN where ``p`` is.

    Raises
    ------
    ValueError
        If the correction is unknown, or ``p`` does not have one dimension.

    References
    ----------
    Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure".
    Benjamini & Hochberg (1995), "Controlling the False Discovery Rate".

    Examples
    --------
    >>> adjusted_p_values([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p has shape {values.shape}, expected (hypotheses,); flatten it, each hypothesis once")
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(_adjusted(values[order], correction_named(correction)), 1.0)
    return adjusted


def correction_named(name: Correction | str) -> Correction:
    """The correction of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in set(Correction):
        raise ValueError(f"unknown correction {name!r}; known: {', '.join(Correction)}")
    return Correction(name)


def holm(p: npt.ArrayLike, level: float = LEVEL) -> BoolArray:
    """Which of several hypotheses to reject so that the chance of any false rejection is at most ``level``.

    Parameters
    ----------
    p : array-like of float
        One p value per hypothesis, shape (m,).
    level : float
        Chance of one or more false rejections.

    Returns
    -------
    bool array
        Of shape (m,).

    References
    ----------
    Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure".

    Examples
    --------
    >>> holm([0.01, 0.04, 0.02, 0.03]).tolist()
    [True, False, False, False]
    """
    return np.asarray(adjusted_p_values(p, Correction.HOLM) <= level)


def _adjusted(ascending: FloatArray, correction: Correction) -> FloatArray:
    m = len(ascending)
    if correction is Correction.BONFERRONI:
        return m * ascending
    if correction is Correction.HOLM:
        return np.maximum.accumulate(np.arange(m, 0, -1) * ascending)
    if correction is Correction.BENJAMINI_HOCHBERG:
        return np.minimum.accumulate((m / np.arange(1, m + 1) * ascending)[::-1])[::-1]
    return ascending
