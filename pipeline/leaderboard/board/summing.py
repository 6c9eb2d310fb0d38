"""The ``all`` rows of a board, computed from the rows of its topics."""

import numpy as np

from pipeline.leaderboard.arrays import IntArray
from pipeline.leaderboard.board.aggregation import Aggregate, aggregate_numbers, aggregate_texts
from pipeline.leaderboard.board.columns import Column, absent
from pipeline.leaderboard.board.entries import ALL, Rows
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureSpec


def aggregate_rows(topics: Rows, spec: LeaderboardSpec, n_expected: int) -> Rows:
    """One ``all`` row for each run that has topics.

    Parameters
    ----------
    topics : Rows
        Rows of topics, each run and topic once.
    spec : LeaderboardSpec
        The measures.
    n_expected : int
        How many topics each run counts as having, those it lacks with the measures' defaults; 0 for what it has.
    """
    runs = np.unique(topics.run)
    columns = {
        measure.name: aggregates(measure, topics, spec, n_expected).take(runs.astype(np.int64))
        for measure in spec.measures
    }
    return Rows(topics.run_ids, topics.topic_ids, runs, np.full(len(runs), ALL, dtype=np.int32), columns)


def is_lost(measure: MeasureSpec, spec: LeaderboardSpec) -> bool:
    """Whether a measure of ``all`` rows cannot be computed from topics."""
    computable = measure.aggregate is not Aggregate.NONE and measure.source in spec.topic_names
    return measure.only_in_all and not computable


def aggregates(measure: MeasureSpec, topics: Rows, spec: LeaderboardSpec, n_expected: int) -> Column:
    """A measure's ``all`` values, shape (runs,)."""
    n_runs = len(topics.run_ids)
    column = topics.columns.get(measure.source)
    if column is None or (measure.only_in_all and is_lost(measure, spec)):
        return absent(measure, n_runs)
    run = topics.run.astype(np.int64)
    if column.is_text:
        return Column(aggregate_texts(measure.aggregate, column.strings, run, n_runs))
    n_present = np.bincount(run[column.present], minlength=n_runs)
    n_filled: IntArray = np.maximum(n_expected - n_present, 0)
    fill = spec[measure.source].default
    return Column(
        aggregate_numbers(
            measure.aggregate,
            column.numbers,
            run,
            n_runs,
            n_filled=n_filled,
            fill=None if fill is None else float(fill),
        )
    )
