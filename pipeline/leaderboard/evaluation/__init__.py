"""How well one board predicts another: judges against the truth."""

from pipeline.leaderboard.evaluation.bootstrap import CorrelationIntervals
from pipeline.leaderboard.evaluation.evaluator import (
    DEFAULT_METHODS,
    BoardEvaluation,
    CorrelationRow,
    LeaderboardEvaluator,
)
from pipeline.leaderboard.evaluation.scores import LeftOut, LeftOutMeasure

__all__ = [
    "DEFAULT_METHODS",
    "BoardEvaluation",
    "CorrelationIntervals",
    "CorrelationRow",
    "LeaderboardEvaluator",
    "LeftOut",
    "LeftOutMeasure",
]
