"""Scored tasks as evaluations read them: every model on every task of some cycles, as far as is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.evaluations.declaration import Breakdown, EvaluationSpec

Times = npt.NDArray[np.datetime64]
Names = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class ScoredTasks:
    """Some tasks of whole cycles, and what models scored on them.

    Parameters
    ----------
    models : object array of str, shape (models,)
    cycles, target_times : datetime64 array, shape (tasks,)
    horizons : int array, shape (tasks,)
    subjects : object array of str, shape (tasks,)
    submitted : bool array, shape (tasks, models)
        Where a model made a prediction that counts, its outcome known or not.
    measures : mapping of str to float array, shape (tasks, models)
        NaN where there is no score.
    """

    models: Names
    cycles: Times
    target_times: Times
    horizons: Ints
    subjects: Names
    submitted: Bools
    measures: Mapping[str, Floats]

    def __post_init__(self) -> None:
        shape = (len(self.cycles), len(self.models))
        arrays = {"submitted": self.submitted, **self.measures}
        for name, array in arrays.items():
            if array.shape != shape:
                raise ValueError(f"{name} of tasks has shape {array.shape}, expected {shape} (tasks, models)")
        for name in ("target_times", "horizons", "subjects"):
            if getattr(self, name).shape != shape[:1]:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected {shape[:1]} (tasks,)")

    def __len__(self) -> int:
        return len(self.cycles)

    def part(self, tasks: Bools | Ints) -> "ScoredTasks":
        """Some of the tasks."""
        if tasks.dtype == np.bool_ and tasks.all():
            return self
        return replace(
            self,
            cycles=self.cycles[tasks],
            target_times=self.target_times[tasks],
            horizons=self.horizons[tasks],
            subjects=self.subjects[tasks],
            submitted=self.submitted[tasks],
            measures={name: measure[tasks] for name, measure in self.measures.items()},
        )

    def of_models(self, models: Names) -> "ScoredTasks":
        """The same tasks of other models, in their order; those who are not here submitted nothing."""
        if list(models) == list(self.models):
            return self
        place = pd.Index(self.models).get_indexer(pd.Index(models))
        is_here = place >= 0
        return replace(
            self,
            models=models,
            submitted=self.submitted[:, place] & is_here,
            measures={name: np.where(is_here, measure[:, place], np.nan) for name, measure in self.measures.items()},
        )

    def values(self, by: Breakdown) -> npt.NDArray[Any]:
        """What a breakdown divides the tasks by, shape (tasks,)."""
        if by == "subject":
            return self.subjects
        return {"cycle": self.cycles, "horizon": self.horizons, "target_time": self.target_times}[by]

    def selected(self, spec: EvaluationSpec) -> Bools:
        """The tasks that an evaluation set holds, but for its ``last`` cycles; shape (tasks,)."""
        chosen = self.submitted.any(axis=1) & in_cycles(self.cycles, spec)
        if spec.subjects is not None:
            chosen &= pd.Index(self.subjects).isin(spec.subjects)
        if spec.horizons is not None:
            chosen &= np.isin(self.horizons, spec.horizons)
        if spec.target_times is not None:
            chosen &= np.isin(self.target_times, np.array(spec.target_times, dtype="datetime64[us]"))
        return chosen


def in_cycles(cycles: Times, spec: EvaluationSpec) -> Bools:
    """Which cycles an evaluation set may hold, but for its ``last``; shape (cycles,)."""
    chosen = np.ones(cycles.shape, dtype=bool)
    if spec.cycles.since is not None:
        chosen &= cycles >= np.datetime64(spec.cycles.since)
    if spec.cycles.until is not None:
        chosen &= cycles <= np.datetime64(spec.cycles.until)
    if spec.cycles.only is not None:
        chosen &= np.isin(cycles, np.array(spec.cycles.only, dtype="datetime64[us]"))
    return chosen
