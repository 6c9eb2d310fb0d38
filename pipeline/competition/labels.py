"""Where rows belong on an axis of labels, at the speed of integers where a frame allows it.

Text may be categorical, which :meth:`pipeline.warehouse.Store.read_coded` gives: then only the categories are looked up
and the rows follow by their codes. Of several columns only the first row of every run of equal ones is looked at, as
rows of one cross-section come together as a rule. Rows in any other order find the same places, more slowly.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Ints

Labels = npt.NDArray[np.object_]


def labels(column: "pd.Series[Any]") -> Labels:
    """The distinct values of a column, in no particular order."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        counts = np.bincount(column.cat.codes, minlength=len(column.cat.categories))
        return np.asarray(column.cat.categories, dtype=object)[np.flatnonzero(counts)]
    return np.asarray(column.unique(), dtype=object)


def times(column: "pd.Series[Any]") -> list[datetime]:
    """The distinct times of a column, ascending, as plain datetimes."""
    return [pd.Timestamp(value).to_pydatetime() for value in sorted(labels(column))]


def distinct(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The distinct combinations of some columns."""
    return plain(rows[list(columns)].iloc[_run_starts(rows, columns)]).drop_duplicates()


def places(axis: pd.Index, column: "pd.Series[Any]", what: str) -> Ints:
    """The place of every row's label on an axis.

    Raises
    ------
    ValueError
        If a label is not on it; ``what`` says what it is of.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        of_category = np.asarray(axis.get_indexer(column.cat.categories), dtype=np.int64)
        found: Ints = of_category[column.cat.codes.to_numpy()]
        if of_category.size and of_category.min() >= 0:
            return found
    else:
        found = np.asarray(axis.get_indexer(pd.Index(column)), dtype=np.int64)
    if found.size and found.min() < 0:
        raise ValueError(_unknown(what, column.iloc[int(np.argmax(found < 0))]))
    return found


def places_of_runs(axis: pd.MultiIndex, rows: pd.DataFrame, what: str) -> Ints:
    """The place of every row on an axis of several columns, which have the axis' names.

    Raises
    ------
    ValueError
        If a row has none.
    """
    starts = _run_starts(rows, axis.names)
    of_runs = pd.MultiIndex.from_frame(plain(rows[list(axis.names)].iloc[starts]))
    found = np.asarray(axis.get_indexer(of_runs), dtype=np.int64)
    if (found < 0).any():
        raise ValueError(_unknown(what, of_runs[int(np.argmax(found < 0))]))
    return np.repeat(found, np.diff(starts, append=len(rows)))


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the categories' own types in place of categories."""
    coded = {name: dtype for name, dtype in rows.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)}
    return rows.astype({name: dtype.categories.dtype for name, dtype in coded.items()}) if coded else rows


def _run_starts(rows: pd.DataFrame, columns: Sequence[Any]) -> Ints:
    """Where a row differs from the one before it."""
    begins = np.zeros(len(rows), dtype=bool)
    begins[:1] = True
    for name in columns:
        column = rows[name]
        is_coded = isinstance(column.dtype, pd.CategoricalDtype)
        values = column.cat.codes.to_numpy() if is_coded else column.to_numpy()
        begins[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(begins)


def _unknown(what: str, label: object) -> str:
    return (
        f"rows name the {what} {label!r}, which is not among the predictions of this block; "
        f"give rows of the same cycles and models"
    )
