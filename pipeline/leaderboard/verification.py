"""Whether a board is what it should be: checks that each list all that is wrong, and change nothing."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.leaderboard.arrays import BoolArray
from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.board.measures import MeasureName, is_number
from pipeline.leaderboard.board.rounding import aggregate_differences


class Check(StrEnum):
    """What can be checked."""

    COMPLETE_GRID = "complete_grid"
    """Every run has every expected topic, and every measure there."""
    SAME_TOPICS = "same_topics"
    """Every run has the topics that the others have."""
    NO_EXTRA_TOPICS = "no_extra_topics"
    """No run has a topic that nobody expects."""
    AGGREGATES_MATCH = "aggregates_match"
    """Every aggregate is what the run's topics sum up to, within rounding, and every run has one if any has."""
    CONSISTENT_TYPES = "consistent_types"
    """The values of a measure are all numbers, or none is."""


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong.

    Parameters
    ----------
    check : Check
        Which check found it.
    message : str
        What is wrong, in words.
    run_id, topic_id, measure : str, optional
        Where.
    """

    check: Check
    message: str
    run_id: str | None = None
    topic_id: str | None = None
    measure: MeasureName | None = None


def verify(
    board: Leaderboard,
    *,
    expected_topic_ids: Collection[str] | None = None,
    checks: Collection[Check | str] = tuple(Check),
) -> tuple[Violation, ...]:
    """Check a board, with its aggregates as they were printed.

    Parameters
    ----------
    board : Leaderboard
        Read with ``drop_aggregate=False``.
    expected_topic_ids : collection of str, optional
        The topics that every run should have, over which aggregates are then taken, too; by default those that the
        board expects, or else that any run has.
    checks : collection of Check
        Which ones; by default all.

    Returns
    -------
    tuple of Violation
        All there are, by check; empty where nothing is wrong.

    Raises
    ------
    ValueError
        If a check is not known.
    """
    if unknown := [check for check in checks if check not in set(Check)]:
        raise ValueError(f"unknown check {', '.join(map(repr, unknown))}; known: {', '.join(Check)}")
    expected = tuple(
        dict.fromkeys(board.coverage.expected_topic_ids if expected_topic_ids is None else expected_topic_ids)
    )
    n_expected = 0 if expected_topic_ids is None else len(expected)
    found: dict[Check, Callable[[], Iterator[Violation]]] = {
        Check.COMPLETE_GRID: lambda: complete_grid(board, expected),
        Check.SAME_TOPICS: lambda: same_topics(board),
        Check.NO_EXTRA_TOPICS: lambda: no_extra_topics(board, expected),
        Check.AGGREGATES_MATCH: lambda: aggregates_match(board, n_expected),
        Check.CONSISTENT_TYPES: lambda: consistent_types(board),
    }
    return tuple(one for check in Check if check in checks for one in found[check]())


def complete_grid(board: Leaderboard, expected_topic_ids: Sequence[str]) -> Iterator[Violation]:
    """Topics that runs lack, and measures that they lack there; of a measure that a run lacks everywhere, once."""
    for run_id in board.coverage.run_ids:
        if run_id not in board.run_ids:
            yield Violation(Check.COMPLETE_GRID, f"run {run_id!r} has nothing at all", run_id)
    has_row = _has_row(board)
    place = {topic: at for at, topic in enumerate(board.topic_ids)}
    for run, run_id in enumerate(board.run_ids):
        for topic in expected_topic_ids:
            if topic not in place or not has_row[run, place[topic]]:
                yield Violation(Check.COMPLETE_GRID, f"run {run_id!r} lacks topic {topic!r}", run_id, topic)
    for name in board.spec.topic_names:
        yield from _lacking_measure(board, name, has_row)


def same_topics(board: Leaderboard) -> Iterator[Violation]:
    """Topics that a run lacks and another has."""
    lacks = ~_has_row(board)
    for run, topic in np.argwhere(lacks).tolist():
        run_id, topic_id = board.run_ids[run], board.topic_ids[topic]
        yield Violation(Check.SAME_TOPICS, f"run {run_id!r} lacks topic {topic_id!r}, others have it", run_id, topic_id)


def no_extra_topics(board: Leaderboard, expected_topic_ids: Collection[str]) -> Iterator[Violation]:
    """Topics of a run that nobody expects."""
    expected = set(expected_topic_ids)
    extra = [at for at, topic in enumerate(board.topic_ids) if topic not in expected]
    has_row = _has_row(board)
    for run, run_id in enumerate(board.run_ids):
        for topic in extra:
            if has_row[run, topic]:
                topic_id = board.topic_ids[topic]
                said = f"run {run_id!r} has topic {topic_id!r}, which is not expected"
                yield Violation(Check.NO_EXTRA_TOPICS, said, run_id, topic_id)


def aggregates_match(board: Leaderboard, n_expected: int = 0) -> Iterator[Violation]:
    """Aggregates that a run's topics do not sum up to, and runs without any where others have them."""
    has_aggregate = np.zeros(len(board.run_ids), dtype=bool)
    has_aggregate[board.rows.run[board.rows.is_aggregate]] = True
    if has_aggregate.any():
        for run in np.flatnonzero(~has_aggregate).tolist():
            run_id = board.run_ids[run]
            said = f"run {run_id!r} has no {board.all_topic_id!r} row, others have one"
            yield Violation(Check.AGGREGATES_MATCH, said, run_id, board.all_topic_id)
    for one in aggregate_differences(board, n_expected):
        is_exact = one.low is None or one.high is None or one.low == one.high
        between = "" if is_exact else f" (between {one.low:.6g} and {one.high:.6g})"
        said = f"{one.measure} of run {one.run_id!r} is {_shown(one.printed)}"
        said += f", its topics sum up to {_shown(one.recomputed)}{between}"
        yield Violation(Check.AGGREGATES_MATCH, said, one.run_id, board.all_topic_id, one.measure)


def consistent_types(board: Leaderboard) -> Iterator[Violation]:
    """Values that make a measure text although others are numbers, or numbers among texts: whichever are fewer."""
    entries = board.entries
    for measure in board.spec.measures:
        if measure.dtype is not str:
            continue
        values = board.rows.columns[measure.name].strings.tolist()
        numbers = [row for row, value in enumerate(values) if value is not None and is_number(value)]
        texts = [row for row, value in enumerate(values) if value is not None and not is_number(value)]
        if not numbers or not texts:
            continue
        fewer, what, others = (
            (texts, "no number", numbers) if len(texts) <= len(numbers) else (numbers, "a number", texts)
        )
        for row in fewer:
            entry = entries[row]
            said = (
                f"{measure.name} of run {entry.run_id!r} for topic {entry.topic_id!r} is {values[row]!r}, {what}, "
                f"unlike {len(others)} others"
            )
            yield Violation(Check.CONSISTENT_TYPES, said, entry.run_id, entry.topic_id, measure.name)


def _lacking_measure(board: Leaderboard, name: MeasureName, has_row: BoolArray) -> Iterator[Violation]:
    has_value = np.zeros(has_row.shape, dtype=bool)
    rows = board.rows
    present = rows.columns[name].present & ~rows.is_aggregate
    has_value[rows.run[present], rows.topic[present]] = True
    for run in np.flatnonzero((has_row & ~has_value).any(axis=1)).tolist():
        run_id = board.run_ids[run]
        if not has_value[run].any():
            yield Violation(Check.COMPLETE_GRID, f"run {run_id!r} has no {name} at all", run_id, measure=name)
            continue
        for topic in np.flatnonzero(has_row[run] & ~has_value[run]).tolist():
            topic_id = board.topic_ids[topic]
            said = f"run {run_id!r} has no {name} for topic {topic_id!r}"
            yield Violation(Check.COMPLETE_GRID, said, run_id, topic_id, name)


def _has_row(board: Leaderboard) -> BoolArray:
    """Whether a run has a topic, shape (runs, topics)."""
    has = np.zeros((len(board.run_ids), len(board.topic_ids)), dtype=bool)
    of_topic = ~board.rows.is_aggregate
    has[board.rows.run[of_topic], board.rows.topic[of_topic]] = True
    return has


def _shown(value: float | str) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.6g}"
