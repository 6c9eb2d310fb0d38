"""Queries on the published file, each giving typed rows."""

from pipeline.reports.queries.boards import Board, BoardRow, KeyValue, UnknownBoardError, board, board_names
from pipeline.reports.queries.failures import FailedFunction, failed_functions
from pipeline.reports.queries.rows import board_rows, contract_json, first_cycle, titles
from pipeline.reports.queries.status import Contents, FileCounts, Freshness, contents, freshness

__all__ = [
    "Board",
    "BoardRow",
    "Contents",
    "FailedFunction",
    "FileCounts",
    "Freshness",
    "KeyValue",
    "UnknownBoardError",
    "board",
    "board_names",
    "board_rows",
    "contents",
    "contract_json",
    "failed_functions",
    "first_cycle",
    "freshness",
    "titles",
]
