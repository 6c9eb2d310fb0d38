"""A small hub: two targets, two places, two horizons; one is forecast by quantiles and samples, one by categories."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

ROUND = "2024-12-14"
PLACES = ("US", "01")
HORIZONS = (0, 1)
LEVELS = (0.1, 0.5, 0.9)
CATEGORIES = ("down", "stable", "up")
TASK_IDS = ("reference_date", "target", "horizon", "location")


def _task_ids(target: str) -> dict[str, Any]:
    return {
        "reference_date": {"required": None, "optional": ["2024-12-14", "2024-12-21"]},
        "target": {"required": None, "optional": [target]},
        "horizon": {"required": [0], "optional": [1]},
        "location": {"required": None, "optional": list(PLACES)},
    }


def tasks(**changes: Any) -> dict[str, Any]:
    """The content of tasks.json; ``changes`` are of its round."""
    quantile = {
        "output_type_id": {"required": list(LEVELS)},
        "is_required": True,
        "value": {"type": "double", "minimum": 0},
    }
    sample = {
        "output_type_id_params": {"type": "character", "min_samples_per_task": 2, "max_samples_per_task": 3},
        "is_required": False,
        "value": {"type": "integer", "minimum": 0},
    }
    pmf = {
        "output_type_id": {"required": list(CATEGORIES)},
        "is_required": False,
        "value": {"type": "double", "minimum": 0, "maximum": 1},
    }
    ahead = {"is_step_ahead": True, "time_unit": "week"}
    count = {"target_id": "count", "target_type": "continuous", "target_keys": {"target": "count"}} | ahead
    change = {"target_id": "change", "target_type": "ordinal", "target_keys": {"target": "change"}} | ahead
    of_round = {
        "round_id_from_variable": True,
        "round_id": "reference_date",
        "submissions_due": {"relative_to": "reference_date", "start": -6, "end": -3},
        "model_tasks": [
            {
                "task_ids": _task_ids("count"),
                "output_type": {"quantile": quantile, "sample": sample},
                "target_metadata": [count],
            },
            {"task_ids": _task_ids("change"), "output_type": {"pmf": pmf}, "target_metadata": [change]},
        ],
    }
    return {"schema_version": "v6.0.0", "rounds": [of_round | changes]}


def write_hub(folder: Path, admin: dict[str, Any] | None = None, **changes: Any) -> Path:
    """The configuration of the hub in a folder."""
    (folder / "hub-config").mkdir(parents=True)
    (folder / "hub-config" / "tasks.json").write_text(json.dumps(tasks(**changes)))
    about = {"name": "Toy hub", "timezone": "US/Eastern", "file_format": ["csv", "parquet"]} | (admin or {})
    (folder / "hub-config" / "admin.json").write_text(json.dumps(about))
    return folder


def submission() -> pd.DataFrame:
    """A submission without a fault: 4 quantile forecasts, 4 of categories, one of samples; every value as text."""
    rows: list[dict[str, str]] = []
    for place in PLACES:
        for horizon in HORIZONS:
            task = {"reference_date": ROUND, "horizon": str(horizon), "location": place}
            for level in LEVELS:
                kind = {"target": "count", "output_type": "quantile", "output_type_id": str(level)}
                rows.append(task | kind | {"value": str(10 * level)})
            for name, share in zip(CATEGORIES, (0.2, 0.5, 0.3), strict=True):
                kind = {"target": "change", "output_type": "pmf", "output_type_id": name}
                rows.append(task | kind | {"value": str(share)})
    for number in range(3):
        kind = {"target": "count", "output_type": "sample", "output_type_id": f"s{number}", "value": str(number)}
        rows.append({"reference_date": ROUND, "horizon": "0", "location": "US"} | kind)
    return pd.DataFrame(rows)


def put_submission(folder: Path, model: str, rows: pd.DataFrame | None = None, round_id: str = ROUND) -> Path:
    """A submission in its place; without rows one without a fault."""
    rows = submission().assign(reference_date=round_id) if rows is None else rows
    path = folder / "model-output" / model / f"{round_id}-{model}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(path, index=False)
    return path


def put_outcomes(folder: Path, text: str, name: str = "oracle-output.csv") -> Path:
    """Outcomes in their place."""
    path = folder / "target-data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


COUNTS = """location,target_end_date,target,output_type,output_type_id,oracle_value
US,2024-12-14,count,quantile,NA,5
US,2024-12-21,count,quantile,NA,6
01,2024-12-14,count,quantile,NA,1
01,2024-12-21,count,quantile,NA,NA
US,2024-12-14,change,pmf,up,1
US,2024-12-14,change,pmf,stable,0
"""
"""Outcomes of both targets; one of them is not known yet."""
