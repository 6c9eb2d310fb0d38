"""Queries on the published file, each giving typed rows."""

from pipeline.reports.queries.boards import Board, BoardRow, KeyValue, UnknownBoardError, board, board_names

__all__ = ["Board", "BoardRow", "KeyValue", "UnknownBoardError", "board", "board_names"]
