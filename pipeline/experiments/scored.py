"""Runs with what scorers say of them: which of them count, and why others are not ranked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.scores import scorer_values
from pipeline.experiments.weighing import Weighed, weigh

COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
UNFINISHED = ("pending", "running")
STATUSES = (*UNFINISHED, COMPLETED, FAILED, CANCELLED)

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


class BoardError(ValueError):
    """Runs and scores that make no board; the message says which and what would do."""


@dataclass(frozen=True, eq=False)
class ScoredRuns:
    """Runs with what scorers say of them.

    Parameters
    ----------
    experiment : Experiment
    runs : DataFrame
        Rows of experiments.runs with those of their configurations, numbered from 0.
    values : mapping of str to float array, shape (runs,)
        By scorer, 0 to 1, NaN for none.
    weighed : Weighed
        The weighted scores.
    baseline : str or None
        The configuration that others are compared with.
    """

    experiment: Experiment
    runs: pd.DataFrame
    values: Mapping[str, Floats]
    weighed: Weighed
    baseline: str | None = None

    @classmethod
    def of(
        cls, experiment: Experiment, runs: pd.DataFrame, scores: pd.DataFrame, configurations: pd.DataFrame
    ) -> "ScoredRuns":
        """Runs, scores and configurations put together.

        Parameters
        ----------
        experiment : Experiment
            Its scorers' weights and minimum.
        runs, scores, configurations : DataFrame
            Rows of the tables; scores in the order of arrival.

        Raises
        ------
        BoardError
            If a run or a configuration is there twice, a run has an unknown status or no known configuration.
        """
        whole = _with_configurations(runs, configurations)
        values = scorer_values(scores, pd.Index(whole["run_id"]))
        weighed = weigh(values, experiment.weights, experiment.min_scorers, n_runs=len(whole))
        marked = configurations.loc[configurations["is_baseline"], "configuration"]
        return cls(experiment, whole, values, weighed, next(iter(marked), None))

    @cached_property
    def why_not(self) -> Texts:
        """Per run why it is not ranked: its status, or what it lacks; None where it is."""
        status = self.runs["status"].to_numpy(dtype=object)
        return np.where(status == COMPLETED, self.weighed.reason, status)

    @cached_property
    def is_kept(self) -> npt.NDArray[np.bool_]:
        """Runs that newer repeats of the same do not replace; one that has not completed replaces none that has."""
        most = self.experiment.newest_repeats
        if most is None:
            return np.ones(len(self.runs), dtype=bool)
        has_completed = self.runs["status"] == COMPLETED
        in_time = self.runs.assign(has_completed=has_completed).sort_values(
            ["has_completed", "created_at", "repeat"], ascending=False, kind="stable"
        )
        age = in_time.groupby(["configuration", "input_id"], sort=False).cumcount()
        return np.asarray((age < most).sort_index().to_numpy(), dtype=bool)


def _with_configurations(runs: pd.DataFrame, configurations: pd.DataFrame) -> pd.DataFrame:
    """Runs with the title, prompt and model of their configurations."""
    for frame, key in ((runs, "run_id"), (configurations, "configuration")):
        twice = frame.loc[frame[key].duplicated(), key].unique()[:5]
        if len(twice):
            raise BoardError(f"{key} {', '.join(map(repr, twice))} is there more than once; keep one row of each")
    odd = sorted(set(runs["status"].unique()) - set(STATUSES))
    if odd:
        raise BoardError(f"unknown status {', '.join(map(repr, odd))}; known: {', '.join(STATUSES)}")
    unknown = runs.loc[~runs["configuration"].isin(configurations["configuration"]), "configuration"].unique()[:5]
    if len(unknown):
        raise BoardError(
            f"runs have configurations that are not there: {', '.join(map(repr, unknown))}; add their rows"
        )
    of_each = configurations[["configuration", "title", "prompt", "prompt_version", "model"]]
    return runs.merge(of_each, on="configuration", how="left", validate="many_to_one").reset_index(drop=True)
