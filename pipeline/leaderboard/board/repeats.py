"""Rows of one run and topic that occur more than once: joined where they agree, refused where they contradict."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pipeline.leaderboard.arrays import BoolArray, IntArray
from pipeline.leaderboard.board.columns import Column
from pipeline.leaderboard.board.entries import ALL, Rows
from pipeline.leaderboard.board.measures import MeasureName

_SHOWN = 10


class ContradictionError(ValueError):
    """A run, topic and measure with two values; the message lists them."""


def once(rows: Rows, which: BoolArray) -> Rows:
    """Rows of which each run and topic has one.

    Of what is repeated, the first row stays, and takes from the others the measures that it lacks.

    Parameters
    ----------
    rows : Rows
        The rows.
    which : bool array
        Those that are looked at, shape (rows,); the others stay as they are.

    Raises
    ------
    ContradictionError
        If two of them give one measure different values.
    """
    key = rows.run.astype(np.int64) * (len(rows.topic_ids) + 1) + rows.topic + 1
    key = np.where(which, key, -1 - np.arange(len(rows)))  # what is not looked at is like no other
    found, first, row_of = np.unique(key, return_index=True, return_inverse=True)
    if len(found) == len(rows):
        return rows
    contradicted: list[str] = []
    columns: dict[MeasureName, Column] = {}
    for name, column in rows.columns.items():
        columns[name], wrong = _first_present(column, row_of, first)
        contradicted += [_described(rows, name, int(one), int(other)) for one, other in wrong]
    if contradicted:
        more = f"; and {len(contradicted) - _SHOWN} more" if len(contradicted) > _SHOWN else ""
        raise ContradictionError(f"{'; '.join(contradicted[:_SHOWN])}{more}; keep one of each")
    in_order = np.argsort(first)
    kept = replace(rows.take(first), columns=columns)
    return kept.take(in_order)


def _first_present(column: Column, row_of: IntArray, first: IntArray) -> tuple[Column, IntArray]:
    """Of each group of rows the first value that there is; and pairs of rows that contradict, shape (pairs, 2)."""
    present = np.flatnonzero(column.present)
    source = first.copy()
    groups, at = np.unique(row_of[present], return_index=True)
    source[groups] = present[at]
    differs = column.values[present] != column.values[source[row_of[present]]]
    other = present[np.asarray(differs, dtype=bool)]
    return column.take(source), np.stack([source[row_of[other]], other], axis=1)


def _described(rows: Rows, name: MeasureName, one: int, other: int) -> str:
    values: Mapping[int, object] = {row: rows.columns[name].value(row) for row in (one, other)}
    topic = "all" if rows.topic[one] == ALL else rows.topic_ids[rows.topic[one]]
    return f"run {rows.run_ids[rows.run[one]]!r} has {name} {values[one]!r} and {values[other]!r} for topic {topic!r}"
