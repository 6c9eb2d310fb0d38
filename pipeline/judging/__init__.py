"""Judged tracks, pure: the declaration, the boards out of files, and the rows that are computed of them."""

from pipeline.judging.boards import (
    Grid,
    TrackError,
    board_of,
    measure_rows,
    require_measures,
    spec_rows,
    specs_of,
    used_measures,
)
from pipeline.judging.declaration import BoardFiles, Track, folder_of
from pipeline.judging.fingerprint import stage_code
from pipeline.judging.reading import Content, Verdict, judged, read_unchanged, topics_in
from pipeline.judging.stages import comparison_rows, correlation_rows, leaderboard_rows, primary_of

__all__ = [
    "BoardFiles",
    "Content",
    "Grid",
    "Track",
    "TrackError",
    "Verdict",
    "board_of",
    "comparison_rows",
    "correlation_rows",
    "folder_of",
    "judged",
    "leaderboard_rows",
    "measure_rows",
    "primary_of",
    "read_unchanged",
    "require_measures",
    "spec_rows",
    "specs_of",
    "stage_code",
    "topics_in",
    "used_measures",
]
