"""CSV, long (one line for each value) and wide (one column for each measure); a header names the columns."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.leaderboard.formats.cells import Cells, FormatError, Layout
from pipeline.leaderboard.formats.names import FormatName, role_of
from pipeline.leaderboard.formats.out import Out, place_of, refuse_first
from pipeline.leaderboard.formats.records import cells_of_records
from pipeline.leaderboard.formats.text import is_blank_or_comment, open_text, readable


def read_csv(path: Path) -> Cells:
    """The cells of a CSV file; an empty field of a measure is no value.

    Raises
    ------
    FormatError
        If the header does not say what columns hold, or a line has more or fewer fields.
    """
    rows: list[Sequence[str]] = []
    numbers: list[int] = []
    last = "\n"

    def content(file: Iterable[str]) -> Iterator[str]:
        nonlocal last
        for line in file:
            last = line
            # A comment keeps its place, so that lines are counted right.
            yield "\n" if is_blank_or_comment(line) and not line.isspace() else line

    with readable(path), open_text(path) as file:
        reader = csv.reader(content(file), strict=True)
        try:
            header = [name.strip() for name in next((row for row in reader if row), [])]
            for row in filter(None, reader):
                if len(row) != len(header):
                    raise FormatError(
                        f"{path}:{reader.line_num}: {len(row)} fields, but the header has {len(header)}: "
                        f"{', '.join(header)}"
                    )
                rows.append(row)
                numbers.append(reader.line_num)
        except csv.Error as error:
            raise FormatError(f"{path}:{reader.line_num}: {error}; is a quotation mark not closed?") from None
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    layout = Layout(
        FormatName.CSV,
        tuple(header),
        line_end="\r\n" if last.endswith("\r\n") else "\n",
        ends_last_line=last.endswith("\n"),
    )
    return cells_of_records(path, header, columns, np.array(numbers, dtype=np.int64), layout, FormatName.CSV_WIDE)


def csv_lines(rows: Iterable[Sequence[str | None]]) -> Iterator[str]:
    """Lines of fields, quoted where they must be; the first row is the header.

    Raises
    ------
    WriteError
        If a line would be read as a comment.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="")
    for row in rows:
        refuse_first(row[0] or "")
        writer.writerow(["" if field is None else field for field in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def csv_rows(values: Iterable[Out], header: Sequence[str]) -> Iterator[Sequence[str]]:
    """The header, and a row for each value."""
    yield header
    places = [place_of(role_of(word)) for word in header]
    for value in values:
        yield [str(value[place]) for place in places]
