"""Which runs of a board are better than which, and whether that is more than chance."""

from pipeline.leaderboard.significance.board_comparison import (
    BoardComparison,
    MeasureComparison,
    PairRow,
    RunRow,
    compare_runs,
)
from pipeline.leaderboard.significance.paired_tests import (
    TestResult,
    fisher_randomisation,
    paired_t,
    wilcoxon_signed_rank,
)
from pipeline.leaderboard.significance.pairwise import Comparing, PairwiseComparison, SignificanceTest, compare_pairs
from pipeline.leaderboard.significance.table import SignificanceTable
from pipeline.leaderboard.significance.tukey import tukey_hsd

__all__ = [
    "BoardComparison",
    "Comparing",
    "MeasureComparison",
    "PairRow",
    "PairwiseComparison",
    "RunRow",
    "SignificanceTable",
    "SignificanceTest",
    "TestResult",
    "compare_pairs",
    "compare_runs",
    "fisher_randomisation",
    "paired_t",
    "tukey_hsd",
    "wilcoxon_signed_rank",
]
