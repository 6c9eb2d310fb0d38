"""How files of a competition's inbox are read and judged, for whoever lands them, checks them or receives them.

Wires the contest's rules (:mod:`pipeline.competition.intake`) to landing, which knows none. What lands files is in
``pipeline.components``, what receives them in ``pipeline.reports``; both build on this, and neither on the other.
"""

from pipeline.intake.bounds import TooMuchError, UnboundedFileError, model_ids_in
from pipeline.intake.folders import folders, predictions_intake
from pipeline.intake.judging import Judgement, Late, as_record, judge, judged_unreadable, verdict_record
from pipeline.intake.known import Known, NothingKnown, PublishedKnown, StoreKnown
from pipeline.intake.reading import Reading, reading_by_files, reading_by_published

__all__ = [
    "Judgement",
    "Known",
    "Late",
    "NothingKnown",
    "PublishedKnown",
    "Reading",
    "StoreKnown",
    "TooMuchError",
    "UnboundedFileError",
    "as_record",
    "folders",
    "judge",
    "judged_unreadable",
    "model_ids_in",
    "predictions_intake",
    "reading_by_files",
    "reading_by_published",
    "verdict_record",
]
