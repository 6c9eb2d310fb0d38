"""The kernel of every board: boards themselves, ranking, and the uncertainty of what is ranked. Pure."""

from pipeline.leaderboard.arrays import Reasons
from pipeline.leaderboard.board import (
    ALL_TOPICS,
    Aggregate,
    Coded,
    ContradictionError,
    Coverage,
    Dropped,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardEntry,
    LeaderboardSpec,
    MeasureSpec,
    MissingTopicsError,
    MissingTopicsWarning,
    OnMissing,
)
from pipeline.leaderboard.comparison import RankIntervals, holm, rank_intervals
from pipeline.leaderboard.correlation import CorrelationMethod, Correlations, correlate
from pipeline.leaderboard.dependence import Dependence, dependence
from pipeline.leaderboard.eligibility import eligibility
from pipeline.leaderboard.evaluation import (
    BoardEvaluation,
    CorrelationIntervals,
    CorrelationRow,
    LeaderboardEvaluator,
    LeftOut,
    LeftOutMeasure,
)
from pipeline.leaderboard.influence import (
    Influence,
    combined_influence,
    mean_influence,
    ratio_influence,
    sharpe_influence,
)
from pipeline.leaderboard.intervals import Interval, interval, intervals, long_run_variance, weighted_interval
from pipeline.leaderboard.keys import Direction, RankBy, RankingKey, WeightedKey
from pipeline.leaderboard.ranking import Ranking, rank_change, rank_contestants
from pipeline.leaderboard.ties import decimal_codes

__all__ = [
    "ALL_TOPICS",
    "Aggregate",
    "BoardEvaluation",
    "Coded",
    "ContradictionError",
    "CorrelationIntervals",
    "CorrelationMethod",
    "CorrelationRow",
    "Correlations",
    "Coverage",
    "Dependence",
    "Direction",
    "Dropped",
    "Influence",
    "Interval",
    "Leaderboard",
    "LeaderboardBuilder",
    "LeaderboardEntry",
    "LeaderboardEvaluator",
    "LeaderboardSpec",
    "LeftOut",
    "LeftOutMeasure",
    "MeasureSpec",
    "MissingTopicsError",
    "MissingTopicsWarning",
    "OnMissing",
    "RankBy",
    "RankIntervals",
    "Ranking",
    "RankingKey",
    "Reasons",
    "WeightedKey",
    "combined_influence",
    "correlate",
    "decimal_codes",
    "dependence",
    "eligibility",
    "holm",
    "interval",
    "intervals",
    "long_run_variance",
    "mean_influence",
    "rank_change",
    "rank_contestants",
    "rank_intervals",
    "ratio_influence",
    "sharpe_influence",
    "weighted_interval",
]
