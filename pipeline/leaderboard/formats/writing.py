"""A board as files: each format's lines, in the order of the board or as they were in the file that was read."""

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.board.measures import MeasureName
from pipeline.leaderboard.formats.cells import Layout
from pipeline.leaderboard.formats.csv import csv_lines, csv_rows
from pipeline.leaderboard.formats.jsonl import jsonl_lines
from pipeline.leaderboard.formats.meanings import meanings_of
from pipeline.leaderboard.formats.names import FormatName, Role, role_of
from pipeline.leaderboard.formats.out import WriteError, in_file_order, values_out
from pipeline.leaderboard.formats.parquet import write_parquet
from pipeline.leaderboard.formats.plain import plain_lines
from pipeline.leaderboard.formats.wide import LONG, long_columns, records, wide_columns

_OF_ONE_RUN = {FormatName.TREC_EVAL: ".eval", FormatName.IR_MEASURES_Q: ".tsv"}
"""Formats of which a file holds one run, and how its name ends."""


def write(
    board: Leaderboard,
    path: Path | str,
    format: FormatName | str,
    layout: Layout | None = None,
    *,
    meanings: Collection[MeasureName] = (),
) -> tuple[Path, ...]:
    """Write a board.

    Numbers that were read are written as they were. Those that were computed have as many decimals as the others of
    their measure in the formats of ``trec_eval -q`` and ``ir_measures -q``, and every digit in the others.

    Parameters
    ----------
    board : Leaderboard
        What to write.
    path : path
        The file; for a format that holds one run in each, of several runs the folder, with a file named by each.
    format : str
        One of :class:`FormatName`, but ``ranking``.
    layout : Layout, optional
        How the file was written that the board was read from, to write the same bytes where the format is the same.
    meanings : collection of str
        Measures whose meaning is written too, in the formats that hold it (JSON lines, Parquet): a reader then takes
        them for what they are here, instead of what their values look like.

    Returns
    -------
    tuple of Path
        The files that were written.

    Raises
    ------
    WriteError
        If the format cannot hold the board: a name in it would be read as something else, or a run names no file. If
        there is no folder to write to.
    ValueError
        If the format is not known.
    """
    name, target = _format(format), Path(path)
    if not target.parent.is_dir():
        raise WriteError(f"{target}: there is no folder {str(target.parent)!r}; make it first")
    layout = layout if layout is not None and layout.format == name and _holds(layout, board) else None
    is_in_sections = layout is not None and layout.in_sections
    if name in _OF_ONE_RUN and not is_in_sections and (len(board.run_ids) > 1 or target.is_dir()):
        return _write_runs(board, target, name)
    if name is FormatName.PARQUET:
        write_parquet(target, long_columns(values_out(board)), meanings_of(board, meanings))
    elif name is FormatName.PARQUET_WIDE:
        write_parquet(target, wide_columns(board, as_text=False), meanings_of(board, meanings))
    else:
        _write_lines(target, _lines(board, name, layout, meanings), layout)
    return (target,)


def _format(name: str) -> FormatName:
    known = [one for one in FormatName if one is not FormatName.RANKING]
    if name not in known:
        raise ValueError(f"unknown format to write: {name!r}; known: {', '.join(known)}")
    return FormatName(name)


def _holds(layout: Layout, board: Leaderboard) -> bool:
    """Whether a file written that way has a place for everything on the board."""
    roles = [role_of(word) for word in layout.header]
    if layout.format in (FormatName.CSV_WIDE, FormatName.PARQUET_WIDE):
        return Role.RUN in roles or len(board.run_ids) < 2
    return not layout.header or (None not in roles and (Role.RUN in roles or len(board.run_ids) < 2))


def _write_runs(board: Leaderboard, folder: Path, name: FormatName) -> tuple[Path, ...]:
    """A file for each run in a folder."""
    if folder.exists() and not folder.is_dir():
        raise WriteError(
            f"{folder} is a file; {name} holds one run in each, and the board has {len(board.run_ids)}: name a folder, "
            f"or a format with a column for the run (tot, ir_measures, jsonl, csv)"
        )
    for run_id in board.run_ids:
        if "/" in run_id or "\\" in run_id or run_id.startswith("."):
            raise WriteError(f"run {run_id!r} cannot name a file; write tot, ir_measures, jsonl or csv instead")
    folder.mkdir(parents=True, exist_ok=True)
    by_run = np.argsort(board.rows.run, kind="stable")
    bounds = np.searchsorted(board.rows.run[by_run], np.arange(len(board.run_ids) + 1)).tolist()
    paths = tuple(folder / f"{run_id}{_OF_ONE_RUN[name]}" for run_id in board.run_ids)
    for path, begin, end in zip(paths, bounds[:-1], bounds[1:], strict=True):
        values = values_out(board, rows=by_run[begin:end], alike=True)
        _write_lines(path, plain_lines(values, name, None), None)
    return paths


def _lines(
    board: Leaderboard, name: FormatName, layout: Layout | None, meanings: Collection[MeasureName]
) -> Iterable[str]:
    header = layout.header if layout is not None and layout.header else LONG
    if name is FormatName.CSV_WIDE:
        return csv_lines(records(wide_columns(board, layout.header if layout else (), as_text=True)))
    values = values_out(board, alike=name in _OF_ONE_RUN)
    in_order = values if layout is None or layout.order is None else in_file_order(values, layout.order)
    if name is FormatName.JSONL:
        return jsonl_lines(in_order, header, meanings_of(board, meanings))
    if name is FormatName.CSV:
        return csv_lines(csv_rows(in_order, header))
    return plain_lines(in_order, name, layout)


def _write_lines(path: Path, lines: Iterable[str], layout: Layout | None) -> None:
    """Write a file as a whole or not at all."""
    line_end = layout.line_end if layout else "\n"
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            is_first = True
            for line in lines:
                file.write(line if is_first else line_end + line)
                is_first = False
            if not is_first and (layout is None or layout.ends_last_line):
                file.write(line_end)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
