"""The rows of a board: as columns, and as entries that are made when they are looked at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from pipeline.leaderboard.arrays import BoolArray, IntArray
from pipeline.leaderboard.board.columns import Codes, Column, joined
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureName, Value

ALL = -1
"""The topic code of an ``all`` row."""


@dataclass(frozen=True)
class LeaderboardEntry:
    """One row: a run, a topic (or ``all``), and the values of the measures that such a row has, None where absent."""

    run_id: str
    topic_id: str
    values: Mapping[MeasureName, Value | None]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as columns.

    Parameters
    ----------
    run_ids, topic_ids : tuple of str
        What the codes stand for, in the order of first appearance.
    run, topic : int array
        Codes of shape (rows,); a topic of -1 is the ``all`` row.
    columns : mapping of str to Column
        One for each measure, shape (rows,).
    """

    run_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]
    run: Codes
    topic: Codes
    columns: Mapping[MeasureName, Column]

    def __len__(self) -> int:
        return len(self.run)

    @property
    def is_aggregate(self) -> BoolArray:
        """Which rows are ``all`` rows."""
        return np.equal(self.topic, ALL)

    def take(self, rows: IntArray | BoolArray) -> "Rows":
        """Some of the rows, with the ids of all."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Rows(self.run_ids, self.topic_ids, self.run[rows], self.topic[rows], columns)

    def trimmed(self) -> "Rows":
        """The same rows, with only the ids that they have, in the order of first appearance."""
        run_ids, run = _used(self.run_ids, self.run)
        topic_ids, topic = _used(self.topic_ids, self.topic)
        return Rows(run_ids, topic_ids, run, topic, self.columns)


class Entries(Sequence[LeaderboardEntry]):
    """Rows as a sequence of entries, each made when it is asked for.

    Parameters
    ----------
    rows : Rows
        The rows.
    spec : LeaderboardSpec
        Their measures.
    """

    def __init__(self, rows: Rows, spec: LeaderboardSpec) -> None:
        self.rows = rows
        self.spec = spec

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> LeaderboardEntry: ...

    @overload
    def __getitem__(self, index: slice) -> "Entries": ...

    def __getitem__(self, index: int | slice) -> "LeaderboardEntry | Entries":
        """One entry, or a view of some."""
        if isinstance(index, slice):
            return Entries(self.rows.take(np.arange(len(self))[index]), self.spec)
        row = range(len(self))[index]
        topic = int(self.rows.topic[row])
        names = self.spec.names if topic == ALL else self.spec.topic_names
        return LeaderboardEntry(
            self.rows.run_ids[self.rows.run[row]],
            self.spec.all_topic_id if topic == ALL else self.rows.topic_ids[topic],
            {name: self.rows.columns[name].value(row) for name in names},
        )

    def __iter__(self) -> Iterator[LeaderboardEntry]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        return f"<{len(self)} entries of {len(self.rows.run_ids)} runs>"


def stacked(parts: Sequence[Rows]) -> Rows:
    """Rows below one another; the ids are those of the last."""
    columns = {name: joined([part.columns[name] for part in parts]) for name in parts[-1].columns}
    run = np.concatenate([part.run for part in parts])
    topic = np.concatenate([part.topic for part in parts])
    return Rows(parts[-1].run_ids, parts[-1].topic_ids, run, topic, columns)


def _used(ids: tuple[str, ...], codes: Codes) -> tuple[tuple[str, ...], Codes]:
    found, first = np.unique(codes, return_index=True)
    order = found[np.argsort(first)]
    order = order[order >= 0]
    place = np.full(len(ids) + 1, -1, dtype=np.int32)  # the last one is for the code -1
    place[order] = np.arange(len(order), dtype=np.int32)
    return tuple(ids[code] for code in order.tolist()), place[codes]
