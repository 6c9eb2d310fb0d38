"""Reading files from outside, block by block, so that a file of any size takes little memory.

A row that cannot be read is given with its reason, never dropped; a file that cannot be read at all raises. A reader is
one generator of :class:`Block` and one line in ``_READERS``.
"""

import codecs
import csv
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

BLOCK_ROWS = 50_000
_LONGEST_FIELD = 1_000_000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableFileError(ValueError):
    """A file of which no row can be taken; the message says why, and what to do."""


@dataclass(frozen=True)
class Refused:
    """A row that cannot be read."""

    row_number: int
    reason: str
    original: str


@dataclass(frozen=True)
class Block:
    """Some rows of a file.

    Parameters
    ----------
    rows : DataFrame
        As the file has them, indexed by their place in it, from 1.
    unreadable : list of Refused
        Those that could not be read.
    """

    rows: pd.DataFrame
    unreadable: list[Refused] = field(default_factory=list)


def read_blocks(path: Path) -> Iterator[Block]:
    """The rows of a file, in order; at least one block, so that its columns are known even without rows.

    Parameters
    ----------
    path : Path
        Parquet (``.parquet``), CSV (``.csv``, ``.tsv``) or JSON lines (``.jsonl``, ``.ndjson``).

    Raises
    ------
    UnreadableFileError
        If the file is empty, of another format, damaged, or has no or repeated column names.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableFileError(
            f"{path.suffix or 'a name without ending'} is no format that can be read; known: {', '.join(_READERS)}"
        )
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty; give at least a line of column names")
    yield from reader(path)


def _parquet(path: Path) -> Iterator[Block]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            empty = file.schema_arrow.empty_table().to_pandas()
            _check_columns(list(empty.columns))
            start = 1
            yield Block(empty)
            for batch in file.iter_batches(BLOCK_ROWS):
                rows = batch.to_pandas(date_as_object=False, integer_object_nulls=True)
                yield Block(rows.set_index(pd.RangeIndex(start, start + len(rows))))
                start += len(rows)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(
            f"it is no whole Parquet file ({' '.join(str(error).split())[:200]}); write it again"
        ) from error


def _csv(path: Path) -> Iterator[Block]:
    csv.field_size_limit(_LONGEST_FIELD)
    with path.open(encoding=_encoding(path), errors="surrogateescape", newline="") as stream:
        try:
            header = stream.readline()
        except UnicodeError as error:
            raise UnreadableFileError(f"its text cannot be decoded ({error}); save it as UTF-8") from error
        delimiter = max(",;\t", key=header.count)
        columns = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter), [])
        if not any(columns):
            raise UnreadableFileError("its first line has no column names; write them there")
        _check_columns(columns)
        yield from _text_blocks(columns, _csv_rows(csv.reader(stream, delimiter=delimiter), columns, delimiter))


def _csv_rows(reader: Any, columns: list[str], delimiter: str) -> Iterator[list[Any] | tuple[str, str]]:
    """The fields of every row that is not blank, or the reason why it cannot be read and what it says."""
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeError) as error:
            yield f"cannot be read: {error}", ""
            continue
        if not row:
            continue
        original = delimiter.join(row)
        if len(row) != len(columns):
            yield f"has {len(row)} fields where the first line has {len(columns)}", original
        elif not original.isascii() and _is_garbled(original):
            yield "is not UTF-8; save the file as UTF-8", original
        else:
            yield [cell if cell != "" else None for cell in row]


def _json_lines(path: Path) -> Iterator[Block]:
    with path.open(encoding=_encoding(path), errors="surrogateescape") as stream:
        lines = (line for line in stream if line.strip())
        first = next(lines, None)
        if first is None:
            raise UnreadableFileError("the file has no lines; write one JSON object a line")
        if not _json_object(first):
            raise UnreadableFileError(f"its first line is no JSON object: {first.strip()[:80]!r}; write one a line")
        yield from _text_blocks(None, _json_rows(itertools.chain([first], lines)))


def _json_rows(lines: Iterable[str]) -> Iterator[dict[str, Any] | tuple[str, str]]:
    """Every object, or the reason why a line is none and what it says."""
    for line in lines:
        row = _json_object(line)
        if row is None:
            yield "is no JSON object", line.strip()
        elif not line.isascii() and _is_garbled(line):
            yield "is not UTF-8; save the file as UTF-8", line.strip()
        else:
            yield row


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text_blocks(
    columns: list[str] | None, rows: Iterator[list[Any] | tuple[str, str]] | Iterator[dict[str, Any] | tuple[str, str]]
) -> Iterator[Block]:
    """Rows in blocks; without ``columns`` they are objects that name their own."""
    start = 1
    while True:
        good: list[Any] = []
        numbers: list[int] = []
        bad: list[Refused] = []
        for number, row in enumerate(itertools.islice(rows, BLOCK_ROWS), start):
            if isinstance(row, tuple):
                bad.append(Refused(number, row[0], _shown(row[1])))
            else:
                good.append(row)
                numbers.append(number)
        if start > 1 and not good and not bad:
            return
        yield Block(pd.DataFrame(good, columns=columns, index=numbers, dtype=object), bad)
        start += len(good) + len(bad)


def _encoding(path: Path) -> str:
    """The encoding that the file's first bytes announce; UTF-8 without."""
    with path.open("rb") as stream:
        head = stream.read(4)
    return next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")


def _is_garbled(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)


def _shown(text: str) -> str:
    """Text that can be stored: bytes that are no UTF-8 and NUL are escaped."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace").replace("\0", "\\0")


def _check_columns(columns: list[str]) -> None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise UnreadableFileError(f"columns are named twice: {', '.join(map(repr, repeated))}; give each its own name")


_READERS: dict[str, Callable[[Path], Iterator[Block]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
