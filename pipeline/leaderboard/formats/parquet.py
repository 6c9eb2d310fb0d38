"""Parquet, long (one row for each value) and wide (one column for each measure).

Long files have ``run_id``, ``topic_id``, ``measure`` and ``value``, and ``text`` where a measure is text.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.leaderboard.formats.cells import Cells, FormatError, Layout
from pipeline.leaderboard.formats.meanings import PARQUET_KEY, meanings_in_schema
from pipeline.leaderboard.formats.names import FormatName, Role, role_of
from pipeline.leaderboard.formats.records import cells_of_records
from pipeline.leaderboard.formats.wide import TEXT

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: Path) -> Cells:
    """The cells of a Parquet file; NULL is no value.

    Raises
    ------
    FormatError
        If it is damaged, or its columns are not those of a board.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{path}: no readable Parquet: {error}") from None
    columns = {name: _texts(path, name, table.column(name)) for name in table.column_names}
    roles = {role_of(name): name for name in columns}
    if TEXT in columns and Role.MEASURE in roles and Role.VALUE in roles:
        texts = columns.pop(TEXT)
        value = roles[Role.VALUE]
        columns[value] = [one if one is not None else two for one, two in zip(columns[value], texts, strict=True)]
    line = np.arange(1, table.num_rows + 1)
    layout = Layout(FormatName.PARQUET, tuple(columns))
    cells = cells_of_records(path, list(columns), list(columns.values()), line, layout, FormatName.PARQUET_WIDE)
    said = (table.schema.metadata or {}).get(PARQUET_KEY)
    return cells if said is None else replace(cells, declared=meanings_in_schema(path, said))


def write_parquet(path: Path, columns: dict[str, Sequence[Any]], meanings: Sequence[dict[str, Any]] = ()) -> None:
    """Write columns; texts as texts, numbers as doubles, None as NULL. What measures mean is in the schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {PARQUET_KEY: json.dumps(meanings, ensure_ascii=False)} if meanings else None
    pq.write_table(pa.table({name: _array(values) for name, values in columns.items()}, metadata=metadata), path)


def _array(values: Sequence[Any]) -> "pa.Array":
    import pyarrow as pa

    is_number = any(isinstance(value, float) for value in values)
    return pa.array(values, type=pa.float64() if is_number else pa.string())


def _texts(path: Path, name: str, column: "pa.ChunkedArray") -> list[str | None]:
    """A column as texts, numbers as Python writes them."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return [None if value is None else repr(float(value)) for value in column.to_pylist()]
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)) and not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind)
    ):
        raise FormatError(f"{path}: column {name!r} is {kind}; texts and numbers can be read")
    values = column.to_pylist()
    return [value if value is None or isinstance(value, str) else repr(value) for value in values]
