"""Ensembles of a contest: their weights, their predictions, and the metrics of their members beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.contract import Contract
from pipeline.competition.ensembles import (
    EnsembleConfig,
    Weighing,
    combine,
    combine_forecasts,
    normalized,
    only_whole,
)
from pipeline.competition.evaluation import scored_by
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.labels import distinct
from pipeline.competition.metrics import EnsemblePanel, Pool, SectionMetric, base_and_ensemble, safely_beside
from pipeline.competition.panel import Axes, Panel
from pipeline.competition.stages.block import Block, State
from pipeline.competition.stages.cycle_metrics import COLUMNS as METRIC_COLUMNS
from pipeline.competition.stages.cycle_metrics import Changes, horizon_parts, member_metrics, stacked
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
    submitted = _Submitted.of(predictions, contract)
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
    submitted = _Submitted.of(predictions, contract)
    if submitted is None or weights.empty:
        return pd.DataFrame(columns=PREDICTION_COLUMNS)
    frames = []
    for ensemble in contract.active_ensembles:
        of_ensemble = submitted.axes.matrix_of_models(weights[weights["ensemble"] == ensemble.name], "weight")
        value = submitted.combined(of_ensemble, ensemble, contract)
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
    submitted = _Submitted.of(predictions, contract)
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
        changes, parts = Changes(block.shape[0]), []
        for state in block.states():
            beside = partial(whole.at, state, contract)
            over = {metric: safely_beside(metric, state.panel, beside) for metric in metrics}
            for part, metric in product(horizon_parts(state, contract), metrics):
                parts.append(changes.rows(part, metric, over[metric].of(part.sections)))
        frames.append(stacked(parts).assign(ensemble=ensemble.name))
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
    return found.assign(metric=pd.Categorical([listed] * len(found), categories=[listed]))


@dataclass(frozen=True)
class _Submitted:
    """What real models submitted in time, on common axes; ``deadlines`` of shape (sections,)."""

    rows: pd.DataFrame
    axes: Axes
    signals: Floats
    deadlines: npt.NDArray[np.datetime64]
    forecasts: Forecasts | None = None

    @classmethod
    def of(cls, predictions: pd.DataFrame, contract: Contract) -> "_Submitted | None":
        is_left_out = predictions["is_late"].to_numpy(dtype=bool) | predictions["is_imputed"].to_numpy(dtype=bool)
        rows = predictions[~is_left_out] if is_left_out.any() else predictions
        if rows.empty:
            return None
        axes = Axes.of(rows)
        signals, forecasts = axes.predicted(rows, contract.output)
        return cls(rows, axes, signals, _latest(rows, "deadline", axes), forecasts)

    def combined(self, weights: Floats, ensemble: EnsembleConfig, contract: Contract) -> Floats:
        """The ensemble by weights of shape (sections, models), as numbers of shape (sections, subjects, ids)."""
        whole = None if self.forecasts is None else only_whole(self.forecasts)
        signals = normalized(self.signals, contract.normalization(ensemble))
        found: dict[int, Floats] = {}
        for section in np.flatnonzero((weights > 0).any(axis=1)).tolist():
            members = np.flatnonzero(weights[section] > 0)
            weighing = Weighing(weights[section][members], np.full(len(members), None), None)
            if whole is not None:
                of_members = replace(whole, values=whole.values[section][members])
                found[section] = combine_forecasts(of_members, weighing, ensemble, leave_out=False).values
            else:
                found[section] = combine(signals[section][members], weighing, ensemble, leave_out=False).value[:, None]
        most = max((one.shape[1] for one in found.values()), default=0)  # a section may have more samples than another
        value = np.full((len(self.axes.sections), len(self.axes.subjects), most), np.nan)
        for section, one in found.items():
            value[section, :, : one.shape[1]] = one
        return value


@dataclass(frozen=True)
class _WholeBlock:
    """An ensemble in all cross-sections of a block, with what it would be without each model.

    Arrays as in :class:`~pipeline.competition.metrics.EnsemblePanel`, on the block's axes.
    """

    signals: Floats
    without: Floats
    is_member: Bools
    is_separable: Bools
    forecasts: Forecasts | None = None
    forecasts_without: Forecasts | None = None

    @classmethod
    def of(cls, block: Block, sections: Sequence[WeighedSection], contract: Contract) -> "_WholeBlock":
        if block.forecasts is not None:
            return cls._of_forecasts(block, block.forecasts, sections)
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

    @classmethod
    def _of_forecasts(cls, block: Block, given: Forecasts, sections: Sequence[WeighedSection]) -> "_WholeBlock":
        """The same of distributions; signals are the points of what they are combined to."""
        n_sections, n_models, n_subjects = block.shape
        members = only_whole(given)
        pools = [one.weighing.weights.size for one in sections] or [1]
        ids = given.ids if given.output_type != "sample" else np.arange(1.0, given.ids.size * max(pools) + 1)
        values = np.full((n_sections, 1, n_subjects, ids.size), np.nan)
        without = np.full((n_sections, n_models, n_subjects, given.ids.size), np.nan)
        is_member = np.zeros((n_sections, n_models), dtype=bool)
        is_separable = np.ones(n_sections, dtype=bool)
        for one in sections:
            candidates = replace(members, values=members.values[one.section][one.candidates])
            combined = combine_forecasts(candidates, one.weighing, one.ensemble)
            values[one.section, 0, :, : combined.values.shape[1]] = combined.values
            is_member[one.section, one.candidates[: one.members]] = True
            if combined.without is None:
                is_separable[one.section] = False
            else:
                without[one.section] = combined.values
                without[one.section, one.candidates[: one.members]] = combined.without[: one.members]
        whole = Forecasts(given.output_type, ids, values)
        left = Forecasts(given.output_type, given.ids, without)
        return cls(whole.points()[:, 0], left.points(), is_member, is_separable, whole, left)

    def at(self, state: State, contract: Contract) -> EnsemblePanel:
        """The ensemble in the sections of a state."""
        return EnsemblePanel(
            signals=self.signals[state.sections],
            without=self.without[state.sections],
            is_member=self.is_member[state.sections],
            is_separable=self.is_separable[state.sections],
            primary=lambda panel: _primary(panel, contract),
            sign=-1 if contract.direction(contract.scoring.primary) is Direction.ASC else 1,
            forecasts=None if self.forecasts is None else self.forecasts.part(state.sections),
            forecasts_without=None if self.forecasts_without is None else self.forecasts_without.part(state.sections),
        )


def _latest(rows: pd.DataFrame, time: str, axes: Axes) -> npt.NDArray[np.datetime64]:
    """The latest of a column of times in each section."""
    of_section = distinct(rows, ["cycle", "horizon", time]).groupby(["cycle", "horizon"])[time].max()
    return np.asarray(of_section.reindex(axes.sections))


def _primary(panel: Panel, contract: Contract) -> SectionMetric:
    """The contest's primary metric of a panel that is not scored yet."""
    metric = contract.metric(contract.scoring.primary)
    if metric.pool is Pool.TASKS or not metric.is_of_any:
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
    axes, output = submitted.axes, contract.output
    section, subject, number = np.nonzero(~np.isnan(value))
    ids = [str(one + 1) for one in range(value.shape[2])] if output.type == "sample" else list(output.ids or ("",))
    of_section = _latest(submitted.rows, "target_time", axes)
    return pd.DataFrame(
        {
            "model_id": ensemble.model_id,
            "cycle": axes.sections.get_level_values("cycle").to_numpy()[section],
            "horizon": axes.sections.get_level_values("horizon").to_numpy()[section],
            "subject": axes.subjects.to_numpy()[subject],
            "output_type": output.type,
            "output_type_id": np.array(ids, dtype=object)[number],
            "target_time": of_section[section],
            "value": value[section, subject, number],
            "deadline": submitted.deadlines[section],
            "received_at": submitted.deadlines[section],
            "is_late": False,
            "is_imputed": False,
        }
    )[PREDICTION_COLUMNS]
