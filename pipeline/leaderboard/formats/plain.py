"""Lines of columns as cells, and cells as lines of columns: what the formats of three, four and six columns share."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.leaderboard.board.columns import Coded
from pipeline.leaderboard.formats.cells import NONE, Cells, FormatError, Layout
from pipeline.leaderboard.formats.detect import PLAIN_ROLES, RUN_ID, Columns, columns_of
from pipeline.leaderboard.formats.names import FormatName, Role, role_of
from pipeline.leaderboard.formats.out import Out, place_of, refuse_first
from pipeline.leaderboard.formats.text import Table, read_table

_GAP = re.compile(r"(\S+)( +)")


def read_plain(path: Path, named: FormatName | None, all_topic_id: str) -> Cells | None:
    """The cells of a file of lines of columns; None if it has none.

    The run is that of the column, else of the section, else of the line ``runid all NAME``; else there is none (-1).

    Raises
    ------
    FormatError
        If the format cannot be told, or a line is broken; the message names the line.
    """
    table = read_table(path)
    if not len(table):
        return None
    columns = columns_of(table, named, all_topic_id)
    table = _without_headers(table, columns.header)
    _refuse_empty(table, columns)
    by_role = {role: column for role, column in zip(columns.roles, table.columns, strict=True)}
    cells = Cells(
        run=by_role.get(Role.RUN, table.section),
        topic=by_role[Role.TOPIC],
        measure=by_role[Role.MEASURE],
        value=by_role[Role.VALUE],
        line=table.line,
        paths=(path,),
        path=np.zeros(len(table), dtype=np.int32),
        layout=_layout(table, columns),
        notes=_notes(path, columns),
    )
    if Role.RUN not in by_role and not len(table.section.texts):
        cells = replace(cells, run=_run_in_content(cells, all_topic_id))
    return cells if len(cells) else None


_TAB = (0, "\t")
_GAPS: dict[FormatName, tuple[tuple[int, str], ...]] = {
    FormatName.TREC_EVAL: ((22, "\t"), _TAB),
    FormatName.IR_MEASURES_Q: (_TAB, _TAB),
    FormatName.TOT: (_TAB, _TAB, _TAB),
    FormatName.IR_MEASURES: (_TAB, _TAB, _TAB),
}
"""How the tools pad a column and part it from the next."""


def plain_lines(values: Iterable[Out], name: FormatName, layout: Layout | None) -> Iterator[str]:
    """Lines of columns.

    Raises
    ------
    WriteError
        If a line would be read as a comment or the heading of a section.
    """
    gaps = layout.gaps if layout else _GAPS[name]
    header = layout.header if layout else ()
    places = [place_of(role) for role in (map(role_of, header) if header else PLAIN_ROLES[name])]
    if header:
        yield _line(header, gaps)
    in_sections, section = bool(layout and layout.in_sections), None
    for value in values:
        if in_sections and value[0] != section:
            section = value[0]
            yield f"MODEL: {section}"
        words = [str(value[place]) for place in places]
        refuse_first(words[0])
        yield _line(words, gaps)


def _line(words: Sequence[str], gaps: Sequence[tuple[int, str]]) -> str:
    """Columns, each but the last padded to its width and parted from the next."""
    padded = [f"{word:<{width}}{gap}" for word, (width, gap) in zip(words, gaps, strict=False)]
    return "".join([*padded, words[-1]])


def _without_headers(table: Table, header: Sequence[str]) -> Table:
    """The table without its header, which files that were put together repeat."""
    if not header:
        return table
    is_header = np.ones(len(table), dtype=bool)
    for column, word in zip(table.columns, header, strict=True):
        is_header &= column.codes == column.texts.tolist().index(word)
    kept = ~is_header
    columns = tuple(column.take(kept).compacted() for column in table.columns)
    return replace(table, columns=columns, line=table.line[kept], section=table.section.take(kept))


def _refuse_empty(table: Table, columns: Columns) -> None:
    for role, column in zip(columns.roles, table.columns, strict=True):
        empty = np.isin(column.codes, np.flatnonzero(column.texts == ""))
        if empty.any():
            raise FormatError(f"{table.path}:{table.line[np.argmax(empty)]}: no {role}; complete the line")


def _run_in_content(cells: Cells, all_topic_id: str) -> Coded:
    """The run that the line ``runid all NAME`` names, for every cell; -1 without one.

    Raises
    ------
    FormatError
        If several such lines name different runs.
    """
    is_run = _is(cells.measure, RUN_ID) & _is(cells.topic, all_topic_id)
    at = np.flatnonzero(is_run)
    none = Coded(np.full(len(cells), NONE, dtype=np.int32), cells.value.texts)
    if not len(at):
        return none
    codes = cells.value.codes[at]
    if (codes != codes[0]).any():
        other = at[np.argmax(codes != codes[0])]
        raise FormatError(
            f"{cells.where(int(other))}: runid is {cells.value.texts[cells.value.codes[other]]!r}, but "
            f"{cells.value.texts[codes[0]]!r} in line {cells.line[at[0]]}; split the file, or put a line MODEL: name "
            f"above each run"
        )
    return replace(none, codes=np.full(len(cells), codes[0], dtype=np.int32))


def _is(column: Coded, text: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.isin(column.codes, np.flatnonzero(column.texts == text))


def _layout(table: Table, columns: Columns) -> Layout:
    """How the file is written, going by its first line of columns."""
    first = table.first.rstrip("\r")
    if "\t" in first:
        gaps = [(len(text) if text.endswith(" ") else 0, "\t") for text in first.split("\t")]
    else:
        found = [(match[1], match[2]) for match in _GAP.finditer(first)]
        gaps = [(0, gap) if len(gap) == 1 else (len(text) + len(gap) - 2, "  ") for text, gap in found]
    return Layout(
        columns.format,
        columns.header,
        tuple(gaps[: len(table.columns) - 1]),
        table.line_end,
        table.ends_last_line,
        in_sections=bool(len(table.section.texts)),
    )


def _notes(path: Path, columns: Columns) -> tuple[str, ...]:
    notes = []
    if columns.format is FormatName.RANKING:
        notes.append(f"{path}: a ranking: the third column is taken for the run, the last for the measure")
    unread = [word for word, role in zip(columns.header, columns.roles, strict=False) if role is Role.UNREAD]
    if unread:
        notes.append(f"{path}: columns left unread: {', '.join(unread)}")
    return tuple(notes)
