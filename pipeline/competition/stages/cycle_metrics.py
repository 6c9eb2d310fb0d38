"""Every listed metric of every model and cycle, once for each time that its value became known or changed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.categories import OVERALL, By
from pipeline.competition.contract import Contract
from pipeline.competition.evaluation import evaluate, scored_by
from pipeline.competition.metrics import COVERAGE, RESOLVED, Metric, Need, Pool, SectionMetric, pool_horizons, safely
from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import ScoringRule
from pipeline.competition.stages.block import Block, LastKnown, State

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
    columns: list[Columns] = []
    changes = Changes(block.shape[0])
    rule = contract.rule if scores is None else None
    measures_alone = contract.rule if scores is not None and contract.measures else None
    for state in block.states(scores):
        if measures_alone is not None:
            scored = scored_by(measures_alone, state.panel)
            state = replace(state, panel=scored.with_scores(state.panel.scores, scored.measures))  # noqa: PLW2901
        for part, measured in _parts(state, panel_metrics(contract), rule, contract):
            columns.extend(changes.rows(part, metric, over) for metric, over in measured)
    return stacked(columns)


Measured = Iterable[tuple[Metric, SectionMetric]]


def _parts(
    state: State, metrics: Sequence[Metric], rule: ScoringRule | None, contract: Contract
) -> Iterator[tuple["Part", Measured]]:
    """Every category of a state, with its metrics of every section."""
    by_subject = contract.divided(By.SUBJECT) is not None
    if by_subject and rule is not None:  # or subjects would be scored once more, each as a part of all
        state, rule = replace(state, panel=scored_by(rule, state.panel)), None
    over = evaluate(metrics, state.panel, rule)
    for part in horizon_parts(state, contract):
        yield part, [(metric, found.of(part.sections)) for metric, found in zip(metrics, over, strict=True)]
    if by_subject:
        yield from _subject_parts(state, [metric for metric in metrics if metric.pool is Pool.TASKS])


def horizon_parts(state: State, contract: Contract) -> Iterator["Part"]:
    """The whole contest, and each of its horizons where these have boards."""
    whole = Part.of(state, OVERALL)
    yield replace(whole, has_outcome=np.ones_like(whole.has_outcome))  # or there would be no state
    if contract.divided(By.HORIZON) is None:
        return
    for horizon in np.unique(state.panel.horizons):
        yield Part.of(state, By.HORIZON.category(horizon), np.flatnonzero(state.panel.horizons == horizon))


def _subject_parts(state: State, metrics: Sequence[Metric]) -> Iterator[tuple["Part", Measured]]:
    """Each subject: its part of what the rule gave to all, since a rule may compare subjects."""
    for place, subject in enumerate(state.panel.subjects):
        of_subject = state.panel.of_subject(place)
        part = Part.of(replace(state, panel=of_subject), By.SUBJECT.category(subject))
        yield part, [(metric, safely(metric, of_subject)) for metric in metrics]


@dataclass(frozen=True)
class Part:
    """A category in a state, and how its sections (one per horizon) make cycles.

    Parameters
    ----------
    category : str
    models : array of str, shape (models,)
    sections : array of int
        Their places in the state.
    start : array of int, shape (cycles,)
        The place of each cycle's first section among ``sections``.
    first_section : array of int, shape (cycles,)
        The place of that section on the block's axes.
    cycle, known_at : arrays of datetime64, shape (cycles,)
    has_outcome : array of bool, shape (cycles,)
        Whether anything is known of the cycle.
    present : array of bool, shape (cycles, models)
        Who took part.
    imputed : array of bool, shape (cycles, models)
        For whom something stood in.
    """

    category: str
    models: npt.NDArray[np.object_]
    sections: Ints
    start: Ints
    first_section: Ints
    cycle: npt.NDArray[np.datetime64]
    known_at: npt.NDArray[np.datetime64]
    has_outcome: Bools
    present: Bools
    imputed: Bools

    @classmethod
    def of(cls, state: State, category: str, sections: Ints | None = None) -> "Part":
        """A category; of all sections of a state, or of some."""
        panel = state.panel
        if sections is None:
            sections = np.arange(panel.shape[0])
        cycles = panel.cycles[sections]
        start = np.flatnonzero(np.r_[True, cycles[1:] != cycles[:-1]])
        flags: tuple[Bools, Bools] = (np.asarray(panel.submitted.any(axis=2)), panel.imputed)
        present, imputed = (np.logical_or.reduceat(flag[sections], start, axis=0) for flag in flags)
        first = sections[start]
        return cls(
            category,
            panel.models,
            sections,
            start,
            state.sections[first],
            panel.cycles[first],
            state.known_at[first],
            np.asarray(np.logical_or.reduceat(panel.n_outcomes[sections] > 0, start)),
            present,
            imputed,
        )

    def pool(self, metric: Metric, over: SectionMetric) -> dict[str, Floats]:
        """Value, n, numerator, denominator and reason of every cycle and model, out of those of the sections."""
        return pool_horizons(metric, over, self.start)


Columns = dict[str, npt.NDArray[Any]]
"""Rows of ``cycle_metrics``, column by column: parts of a few rows each are put together faster than frames of them."""


def stacked(parts: Sequence[Columns]) -> pd.DataFrame:
    """The rows of all parts as one frame."""
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
    # Without a reason it is None, also in a column that has some.
    return pd.DataFrame(columns | {"reason": pd.Series(columns["reason"], dtype=object)})


class Changes:
    """What each state of a block adds to the states before: rows of ``cycle_metrics`` that are new or changed.

    Parameters
    ----------
    places : int
        Sections of the block.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._last: dict[tuple[str, str], LastKnown] = defaultdict(LastKnown)
        self._resolved: dict[str, Bools] = {}

    def rows(self, part: Part, metric: Metric, over: SectionMetric) -> Columns:
        """Rows of a metric; ``over`` is of the part's sections."""
        values, begun = part.pool(metric, over), self._begun(part)
        last = self._last[part.category, metric.name]
        of_begun = {name: array[begun] for name, array in values.items()}
        changed = last.update(self._places, part.first_section[begun], **of_begun) & part.present[begun]
        place, model = np.nonzero(changed)
        cycle = begun[place]
        return {
            "model_id": part.models[model],
            "cycle": part.cycle[cycle],
            "category": np.full(len(cycle), part.category, dtype=object),
            "metric": np.full(len(cycle), metric.name, dtype=object),
            "known_at": part.known_at[cycle],
            "value": values["value"][cycle, model],
            "n": values["n"][cycle, model].astype(np.int64),
            "numerator": values["numerator"][cycle, model],
            "denominator": values["denominator"][cycle, model],
            "reason": reason_texts(values["reason"][cycle, model]),
            "is_imputed": part.imputed[cycle, model],
        }

    def _begun(self, part: Part) -> Ints:
        """The cycles of a part that have an outcome, or had: a state is there when any part of a cycle has."""
        resolved = self._resolved.setdefault(part.category, np.zeros(self._places, dtype=bool))
        resolved[part.first_section] |= part.has_outcome
        return np.flatnonzero(resolved[part.first_section])
