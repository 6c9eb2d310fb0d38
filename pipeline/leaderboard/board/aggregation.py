"""From the values of a run's topics to the one of its ``all`` row: one formula each, for all runs at once."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import numpy as np

from pipeline.leaderboard.arrays import FloatArray, IntArray, TextArray

LEAST_OF_A_PRODUCT = 1e-5
"""What a smaller value counts as in a geometric mean, so that one topic at 0 does not decide alone.

MIN_GEO_MEAN of trec_eval, which defines gm_map (Robertson 2006, On GMAP and other transformations) by it.
"""

AggregateFunction = Callable[[Sequence[Any]], Any]


class Aggregate(StrEnum):
    """How the values of a run's topics become one."""

    MEAN = "mean"
    SUM = "sum"
    GMEAN = "gmean"
    """Geometric mean of the values, those below 1e-5 taken as that."""
    FIRST = "first"
    """The value of the first topic, in the order of the rows."""
    NONE = "none"
    """None can be computed."""


def aggregate_numbers(
    how: Aggregate, values: FloatArray, run: IntArray, n_runs: int, *, n_filled: IntArray, fill: float | None
) -> FloatArray:
    """Sum up the values of every run.

    Parameters
    ----------
    how : Aggregate
        What is computed.
    values : float array
        Shape (rows,), NaN where absent.
    run : int array
        Whose each is, shape (rows,), from 0 to ``n_runs`` - 1.
    n_runs : int
        How many runs there are.
    n_filled : int array
        How many further topics count as having ``fill``, shape (runs,).
    fill : float or None
        Their value; None makes what needs it undefined.

    Returns
    -------
    float array
        Shape (runs,). NaN where a run has no value at all (whatever is filled in), where a needed ``fill`` is None, and
        everywhere for ``none``.
    """
    present = ~np.isnan(values)
    run, values = run[present], values[present]
    count = np.bincount(run, minlength=n_runs)
    if how is Aggregate.NONE:
        return np.full(n_runs, np.nan)
    if how is Aggregate.FIRST:
        return _first(values, run, n_runs)
    if how is Aggregate.GMEAN:
        values = np.log(np.maximum(values, LEAST_OF_A_PRODUCT))
        fill = None if fill is None else float(np.log(max(fill, LEAST_OF_A_PRODUCT)))
    filled = np.where(n_filled == 0, 0.0, np.nan) if fill is None else n_filled * fill
    total = np.bincount(run, weights=values, minlength=n_runs) + filled
    if how is not Aggregate.SUM:
        total = total / np.maximum(count + n_filled, 1)
    if how is Aggregate.GMEAN:
        total = np.exp(total)
    return np.where(count > 0, total, np.nan)


def aggregate_texts(how: Aggregate, values: TextArray, run: IntArray, n_runs: int) -> TextArray:
    """The first text of every run, None where there is none or for ``none``; shapes as for numbers."""
    found = np.full(n_runs, None, dtype=object)
    if how is Aggregate.FIRST:
        present = np.array([value is not None for value in values], dtype=bool)
        runs, places = np.unique(run[present], return_index=True)
        found[runs] = values[present][places]
    return found


def aggregate_function(how: Aggregate) -> AggregateFunction:
    """The same for the values of one run; None stands for what is absent, on both sides."""

    def aggregate(values: Sequence[Any]) -> Any:
        given = [value for value in values if value is not None]
        if how is Aggregate.FIRST:
            return given[0] if given else None
        one_run = np.zeros(len(given), dtype=np.int64)
        numbers = np.array(given, dtype=np.float64)
        (number,) = aggregate_numbers(how, numbers, one_run, 1, n_filled=np.zeros(1, dtype=np.int64), fill=None)
        return None if np.isnan(number) else float(number)

    return aggregate


def _first(values: FloatArray, run: IntArray, n_runs: int) -> FloatArray:
    found = np.full(n_runs, np.nan)
    runs, places = np.unique(run, return_index=True)
    found[runs] = values[places]
    return found
