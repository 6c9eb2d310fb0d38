"""From what sources say to the rows of every table of a ranking. Pure: no network, no database."""

from pipeline.rankings.stages.board import leaderboard_rows, snapshot_rows
from pipeline.rankings.stages.identity_rows import alias_rows, model_rows, unmatched_rows
from pipeline.rankings.stages.published import (
    Break,
    Published,
    break_rows,
    fetch_status_rows,
    names_of,
    unread_rows,
)
from pipeline.rankings.stages.results import benchmark_rows, result_rows, vocabulary_of
from pipeline.rankings.stages.scores import score_rows

__all__ = [
    "Break",
    "Published",
    "alias_rows",
    "benchmark_rows",
    "break_rows",
    "fetch_status_rows",
    "leaderboard_rows",
    "model_rows",
    "names_of",
    "result_rows",
    "score_rows",
    "snapshot_rows",
    "unmatched_rows",
    "unread_rows",
    "vocabulary_of",
]
