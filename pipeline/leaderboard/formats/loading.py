"""Files and directories as one board: read, told apart, put together, and built."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.leaderboard.board.builder import LeaderboardBuilder
from pipeline.leaderboard.board.columns import Coded, Codes
from pipeline.leaderboard.board.coverage import CALLER
from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.board.measures import (
    ALL_TOPICS,
    LeaderboardSpec,
    MeasureName,
    MeasureSpec,
    OnMissing,
    require_name,
)
from pipeline.leaderboard.formats.cells import NONE, Cells, FormatError, Layout, stacked
from pipeline.leaderboard.formats.csv import read_csv
from pipeline.leaderboard.formats.detect import PLAIN_ROLES, kind_of
from pipeline.leaderboard.formats.inference import Inference, infer, refuse_no_numbers, refuse_topics_of_aggregates
from pipeline.leaderboard.formats.jsonl import read_jsonl
from pipeline.leaderboard.formats.meanings import meanings_together
from pipeline.leaderboard.formats.names import FormatName, run_of_file
from pipeline.leaderboard.formats.parquet import read_parquet
from pipeline.leaderboard.formats.pivot import Pivoted, pivot
from pipeline.leaderboard.formats.plain import read_plain
from pipeline.leaderboard.formats.qrels import topics_of_qrels

_READERS = {
    FormatName.JSONL: read_jsonl,
    FormatName.CSV: read_csv,
    FormatName.CSV_WIDE: read_csv,
    FormatName.PARQUET: read_parquet,
    FormatName.PARQUET_WIDE: read_parquet,
}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A board, and how it came about.

    Parameters
    ----------
    board : Leaderboard
        The board.
    formats : mapping of Path to str
        The format of every file that was read.
    inferences : tuple of Inference
        What each measure was taken for, and why.
    notes : tuple of str
        What was taken for granted, passed over or left out.
    layout : Layout or None
        How the file is written, where it was one and its aggregates were kept: it can then be written again byte for
        byte.
    """

    board: Leaderboard
    formats: Mapping[Path, FormatName]
    inferences: tuple[Inference, ...]
    notes: tuple[str, ...]
    layout: Layout | None


def load(
    path: Path | str | Sequence[Path | str],
    *,
    format: FormatName | str | None = None,
    run_id: str | None = None,
    drop_aggregate: bool = False,
    expected_topic_ids: Collection[str] | None = None,
    qrels: Path | str | None = None,
    on_missing: OnMissing | str = OnMissing.WARN,
    declared: Collection[MeasureSpec] = (),
    all_topic_id: str = ALL_TOPICS,
) -> Loaded:
    """Read files of evaluation results as one board.

    Parameters
    ----------
    path : path, or sequence of paths
        Files, or directories of them (not what is in folders there, nor hidden files).
    format : str, optional
        The format of all of them; by default each is told by its content.
    run_id : str, optional
        The run of a file whose content does not name one; by default the file's name.
    drop_aggregate : bool
        Whether to compute ``all`` rows anew instead of keeping those that are printed.
    expected_topic_ids : collection of str, optional
        The topics that every run should have; by default all that any run has.
    qrels : path, optional
        A file of relevance judgements that names them instead.
    on_missing : OnMissing
        What is done about runs that lack topics (:meth:`LeaderboardBuilder.build`).
    declared : collection of MeasureSpec
        What measures are, where what is known or concluded of them is wrong.
    all_topic_id : str
        What aggregate rows have for a topic.

    Raises
    ------
    FormatError
        If a file cannot be read, or values contradict each other; the message names file and line.
    FileNotFoundError
        If there is no such file.
    ValueError
        As :meth:`LeaderboardBuilder.build`; also if topics are named twice over, or ``declared`` names no measure.
    """
    return put_together(
        read_files(path, format=format, run_id=run_id, all_topic_id=all_topic_id),
        drop_aggregate=drop_aggregate,
        expected_topic_ids=expected_topic_ids,
        qrels=qrels,
        on_missing=on_missing,
        declared=declared,
    )


@dataclass(frozen=True, eq=False)
class FileRead:
    """What one file holds, to be put together with others as a board.

    Parameters
    ----------
    path : Path
        The file.
    cells : Cells or None
        Its values; None where there is none.
    all_topic_id : str
        What aggregate rows have for a topic.
    """

    path: Path
    cells: Cells | None
    all_topic_id: str

    @property
    def measures(self) -> tuple[MeasureName, ...]:
        """The measures in it."""
        return () if self.cells is None else tuple(self.cells.measure.texts.tolist())


def read_files(
    path: Path | str | Sequence[Path | str],
    *,
    format: FormatName | str | None = None,
    run_id: str | None = None,
    all_topic_id: str = ALL_TOPICS,
) -> tuple[FileRead, ...]:
    """Read files without making a board of them; :func:`put_together` does. Parameters and errors as :func:`load`."""
    named = None if format is None else _format(format)
    found = []
    for one in _files([path] if isinstance(path, (str, Path)) else path):
        cells = _read_file(one, named, all_topic_id)
        if cells is not None and len(cells):
            cells = _with_runs(cells, run_id)
            _refuse_names(cells)
            found.append(FileRead(one, cells, all_topic_id))
        else:
            found.append(FileRead(one, None, all_topic_id))
    return tuple(found)


def put_together(
    files: Sequence[FileRead],
    *,
    drop_aggregate: bool = False,
    expected_topic_ids: Collection[str] | None = None,
    qrels: Path | str | None = None,
    on_missing: OnMissing | str = OnMissing.WARN,
    declared: Collection[MeasureSpec] = (),
) -> Loaded:
    """Make a board of files that were read. Parameters and errors as :func:`load`."""
    expected, expected_from = _expected(expected_topic_ids, qrels)
    parts = [one.cells for one in files if one.cells is not None]
    empty = [one.path for one in files if one.cells is None]
    if not parts:
        raise FormatError(_nothing_in(empty))
    all_topic_id = files[0].all_topic_id
    in_files = meanings_together(parts)
    cells = stacked(parts)
    pivoted = pivot(cells, all_topic_id)
    inferences = infer(pivoted, _by_name(declared, pivoted.measures), in_files, len(expected or ()))
    refuse_no_numbers(cells, inferences)
    refuse_topics_of_aggregates(cells, inferences, all_topic_id)
    spec = LeaderboardSpec(tuple(one.measure for one in inferences), all_topic_id)
    builder = _builder(pivoted, spec, drop_aggregate)
    builder.expect_runs(run_of_file(one) for one in empty)
    board = builder.build(expected, on_missing, drop_aggregate, expected_from=expected_from)
    return Loaded(
        board,
        {part.paths[0]: FormatName(part.layout.format) for part in parts},
        inferences,
        (*cells.notes, *_notes(pivoted, empty)),
        replace(cells.layout, order=pivoted.order) if len(parts) == 1 and not drop_aggregate else None,
    )


def _format(name: str) -> FormatName:
    if name not in set(FormatName):
        raise ValueError(f"unknown format {name!r}; known: {', '.join(FormatName)}")
    return FormatName(name)


def _expected(topics: Collection[str] | None, qrels: Path | str | None) -> tuple[Collection[str] | None, str]:
    if topics is not None and qrels is not None:
        raise ValueError("expected topics are given both as a list and as a file of relevance judgements; give one")
    if qrels is None:
        return topics, CALLER
    return topics_of_qrels(Path(qrels)), Path(qrels).name


def _files(paths: Sequence[Path | str]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            path.stat()  # a FileNotFoundError that names it
            found.append(path)
            continue
        inside = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
        if not inside:
            raise FormatError(f"{path}: no file in it")
        found += inside
    return found


def _read_file(path: Path, named: FormatName | None, all_topic_id: str) -> Cells | None:
    kind = kind_of(path)
    if named is not None and named not in PLAIN_ROLES:
        if kind is None and path.stat().st_size == 0:
            return None
        return _READERS[named](path)
    if kind is None:
        return read_plain(path, named, all_topic_id)
    if named is not None:
        raise FormatError(f"{path}: this is {kind}, not {named}; leave the format out, or name the right one")
    return _READERS[kind](path)


def _with_runs(cells: Cells, run_id: str | None) -> Cells:
    """The cells with a run where the file names none."""
    if (cells.run.codes != NONE).all():
        return cells
    name = run_of_file(cells.paths[0]) if run_id is None else run_id
    require_name(name, "run id")
    texts = list(dict.fromkeys([*cells.run.texts.tolist(), name]))
    codes: Codes = np.where(cells.run.codes == NONE, texts.index(name), cells.run.codes).astype(np.int32)
    return replace(cells, run=Coded(codes, np.array(texts, dtype=object)))


def _refuse_names(cells: Cells) -> None:
    """Check that every name is one that any file can hold."""
    for what, column in (("run", cells.run), ("topic", cells.topic), ("measure", cells.measure)):
        for code, text in enumerate(column.texts.tolist()):
            try:
                require_name(text, what)
            except ValueError as error:
                if (at := np.flatnonzero(column.codes == code)).size:
                    raise FormatError(f"{cells.where(int(at[0]))}: {error}") from None


def _by_name(declared: Collection[MeasureSpec], names: Collection[str]) -> Mapping[MeasureName, MeasureSpec]:
    by_name = {measure.name: measure for measure in declared}
    if unknown := sorted(by_name.keys() - set(names)):
        raise ValueError(f"no measure {', '.join(map(repr, unknown))} in the files; they have: {', '.join(names)}")
    return by_name


def _builder(pivoted: Pivoted, spec: LeaderboardSpec, drop_aggregate: bool) -> LeaderboardBuilder:
    """A builder that has all rows; measures that cannot be computed anew are left out if they would have to be."""
    builder = LeaderboardBuilder.for_spec(spec, drop_aggregate)
    columns = dict(zip(pivoted.measures, pivoted.columns, strict=True))
    builder.add_columns(
        run_ids=pivoted.run, topic_ids=pivoted.topic, values={name: columns[name] for name in builder.spec.names}
    )
    return builder


def _notes(pivoted: Pivoted, empty: Sequence[Path]) -> list[str]:
    notes = [f"{path}: nothing in it, so run {run_of_file(path)!r} has no topic" for path in empty]
    if pivoted.n_repeated:
        notes.append(f"lines that repeat another one word for word or number for number: {pivoted.n_repeated}")
    return notes


def _nothing_in(paths: Sequence[Path]) -> str:
    return (
        f"{', '.join(map(str, paths))}: nothing in it; an evaluation that stopped early leaves an empty file behind "
        f"(trec_eval 10 does where a run lacks a topic and -c is not given)"
    )
