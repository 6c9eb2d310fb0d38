"""What made a row: a hash of the code and of the part of the contract that a stage depends on.

The ledger compares it, so that a changed formula or declaration recomputes exactly what it touches. Rows that
come out the same do not count as changed, so a changed comment costs one recomputation and moves nothing.
"""

from dataclasses import replace
from typing import Any

from pipeline.competition.contract import Contract
from pipeline.competition.evaluations import needed_measures
from pipeline.fingerprint import Stage, stage_named

_OF_PANEL: dict[str, Any] = dict.fromkeys(("min_subjects", "center", "horizon_cycles"), True)
"""What a panel carries from the contract: any rule and any cross-sectional metric may use it."""

_OUTPUT: dict[str, Any] = {"predictions": {"output_type", "output_type_ids"}}
_SCORES: dict[str, Any] = _OUTPUT | {"scoring": {"rule", "scale"}} | _OF_PANEL
_WINDOWS: dict[str, Any] = {"windows": True, "missing": True}
_CATEGORIES: dict[str, Any] = {"categories": {"__all__": {"by"}}}
_METRICS: dict[str, Any] = {"metrics": True, "scoring": {"scale"}} | _CATEGORIES | _OUTPUT | _OF_PANEL
_WEIGHING: dict[str, Any] = _WINDOWS | {
    "categories": True,
    "ensembles": True,
    "metrics": True,
    "leaderboard": True,
    "scoring": True,
}
_PREDICTIONS_SOURCE = {"predictions": {"source"}}
_PURE = "pipeline.competition"
_KERNEL = "pipeline.leaderboard"
_STAGES = {
    "catalog": Stage(),
    "models": Stage(_PREDICTIONS_SOURCE | {"ensembles": True}),
    "model_versions": Stage({"predictions": {"source", "deadline"}}, (f"{_PURE}.versions",)),
    "subjects": Stage(_PREDICTIONS_SOURCE),
    "factors": Stage(_PREDICTIONS_SOURCE | {"factors": True}),
    "predictions": Stage({"predictions": True}, (f"{_PURE}.stages.scores", f"{_PURE}.stand_ins")),
    "submissions": Stage({"predictions": {"deadline"}}, (f"{_PURE}.submissions",)),
    "truth": Stage({"truth": True}, (f"{_PURE}.truth",)),
    "scores": Stage(_SCORES, (_PURE,)),
    # Another rule reaches metrics by the rows of scores, an input of theirs, that it changes.
    "cycle_metrics": Stage(_METRICS, (_PURE,)),
    "ensemble_weights": Stage(_WEIGHING, (_PURE, _KERNEL)),
    "ensemble_predictions": Stage({"ensembles": True, "scoring": {"rule"}} | _OUTPUT, (_PURE,)),
    "ensemble_scores": Stage(_SCORES, (_PURE,)),
    "ensemble_metrics": Stage(_METRICS, (_PURE,)),
    "member_metrics": Stage(_WEIGHING | _OUTPUT | _OF_PANEL, (_PURE, _KERNEL)),
    "snapshots": Stage(
        _WINDOWS
        | {"metrics": True, "ensembles": True, "scoring": {"rule"}, "categories": {"__all__": {"by", "history"}}},
        (_PURE, _KERNEL),
    ),
    # A changed window changes the snapshots that the boards read, or none of theirs.
    "leaderboard": Stage(
        {"leaderboard": True, "categories": True, "missing": True, "scoring": {"rule"}}, (_PURE, _KERNEL)
    ),
    "evaluations": Stage(_SCORES | {"evaluations": True}, (_PURE, _KERNEL)),
}


def stage_code(stage: str, contract: Contract, *also: str) -> str:
    """Hash of everything but its input rows that a stage's rows depend on.

    Parameters
    ----------
    stage : str
        Name of the table, or ``catalog``.
    contract : Contract
    *also : str
        Anything else, such as a source's fingerprint.

    Raises
    ------
    ValueError
        If there is no such stage.
    """
    found = stage_named(stage, _STAGES)
    sources = (*found.sources, *_custom_modules(stage, contract))
    return replace(found, declared=_declared(stage, contract), sources=sources).code(contract, *also)


def _declared(stage: str, contract: Contract) -> dict[str, Any]:
    """The fields that a stage depends on: of the rules for missing cycles, one alone makes predictions."""
    carries = stage == "predictions" and contract.missing.carries
    return _STAGES[stage].declared | ({"missing": True} if carries else {})


def _custom_modules(stage: str, contract: Contract) -> list[str]:
    """Modules of the rule and metrics that a stage calls, or takes the direction of, named by dotted path."""
    keys = [key for board in contract.boards for key in board.keys]
    rule = contract.scoring.rule
    ensembles = [name for one in contract.ensembles for name in (one.strategy, one.filter) if isinstance(name, str)]
    called = {
        "scores": (rule,),
        "cycle_metrics": contract.metrics,
        "ensemble_weights": (rule, *contract.metrics, *ensembles),
        "ensemble_predictions": (rule,),
        "ensemble_scores": (rule,),
        "ensemble_metrics": contract.metrics,
        "member_metrics": (rule, *contract.metrics, *ensembles),
        "snapshots": contract.metrics,
        "evaluations": (rule, *needed_measures(contract.evaluations)),
        "leaderboard": (rule, *(key.partition(".")[2] for key in keys)),
    }
    return [name.rpartition(".")[0] for name in called.get(stage, ()) if "." in name]
