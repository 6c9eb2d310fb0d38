"""How the tables of a competition's ensembles are brought up to date; a contest without ensembles has none of them."""

from collections.abc import Callable
from datetime import datetime
from functools import cache

import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.stages import (
    WalkForward,
    compute_ensemble_predictions,
    compute_member_metrics,
    compute_weights,
    member_metrics,
)
from pipeline.components.blocks import by_cycle
from pipeline.components.competition_tables import metrics_of, scores_of
from pipeline.components.readings import known_metrics, predictions_of, truth_of
from pipeline.components.recompute import Outcome, Recompute
from pipeline.tables import (
    ENSEMBLE_METRICS,
    ENSEMBLE_PREDICTIONS,
    ENSEMBLE_SCORES,
    ENSEMBLE_WEIGHTS,
    MEMBER_METRICS,
    PREDICTIONS,
)
from pipeline.warehouse import Store


def update_weights(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Weigh the members for the cycles whose predictions, or what was known by their deadline, changed."""
    walk = _walk(store, contract)

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return compute_weights(predictions_of(store, contract, cycles), walk(), contract)

    return by_cycle(store, ENSEMBLE_WEIGHTS, contract, config, rows_of)


def update_predictions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Combine what members predict, for the cycles whose predictions or weights changed."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        predictions = predictions_of(store, contract, cycles)
        return compute_ensemble_predictions(predictions, store.read(ENSEMBLE_WEIGHTS, contract.name, cycles), contract)

    return by_cycle(store, ENSEMBLE_PREDICTIONS, contract, config, rows_of)


def update_scores(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Score the virtual models as the real ones are scored."""
    return scores_of(store, contract, config, ENSEMBLE_SCORES, ENSEMBLE_PREDICTIONS)


def update_metrics(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the metrics of the virtual models as those of the real ones, which they are compared with."""
    return metrics_of(store, contract, config, ENSEMBLE_METRICS, ENSEMBLE_PREDICTIONS, PREDICTIONS)


def update_member_metrics(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute what each member adds to the ensembles, for the cycles in which anything of that changed."""
    walk = _walk(store, contract)

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        if not member_metrics(contract):
            return pd.DataFrame(columns=MEMBER_METRICS.column_names[1:])
        predictions = predictions_of(store, contract, cycles)
        return compute_member_metrics(predictions, truth_of(store, contract, predictions), walk(), contract)

    return by_cycle(store, MEMBER_METRICS, contract, config, rows_of)


def _walk(store: Store, contract: Contract) -> Callable[[], WalkForward]:
    """The ensembles walked forward, out of one reading for all blocks."""
    return cache(lambda: WalkForward(known_metrics(store, contract, None), contract))
