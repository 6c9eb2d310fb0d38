"""Landing: files from outside become rows of the warehouse, and nothing is lost.

This package knows tables and files, not what they mean: for each kind of file it is given an :class:`Intake`.
"""

from pipeline.landing.archive import Arrival, archived, arrivals
from pipeline.landing.blocks import UnreadableFileError
from pipeline.landing.files import ENDINGS, suffix_of
from pipeline.landing.inbox import Delivery, deliver, is_left_alone, pending, strays
from pipeline.landing.intake import RENAME, Agreement, FileField, Intake, Together
from pipeline.landing.land import Landed, Verdict, check_file, land_again, land_file

__all__ = [
    "ENDINGS",
    "RENAME",
    "Agreement",
    "Arrival",
    "Delivery",
    "FileField",
    "Intake",
    "Landed",
    "Together",
    "UnreadableFileError",
    "Verdict",
    "archived",
    "arrivals",
    "check_file",
    "deliver",
    "is_left_alone",
    "land_again",
    "land_file",
    "pending",
    "strays",
    "suffix_of",
]
