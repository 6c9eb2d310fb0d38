"""How far several raters agree, beyond chance: Cohen's and Fleiss' kappa, Krippendorff's alpha.

Each is 1 for full agreement and 0 for that of chance, and can be negative. Where raters use one category only there is
no chance to agree beyond, and the coefficient is undefined.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]

TOO_FEW_RATINGS = "too_few_ratings"
NO_VARIATION = "no_variation"
NOT_TWO_RATERS = "not_two_raters"
UNEQUAL_RATERS = "unequal_raters"


@dataclass(frozen=True)
class Agreement:
    """A coefficient.

    Parameters
    ----------
    value : float or None
        None where undefined.
    n_raters, n_items : int
        Who rated, and how many items count.
    reason : str or None
        Why it is undefined: ``too_few_ratings``, ``no_variation``, ``not_two_raters``, ``unequal_raters``.
    """

    value: float | None
    n_raters: int
    n_items: int
    reason: str | None = None


def cohen_kappa(ratings: npt.ArrayLike, weights: Literal["linear", "quadratic"] | None = None) -> Agreement:
    """Cohen's kappa of two raters, on the items that both rated.

    kappa = 1 - sum(w o) / sum(w e), o and e the observed and the chance shares of every pair of categories, and w 1 for
    different ones, their distance, or its square, categories being numbered in the order of their values.

    Parameters
    ----------
    ratings : array-like of float, shape (2, items)
        NaN where a rater gave none.
    weights : {'linear', 'quadratic'}, optional
        By default every disagreement counts alike.

    Raises
    ------
    ValueError
        If the shape or the weights are others.

    References
    ----------
    Cohen (1960), "A Coefficient of Agreement for Nominal Scales"; Cohen (1968), "Weighted Kappa".

    Examples
    --------
    >>> cohen_kappa([[1, 1, 0, 0], [1, 0, 0, 0]]).value
    0.5
    """
    if weights not in (None, "linear", "quadratic"):
        raise ValueError(f"unknown weights {weights!r}; known: linear, quadratic, None")
    values = _matrix(ratings)
    if len(values) != 2:
        return Agreement(None, len(values), 0, NOT_TWO_RATERS)
    both = values[:, ~np.isnan(values).any(axis=0)]
    n = both.shape[1]
    if n == 0:
        return Agreement(None, 2, 0, TOO_FEW_RATINGS)
    categories, codes = np.unique(both, return_inverse=True)
    first, second = codes.reshape(both.shape)
    k = len(categories)
    observed = np.bincount(first * k + second, minlength=k * k).reshape(k, k) / n
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    apart = np.abs(np.arange(k)[:, None] - np.arange(k)).astype(np.float64)
    cost = apart**2 if weights == "quadratic" else apart if weights == "linear" else (apart > 0).astype(np.float64)
    return _agreement(float((cost * observed).sum()), float((cost * expected).sum()), 2, n)


def fleiss_kappa(ratings: npt.ArrayLike) -> Agreement:
    """Fleiss' kappa: several raters, categories without order, every item rated by equally many.

    Parameters
    ----------
    ratings : array-like of float, shape (raters, items)
        NaN where a rater gave none. Items without a rating do not count; the others need equally many, by whomever.

    References
    ----------
    Fleiss (1971), "Measuring Nominal Scale Agreement Among Many Raters".
    """
    values = _matrix(ratings)
    n_raters = len(values)
    counts = np.count_nonzero(~np.isnan(values), axis=0)
    per_item = np.unique(counts[counts > 0])
    if len(per_item) == 0 or per_item.max() < 2:
        return Agreement(None, n_raters, 0, TOO_FEW_RATINGS)
    if len(per_item) > 1:
        return Agreement(None, n_raters, int(np.count_nonzero(counts)), UNEQUAL_RATERS)
    table, m = _counts(values[:, counts > 0]), int(per_item[0])
    agreeing = ((table**2).sum(axis=1) - m) / (m * (m - 1))
    shares = table.sum(axis=0) / table.sum()
    return _agreement(1 - float(agreeing.mean()), 1 - float((shares**2).sum()), n_raters, len(table))


def krippendorff_alpha(ratings: npt.ArrayLike, level: Level = "interval") -> Agreement:
    """Krippendorff's alpha: any number of raters, ratings missing or not.

    alpha = 1 - D_o / D_e with the coincidences of values within items: D_o = sum o_ck d2_ck / n,
    D_e = sum n_c n_k d2_ck / (n (n - 1)).

    Parameters
    ----------
    ratings : array-like of float, shape (raters, items)
        NaN where a rater gave none. Items with one rating have nothing to agree with and do not count.
    level : {'nominal', 'ordinal', 'interval', 'ratio'}
        What a distance of two ratings is: any difference, ranks between, the difference, or its share of the sum.

    Raises
    ------
    ValueError
        If the level is unknown.

    References
    ----------
    Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
    """
    if level not in _DISTANCES:
        raise ValueError(f"unknown level {level!r}; known: {', '.join(_DISTANCES)}")
    values = _matrix(ratings)
    counts = np.count_nonzero(~np.isnan(values), axis=0)
    paired = values[:, counts > 1]
    if paired.shape[1] == 0:
        return Agreement(None, len(values), 0, TOO_FEW_RATINGS)
    table = _counts(paired)
    categories = np.unique(paired[~np.isnan(paired)])
    shares = table / (table.sum(axis=1, keepdims=True) - 1)
    coincidences = table.T @ shares - np.diag(shares.sum(axis=0))
    totals = coincidences.sum(axis=1)
    n = totals.sum()
    distance = _DISTANCES[level](categories, totals)
    observed = float((coincidences * distance).sum() / n)
    expected = float((np.outer(totals, totals) * distance).sum() / (n * (n - 1)))
    return _agreement(observed, expected, len(values), paired.shape[1])


def _agreement(observed: float, expected: float, n_raters: int, n_items: int) -> Agreement:
    """1 less the share of the disagreement of chance."""
    if expected <= 0:
        return Agreement(None, n_raters, n_items, NO_VARIATION)
    return Agreement(1 - observed / expected, n_raters, n_items)


def _matrix(ratings: npt.ArrayLike) -> Floats:
    values = np.asarray(ratings, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"ratings have shape {values.shape}, expected (raters, items)")
    if np.isinf(values).any():
        raise ValueError("a rating is infinite; leave out what is missing as NaN")
    return values


def _counts(values: Floats) -> Floats:
    """How many raters gave an item each category, shape (items, categories)."""
    rater, item = np.nonzero(~np.isnan(values))
    categories, codes = np.unique(values[rater, item], return_inverse=True)
    table = np.zeros((values.shape[1], len(categories)))
    np.add.at(table, (item, codes), 1)
    return table


def _ordinal(categories: Floats, totals: Floats) -> Floats:
    """Squares of how many ratings lie between two categories, halves of both included."""
    del categories
    middle = np.cumsum(totals) - totals / 2
    return np.asarray((middle[:, None] - middle) ** 2)


def _ratio(categories: Floats, totals: Floats) -> Floats:
    """Squares of differences as shares of sums."""
    del totals
    sums = categories[:, None] + categories
    apart = categories[:, None] - categories
    return np.asarray(np.divide(apart, sums, out=np.zeros_like(apart), where=sums != 0) ** 2)


_DISTANCES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "nominal": lambda categories, totals: 1.0 - np.eye(len(categories)),  # noqa: ARG005
    "ordinal": _ordinal,
    "interval": lambda categories, totals: np.asarray((categories[:, None] - categories) ** 2),  # noqa: ARG005
    "ratio": _ratio,
}
LEVELS: Sequence[str] = tuple(_DISTANCES)
"""What ratings can be taken for."""
