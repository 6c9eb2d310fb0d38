"""The kernel of every board: boards themselves, ranking, and the uncertainty of what is ranked. Pure."""

from pipeline.leaderboard.arrays import (
    Reasons,
)
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
from pipeline.leaderboard.comparison import (
    RankIntervals,
    rank_intervals,
    significantly_better,
)
from pipeline.leaderboard.correlation import (
    CorrelationMethod,
    Correlations,
    correlate,
)
from pipeline.leaderboard.dependence import (
    Dependence,
    dependence,
)
from pipeline.leaderboard.eligibility import (
    eligibility,
)
from pipeline.leaderboard.evaluation import (
    BoardEvaluation,
    CorrelationIntervals,
    CorrelationRow,
    LeaderboardEvaluator,
    LeftOut,
    LeftOutMeasure,
)
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
from pipeline.leaderboard.intervals import (
    Interval,
    interval,
    intervals,
    long_run_variance,
    weighted_interval,
)
from pipeline.leaderboard.item_intervals import (
    item_interval,
)
from pipeline.leaderboard.keys import (
    Direction,
    RankBy,
    RankingKey,
    WeightedKey,
)
from pipeline.leaderboard.multiplicity import (
    Correction,
    adjusted_p_values,
    holm,
)
from pipeline.leaderboard.ranking import (
    Ranking,
    rank_change,
    rank_contestants,
)
from pipeline.leaderboard.relative_skill import (
    Pairs,
    RelativeSkill,
    pair_totals,
    relative_skill,
    relative_skill_by,
)
from pipeline.leaderboard.significance import (
    BoardComparison,
    Comparing,
    PairwiseComparison,
    SignificanceTable,
    SignificanceTest,
    compare_pairs,
    compare_runs,
    fisher_randomisation,
    paired_t,
    tukey_hsd,
    wilcoxon_signed_rank,
)
from pipeline.leaderboard.skill_errors import (
    SkillErrors,
    TaskErrors,
    relative_skill_influence,
    relative_skill_interval,
)
from pipeline.leaderboard.ties import (
    decimal_codes,
)
from pipeline.leaderboard.verification import (
    Check,
    Violation,
    verify,
)

__all__ = [
    "ALL_TOPICS",
    "Aggregate",
    "AggregateDifference",
    "BoardComparison",
    "BoardEvaluation",
    "Check",
    "Coded",
    "Comparing",
    "ContradictionError",
    "Correction",
    "CorrelationIntervals",
    "CorrelationMethod",
    "CorrelationRow",
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
    "LeaderboardEvaluator",
    "LeaderboardSpec",
    "LeftOut",
    "LeftOutMeasure",
    "Loaded",
    "MeasureSpec",
    "MissingTopicsError",
    "MissingTopicsWarning",
    "OnMissing",
    "Pairs",
    "PairwiseComparison",
    "RankBy",
    "RankIntervals",
    "Ranking",
    "RankingKey",
    "Reasons",
    "RelativeSkill",
    "SignificanceTable",
    "SignificanceTest",
    "SkillErrors",
    "TaskErrors",
    "Violation",
    "WeightedKey",
    "WriteError",
    "adjusted_p_values",
    "aggregate_differences",
    "combined_influence",
    "compare_pairs",
    "compare_runs",
    "correlate",
    "decimal_codes",
    "dependence",
    "eligibility",
    "fisher_randomisation",
    "holm",
    "interval",
    "intervals",
    "item_interval",
    "load",
    "long_run_variance",
    "mean_influence",
    "pair_totals",
    "paired_t",
    "rank_change",
    "rank_contestants",
    "rank_intervals",
    "ratio_influence",
    "relative_skill",
    "relative_skill_by",
    "relative_skill_influence",
    "relative_skill_interval",
    "sharpe_influence",
    "significantly_better",
    "topics_of_qrels",
    "tukey_hsd",
    "verify",
    "weighted_interval",
    "wilcoxon_signed_rank",
    "write",
]
