"""A small experiment that tests change, and rows of its runs and scores."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.experiments import Experiment, configuration_rows, plan

DECLARED: dict[str, Any] = {
    "name": "capitals",
    "title": "Capitals of countries",
    "prompts": {"terse": "Capital of {{ country }}?", "polite": {"version": 2, "template": "Please: {{ country }}?"}},
    "models": ["small", "large"],
    "inputs": [
        {"id": "fr", "variables": {"country": "France"}, "reference": "Paris"},
        {"id": "it", "variables": {"country": "Italy"}, "reference": "Rome"},
    ],
    "scorers": ["exact"],
}


def experiment(**changes: Any) -> Experiment:
    """The experiment with other fields."""
    return Experiment.model_validate(DECLARED | changes)


def imported(weights: dict[str, float], **changes: Any) -> Experiment:
    """An experiment whose scores come from elsewhere."""
    scorers = {name: {"scorer": "imported", "weight": weight} for name, weight in weights.items()}
    return experiment(scorers=scorers, **changes)


def run_rows(declared: Experiment, **columns: Any) -> pd.DataFrame:
    """Every planned run, completed; other columns by name, one value for each run or for all."""
    planned = plan(declared)
    rows = pd.DataFrame(
        {
            "run_id": [one.run_id for one in planned],
            "configuration": [one.configuration.id for one in planned],
            "input_id": [one.input_id for one in planned],
            "repeat": [one.repeat for one in planned],
            "status": "completed",
            "created_at": pd.Timestamp("2026-01-01"),
        }
        | dict.fromkeys(("cost", "duration_ms", "tokens_in", "tokens_out"), float("nan"))
    )
    return rows.assign(**columns)


def score_rows(run_ids: Sequence[str], **values: Sequence[float] | float) -> pd.DataFrame:
    """One score of a machine for each run and scorer."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "run_id": list(run_ids),
                    "scorer": scorer,
                    "rater": 0,
                    "value": value,
                    "scored_at": pd.Timestamp("2026-01-02"),
                }
            )
            for scorer, value in values.items()
        ]
        or [pd.DataFrame({"run_id": [], "scorer": [], "rater": [], "value": [], "scored_at": []})],
        ignore_index=True,
    )


def configurations(declared: Experiment) -> pd.DataFrame:
    """Rows of its configurations."""
    return configuration_rows(declared)
