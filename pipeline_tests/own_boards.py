"""Boards of one's own in a folder that ``PODIUM_DEFS_DIR`` names, and the files of a small contest for its inbox."""

import contextlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.components.trees import own_tree
from pipeline.landing import deliver
from pipeline.settings import settings

FIRST = pd.Timestamp("2024-01-01")
WEEK = pd.Timedelta(days=7)
MODELS = {"sharp": 0.3, "fair": 1.0, "noise": 30.0}
SUBJECTS = [f"S{number}" for number in range(8)]

BOX: dict[str, Any] = {
    "name": "box",
    "title": "The contest whose files arrive in the inbox",
    "horizon_length": "7d",
    "predictions": {"source": "inbox", "trusted": True},
    "truth": {"source": "inbox"},
    "scoring": {"rule": "rank_product", "primary": "ic"},
    "metrics": ["ic", "hit_rate"],
    "windows": {"recent": {"cycles": 4}, "all": {}},
    "leaderboard": {"rank_by": "all.ic"},
}
"""The attributes of a small board that is good as it is."""


def declaration(**changes: Any) -> dict[str, Any]:
    """The attributes of the small board, some of them others."""
    return deepcopy(BOX) | changes


def write_board(folder: Path, attributes: Mapping[str, Any], name: str | None = None) -> Path:
    """Declare a board in the folder of its name, or of another one; the file is returned."""
    path = folder / (name or attributes["name"]) / "defs.yaml"
    path.parent.mkdir(parents=True)
    content = {"type": "pipeline.components.Competition", "attributes": dict(attributes)}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


@contextlib.contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Let ``PODIUM_DEFS_DIR`` name the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DEFS_DIR", str(folder))
        forget()
        yield
    forget()


def forget() -> None:
    """Let the next command read the settings and the folder anew."""
    settings.cache_clear()
    own_tree.cache_clear()


def outcomes(cycle: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What happened after a cycle, subject by subject."""
    return np.random.default_rng(cycle).normal(size=len(SUBJECTS))


def predictions_of(*cycles: int) -> pd.DataFrame:
    """What every model says of some weeks."""
    frames = [
        pd.DataFrame(
            {
                "model_id": model,
                "cycle": FIRST + cycle * WEEK,
                "subject": SUBJECTS,
                "value": outcomes(cycle) + noise * np.random.default_rng([cycle, number]).normal(size=len(SUBJECTS)),
            }
        )
        for cycle in cycles
        for number, (model, noise) in enumerate(MODELS.items())
    ]
    return pd.concat(frames, ignore_index=True)


def truth_of(*cycles: int) -> pd.DataFrame:
    """What happened in some weeks."""
    frames = [
        pd.DataFrame({"subject": SUBJECTS, "target_time": FIRST + (cycle + 1) * WEEK, "value": outcomes(cycle)})
        for cycle in cycles
    ]
    return pd.concat(frames, ignore_index=True)


def drop(data_dir: Path, rows: pd.DataFrame | Path, folder: str, board: str = "box", name: str = "") -> Path:
    """Drop a file, or rows as CSV, in the inbox of a board, whole at once."""
    if isinstance(rows, Path):
        return deliver(rows, data_dir / "inbox", board, folder)
    draft = data_dir / "drafts" / (name or f"{folder}.csv")
    draft.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(draft, index=False)
    return deliver(draft, data_dir / "inbox", board, folder)
