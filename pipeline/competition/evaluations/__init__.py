"""Evaluation sets: choices of tasks, and the boards of the models on them, as forecast hubs publish them. Pure."""

from pipeline.competition.evaluations.board import COLUMNS
from pipeline.competition.evaluations.declaration import (
    OVERALL,
    Breakdown,
    Column,
    CyclesSpec,
    EvaluationSpec,
    Kind,
    needed_measures,
)
from pipeline.competition.evaluations.evaluate import evaluate
from pipeline.competition.evaluations.measures import direction_of
from pipeline.competition.evaluations.tasks import ScoredTasks, in_cycles
from pipeline.tables import EXCLUDED

__all__ = [
    "COLUMNS",
    "EXCLUDED",
    "OVERALL",
    "Breakdown",
    "Column",
    "CyclesSpec",
    "EvaluationSpec",
    "Kind",
    "ScoredTasks",
    "direction_of",
    "evaluate",
    "in_cycles",
    "needed_measures",
]
