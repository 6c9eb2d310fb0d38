"""Files of evaluation results: read into boards, and written."""

from pipeline.leaderboard.formats.cells import FormatError, Layout
from pipeline.leaderboard.formats.inference import Inference
from pipeline.leaderboard.formats.loading import FileRead, Loaded, load, put_together, read_files
from pipeline.leaderboard.formats.meanings import HOLD_MEANINGS
from pipeline.leaderboard.formats.names import FormatName
from pipeline.leaderboard.formats.out import WriteError
from pipeline.leaderboard.formats.qrels import topics_of_qrels
from pipeline.leaderboard.formats.writing import write

__all__ = [
    "HOLD_MEANINGS",
    "FileRead",
    "FormatError",
    "FormatName",
    "Inference",
    "Layout",
    "Loaded",
    "WriteError",
    "load",
    "put_together",
    "read_files",
    "topics_of_qrels",
    "write",
]
