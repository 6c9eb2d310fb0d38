"""Files of evaluation results: read into boards, and written."""

from pipeline.leaderboard.formats.cells import FormatError, Layout
from pipeline.leaderboard.formats.inference import Inference
from pipeline.leaderboard.formats.loading import Loaded, load
from pipeline.leaderboard.formats.names import FormatName
from pipeline.leaderboard.formats.out import WriteError
from pipeline.leaderboard.formats.qrels import topics_of_qrels
from pipeline.leaderboard.formats.writing import write

__all__ = [
    "FormatError",
    "FormatName",
    "Inference",
    "Layout",
    "Loaded",
    "WriteError",
    "load",
    "topics_of_qrels",
    "write",
]
