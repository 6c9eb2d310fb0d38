"""Lines of columns: read fast where they are regular, and with an error that names the line where they are not."""

import contextlib
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.board.columns import Coded, Codes
from pipeline.leaderboard.formats.cells import FormatError

_LINES_AT_ONCE = 100_000
_SECTION = re.compile(r"MODEL:\s*(\S.*)")
_GZIP = b"\x1f\x8b"
_SHOWN = 60


@dataclass(frozen=True, eq=False)
class Table:
    """The lines of a file that have columns.

    Parameters
    ----------
    path : Path
        The file.
    columns : tuple of Coded
        Each of shape (lines,).
    line : int array
        Which line each is, from 1.
    section : Coded
        The name in the last line ``MODEL: name`` above; -1 without one.
    first : str
        The first line of columns as it is, without its end.
    line_end : str
        What ends the lines.
    ends_last_line : bool
        Whether the last one is ended.
    """

    path: Path
    columns: tuple[Coded, ...]
    line: npt.NDArray[np.int64]
    section: Coded
    first: str
    line_end: str
    ends_last_line: bool

    def __len__(self) -> int:
        return len(self.line)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """A ``with`` block that reads a file as text.

    Raises
    ------
    FormatError
        If it is not UTF-8, or gzipped and damaged.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path}:{_first_undecodable(path)}: no text in UTF-8 ({error.reason}); save the file as UTF-8"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{path}: the gzipped file is damaged: {error}; write or copy it again") from None


def _first_undecodable(path: Path) -> int:
    """The first line of a file that is not UTF-8."""
    with _opener(path)(path, "rb") as file:
        return next((number for number, line in enumerate(file, start=1) if not _is_utf_8(line)), 1)


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _opener(path: Path) -> Callable[[Path, str], IO[bytes]]:
    """What opens a file: as it is, or unpacked."""
    with path.open("rb") as file:
        return cast("Callable[[Path, str], IO[bytes]]", gzip.open if file.read(2) == _GZIP else open)


def open_text(path: Path) -> IO[str]:
    """A file as text, gzipped or not; lines keep their ends."""
    return io.TextIOWrapper(_opener(path)(path, "rb"), encoding="utf-8-sig", newline="\n")


def numbered_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Blocks of lines, and the number of the first of each.

    Raises
    ------
    FormatError
        If the file is not UTF-8, or damaged.
    """
    number = 1
    with readable(path), open_text(path) as file:
        while lines := list(itertools.islice(file, _LINES_AT_ONCE)):
            yield number, lines
            number += len(lines)


def is_blank_or_comment(line: str) -> bool:
    """Whether a line says nothing."""
    return not line or line.isspace() or line.startswith("#")


def read_table(path: Path) -> Table:
    """Read a file of lines of columns, split by tabs, or by any space where the first line of columns has no tab.

    Blank lines and those that begin with ``#`` are passed over; ``MODEL: name`` begins a section.

    Raises
    ------
    FormatError
        If lines have different numbers of columns, or the file is not UTF-8.
    """
    reader = _Reader(path)
    for number, lines in numbered_lines(path):
        reader.read(number, lines)
    return reader.table()


class _Places(dict[str, int]):
    """Texts, numbered as they come."""

    def __missing__(self, text: str) -> int:
        self[text] = place = len(self)
        return place


@dataclass(eq=False)
class _Reader:
    """Reads blocks of lines of one file."""

    path: Path
    by_tab: bool = False
    n_columns: int = 0
    first: str = ""
    first_number: int = 0
    last: str = "\n"
    places: list[_Places] = field(default_factory=list)
    codes: list[list[Codes]] = field(default_factory=list)
    numbers: list[npt.NDArray[np.int64]] = field(default_factory=list)
    sections: dict[str, int] = field(default_factory=dict)
    section_codes: list[Codes] = field(default_factory=list)
    section: int = -1

    def read(self, number: int, lines: Sequence[str]) -> None:
        """Take a block, the first line of which has that number."""
        self.last = lines[-1]
        if not self.n_columns and not self._begin(number, lines):
            self._set_sections(lines)
            return
        columns = self._columns(lines)
        if columns is None or _has_marks(columns[0]):
            self._read_one_by_one(number, lines)
        else:
            self._take(np.arange(number, number + len(lines)), columns, [self.section] * len(lines))

    def table(self) -> Table:
        """What was read."""
        none = np.empty(0, dtype=np.int32)
        columns = [
            _stripped(Coded(np.concatenate([none, *codes]), _texts(places)))
            for codes, places in zip(self.codes, self.places, strict=True)
        ]
        return Table(
            self.path,
            tuple(columns),
            np.concatenate([np.empty(0, dtype=np.int64), *self.numbers]),
            Coded(np.concatenate([none, *self.section_codes]), _texts(self.sections)),
            self.first,
            "\r\n" if self.first.endswith("\r") or self.last.endswith("\r\n") else "\n",
            self.last.endswith("\n"),
        )

    def _begin(self, number: int, lines: Sequence[str]) -> bool:
        """Learn from the first line of columns how the others are; False if there is none yet."""
        for at, line in enumerate(lines):
            if not is_blank_or_comment(line) and not _SECTION.match(line):
                self.first, self.first_number = line.rstrip("\n"), number + at
                self.by_tab = "\t" in line
                self.n_columns = len(self._split(line))
                self.places = [_Places() for _ in range(self.n_columns)]
                self.codes = [[] for _ in range(self.n_columns)]
                return True
        return False

    def _columns(self, lines: Sequence[str]) -> list[Sequence[str]] | None:
        """The columns of lines that all have as many as they should; None if one has not."""
        n = self.n_columns
        if not self.by_tab:
            rows = [line.split() for line in lines]
            return list(zip(*rows, strict=True)) if set(map(len, rows)) == {n} else None
        if {line.count("\t") for line in lines} != {n - 1}:
            return None
        texts = "".join(lines).replace("\n", "\t").split("\t")
        return [texts[at : n * len(lines) : n] for at in range(n)]

    def _split(self, line: str) -> list[str]:
        return line.split("\t") if self.by_tab else line.split()

    def _read_one_by_one(self, number: int, lines: Sequence[str]) -> None:
        rows: list[list[str]] = []
        numbers: list[int] = []
        sections: list[int] = []
        for at, line in enumerate(lines, start=number):
            if is_blank_or_comment(line):
                continue
            if heading := _SECTION.match(line):
                self.section = self.sections.setdefault(heading[1].strip(), len(self.sections))
                continue
            row = self._split(line)
            if len(row) != self.n_columns:
                raise FormatError(self._uneven(at, line, len(row)))
            rows.append(row)
            numbers.append(at)
            sections.append(self.section)
        if rows:
            self._take(np.array(numbers, dtype=np.int64), list(zip(*rows, strict=True)), sections)

    def _set_sections(self, lines: Sequence[str]) -> None:
        for line in lines:
            if heading := _SECTION.match(line):
                self.section = self.sections.setdefault(heading[1].strip(), len(self.sections))

    def _take(self, numbers: npt.NDArray[np.int64], columns: Sequence[Sequence[str]], sections: Sequence[int]) -> None:
        self.numbers.append(numbers)
        self.section_codes.append(np.array(sections, dtype=np.int32))
        for places, codes, texts in zip(self.places, self.codes, columns, strict=True):
            codes.append(np.fromiter(map(places.__getitem__, texts), dtype=np.int32, count=len(texts)))

    def _uneven(self, number: int, line: str, n_found: int) -> str:
        by = "tab-separated columns" if self.by_tab else "columns"
        shown = line.rstrip("\r\n")
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        return (
            f"{self.path}:{number}: {n_found} {by}, but line {self.first_number} has {self.n_columns}: {shown!r}; "
            f"complete the line, or begin it with # if it is a comment"
        )


def _has_marks(beginnings: Sequence[str]) -> bool:
    """Whether a line may be a comment or begin a section."""
    return any(text.startswith(("#", "MODEL:")) for text in set(beginnings))


def _texts(places: dict[str, int]) -> npt.NDArray[np.object_]:
    texts = np.empty(len(places), dtype=object)
    texts[:] = list(places)
    return texts


def _stripped(column: Coded) -> Coded:
    """A column without the spaces around its texts."""
    places: dict[str, int] = {}
    code_of = np.array([places.setdefault(text.strip(), len(places)) for text in column.texts.tolist()], dtype=np.int32)
    return Coded(code_of[column.codes] if len(code_of) else column.codes, _texts(places))
