"""What would mend that a model is not ranked."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.reports.pages.figures import code, count, percent

Rules = Mapping[str, Any]
"""What a board declares of who is ranked."""

_REMEDIES: Mapping[str, Callable[[Rules], str]] = {
    "constant_input": lambda _: "A ranking of the subjects needs predictions that differ between them.",
    "inactive": lambda rules: (
        f"It left out {count(rules['inactive_after'])} cycles or more; a submission to the next one brings it back."
    ),
    "low_coverage": lambda rules: (
        f"At least {percent(rules['min_coverage'])} of the window's outcomes must have been predicted: predict every "
        f"subject, and leave out no cycle."
    ),
    "no_board_yet": lambda _: "It is ranked once outcomes of its predictions are known.",
    "no_predictions": lambda _: "It needs predictions in the window that ranks, made before their deadlines.",
    "no_scores": lambda _: "See its failures below: a prediction that cannot be scored does not count.",
    "not_designated": lambda _: "Its player enters it for ranking by registering it as designated.",
    "too_few_cycles": lambda _: "More cycles must be resolved before the metric that ranks is defined.",
    "too_few_pairs": lambda _: "Predict more of the subjects in every cycle.",
    "too_few_predictions": lambda rules: (
        f"{count(rules['min_predictions'])} predictions must have been scored in the window."
    ),
    "zero_variance": lambda _: "The metric that ranks needs values that differ between cycles.",
}


def remedy(status: str, rules: Rules) -> str:
    """What a player can do about a status, ``unranked: <reason>``; empty where nothing is known to help.

    Parameters
    ----------
    status : str
    rules : mapping
        ``min_coverage``, ``min_predictions`` and ``inactive_after`` of the board's declaration.
    """
    known = _REMEDIES.get(code(status))
    return known(rules) if known else ""
