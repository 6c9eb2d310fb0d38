"""Reading files from outside, block by block, so that a file of any size takes little memory.

A row that cannot be read is given with its reason, never dropped; a file that cannot be read at all raises. A reader is
one generator of :class:`Block` and one line in ``_READERS``.
"""

import codecs
import csv
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from pipeline.landing.repetition import texts_written

BLOCK_ROWS = 50_000
BLOCK_CHARACTERS = 16_000_000
_LONGEST_ROW = 1_000_000
_LONGEST_JSON_ROW = 50_000_000
"""A run of a prompt experiment has its document, what was sent and what came back in one line."""
_LONGEST_ORIGINAL = 10_000
_MOST_REPEATED, _TIMES_REPEATED = 10**9, 100
"""Bytes that the texts of a Parquet file may take, and how many times the size of the file besides."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GARBLED = re.compile("[\ud800-\udfff\ufffd]")
_QUOTED = re.compile(r'"[^"]*"')
_NOT_UTF8 = "is not UTF-8; save the file as UTF-8"


class UnreadableFileError(ValueError):
    """A file of which no row can be taken; the message says why, and what to do."""


@dataclass(frozen=True)
class Refused:
    """A row that is not taken; ``kind`` is its reason without what is of this row alone, to count reasons by."""

    row_number: int
    reason: str
    original: str
    kind: str


@dataclass(frozen=True)
class Block:
    """Some rows of a file.

    Parameters
    ----------
    columns : tuple of str
        Every column of these rows.
    rows : DataFrame
        The columns that were wanted and are there, indexed by the rows' place in the file, from 1.
    unreadable : list of Refused
        Rows that could not be read.
    texts : list of str or None
        What each of ``rows`` looks like in the file; None where that is no text.
    """

    columns: tuple[str, ...]
    rows: pd.DataFrame
    unreadable: list[Refused] = field(default_factory=list)
    texts: list[str] | None = None

    def originals(self, numbers: "pd.Index[Any]") -> list[str]:
        """What some rows said, as text that can be stored."""
        if self.texts is not None:
            return [_original(self.texts[place]) for place in self.rows.index.get_indexer(numbers)]
        records = self.rows.loc[numbers].to_dict("records")
        return [_original(json.dumps(_said(record), default=str, ensure_ascii=False)) for record in records]


def read_blocks(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a file, in order; at least one block, so that its columns are known even without rows.

    Parameters
    ----------
    path : Path
        Parquet (``.parquet``), CSV (``.csv``, ``.tsv``) or JSON lines (``.jsonl``, ``.ndjson``).
    wanted : sequence of str
        The columns to read; others only count as there.

    Raises
    ------
    UnreadableFileError
        If the file is empty, of another format, damaged, or has no or repeated column names.
    OSError
        If it is not there or may not be read.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableFileError(
            f"{path.suffix or 'a name without ending'} is no format that can be read; known: {', '.join(_READERS)}"
        )
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty; give at least a line of column names")
    yield from reader(path, wanted)


def suffix_of(path: Path) -> str:
    """The ending of a name by which its format is known; empty for any other."""
    suffix = path.suffix.lower()
    return suffix if suffix in _READERS else ""


def printable(text: str) -> str:
    """Text that can be stored: bytes that are no UTF-8, half characters and NUL are escaped."""
    shown = text.encode(errors="surrogateescape") if _only_bytes(text) else text.encode(errors="backslashreplace")
    return shown.decode(errors="backslashreplace").replace("\0", "\\0")


def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as stream:  # pyarrow's own messages do not tell a missing file from a damaged one
        try:
            with pq.ParquetFile(stream, buffer_size=1 << 20) as file:
                columns = tuple(file.schema_arrow.names)
                _check_columns(columns)
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


class _TooLongError(Exception):
    """A row that is longer than any row can be."""


class _Lines:
    """The lines of a text, for a reader that may find out too late that it took too many of them for one row."""

    def __init__(self, stream: TextIO, longest: int) -> None:
        self._stream = stream
        self._longest = longest
        self._again: deque[str] = deque()
        self._n_taken = 0
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(self._longest)
        if not line:
            raise StopIteration
        self.taken.append(line)
        self._n_taken += len(line)
        if len(line) == self._longest and not line.endswith("\n"):
            while (rest := self._stream.readline(self._longest)) and not rest.endswith("\n"):
                pass
            raise _TooLongError(f"is longer than {self._longest:,} characters; give it as Parquet")
        if len(self.taken) > 1 and self._n_taken > self._longest:
            raise _TooLongError("has a quote that is never closed")
        return line

    def begin(self, *taken: str) -> None:
        """Forget the lines of the row before; those of the present one that were taken already are given."""
        self.taken = list(taken)
        self._n_taken = sum(map(len, taken))

    def give_back(self, keep: int) -> None:
        """Let the lines after the first few be read once more."""
        self._again.extendleft(reversed(self.taken[keep:]))
        del self.taken[keep:]
        self._n_taken = sum(map(len, self.taken))

    @property
    def text(self) -> str:
        """The lines of the present row."""
        return "".join(self.taken).rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class _TextRow:
    """A row of a text file: its cells, or the reason why there are none, and of which kind that is."""

    text: str
    cells: Any
    reason: str | None = None
    kind: str | None = None


def _csv(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    with path.open("rb") as beginning:
        if beginning.read(4) == b"PK\x03\x04":
            raise UnreadableFileError("it is an Excel workbook or another ZIP file; export it as CSV")
    csv.field_size_limit(_LONGEST_ROW)
    with _open_text(path) as stream:
        lines = _Lines(stream, _LONGEST_ROW)
        columns, delimiter = _csv_header(lines)
        places = {name: columns.index(name) for name in wanted if name in columns}

        def block(rows: list[_TextRow], numbers: list[int], bad: list[Refused]) -> Block:
            cells = [row.cells for row in rows]
            read = {
                name: pd.Series([row[place] or None for row in cells], index=numbers, dtype="str")
                for name, place in places.items()
            }
            return Block(columns, pd.DataFrame(read, index=numbers), bad, [row.text for row in rows])

        yield from _text_blocks(_csv_rows(lines, columns, delimiter), block)


def _csv_header(lines: _Lines) -> tuple[tuple[str, ...], str]:
    """The names of the first line that is not blank, and what separates them."""
    try:
        first = next((line for line in lines if line.strip()), "")
        lines.begin(first)
        n_quotes = first.count('"')
        while n_quotes % 2:
            n_quotes += next(lines, '"').count('"')
        unquoted = _QUOTED.sub("", lines.text)
        lines.give_back(keep=0)
        delimiter = max(",;\t", key=unquoted.count)
        columns = tuple(name.strip() for name in next(csv.reader(lines, delimiter=delimiter, strict=True), []))
    except (csv.Error, _TooLongError) as error:
        raise UnreadableFileError(f"its first line cannot be read ({error}); write the column names there") from error
    if not any(columns):
        raise UnreadableFileError("its first line has no column names; write them there")
    if any(_GARBLED.search(name) for name in columns):
        raise UnreadableFileError(f"its first line {_NOT_UTF8}")
    _check_columns(columns)
    return columns, delimiter


def _csv_rows(lines: _Lines, columns: Sequence[str], delimiter: str) -> Iterator[_TextRow]:
    """Every row that is not blank. After a quote that goes wrong, reading goes on with the very next line."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLongError) as error:
            lines.give_back(keep=1)
            yield _TextRow(lines.text, None, f"cannot be read: {error}")
            continue
        text = lines.text
        if not text.strip(" "):
            continue
        if len(cells) != len(columns):
            reason = f"has {len(cells)} fields where the first line has {len(columns)}"
            yield _TextRow(text, None, reason, "has another number of fields")
        else:
            yield _TextRow(text, cells, _NOT_UTF8 if _GARBLED.search(text) else None)


def _json_lines(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    with _open_text(path) as stream:
        rows = _json_rows(_Lines(stream, _LONGEST_JSON_ROW))
        first = next(rows, None)
        if first is None:
            raise UnreadableFileError("the file has no lines; write one JSON object a line")
        if first.reason is not None:
            raise UnreadableFileError(f"its first line {first.reason}: {first.text[:80]!r}; write one object a line")

        def block(rows: list[_TextRow], numbers: list[int], bad: list[Refused]) -> Block:
            columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
            read = {
                name: pd.Series([row.cells.get(name) for row in rows], index=numbers, dtype=object)
                for name in wanted
                if name in columns
            }
            return Block(columns, pd.DataFrame(read, index=numbers), bad, [row.text for row in rows])

        yield from _text_blocks(itertools.chain([first], rows), block)


def _json_rows(lines: _Lines) -> Iterator[_TextRow]:
    """Every line that is not blank."""
    while True:
        lines.begin()
        try:
            line = next(lines).strip()
        except StopIteration:
            return
        except _TooLongError as error:
            yield _TextRow(lines.text, None, str(error))
            continue
        if line:
            yield _json_row(line)


def _json_row(line: str) -> _TextRow:
    if _GARBLED.search(line):
        return _TextRow(line, None, _NOT_UTF8)
    try:
        value = json.loads(line, object_pairs_hook=_named_once)
    except RecursionError:
        return _TextRow(line, None, "is nested too deeply")
    except ValueError as error:
        return _TextRow(
            line, None, f"is no JSON object ({error})", f"is no JSON object: {getattr(error, 'msg', error)}"
        )
    return _TextRow(line, value) if isinstance(value, dict) else _TextRow(line, None, "is no JSON object")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _text_blocks(
    rows: Iterator[_TextRow], block: Callable[[list[_TextRow], list[int], list[Refused]], Block]
) -> Iterator[Block]:
    """Rows in blocks that are limited in rows and in characters."""
    number, is_first = 0, True
    while True:
        good: list[_TextRow] = []
        numbers: list[int] = []
        bad: list[Refused] = []
        size = 0
        for row in itertools.islice(rows, BLOCK_ROWS):
            number += 1
            size += len(row.text)
            if row.reason is None:
                good.append(row)
                numbers.append(number)
            else:
                bad.append(Refused(number, row.reason, _original(row.text), row.kind or row.reason))
            if size >= BLOCK_CHARACTERS:
                break
        if not is_first and not good and not bad:
            return
        yield block(good, numbers, bad)
        is_first = False


def _open_text(path: Path) -> TextIO:
    """A file in the encoding that its first bytes announce, UTF-8 without; what is no text there does not raise."""
    with path.open("rb") as stream:
        head = stream.read(4)
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    return path.open(encoding=encoding, errors=errors, newline="")


def _original(text: str) -> str:
    return printable(text[:_LONGEST_ORIGINAL])[:_LONGEST_ORIGINAL]


def _said(record: dict[Any, Any]) -> dict[str, Any]:
    """A row of a frame as JSON can say it: what is missing is null."""
    return {
        str(name): None if pd.api.types.is_scalar(value) and pd.isna(value) else value for name, value in record.items()
    }


def _only_bytes(text: str) -> bool:
    """Whether every half character in a text stands for a byte that is no UTF-8."""
    return all("\udc80" <= half <= "\udcff" for half in re.findall("[\ud800-\udfff]", text))


def _check_columns(columns: Sequence[str]) -> None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise UnreadableFileError(f"columns are named twice: {', '.join(map(repr, repeated))}; give each its own name")


_READERS: dict[str, Callable[[Path, Sequence[str]], Iterator[Block]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}

ENDINGS = tuple(_READERS)
"""Of the names of files that can be read."""
