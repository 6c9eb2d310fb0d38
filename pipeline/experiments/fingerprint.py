"""What made a row of an experiment: a hash of the code and of the part of the declaration that a table depends on."""

from typing import Any

from pipeline.experiments.declaration import Experiment
from pipeline.fingerprint import Stage, stage_named

_SOURCES = ("pipeline.experiments", "pipeline.leaderboard")
_INPUTS: dict[str, Any] = {"inputs": True, "inputs_file": True}
_CONFIGURATIONS: dict[str, Any] = {"prompts": True, "models": True, "parameters": True, "baseline": True}
_WEIGHED: dict[str, Any] = {"scorers": True, "min_scorers": True}
_GROUPED = _WEIGHED | {"newest_repeats": True}
_STAGES = {
    "catalog": Stage(),
    "prompts": Stage({"prompts": True}, _SOURCES),
    "inputs": Stage(_INPUTS, _SOURCES),
    "configurations": Stage(_CONFIGURATIONS, _SOURCES),
    "runs": Stage({"repeats": True, "max_runs": True}, _SOURCES),
    "stages": Stage({}, _SOURCES),
    "scores": Stage({"scorers": True}, _SOURCES),
    "run_board": Stage(_WEIGHED, _SOURCES),
    "leaderboard": Stage(_GROUPED | _INPUTS | {"min_coverage": True}, _SOURCES),
    "scorer_summary": Stage(_GROUPED, _SOURCES),
    "comparisons": Stage(_GROUPED | _CONFIGURATIONS | {"min_coverage": True, "comparisons": True}, _SOURCES),
    "agreement": Stage({}, _SOURCES),
}


def stage_code(stage: str, experiment: Experiment, *also: str) -> str:
    """Hash of everything but its input rows that a table of an experiment depends on.

    Parameters
    ----------
    stage : str
        Name of the table, or ``catalog``.
    experiment : Experiment
        The declaration.
    *also : str
        Anything else, such as the hash of the file of inputs.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    return stage_named(stage, _STAGES).code(experiment, *also)
