"""The steps from predictions and truth to a board, as pure functions of frames: what the Dagster assets call.

Each takes rows of its input tables and the contract, and gives the rows of its own table without the board's
name, which the warehouse fills in. No step reads or writes anything.
"""

from pipeline.competition.stages.cycle_metrics import compute_cycle_metrics, member_metrics
from pipeline.competition.stages.ensembles import (
    compute_ensemble_predictions,
    compute_member_metrics,
    compute_weights,
    rows_as_listed,
)
from pipeline.competition.stages.evaluations import score_tasks
from pipeline.competition.stages.leaderboard import compute_leaderboard, earlier_board
from pipeline.competition.stages.rank_evidence import RankEvidence, key_metrics
from pipeline.competition.stages.scores import score_predictions, stamp_deadline
from pipeline.competition.stages.snapshots import RollingWindows, compute_snapshots
from pipeline.competition.stages.walk_forward import WalkForward

__all__ = [
    "RankEvidence",
    "RollingWindows",
    "WalkForward",
    "compute_cycle_metrics",
    "compute_ensemble_predictions",
    "compute_leaderboard",
    "compute_member_metrics",
    "compute_snapshots",
    "compute_weights",
    "earlier_board",
    "key_metrics",
    "member_metrics",
    "rows_as_listed",
    "score_predictions",
    "score_tasks",
    "stamp_deadline",
]
