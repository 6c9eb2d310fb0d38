"""Files of text, row by row: separated values and JSON lines."""

import codecs
import csv
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from pipeline.landing.blocks import (
    BLOCK_CHARACTERS,
    BLOCK_ROWS,
    Block,
    Refused,
    UnreadableFileError,
    check_columns,
    original,
)

_LONGEST_ROW = 1_000_000
_LONGEST_JSON_ROW = 50_000_000
"""A run of a prompt experiment has its document, what was sent and what came back in one line."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GARBLED = re.compile("[\ud800-\udfff\ufffd]")
_QUOTED = re.compile(r'"[^"]*"')
_NOT_UTF8 = "is not UTF-8; save the file as UTF-8"


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


def separated(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a file of separated values; as :func:`pipeline.landing.files.read_blocks`."""
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
    check_columns(columns)
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


def json_lines(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a file of JSON lines; as :func:`pipeline.landing.files.read_blocks`."""
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
                bad.append(Refused(number, row.reason, original(row.text), row.kind or row.reason))
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
