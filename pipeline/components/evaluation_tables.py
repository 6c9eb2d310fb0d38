"""Evaluation sets out of the warehouse: those of a contest as it stands, and as any past moment knew it."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.clock import utc_now
from pipeline.competition import Contract, stage_code
from pipeline.competition.evaluations import ScoredTasks, evaluate, in_cycles
from pipeline.competition.labels import times
from pipeline.competition.stages import score_tasks
from pipeline.components.blocks import cycles_per_block
from pipeline.components.readings import predictions_of, truth_of
from pipeline.components.recompute import Outcome, Recompute, recompute_whole
from pipeline.tables import ENSEMBLE_PREDICTIONS, EVALUATIONS, PREDICTIONS, TableSpec
from pipeline.warehouse import Store, compose

_NUMBERS_KEPT = 1 << 26
"""Scores that are kept for the second reading; where there are more, they are computed again."""


def update_evaluations(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the evaluation sets anew when any prediction or outcome changed; rounds that are open do not count."""
    code = stage_code(EVALUATIONS.name, contract)
    return recompute_whole(
        store, EVALUATIONS, contract.name, code, config, lambda: evaluations_of(store, contract, utc_now())
    )


def evaluations_of(store: Store, contract: Contract, as_of: datetime | None = None) -> pd.DataFrame:
    """The evaluation sets of a contest, from what was known at a moment.

    Parameters
    ----------
    store : Store
        Predictions and truth; the published file will do.
    contract : Contract
    as_of : datetime, optional
        Cycles whose deadline had passed by then, and outcomes known by then, count; by default all. What becomes known
        later changes nothing.

    Returns
    -------
    DataFrame
        Rows of ``evaluations`` without the competition.
    """
    return evaluate(contract.evaluations, _Blocks(store, contract, as_of))


class _Blocks:
    """Scored tasks block by block of cycles; those of the first reading are kept as far as memory is bounded."""

    def __init__(self, store: Store, contract: Contract, as_of: datetime | None) -> None:
        self._store = store
        self._contract = contract
        self._as_of = as_of
        self._tables = (PREDICTIONS, ENSEMBLE_PREDICTIONS) if contract.active_ensembles else (PREDICTIONS,)
        cycles = self._cycles()
        size = cycles_per_block(store, contract, cycles) if cycles else 1
        self._cuts = [cycles[at : at + size] for at in range(0, len(cycles), size)]
        self._models = self._all_models(cycles)
        self._kept: dict[int, ScoredTasks] = {}

    def __iter__(self) -> Iterator[ScoredTasks]:
        room = _NUMBERS_KEPT
        for place, cycles in enumerate(self._cuts):
            block = self._kept.get(place)
            if block is None:
                block = self._scored(cycles)
            room -= block.submitted.size * len(block.measures)
            if room > 0:
                self._kept[place] = block
            yield block

    def _scored(self, cycles: list[datetime]) -> ScoredTasks:
        frames = [predictions_of(self._store, self._contract, cycles, table) for table in self._tables]
        rows = frames[0] if len(frames) == 1 else _together(frames)
        truth = truth_of(self._store, self._contract, rows)
        if self._as_of is not None:
            truth = truth[truth["known_at"] <= self._as_of]
        return score_tasks(rows, truth, self._contract).of_models(self._models)

    def _cycles(self) -> list[datetime]:
        """Those that any of the sets may hold, ascending."""
        statement = compose(
            "SELECT cycle FROM {table} WHERE competition = ? AND NOT is_late"
            " GROUP BY cycle HAVING max(deadline) <= coalesce(?, 'infinity'::TIMESTAMP) ORDER BY cycle",
            table=PREDICTIONS,
        )
        cycles = self._store.query(statement, [self._contract.name, self._as_of])["cycle"]
        moments = cycles.to_numpy(dtype="datetime64[us]")
        wanted = np.zeros(len(moments), dtype=bool)
        for spec in self._contract.evaluations:
            wanted |= in_cycles(moments, spec)
        return times(cycles[wanted])

    def _all_models(self, cycles: list[datetime]) -> np.ndarray:
        """Everybody who predicted, in order."""
        found: set[str] = set()
        for table in self._tables if cycles else ():
            found |= set(self._models_in(table, cycles))
        return np.array(sorted(found), dtype=object)

    def _models_in(self, table: TableSpec, cycles: list[datetime]) -> list[str]:
        statement = compose(
            "SELECT DISTINCT model_id FROM {table} WHERE competition = ? AND NOT is_late AND cycle BETWEEN ? AND ?",
            table=table,
        )
        found = self._store.query(statement, [self._contract.name, min(cycles), max(cycles)])
        return found["model_id"].tolist()


def _together(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of several tables under common categories."""
    coded = [name for name in frames[0] if any(isinstance(frame[name].dtype, pd.CategoricalDtype) for frame in frames)]
    united = {
        name: pd.api.types.union_categoricals([frame[name].astype("category") for frame in frames]) for name in coded
    }
    plain = {
        name: np.concatenate([frame[name].to_numpy() for frame in frames]) for name in frames[0] if name not in coded
    }
    return pd.DataFrame({**united, **plain})
