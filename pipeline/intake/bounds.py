"""How much a file from a stranger may hold: bounds that are checked block by block, before anything is kept of it.

A small Parquet file may say much: one long text, and a million references to it. The bounds are on what it says, as it
would be in memory, and are found without writing it out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.landing import Intake, UnreadableFileError
from pipeline.landing.blocks import printable
from pipeline.landing.conform import check_columns, conform
from pipeline.landing.files import read_blocks
from pipeline.landing.repetition import is_text, written_size

_MODEL = "model_id"
_MOST_MODELS = 1_000
_ROWS_AT_ONCE = 10_000
_MOST_AT_ONCE = 64_000_000
"""Bytes that so many rows may take in memory: texts of 6 kB a row."""
_TIMES = 10
"""A Parquet file may say so many times as much as a file may be large."""


class TooMuchError(ValueError):
    """A file that says more than one may; the message names the bound and the remedy."""


class UnboundedFileError(UnreadableFileError):
    """A file that cannot be held against its bounds, so that nobody may read it; the message says why."""


def model_ids_in(path: Path, intake: Intake, most_rows: int, most_bytes: int) -> frozenset[str]:
    """The models that a file of predictions names, in any row that could ever be taken.

    Parameters
    ----------
    path : Path
    intake : Intake
        Of predictions.
    most_rows : int
        Rows that it may have.
    most_bytes : int
        Size that a file may have; in memory a Parquet file may be ten times as large.

    Raises
    ------
    TooMuchError
        If it says more.
    UnboundedFileError
        If it cannot be told how much it says.
    UnreadableFileError
        If no row of it can be taken.
    """
    if path.suffix.lower() == ".parquet":
        _check_parquet(path, [field.column for field in intake.fields], most_rows, _TIMES * most_bytes)
    (model,) = (field for field in intake.fields if field.name == _MODEL)
    found: set[str] = set()
    n_rows = 0
    for number, block in enumerate(read_blocks(path, (model.column,))):
        if number == 0:
            check_columns([printable(name) for name in block.columns], (model,))
        n_rows += len(block.rows) + len(block.unreadable)
        _check_rows(n_rows, most_rows)
        found.update(conform(block, (model,)).rows[_MODEL].unique())
        if len(found) > _MOST_MODELS:
            raise TooMuchError(f"the file names more than {_MOST_MODELS:,} models; send it in parts")
    return frozenset(found)


def _check_rows(n_rows: int, most: int) -> None:
    if n_rows > most:
        raise TooMuchError(f"the file has more than {most:,} rows; send it in parts, each of whole cycles")


def _check_parquet(path: Path, wanted: Sequence[str], most_rows: int, most_bytes: int) -> None:
    """Refuse a Parquet file that would be too large in memory; texts are looked at without repeating them.

    Raises
    ------
    TooMuchError, UnboundedFileError
        If it is, or if that cannot be told.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        names = [name for name in dict.fromkeys(wanted) if name in schema.names]
        texts = [name for name in names if _is_text(name, schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            _check_rows(file.metadata.num_rows, most_rows)
            size = 0
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=names):
                now = sum(written_size(column) for column in batch.columns)
                size += now
                if now > _MOST_AT_ONCE or size > most_bytes:
                    raise TooMuchError(
                        f"the file would take more than {min(size, most_bytes):,} bytes in memory; its texts are too "
                        f"long, or send it in parts"
                    )
    except (pa.ArrowException, OSError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        raise UnboundedFileError(f"it is no whole Parquet file ({said}); write it again") from error


def _is_text(name: str, type: Any) -> bool:
    """Whether a column is of texts; what is neither that nor a number or time cannot be bounded, and is refused."""
    import pyarrow as pa

    value = type.value_type if pa.types.is_dictionary(type) else type
    if not is_text(type) and not any(
        is_one(value) for is_one in (pa.types.is_primitive, pa.types.is_decimal, pa.types.is_null)
    ):
        raise UnboundedFileError(f"its column {printable(name)!r} is of type {type}; give plain numbers, texts, times")
    return is_text(type)
