"""Predictions and truth in, scored tasks out: what evaluation sets are computed from."""

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.contract import Contract
from pipeline.competition.evaluations import ScoredTasks, needed_measures
from pipeline.competition.labels import distinct
from pipeline.competition.panel import Panel
from pipeline.competition.stages.block import Block


def score_tasks(predictions: pd.DataFrame, truth: pd.DataFrame, contract: Contract) -> ScoredTasks:
    """Score every prediction that counts by the newest outcome, for the measures that evaluation sets are made of.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``predictions`` of whole cycles, those of virtual models among them; late ones are left out, and so is
        what stands in for a submission that a model left out.
    truth : DataFrame
        Every version of the outcomes at their target times, as far as it is known.
    contract : Contract

    Returns
    -------
    ScoredTasks
        Every subject in every cross-section is a task, submitted or not.
    """
    block = Block.of(predictions, truth, contract)
    panel = block.newest()
    found = _measured(panel, contract)
    own = ~panel.imputed[:, :, None]
    times = distinct(predictions, ["cycle", "horizon", "target_time"]).set_index(["cycle", "horizon"])["target_time"]
    target_times = times[~times.index.duplicated()].reindex(block.axes.sections).to_numpy(dtype="datetime64[us]")
    n_subjects = len(panel.subjects)
    return ScoredTasks(
        models=panel.models,
        cycles=np.repeat(panel.cycles, n_subjects),
        target_times=np.repeat(target_times, n_subjects),
        horizons=np.repeat(panel.horizons, n_subjects),
        subjects=np.tile(panel.subjects, len(panel.cycles)),
        submitted=_by_task(_submitted(panel) & own),
        measures={name: _by_task(np.where(own, value, np.nan)) for name, value in found.items()},
    )


def _measured(panel: Panel, contract: Contract) -> dict[str, Floats]:
    """The measures that evaluation sets are made of, shape (sections, models, subjects).

    Of predictions that are one number, the score of any rule is a measure; else those of the contest's own rule are.
    """
    scored = contract.rule.function(panel)
    found = {**scored.measures, contract.scoring.rule: scored.value}
    return {
        name: found[name] if name in found else contract.rule_called(name).function(panel).value
        for name in needed_measures(contract.evaluations)
    }


def _submitted(panel: Panel) -> Bools:
    """Where there is a prediction, a whole one or not; shape (sections, models, subjects)."""
    if panel.forecasts is None:
        return panel.submitted
    return np.asarray(~np.isnan(panel.forecasts.values).all(axis=-1))


def _by_task(cube: Floats | Bools) -> np.ndarray:
    """From shape (sections, models, subjects) to (tasks, models)."""
    return np.ascontiguousarray(np.moveaxis(cube, 1, 2)).reshape(-1, cube.shape[1])
