"""The kernel of every board: ranking, and the uncertainty of what is ranked. Pure functions over arrays."""

from pipeline.leaderboard.arrays import Reasons
from pipeline.leaderboard.comparison import RankIntervals, holm, rank_intervals
from pipeline.leaderboard.dependence import Dependence, dependence
from pipeline.leaderboard.eligibility import eligibility
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
from pipeline.leaderboard.relative_skill import (
    Pairs,
    RelativeSkill,
    pair_totals,
    relative_skill,
    relative_skill_by,
    relative_skill_influence,
    relative_skill_interval,
)
from pipeline.leaderboard.ties import decimal_codes

__all__ = [
    "Dependence",
    "Direction",
    "Influence",
    "Interval",
    "Pairs",
    "RankBy",
    "RankIntervals",
    "Ranking",
    "RankingKey",
    "Reasons",
    "RelativeSkill",
    "WeightedKey",
    "combined_influence",
    "decimal_codes",
    "dependence",
    "eligibility",
    "holm",
    "interval",
    "intervals",
    "long_run_variance",
    "mean_influence",
    "pair_totals",
    "rank_change",
    "rank_contestants",
    "rank_intervals",
    "ratio_influence",
    "relative_skill",
    "relative_skill_by",
    "relative_skill_influence",
    "relative_skill_interval",
    "sharpe_influence",
    "weighted_interval",
]
