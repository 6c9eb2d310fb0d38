"""Rows of tables as frames: the columns of a table but the experiment's name, in its order and of its types."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import pandas as pd

from pipeline.tables import TableSpec


def frame_of(spec: TableSpec, columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]]) -> pd.DataFrame:
    """Columns as a frame; None and NaN are NULL.

    Parameters
    ----------
    spec : TableSpec
    columns : mapping of str to array-like, shape (rows,)
        All that the table has besides the experiment's name.
    """
    return pd.DataFrame(
        {one.name: pd.Series(columns[one.name], dtype=one.dtype) for one in spec.columns if one.name != spec.board}
    )


def frame_of_rows(spec: TableSpec, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a frame; what a row does not say is NULL."""
    return frame_of(spec, {name: [row.get(name) for row in rows] for name in spec.column_names})
