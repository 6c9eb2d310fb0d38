"""The values of a board one after another, as texts: what every writer of lines is given."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.formats.names import Role

Out = tuple[str, str, str, str, bool]
"""Run, topic, measure, value, and whether the value is text."""

_PLACES = {Role.RUN: 0, Role.TOPIC: 1, Role.MEASURE: 2, Role.VALUE: 3}


class WriteError(ValueError):
    """A board that a format cannot hold; the message says which one can."""


def place_of(role: Role | None) -> int:
    """Where :data:`Out` has what a column holds."""
    return _PLACES[Role.VALUE if role is None else role]


def values_out(board: Leaderboard, *, rows: npt.NDArray[np.int64] | None = None, alike: bool = False) -> Iterator[Out]:
    """The values of a board, by row and measure; absent ones are left out.

    Parameters
    ----------
    board : Leaderboard
        The board.
    rows : int array, optional
        Which rows; by default all.
    alike : bool
        Whether computed numbers get as many decimals as those that were read, instead of every digit.
    """
    if rows is None:
        rows = np.arange(len(board.rows))
    columns = [board.rows.columns[name].take(rows) for name in board.measures]
    texts = [(column.texts_alike() if alike else column.texts()).tolist() for column in columns]
    kinds = [(measure.name, measure.dtype is str) for measure in board.spec.measures]
    run_ids, topic_ids = board.run_ids, (*board.topic_ids, board.all_topic_id)
    runs, topics = board.rows.run[rows].tolist(), board.rows.topic[rows].tolist()
    for run, topic, *values in zip(runs, topics, *texts, strict=True):
        run_id, topic_id = run_ids[run], topic_ids[topic]  # the topic -1 is the last one: all
        for (measure, is_text), value in zip(kinds, values, strict=True):
            if value is not None:
                yield run_id, topic_id, measure, value, is_text


def refuse_first(word: str) -> None:
    """Check the beginning of a line.

    Raises
    ------
    WriteError
        If a reader would take it for a comment or the heading of a section.
    """
    if word.startswith(("#", "MODEL:")):
        raise WriteError(f"a line that begins with {word!r} would not be read as values; write jsonl or parquet")


def in_file_order(values: Iterator[Out], order: npt.NDArray[np.int64]) -> Sequence[Out]:
    """Values as the lines of a file held them (:class:`Layout`); as they are if they are not as many."""
    found = list(values)
    return [found[at] for at in order.tolist()] if len(found) == len(order) else found
