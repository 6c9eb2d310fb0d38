"""What every reader makes of a file: one cell per line, a run, topic, measure and value, and where each was read."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.board.columns import Coded, Codes
from pipeline.leaderboard.board.measures import MeasureSpec

NONE = -1
_LONGEST = 1_500
"""Characters of a message."""


class FormatError(ValueError):
    """A file that cannot be read; the message names it, the line, and what would be right.

    Of what a file holds at that place it shows as much as a person reads.
    """

    def __init__(self, message: str) -> None:
        half = _LONGEST // 2
        super().__init__(message if len(message) <= _LONGEST else f"{message[:half]} [...] {message[-half:]}")


@dataclass(frozen=True)
class Layout:
    """How a file is written, beyond what a board says, so that it can be written again byte for byte.

    Parameters
    ----------
    format : str
        Name of the format.
    header : tuple of str
        Its first line's words; empty without one.
    gaps : tuple of (int, str)
        Of each column but the last, the width to which it is padded, and what follows.
    line_end : str
        What ends a line.
    ends_last_line : bool
        Whether the last line is ended, too.
    order : int array, optional
        For each line the value that it holds, counted on the board by row, then measure; None if in that order.
    in_sections : bool
        Whether runs are told apart by lines ``MODEL: run``.
    """

    format: str
    header: tuple[str, ...] = ()
    gaps: tuple[tuple[int, str], ...] = ()
    line_end: str = "\n"
    ends_last_line: bool = True
    order: npt.NDArray[np.int64] | None = field(default=None, compare=False)
    in_sections: bool = False


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one file, or of several below each other.

    Parameters
    ----------
    run, topic, measure, value : Coded
        Shape (cells,). A run that the file does not name is -1, as is a value that is absent.
    line : int array
        The line (or row) of each, counted from 1.
    paths : tuple of Path
        The files.
    path : int array
        Which one each cell is of.
    layout : Layout
        How the file is written; of several, the first.
    notes : tuple of str
        What was taken for granted.
    declared : tuple of MeasureSpec
        What the file itself says that measures mean.
    """

    run: Coded
    topic: Coded
    measure: Coded
    value: Coded
    line: npt.NDArray[np.int64]
    paths: tuple[Path, ...]
    path: Codes
    layout: Layout
    notes: tuple[str, ...] = ()
    declared: tuple[MeasureSpec, ...] = ()

    def __len__(self) -> int:
        return len(self.line)

    def where(self, cell: int) -> str:
        """The file and line of a cell."""
        return f"{self.paths[self.path[cell]]}:{self.line[cell]}"

    def taken(self, which: npt.NDArray[np.bool_]) -> "Cells":
        """Some of the cells, with the texts that they have."""
        parts = {name: getattr(self, name).take(which).compacted() for name in ("run", "topic", "measure", "value")}
        return replace(self, **parts, line=self.line[which], path=self.path[which])


def stacked(parts: Sequence[Cells]) -> Cells:
    """Cells of several files below each other."""
    if len(parts) == 1:
        return parts[0]
    return Cells(
        run=_joined([part.run for part in parts]),
        topic=_joined([part.topic for part in parts]),
        measure=_joined([part.measure for part in parts]),
        value=_joined([part.value for part in parts]),
        line=np.concatenate([part.line for part in parts]),
        paths=tuple(path for part in parts for path in part.paths),
        path=np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts]),
        layout=parts[0].layout,
        notes=tuple(note for part in parts for note in part.notes),
        declared=tuple(dict.fromkeys(measure for part in parts for measure in part.declared)),
    )


def _joined(parts: Sequence[Coded]) -> Coded:
    """Coded texts below each other, each distinct text once."""
    places: dict[str, int] = {}
    codes: list[Codes] = []
    for part in parts:
        code_of = [places.setdefault(text, len(places)) for text in part.texts.tolist()]
        codes.append(np.array([*code_of, NONE], dtype=np.int32)[part.codes])
    texts = np.empty(len(places), dtype=object)
    texts[:] = list(places)
    return Coded(np.concatenate(codes), texts)
