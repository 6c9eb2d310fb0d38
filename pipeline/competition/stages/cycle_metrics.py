"""Every listed metric of every model and cycle, once for each time that its value became known or changed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.evaluation import evaluate
from pipeline.competition.metrics import COVERAGE, RESOLVED, Metric, Need, SectionMetric, pool_horizons
from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import RULES
from pipeline.competition.stages.block import Block, LastKnown, State

OVERALL = "overall"
"""The category of the whole contest."""

COLUMNS = [
    *("model_id", "cycle", "category", "metric", "known_at"),
    *("value", "n", "numerator", "denominator", "reason", "is_imputed"),
]


def panel_metrics(contract: Contract) -> list[Metric]:
    """The metrics that are computed cycle by cycle for any model: listed ones of a panel, and what all rest on."""
    listed = [contract.metric(name) for name in contract.metrics]
    return [metric for metric in dict.fromkeys([*listed, COVERAGE, RESOLVED]) if metric.of_panel is not None]


def member_metrics(contract: Contract) -> list[Metric]:
    """The metrics listed that real models have beside an ensemble."""
    listed = [contract.metric(name) for name in contract.metrics]
    return [metric for metric in dict.fromkeys(listed) if metric.of_members is not None]


def compute_cycle_metrics(
    predictions: pd.DataFrame,
    truth: pd.DataFrame,
    scores: pd.DataFrame | None,
    contract: Contract,
    earlier: pd.DataFrame | None = None,
    factors: pd.DataFrame | None = None,
    peers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compute the metrics of whole cycles.

    Parameters
    ----------
    predictions, truth : DataFrame
        Rows of whole cycles, with every version of truth.
    scores : DataFrame or None
        Rows of ``scores`` of these cycles, every version. Without them the rule scores the predictions again, which
        gives the same and is cheaper than to read as many rows once more.
    contract : Contract
    earlier : DataFrame or None
        Predictions of the cycles before, for metrics that compare with them: of each cycle given, the newest before it
        with a prediction in time must be here or among ``predictions``.
    factors : DataFrame or None
        Rows of ``factors`` of the cycles, for metrics that need them.
    peers : DataFrame or None
        Predictions of these cycles by the models that the others are compared with; None for each other.

    Returns
    -------
    DataFrame
        Rows of ``cycle_metrics``: one for each model that took part in the cycle and each metric, and another
        when a revision of truth changed it. An undefined value is NaN with its reason.

    """
    if earlier is None and Need.PREVIOUS in contract.needs:
        earlier = predictions.iloc[:0]
    block = Block.of(predictions, truth, contract, earlier, factors, peers)
    frames = []
    last = {metric: LastKnown() for metric in panel_metrics(contract)}
    rule = RULES.get(contract.scoring.rule) if scores is None else None
    for state in block.states(scores):
        cycles = Cycles.of(state)
        for metric, over in zip(last, evaluate(list(last), state.panel, rule), strict=True):
            over_cycles = cycles.pool(metric, over)
            changed = cycles.present & last[metric].update(block.shape[0], cycles.first_section, **over_cycles)
            frames.append(metric_rows(metric.name, state, cycles, over_cycles, changed))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


@dataclass(frozen=True)
class Cycles:
    """How the sections of a state (one per horizon) make cycles.

    ``start`` is the position in the state of each cycle's first section, ``first_section`` that on the block's
    axes; ``present`` says who took part, ``imputed`` for whom something stood in, shape (cycles, models).
    """

    start: Ints
    first_section: Ints
    present: Bools
    imputed: Bools

    @classmethod
    def of(cls, state: State) -> "Cycles":
        """The cycles of a state."""
        cycles = state.panel.cycles
        start = np.flatnonzero(np.r_[True, cycles[1:] != cycles[:-1]])
        took_part = (~np.isnan(state.panel.signals)).any(axis=2)
        present, imputed = (np.logical_or.reduceat(flags, start, axis=0) for flags in (took_part, state.panel.imputed))
        return cls(start, state.sections[start], present, imputed)

    def pool(self, metric: Metric, over: SectionMetric) -> dict[str, Floats]:
        """Value, n, numerator, denominator and reason of every cycle and model."""
        return pool_horizons(metric, over, self.start)


def metric_rows(name: str, state: State, cycles: Cycles, values: dict[str, Floats], changed: Bools) -> pd.DataFrame:
    """Rows of ``cycle_metrics``, where a value is new or changed; shapes (cycles, models)."""
    cycle, model = np.nonzero(changed)
    return pd.DataFrame(
        {
            "model_id": state.panel.models[model],
            "cycle": state.panel.cycles[cycles.start][cycle],
            "category": OVERALL,
            "metric": name,
            "known_at": state.known_at[cycles.start][cycle],
            "value": values["value"][cycle, model],
            "n": values["n"][cycle, model].astype(np.int64),
            "numerator": values["numerator"][cycle, model],
            "denominator": values["denominator"][cycle, model],
            "reason": reason_texts(values["reason"][cycle, model]),
            "is_imputed": cycles.imputed[cycle, model],
        }
    )[COLUMNS]
