"""Ensembles of a contest: their weights, their predictions, and the metrics of their members beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.contract import Contract
from pipeline.competition.ensembles import EnsembleConfig, Weighing, combine, normalized
from pipeline.competition.evaluation import scored_by
from pipeline.competition.metrics import EnsemblePanel, Pool, SectionMetric, base_and_ensemble, safely_beside
from pipeline.competition.panel import Axes, Panel
from pipeline.competition.stages.block import Block, State
from pipeline.competition.stages.cycle_metrics import COLUMNS as METRIC_COLUMNS
from pipeline.competition.stages.cycle_metrics import Changes, horizon_parts, member_metrics
from pipeline.competition.stages.walk_forward import WalkForward, WeighedSection
from pipeline.leaderboard import Direction

WEIGHT_COLUMNS = ["ensemble", "cycle", "horizon", "model_id", "weight", "n_history", "fallback"]
PREDICTION_COLUMNS = [
    *("model_id", "cycle", "horizon", "subject", "output_type", "output_type_id"),
    *("target_time", "value", "deadline", "received_at", "is_late", "is_imputed"),
]


def compute_weights(predictions: pd.DataFrame, walk: WalkForward, contract: Contract) -> pd.DataFrame:
    """Weigh the members of every ensemble in whole cycles.

    Parameters
    ----------
    predictions : DataFrame
        Rows of whole cycles; only what real models submitted in time counts.
    walk : WalkForward
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``ensemble_weights``.
    """
    submitted = _Submitted.of(predictions)
    if submitted is None:
        return pd.DataFrame(columns=WEIGHT_COLUMNS)
    sections = walk.weigh(
        submitted.axes, submitted.signals, submitted.deadlines, contract.active_ensembles, leave_out=False
    )
    return _weight_rows(submitted.axes, list(sections))


def compute_ensemble_predictions(predictions: pd.DataFrame, weights: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Combine what the members of every ensemble predict.

    Parameters
    ----------
    predictions : DataFrame
        Rows of whole cycles.
    weights : DataFrame
        Rows of ``ensemble_weights`` of these cycles.
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``ensemble_predictions``, received at the deadline.
    """
    submitted = _Submitted.of(predictions)
    if submitted is None or weights.empty:
        return pd.DataFrame(columns=PREDICTION_COLUMNS)
    axes = submitted.axes
    frames = []
    for ensemble in contract.active_ensembles:
        of_ensemble = axes.matrix_of_models(weights[weights["ensemble"] == ensemble.name], "weight")
        signals = normalized(submitted.signals, contract.normalization(ensemble))
        value = np.full((len(axes.sections), len(axes.subjects)), np.nan)
        for section in np.flatnonzero((of_ensemble > 0).any(axis=1)):
            members = np.flatnonzero(of_ensemble[section] > 0)
            weighing = Weighing(of_ensemble[section][members], np.full(len(members), None), None)
            value[section] = combine(signals[section][members], weighing, ensemble, leave_out=False).value
        frames.append(_prediction_rows(submitted, value, ensemble, contract))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=PREDICTION_COLUMNS)


def compute_member_metrics(
    predictions: pd.DataFrame, truth: pd.DataFrame, walk: WalkForward, contract: Contract
) -> pd.DataFrame:
    """Compute the metrics that real models have beside ensembles.

    Parameters
    ----------
    predictions, truth : DataFrame
        Rows of whole cycles, with every version of truth.
    walk : WalkForward
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``member_metrics``: of every ensemble that a listed metric is computed against.
    """
    submitted = _Submitted.of(predictions)
    columns = ["ensemble", *METRIC_COLUMNS]
    if submitted is None:
        return pd.DataFrame(columns=columns)
    block = Block.of(submitted.rows, truth, contract)
    deadlines = submitted.deadlines
    wanted: dict[str, set[str]] = {}
    for metric in member_metrics(contract):
        wanted.setdefault(contract.ensemble_beside(metric.name).name, set()).add(base_and_ensemble(metric.name)[0])
    frames = []
    ensembles = [one for one in contract.active_ensembles if one.name in wanted]
    sections = list(walk.weigh(block.axes, block.signals, deadlines, ensembles, leave_out=True))
    for ensemble in ensembles:
        whole = _WholeBlock.of(block, [one for one in sections if one.ensemble == ensemble], contract)
        metrics = [contract.metric(name) for name in sorted(wanted[ensemble.name])]
        changes = Changes(block.shape[0])
        for state in block.states():
            beside = partial(whole.at, state, contract)
            over = {metric: safely_beside(metric, state.panel, beside) for metric in metrics}
            for part, metric in product(horizon_parts(state, contract), metrics):
                rows = changes.rows(part, metric, over[metric].of(part.sections))
                frames.append(rows.assign(ensemble=ensemble.name))
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def rows_as_listed(rows: pd.DataFrame, listed: str, contract: Contract) -> pd.DataFrame:
    """A listed metric of members beside its ensemble, under the name that it is listed by.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``member_metrics``; text may be categorical.
    listed : str
        Such as contribution or contribution@top5.
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``cycle_metrics``, the metric categorical.

    Raises
    ------
    ValueError
        If the contest has no such ensemble.
    """
    is_of = (rows["metric"] == base_and_ensemble(listed)[0]) & (
        rows["ensemble"] == contract.ensemble_beside(listed).name
    )
    found = rows[is_of].drop(columns="ensemble")
    return found.assign(metric=pd.Categorical([listed] * len(found)))


@dataclass(frozen=True)
class _Submitted:
    """What real models submitted in time, on common axes; ``deadlines`` of shape (sections,)."""

    rows: pd.DataFrame
    axes: Axes
    signals: Floats
    deadlines: npt.NDArray[np.datetime64]

    @classmethod
    def of(cls, predictions: pd.DataFrame) -> "_Submitted | None":
        rows = predictions[~predictions["is_late"].astype(bool) & ~predictions["is_imputed"].astype(bool)]
        if rows.empty:
            return None
        axes = Axes.of(rows)
        deadlines = rows.groupby(["cycle", "horizon"])["deadline"].max().reindex(axes.sections)
        return cls(rows, axes, axes.cube(rows, "value"), deadlines.to_numpy())


@dataclass(frozen=True)
class _WholeBlock:
    """An ensemble in all cross-sections of a block, with what it would be without each model.

    Arrays as in :class:`~pipeline.competition.metrics.EnsemblePanel`, on the block's axes.
    """

    signals: Floats
    without: Floats
    is_member: Bools
    is_separable: Bools

    @classmethod
    def of(cls, block: Block, sections: Sequence[WeighedSection], contract: Contract) -> "_WholeBlock":
        n_sections, n_models, n_subjects = block.shape
        signals = np.full((n_sections, n_subjects), np.nan)
        without = np.full(block.shape, np.nan)
        is_member = np.zeros((n_sections, n_models), dtype=bool)
        is_separable = np.ones(n_sections, dtype=bool)
        for one in sections:
            scaled = normalized(block.signals[one.section][one.candidates], contract.normalization(one.ensemble))
            combined = combine(scaled, one.weighing, one.ensemble)
            signals[one.section] = without[one.section] = combined.value
            is_member[one.section, one.candidates[: one.members]] = True
            if combined.without is None:
                is_separable[one.section] = False
            else:
                without[one.section, one.candidates[: one.members]] = combined.without[: one.members]
        return cls(signals, without, is_member, is_separable)

    def at(self, state: State, contract: Contract) -> EnsemblePanel:
        """The ensemble in the sections of a state."""
        return EnsemblePanel(
            signals=self.signals[state.sections],
            without=self.without[state.sections],
            is_member=self.is_member[state.sections],
            is_separable=self.is_separable[state.sections],
            primary=lambda panel: _primary(panel, contract),
            sign=-1 if contract.direction(contract.scoring.primary) is Direction.ASC else 1,
        )


def _primary(panel: Panel, contract: Contract) -> SectionMetric:
    """The contest's primary metric of a panel that is not scored yet."""
    metric = contract.metric(contract.scoring.primary)
    if metric.pool is Pool.TASKS:
        panel = scored_by(contract.rule, panel)
    return metric.over_panel(panel)


def _weight_rows(axes: Axes, sections: Sequence[WeighedSection]) -> pd.DataFrame:
    if not sections:
        return pd.DataFrame(columns=WEIGHT_COLUMNS)
    members = [one.members for one in sections]
    section = np.repeat([one.section for one in sections], members)
    shares = [one.weighing.weights[: one.members] / one.weighing.weights[: one.members].sum() for one in sections]
    return pd.DataFrame(
        {
            "ensemble": np.repeat(np.array([one.ensemble.name for one in sections], dtype=object), members),
            "cycle": axes.sections.get_level_values("cycle").to_numpy()[section],
            "horizon": axes.sections.get_level_values("horizon").to_numpy()[section],
            "model_id": axes.models.to_numpy()[np.concatenate([one.candidates[: one.members] for one in sections])],
            "weight": np.concatenate(shares),
            "n_history": np.concatenate([one.n_history[: one.members] for one in sections]),
            "fallback": np.concatenate([one.weighing.fallback[: one.members] for one in sections]),
        }
    )[WEIGHT_COLUMNS]


def _prediction_rows(
    submitted: _Submitted, value: Floats, ensemble: EnsembleConfig, contract: Contract
) -> pd.DataFrame:
    axes = submitted.axes
    section, subject = np.nonzero(~np.isnan(value))
    of_section = submitted.rows.groupby(["cycle", "horizon"])["target_time"].max().reindex(axes.sections).to_numpy()
    return pd.DataFrame(
        {
            "model_id": ensemble.model_id,
            "cycle": axes.sections.get_level_values("cycle").to_numpy()[section],
            "horizon": axes.sections.get_level_values("horizon").to_numpy()[section],
            "subject": axes.subjects.to_numpy()[subject],
            "output_type": contract.predictions.output_type,
            "output_type_id": "",
            "target_time": of_section[section],
            "value": value[section, subject],
            "deadline": submitted.deadlines[section],
            "received_at": submitted.deadlines[section],
            "is_late": False,
            "is_imputed": False,
        }
    )[PREDICTION_COLUMNS]
