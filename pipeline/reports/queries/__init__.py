"""Queries on the published file, each giving typed rows."""

from pipeline.reports.queries.boards import Board, BoardRow, KeyValue, UnknownBoardError, board, board_names
from pipeline.reports.queries.evaluations import (
    Evaluated,
    EvaluationBoard,
    EvaluationRow,
    Excluded,
    evaluation_board,
    evaluation_names,
    evaluation_rows,
)
from pipeline.reports.queries.failures import FailedFunction, failed_functions
from pipeline.reports.queries.rows import board_rows, contract_json, first_cycle, titles
from pipeline.reports.queries.status import Contents, FileCounts, Freshness, contents, freshness
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
    "Evaluated",
    "EvaluationBoard",
    "EvaluationRow",
    "Excluded",
    "FailedFunction",
    "FileCounts",
    "Freshness",
    "KeyValue",
    "RunRank",
    "TrackBoard",
    "UnknownBoardError",
    "board",
    "board_files",
    "board_names",
    "board_rows",
    "contents",
    "contract_json",
    "evaluation_board",
    "evaluation_names",
    "evaluation_rows",
    "failed_functions",
    "first_cycle",
    "freshness",
    "is_track",
    "n_runs",
    "titles",
    "track_board",
]
