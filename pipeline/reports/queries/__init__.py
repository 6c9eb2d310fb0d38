"""Queries on the published file, each giving typed rows."""

from pipeline.reports.queries.boards import (
    Board,
    BoardRow,
    KeyValue,
    UnknownBoardError,
    board,
    board_names,
    categories_of,
    kind_of,
)
from pipeline.reports.queries.ensembles import history as ensemble_history
from pipeline.reports.queries.ensembles import weights as ensemble_weights
from pipeline.reports.queries.failures import FailedFunction, failed_functions
from pipeline.reports.queries.models import ModelRecord, SubjectScore, UnknownModelError, model_name, models, record
from pipeline.reports.queries.page import Page
from pipeline.reports.queries.predictions import predictions
from pipeline.reports.queries.rows import board_rows, contract_json, first_cycle, titles
from pipeline.reports.queries.series import Selection, newest_days, newest_moment, ranks, scores, snapshots, summary
from pipeline.reports.queries.standings import (
    Contest,
    Measured,
    Standing,
    Standings,
    UnknownKeyError,
    contest,
    model_windows,
    standings,
)
from pipeline.reports.queries.status import Contents, FileCounts, Freshness, contents, freshness
from pipeline.reports.queries.topics import Exported, exported
from pipeline.reports.queries.tracks import (
    Agreement,
    BoardFile,
    RunRank,
    TrackBoard,
    board_files,
    is_track,
    n_runs,
    track_board,
)

__all__ = [
    "Agreement",
    "Board",
    "BoardFile",
    "BoardRow",
    "Contents",
    "Contest",
    "Exported",
    "FailedFunction",
    "FileCounts",
    "Freshness",
    "KeyValue",
    "Measured",
    "ModelRecord",
    "Page",
    "RunRank",
    "Selection",
    "Standing",
    "Standings",
    "SubjectScore",
    "TrackBoard",
    "UnknownBoardError",
    "UnknownKeyError",
    "UnknownModelError",
    "board",
    "board_files",
    "board_names",
    "board_rows",
    "categories_of",
    "contents",
    "contest",
    "contract_json",
    "ensemble_history",
    "ensemble_weights",
    "exported",
    "failed_functions",
    "first_cycle",
    "freshness",
    "is_track",
    "kind_of",
    "model_name",
    "model_windows",
    "models",
    "n_runs",
    "newest_days",
    "newest_moment",
    "predictions",
    "ranks",
    "record",
    "scores",
    "snapshots",
    "standings",
    "summary",
    "titles",
    "track_board",
]
