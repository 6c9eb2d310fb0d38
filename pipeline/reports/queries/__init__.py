"""Queries on the published file, each giving typed rows.

Here is what commands ask, which start at once. What only the server asks is imported from its own module: it brings the
arithmetic of contests with it.
"""

from pipeline.reports.queries.boards import Board, BoardRow, KeyValue, board, categories_of
from pipeline.reports.queries.catalog import (
    UnknownBoardError,
    board_names,
    is_experiment,
    is_ranking,
    is_track,
    kind_of,
)
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
from pipeline.reports.queries.ranking_names import NamedModel, model_ids, n_ranked, named_models
from pipeline.reports.queries.rows import board_rows, contract_json, first_cycle, titles
from pipeline.reports.queries.status import Contents, FileCounts, Freshness, contents, freshness
from pipeline.reports.queries.topics import Exported, exported, exported_track
from pipeline.reports.queries.tracks import Agreement, BoardFile, RunRank, TrackBoard, board_files, n_runs, track_board

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
    "Exported",
    "FailedFunction",
    "FileCounts",
    "Freshness",
    "KeyValue",
    "NamedModel",
    "RunRank",
    "TrackBoard",
    "UnknownBoardError",
    "board",
    "board_files",
    "board_names",
    "board_rows",
    "categories_of",
    "contents",
    "contract_json",
    "evaluation_board",
    "evaluation_names",
    "evaluation_rows",
    "exported",
    "exported_track",
    "failed_functions",
    "first_cycle",
    "freshness",
    "is_experiment",
    "is_ranking",
    "is_track",
    "kind_of",
    "model_ids",
    "n_ranked",
    "n_runs",
    "named_models",
    "titles",
    "track_board",
]
