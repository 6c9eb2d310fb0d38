"""The kernel of every board: boards themselves, ranking, and the uncertainty of what is ranked. Pure."""

from pipeline.leaderboard.arrays import Reasons
from pipeline.leaderboard.board import (
    ALL_TOPICS,
    Aggregate,
    AggregateDifference,
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
    aggregate_differences,
)
from pipeline.leaderboard.comparison import RankIntervals, holm, rank_intervals
from pipeline.leaderboard.correlation import CorrelationMethod, Correlations, correlate
from pipeline.leaderboard.dependence import Dependence, dependence
from pipeline.leaderboard.eligibility import eligibility
from pipeline.leaderboard.formats import (
    FormatError,
    FormatName,
    Inference,
    Layout,
    Loaded,
    WriteError,
    load,
    topics_of_qrels,
    write,
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
from pipeline.leaderboard.verification import Check, Violation, verify

__all__ = [
    "ALL_TOPICS",
    "Aggregate",
    "AggregateDifference",
    "Check",
    "Coded",
    "ContradictionError",
    "CorrelationMethod",
    "Correlations",
    "Coverage",
    "Dependence",
    "Direction",
    "Dropped",
    "FormatError",
    "FormatName",
    "Inference",
    "Influence",
    "Interval",
    "Layout",
    "Leaderboard",
    "LeaderboardBuilder",
    "LeaderboardEntry",
    "LeaderboardSpec",
    "Loaded",
    "MeasureSpec",
    "MissingTopicsError",
    "MissingTopicsWarning",
    "OnMissing",
    "RankBy",
    "RankIntervals",
    "Ranking",
    "RankingKey",
    "Reasons",
    "Violation",
    "WeightedKey",
    "WriteError",
    "aggregate_differences",
    "combined_influence",
    "correlate",
    "decimal_codes",
    "dependence",
    "eligibility",
    "holm",
    "interval",
    "intervals",
    "load",
    "long_run_variance",
    "mean_influence",
    "rank_change",
    "rank_contestants",
    "rank_intervals",
    "ratio_influence",
    "sharpe_influence",
    "topics_of_qrels",
    "verify",
    "weighted_interval",
    "write",
]
