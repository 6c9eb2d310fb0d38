"""Aggregates that were printed beside those computed from printed topics: what rounding explains, and what it does not.

A number printed to d decimals stands for anything within half a unit of the last one. What the topics stand for bounds
what their aggregate can be; a printed aggregate outside of that was computed from something else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.leaderboard.arrays import BoolArray, FloatArray
from pipeline.leaderboard.board.aggregation import Aggregate
from pipeline.leaderboard.board.columns import Coded, Column, absent, decimals, joined
from pipeline.leaderboard.board.entries import Rows
from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureName, MeasureSpec, Value
from pipeline.leaderboard.board.summing import aggregates, is_lost

_SLACK = 1e-9
"""What the order of additions may do, relative to the value and to 1."""


@dataclass(frozen=True)
class AggregateDifference:
    """An aggregate that is not what the run's topics sum up to, beyond what rounding explains.

    Parameters
    ----------
    run_id, measure : str
        Whose.
    printed : float or str
        What the ``all`` row has.
    recomputed : float or str
        What the topics sum up to.
    low, high : float or None
        Between which numbers it could be, given to how many decimals topics are printed; None for text.
    """

    run_id: str
    measure: MeasureName
    printed: Value
    recomputed: Value
    low: float | None
    high: float | None


def aggregate_differences(board: Leaderboard, n_expected: int = 0) -> tuple[AggregateDifference, ...]:
    """Every aggregate of a board that its topics do not sum up to, beyond rounding.

    Parameters
    ----------
    board : Leaderboard
        With the ``all`` rows as they were printed (``drop_aggregate=False``).
    n_expected : int
        How many topics each run counts as having, those it lacks with the measures' defaults; 0 for what it has.

    Returns
    -------
    tuple of AggregateDifference
        By measure, then run. Where nothing can be computed from topics, nothing is compared.
    """
    topics = board.rows.take(~board.rows.is_aggregate)
    found: list[AggregateDifference] = []
    for measure in board.spec.measures:
        if measure.aggregate is not Aggregate.NONE and not is_lost(measure, board.spec):
            found += _differences(board.rows, topics, measure, board.spec, n_expected)
    return tuple(found)


def agreement(
    measure: MeasureSpec, rows: Rows, spec: LeaderboardSpec, n_expected: int = 0
) -> tuple[BoolArray, BoolArray]:
    """For which runs a printed aggregate can be compared, and for which it agrees; both of shape (runs,)."""
    topics = rows.take(~rows.is_aggregate)
    compared = _printed(rows, measure).present & aggregates(measure, topics, spec, n_expected).present
    wrong = {one.run_id for one in _differences(rows, topics, measure, spec, n_expected)}
    agrees = np.array([run_id not in wrong for run_id in rows.run_ids], dtype=bool)
    return compared, compared & agrees


def _differences(
    rows: Rows, topics: Rows, measure: MeasureSpec, spec: LeaderboardSpec, n_expected: int
) -> list[AggregateDifference]:
    """Of one measure."""
    printed = _printed(rows, measure)
    recomputed = aggregates(measure, topics, spec, n_expected)
    compared = printed.present & recomputed.present
    if printed.is_text:
        wrong = compared & (printed.strings != recomputed.strings)
        low = high = np.full(len(printed), np.nan)
    else:
        low, high = _bounds(measure, topics, spec, n_expected)
        half = _half_of_last_place(printed)
        slack = _SLACK * np.maximum(1.0, np.abs(printed.numbers))
        within = (printed.numbers >= low - half - slack) & (printed.numbers <= high + half + slack)
        wrong = compared & ~within
    return [
        AggregateDifference(
            rows.run_ids[run],
            measure.name,
            value,
            anew,
            None if np.isnan(low[run]) else float(low[run]),
            None if np.isnan(high[run]) else float(high[run]),
        )
        for run in np.flatnonzero(wrong).tolist()
        if (value := printed.value(run)) is not None and (anew := recomputed.value(run)) is not None
    ]


def _printed(rows: Rows, measure: MeasureSpec) -> Column:
    """What the ``all`` rows have, shape (runs,)."""
    column = rows.columns[measure.name]
    place = np.full(len(rows.run_ids), len(column))  # the place of the one that is absent
    of_all = np.flatnonzero(rows.is_aggregate)
    place[rows.run[of_all]] = of_all
    return joined([column, absent(measure, 1)]).take(place)


def _bounds(
    measure: MeasureSpec, topics: Rows, spec: LeaderboardSpec, n_expected: int
) -> tuple[FloatArray, FloatArray]:
    """The lowest and highest that a measure's aggregate can be, shape (runs,)."""
    column = topics.columns[measure.source]
    half = _half_widths(column, topics)[topics.run]
    low, high = (
        aggregates(measure, _with(topics, measure.source, column.numbers + sign * half), spec, n_expected).numbers
        for sign in (-1, 1)
    )
    return low, high


def _with(rows: Rows, name: MeasureName, values: FloatArray) -> Rows:
    columns: Mapping[MeasureName, Column] = {**rows.columns, name: Column(values)}
    return replace(rows, columns=columns)


def _half_widths(column: Column, topics: Rows) -> FloatArray:
    """How far a run's numbers can be from what they stand for, shape (runs,).

    Half a unit of the last decimal where a run's are all printed to as many; nothing where they are not, where every
    digit was printed, and where they are whole.
    """
    if column.printed is None:
        return np.zeros(len(topics.run_ids))
    places, whole = _decimals_of(column.printed)
    n_runs = len(topics.run_ids)
    present = column.present
    least, most = np.full(n_runs, 99.0), np.full(n_runs, -1.0)
    np.minimum.at(least, topics.run[present], places[present])
    np.maximum.at(most, topics.run[present], places[present])
    is_whole = np.ones(n_runs, dtype=bool)
    np.logical_and.at(is_whole, topics.run[present], whole[present])
    is_rounded = (least == most) & (most > 0) & ~((most == 1) & is_whole)
    return np.where(is_rounded, 0.5 * 10.0 ** -np.maximum(most, 0), 0.0)


def _half_of_last_place(column: Column) -> FloatArray:
    """Half a unit of each number's last decimal; nothing for whole numbers.

    Among numbers as Python writes them, one decimal is no sign of rounding; more can be, as of ``round(mean, 4)``.
    """
    printed = Coded.of(column.texts().tolist()) if column.printed is None else column.printed
    places, whole = _decimals_of(printed)
    least = 1 if column.printed is None else 0
    return np.where((places > least) & ~((places == 1) & whole), 0.5 * 10.0**-places, 0.0)


def _decimals_of(printed: Coded) -> tuple[FloatArray, BoolArray]:
    """Of each number its decimals, 0 where it is no plain one, and whether all that it has is ``.0``."""
    of_text = [(decimals(text) or 0, text.endswith(".0")) for text in printed.texts.tolist()]
    places, whole = zip(*of_text, (0, True), strict=True)  # the last one: where there is no text
    return np.array(places, dtype=np.float64)[printed.codes], np.array(whole, dtype=bool)[printed.codes]
