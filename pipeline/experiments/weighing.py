"""The weighted score of a run out of what scorers say of it, and what that score rests on.

The score is the weighted mean of the scorers that a run has. A scorer that it lacks is named and lowers its coverage;
below the minimum of scorers the score is shown and not ranked, so that nobody wins by what was not measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

NO_SCORES = "no_scores"
MISSING_SCORERS = "missing_scorers"
DECLARED, EQUAL = "declared", "equal"


@dataclass(frozen=True, eq=False)
class Weighed:
    """Weighted scores, as arrays of shape (runs,).

    Parameters
    ----------
    score : float array
        NaN for a run without any scorer's value.
    coverage : float array
        Share of the weights whose scorers a run has, 0 to 1; of all scorers where none has a weight.
    n_scorers : int array
        Scorers that the score is made of.
    weighting : object array of str or None
        ``declared``, or ``equal``: a run has no scorer with a weight; None without any.
    missing, unweighted : object array of str or None
        Scorers that count and that a run lacks; scorers that it has and that have no weight; with commas between.
    mean_of_scorers : float array
        Plain mean over all that it has.
    reason : object array of str or None
        Why it is not ranked: ``no_scores``, ``missing_scorers``; None where it is.
    """

    score: Floats
    coverage: Floats
    n_scorers: Integers
    weighting: Texts
    missing: Texts
    unweighted: Texts
    mean_of_scorers: Floats
    reason: Texts


def weigh(
    values: Mapping[str, npt.ArrayLike], weights: Mapping[str, float], min_scorers: int | None = None, n_runs: int = 0
) -> Weighed:
    """Weighted scores of runs.

    score = sum w v / sum w over the scorers that a run has; over all that it has, with equal weights, where none of
    them has a weight.

    Parameters
    ----------
    values : mapping of str to array-like of float, shape (runs,)
        By scorer, 0 to 1; NaN where it has none.
    weights : mapping of str to float
        Above 0, by scorer; empty for equal weights. One without values is missing everywhere.
    min_scorers : int, optional
        Scorers with a weight (any scorers, where none has one) that a run needs to be ranked: all of them by default,
        and one where none has a weight.
    n_runs : int
        How many runs there are, where there are no values.

    Raises
    ------
    ValueError
        If a weight is not above 0, scorers have different numbers of runs, or a value is not within 0 and 1.
    """
    table, weight, names = _table(values, weights, n_runs)
    has = ~np.isnan(table)
    counted = np.where(has, table, 0.0)
    n_values, total = has.sum(axis=0), weight @ has
    plain_mean = _ratio(counted.sum(axis=0), n_values)
    is_declared = total > 0
    n_weighted = (weight > 0).astype(np.int64) @ has
    score = np.where(is_declared, _ratio(weight @ counted, total), plain_mean)
    needed = min_scorers or max(len(weights), 1)
    reason = np.full(table.shape[1], None, dtype=object)
    reason[(n_weighted if weights else n_values) < needed] = MISSING_SCORERS
    reason[n_values == 0] = NO_SCORES
    weighting = np.where(is_declared, DECLARED, EQUAL).astype(object)
    weighting[n_values == 0] = None
    is_counted = (weight > 0) if weights else np.ones(len(names), dtype=bool)
    return Weighed(
        score=score,
        coverage=total / weight.sum() if weights else n_values / max(len(names), 1),
        n_scorers=np.where(is_declared, n_weighted, n_values).astype(np.int64),
        weighting=weighting,
        missing=_listed(names, is_counted[:, None] & ~has),
        unweighted=_listed(names, ~is_counted[:, None] & has),
        mean_of_scorers=plain_mean,
        reason=reason,
    )


def _table(
    values: Mapping[str, npt.ArrayLike], weights: Mapping[str, float], n_runs: int
) -> tuple[Floats, Floats, list[str]]:
    """Values of shape (scorers, runs), weights of shape (scorers,), 0 for none, and the names: weighted ones first."""
    wrong = {name: weight for name, weight in weights.items() if not 0 < weight < np.inf}
    if wrong:
        raise ValueError(f"weights {wrong} are not above 0; leave out a scorer that does not count")
    columns = {name: np.asarray(column, dtype=np.float64) for name, column in values.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"scorers have different numbers of runs: {lengths}; give NaN where one has no value")
    n = next(iter(lengths.values()), n_runs)
    names = [*weights, *sorted(set(columns) - set(weights))]
    table = np.array([columns.get(name, np.full(n, np.nan)) for name in names]).reshape(len(names), n)
    outside = np.flatnonzero(((table < 0) | (table > 1)).any(axis=1))
    if len(outside):
        row = table[outside[0]]
        value = row[(row < 0) | (row > 1)][0]
        raise ValueError(f"scorer {names[outside[0]]!r} gives {value:g}; values go from 0 to 1, declare its scale")
    return table, np.array([weights.get(name, 0.0) for name in names]), names


def _listed(names: Sequence[str], which: Bools) -> Texts:
    """By run the names of some scorers, None for none; each combination is written once."""
    combinations, of_run = np.unique(which, axis=1, return_inverse=True)
    written = [", ".join(np.array(names, dtype=object)[one]) or None for one in combinations.T]
    return np.array([*written, None], dtype=object)[np.ravel(of_run)]


def _ratio(numerator: npt.ArrayLike, denominator: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Floats:
    """Elementwise ratio, NaN where the denominator is 0."""
    parts = np.asarray(numerator, dtype=np.float64)
    return np.asarray(np.divide(parts, denominator, out=np.full(parts.shape, np.nan), where=denominator > 0))
