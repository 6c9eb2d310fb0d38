"""The steps from predictions and truth to a board, as pure functions of frames: what the Dagster assets call.

Each takes rows of its input tables and the contract, and gives the rows of its own table without the board's
name, which the warehouse fills in. No step reads or writes anything.
"""

from pipeline.competition.stages.cycle_metrics import compute_cycle_metrics
from pipeline.competition.stages.leaderboard import compute_leaderboard, earlier_board
from pipeline.competition.stages.scores import score_predictions, stamp_deadline
from pipeline.competition.stages.snapshots import RollingWindows, compute_snapshots

__all__ = [
    "RollingWindows",
    "compute_cycle_metrics",
    "compute_leaderboard",
    "compute_snapshots",
    "earlier_board",
    "score_predictions",
    "stamp_deadline",
]
