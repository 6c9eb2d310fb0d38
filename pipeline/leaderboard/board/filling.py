"""Rows for topics that runs lack, with the measures' defaults, where a board is to have them."""

from dataclasses import replace

import numpy as np

from pipeline.leaderboard.board.columns import Column, absent, constant, joined
from pipeline.leaderboard.board.coverage import Coverage
from pipeline.leaderboard.board.entries import Rows, stacked
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureSpec


def with_defaults(rows: Rows, coverage: Coverage, spec: LeaderboardSpec) -> Rows:
    """The rows, and below them one for each that is missing; what they lack has the default of its measure.

    Nothing is filled in for a measure of which a run has no value at all: what was never measured is not a 0.
    """
    known = set(rows.topic_ids)
    topic_ids = (*rows.topic_ids, *(topic for topic in coverage.expected_topic_ids if topic not in known))
    place = {topic: at for at, topic in enumerate(topic_ids)}
    runs, missing = np.nonzero(~coverage.has)
    topics = np.array([place[coverage.expected_topic_ids[at]] for at in missing.tolist()], dtype=np.int32)
    columns = {measure.name: absent(measure, len(runs)) for measure in spec.measures}
    new = Rows(rows.run_ids, topic_ids, runs.astype(np.int32), topics, columns)
    every = stacked([replace(rows, topic_ids=topic_ids), new])
    return replace(every, columns={measure.name: _filled(measure, every) for measure in spec.measures})


def _filled(measure: MeasureSpec, rows: Rows) -> Column:
    column = rows.columns[measure.name]
    if measure.only_in_all:
        return column
    of_topic = ~rows.is_aggregate
    was_measured = np.zeros(len(rows.run_ids), dtype=bool)
    was_measured[rows.run[of_topic & column.present]] = True
    source = np.arange(len(rows))
    source[of_topic & ~column.present & was_measured[rows.run]] = len(rows)
    return joined([column, constant(measure, measure.default, 1)]).take(source)
