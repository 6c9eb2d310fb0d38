"""Parquet files, as many rows at once as fill a block."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.landing.blocks import BLOCK_CHARACTERS, BLOCK_ROWS, Block, UnreadableFileError, check_columns
from pipeline.landing.repetition import texts_written

_MOST_REPEATED, _TIMES_REPEATED = 10**9, 100
"""Bytes that the texts of a Parquet file may take, and how many times the size of the file besides."""


def parquet(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a Parquet file; as :func:`pipeline.landing.files.read_blocks`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as stream:  # pyarrow's own messages do not tell a missing file from a damaged one
        try:
            with pq.ParquetFile(stream, buffer_size=1 << 20) as file:
                columns = tuple(file.schema_arrow.names)
                check_columns(columns)
                there = [name for name in wanted if name in columns]
                at_once = _rows_at_once(path, file.metadata, there)
                yield Block(columns, _frame(file.schema_arrow.empty_table().select(there)))
                start = 1
                for batch in file.iter_batches(at_once, columns=there):
                    rows = _frame(pa.Table.from_batches([batch]))
                    yield Block(columns, rows.set_axis(pd.RangeIndex(start, start + batch.num_rows)))
                    start += batch.num_rows
        except UnreadableFileError:
            raise
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise UnreadableFileError(
                f"it is no whole Parquet file ({' '.join(str(error).split())[:200]}); write it again"
            ) from error


def _rows_at_once(path: Path, metadata: Any, columns: Sequence[str]) -> int:
    """How many rows of these columns fill a block, with every text written out.

    Raises
    ------
    UnreadableFileError
        If all texts together are more than any file of its size says.
    """
    most = _MOST_REPEATED + _TIMES_REPEATED * path.stat().st_size
    texts = texts_written(path, columns, most)
    if texts.size > most:
        raise UnreadableFileError(
            f"it repeats texts so often that they would take more than {most / 1e9:.1f} GB in memory; shorten them, or "
            f"give it in parts"
        )
    return max(1, min(_batch_rows(metadata, columns), int(BLOCK_CHARACTERS / max(1.0, texts.longest_row))))


def _batch_rows(metadata: Any, columns: Sequence[str]) -> int:
    """How many rows of these columns fill a block."""
    size = 0
    for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
        chunks = (group.column(number) for number in range(group.num_columns))
        size += sum(one.total_uncompressed_size for one in chunks if one.path_in_schema.split(".")[0] in columns)
    row_size = size / max(1, metadata.num_rows)
    return int(max(1, min(BLOCK_ROWS, BLOCK_CHARACTERS / max(1.0, row_size))))


def _frame(table: Any) -> pd.DataFrame:
    """An Arrow table as it is, whatever pandas once noted in it: no index, no types but Arrow's; zoned times in UTC."""
    import pyarrow as pa

    columns = [
        column.cast(pa.timestamp(column.type.unit)) if pa.types.is_timestamp(column.type) else column
        for column in table.columns
    ]
    plain = pa.table(columns, names=table.column_names)
    frame: pd.DataFrame = plain.to_pandas(
        ignore_metadata=True, date_as_object=False, integer_object_nulls=True, maps_as_pydicts="lossy"
    )
    for name in (one.name for one in plain.schema if pa.types.is_nested(one.type)):
        frame[name] = frame[name].map(_without_nulls)
    return frame


def _without_nulls(value: Any) -> Any:
    """A nested value without the fields that it does not have: a struct has those of all rows."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list | np.ndarray) else value
