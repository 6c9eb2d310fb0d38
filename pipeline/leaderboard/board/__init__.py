"""Boards of runs, topics and measures: what a measure is, the builder, and what it builds."""

from pipeline.leaderboard.board.aggregation import Aggregate
from pipeline.leaderboard.board.builder import LeaderboardBuilder
from pipeline.leaderboard.board.columns import Coded
from pipeline.leaderboard.board.coverage import Coverage, MissingTopicsError, MissingTopicsWarning
from pipeline.leaderboard.board.entries import LeaderboardEntry
from pipeline.leaderboard.board.leaderboard import Dropped, Leaderboard
from pipeline.leaderboard.board.measures import ALL_TOPICS, LeaderboardSpec, MeasureSpec, OnMissing
from pipeline.leaderboard.board.repeats import ContradictionError
from pipeline.leaderboard.board.rounding import AggregateDifference, aggregate_differences

__all__ = [
    "ALL_TOPICS",
    "Aggregate",
    "AggregateDifference",
    "Coded",
    "ContradictionError",
    "Coverage",
    "Dropped",
    "Leaderboard",
    "LeaderboardBuilder",
    "LeaderboardEntry",
    "LeaderboardSpec",
    "MeasureSpec",
    "MissingTopicsError",
    "MissingTopicsWarning",
    "OnMissing",
    "aggregate_differences",
]
