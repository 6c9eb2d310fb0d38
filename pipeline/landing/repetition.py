"""How much the texts of a Parquet file take when they are written out, found without writing them out.

Parquet keeps a text once and refers to it: 60 kB may say 20 GB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROWS_MEASURED = 10_000


@dataclass(frozen=True)
class TextsWritten:
    """Texts of a file, written out.

    Parameters
    ----------
    size : int
        Bytes of all of them; where it is more than was allowed, of those that were looked at.
    longest_row : float
        Bytes of a row, on average where they are longest.
    """

    size: int = 0
    longest_row: float = 0.0


def texts_written(path: Path, columns: Sequence[str], most: int) -> TextsWritten:
    """What the texts in some columns take; nothing is read further once it is more than ``most`` bytes.

    Raises
    ------
    pyarrow.ArrowException, OSError
        If it is no whole Parquet file.
    """
    import pyarrow.parquet as pq

    types = pq.read_schema(path)
    texts = [name for name in dict.fromkeys(columns) if is_text(types.field(name).type)]
    if not texts:
        return TextsWritten()
    longest, total = 0.0, 0
    with pq.ParquetFile(path, read_dictionary=texts, buffer_size=1 << 20) as file:
        for batch in file.iter_batches(_ROWS_MEASURED, columns=texts):
            size = sum(map(written_size, batch.columns))
            longest, total = max(longest, size / max(1, batch.num_rows)), total + size
            if total > most:
                break
    return TextsWritten(total, longest)


def is_text(type: Any) -> bool:
    """Whether a type of Arrow is of texts, kept once or each time."""
    import pyarrow as pa

    value = type.value_type if pa.types.is_dictionary(type) else type
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def written_size(column: Any) -> int:
    """The bytes that a column of Arrow takes when every text in it is written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary.cast(pa.large_binary()))
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0) + int(column.indices.nbytes)
