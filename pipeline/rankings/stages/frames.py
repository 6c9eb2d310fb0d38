"""Frames with exactly the columns of a table, and what is read back out of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import pandas as pd

from pipeline.tables import TableSpec

_DTYPES = {
    "VARCHAR": "str",
    "INTEGER": "Int32",
    "BIGINT": "Int64",
    "DOUBLE": "float64",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "datetime64[us]",
    "DATE": "datetime64[us]",
}


Column = Sequence[Any] | npt.NDArray[Any] | pd.Series
"""Values of a column, whatever they are."""


def frame_of(spec: TableSpec, columns: Mapping[str, Column] | pd.DataFrame) -> pd.DataFrame:
    """Columns as a frame with exactly those of a table, but for the board's name; further ones are left out.

    None and NaN are NULL, and so is empty text, unless the table needs a value.
    """
    made = {}
    for one in spec.columns:
        if one.name == spec.board:
            continue
        values = columns[one.name]
        plain = values.array if isinstance(values, pd.Series) else values
        series: pd.Series = pd.Series(plain, dtype=_DTYPES[one.type])
        made[one.name] = series.where(series != "", None) if one.type == "VARCHAR" and one.nullable else series
    return pd.DataFrame(made)


def frame_of_rows(spec: TableSpec, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The same of rows, each with all columns."""
    return frame_of(spec, {one.name: [row[one.name] for row in rows] for one in spec.columns if one.name != spec.board})
