"""Scored tasks to evaluate, drawn at random."""

import numpy as np

from pipeline.competition.evaluations import ScoredTasks

MODELS = np.array(["a", "b", "base", "late"], dtype=object)


def drawn(seed: int = 0, cycles: int = 12, subjects: int = 3, absent: float = 0.3) -> ScoredTasks:
    """Weekly cycles of horizons 0 and 1; ``late`` has the last third only, ``base`` everything, the others gaps."""
    random = np.random.default_rng(seed)
    first = np.datetime64("2025-01-04", "us")
    cycle, horizon, subject = (
        grid.ravel() for grid in np.meshgrid(np.arange(cycles), [0, 1], np.arange(subjects), indexing="ij")
    )
    shape = (cycle.size, len(MODELS))
    submitted = random.random(shape) >= absent
    submitted[:, 2] = True
    submitted[:, 3] = cycle >= 2 * cycles // 3
    wis = random.lognormal(2 * random.normal(size=(cycle.size, 1)), 0.4, shape) * [0.6, 0.9, 1, 1.2]
    known = (random.random(cycle.size) > 0.1)[:, None] & submitted
    return ScoredTasks(
        models=MODELS,
        cycles=first + cycle * np.timedelta64(7, "D"),
        target_times=first + (cycle + horizon) * np.timedelta64(7, "D"),
        horizons=horizon,
        subjects=np.array(["US", "CA", "TX", "NY"], dtype=object)[subject],
        submitted=submitted,
        measures={
            "wis": np.where(known, wis, np.nan),
            "interval_coverage_50": np.where(known, (random.random(shape) < 0.5).astype(float), np.nan),
        },
    )
