"""Named columns as cells: what CSV and Parquet, long and wide, have in common."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.board.columns import Coded
from pipeline.leaderboard.formats.cells import Cells, FormatError, Layout
from pipeline.leaderboard.formats.names import FormatName, Role, role_of


def cells_of_records(
    path: Path,
    header: Sequence[str],
    columns: Sequence[Sequence[str | None]],
    line: npt.NDArray[np.int64],
    layout: Layout,
    wide: FormatName,
) -> Cells:
    """Cells of columns of texts; a column that names a measure makes them long, none makes them wide.

    Parameters
    ----------
    path : Path
        Where they were read.
    header : sequence of str
        Names of the columns, each once.
    columns : sequence of sequences of str or None
        Each of shape (rows,); empty or None is no value.
    line : int array
        The line of each row, shape (rows,).
    layout : Layout
        Of the long form.
    wide : FormatName
        The format's name in the wide form.

    Raises
    ------
    FormatError
        If the header does not say what columns hold, or a row has no topic or measure.
    """
    roles = _roles(path, header)
    by_role = {role: column for role, column in zip(roles, columns, strict=True) if role is not None}
    if Role.MEASURE in by_role:
        unread = [name for name, role in zip(header, roles, strict=True) if role is None]
        notes = (f"{path}: columns left unread: {', '.join(unread)}",) if unread else ()
        return _cells(path, by_role, line, replace(layout, header=tuple(header)), notes)
    measures = [(name, column) for name, column, role in zip(header, columns, roles, strict=True) if role is None]
    n_rows, n_measures = len(line), len(measures)
    by_role = {role: _repeated(column, n_measures) for role, column in by_role.items()}
    by_role[Role.MEASURE] = [name for name, _ in measures] * n_rows
    by_role[Role.VALUE] = [value for row in zip(*(column for _, column in measures), strict=True) for value in row]
    empty = [name for name, column in measures if not any(column)]
    notes = (f"{path}: columns without a value: {', '.join(empty)}",) if empty else ()
    return _cells(path, by_role, np.repeat(line, n_measures), replace(layout, format=wide, header=tuple(header)), notes)


def _roles(path: Path, header: Sequence[str]) -> list[Role | None]:
    """What each column holds: None is left unread in the long form, and a measure in the wide one.

    A wide file may have a measure called as a run or topic might be (``runid``): the first such column is it.
    """
    roles = [role_of(name) for name in header]
    if Role.MEASURE not in roles:
        first = {roles.index(role) for role in (Role.RUN, Role.TOPIC) if role in roles}
        roles = [role if at in first else None for at, role in enumerate(roles)]
    known = [role for role in roles if role is not None]
    needed = {Role.TOPIC, Role.VALUE} if Role.MEASURE in known else {Role.TOPIC}
    if lacking := sorted(needed - set(known)):
        raise FormatError(
            f"{path}:1: the header names no {' and no '.join(lacking)}: {', '.join(header)}; long files have run_id, "
            f"topic_id, measure, value, wide ones run_id, topic_id and a column for each measure"
        )
    if len(set(header)) < len(header) or len(set(known)) < len(known):
        raise FormatError(f"{path}:1: several of the columns {', '.join(header)} hold the same; keep one of each")
    if Role.MEASURE not in known and len(known) == len(header):
        raise FormatError(f"{path}:1: no measure among the columns {', '.join(header)}")
    return roles


def _cells(
    path: Path,
    by_role: dict[Role, Sequence[str | None]],
    line: npt.NDArray[np.int64],
    layout: Layout,
    notes: tuple[str, ...],
) -> Cells:
    for role in (Role.RUN, Role.TOPIC, Role.MEASURE):
        for at, text in zip(line.tolist(), by_role.get(role, ()), strict=False):
            if not text:
                raise FormatError(f"{path}:{at}: no {role}; complete the line")
    cells = Cells(
        run=Coded.of([None] * len(line)) if Role.RUN not in by_role else _coded(by_role[Role.RUN]),
        topic=_coded(by_role[Role.TOPIC]),
        measure=_coded(by_role[Role.MEASURE]),
        value=_coded([text or None for text in by_role[Role.VALUE]]),
        line=line,
        paths=(path,),
        path=np.zeros(len(line), dtype=np.int32),
        layout=layout,
        notes=notes,
    )
    is_wide = layout.format in (FormatName.CSV_WIDE, FormatName.PARQUET_WIDE)
    return cells.taken(cells.value.codes >= 0) if is_wide else cells


def _coded(texts: Sequence[str | None]) -> Coded:
    return Coded.of([None if text is None else text.strip() for text in texts])


def _repeated(column: Sequence[str | None], times: int) -> list[str | None]:
    return [value for value in column for _ in range(times)]
