"""A board's rows computed from nothing, for backtests to be compared with."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.backtest import BoardRows
from pipeline.competition.stages import (
    RankEvidence,
    RollingWindows,
    WalkForward,
    compute_cycle_metrics,
    compute_ensemble_predictions,
    compute_leaderboard,
    compute_member_metrics,
    compute_weights,
    earlier_board,
    member_metrics,
    score_predictions,
)
from pipeline.competition.stand_ins import Played, carry_forward, choose_stand_ins
from pipeline_tests.competition.contests import OF_ANY, contract, stack

GIVEN = ["model_id", "cycle", "horizon", "subject", "target_time", "value"]
LATER = datetime(2100, 1, 1)
ENSEMBLES = [
    {"name": "main", "strategy": "equal_weight"},
    {"name": "best", "strategy": "inverse_variance", "min_history": 2, "filter": {"top_n": 2}},
]


def declared(**changes: object) -> Contract:
    """A contest with every metric there is and two ensembles."""
    everything = {
        "metrics": [*OF_ANY, "contribution@best"],
        "ensembles": ENSEMBLES,
        "leaderboard": {"rank_by": "all.ic", "tie_breakers": ["recent.score"], "min_coverage": 0.3},
    }
    return contract(**{**everything, **changes})


def factors_of(predicted: pd.DataFrame) -> pd.DataFrame:
    cells = predicted[["cycle", "subject"]].drop_duplicates()
    return cells.assign(factor="size", value=np.random.default_rng(1).normal(size=len(cells)))


def rows_of(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    factors: pd.DataFrame,
    contract: Contract,
    known_at: datetime = LATER,
) -> BoardRows:
    """All tables of a board, each computed whole."""
    if contract.missing.carries:
        predicted = predicted[~predicted["is_imputed"].astype(bool)]
        played = Played.of_predictions(predicted)
        cycles = [cycle.to_pydatetime() for cycle in sorted(predicted["cycle"].unique())]
        chosen = choose_stand_ins(played, cycles, contract.missing.max_cycles)
        predicted = carry_forward(predicted, predicted.iloc[:0], chosen)
    scores = score_predictions(predicted, truth, contract)
    metrics = compute_cycle_metrics(predicted, truth, scores, contract, None, factors)
    weights = compute_weights(predicted, WalkForward(metrics, contract), contract)
    combined = compute_ensemble_predictions(predicted, weights, contract)
    virtual = metrics.iloc[:0]
    if len(combined):
        scores = score_predictions(combined, truth, contract)
        virtual = compute_cycle_metrics(combined, truth, scores, contract, None, factors, predicted)
    members = compute_member_metrics(predicted, truth, WalkForward(metrics, contract), contract)
    as_of = metrics["known_at"].max() if len(metrics) else None
    return BoardRows(predicted, truth, factors, metrics, combined, virtual, members, as_of, known_at)


def board_of(rows: BoardRows, contract: Contract) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snapshots and leaderboard at the newest moment."""
    listed = member_metrics(contract) if len(rows.member_metrics) else []
    beside = [
        rows.member_metrics[
            (rows.member_metrics["metric"] == metric.name.partition("@")[0])
            & (rows.member_metrics["ensemble"] == contract.ensemble_beside(metric.name).name)
        ]
        .drop(columns="ensemble")
        .assign(metric=metric.name)
        for metric in listed
    ]
    metrics = stack(*(one for one in (rows.cycle_metrics, rows.ensemble_metrics, *beside) if len(one)))
    known: Sequence[datetime] = [time.to_pydatetime() for time in sorted(metrics["known_at"].unique())]
    earlier = earlier_board(known[-1], known) or known[-1]
    snapshots = RollingWindows(metrics, contract).at([earlier, known[-1]])
    board = compute_leaderboard(snapshots, known[-1:], known, contract, RankEvidence(metrics, contract))
    return snapshots[snapshots["as_of"] == known[-1]], board


def assert_same(expected: pd.DataFrame, found: pd.DataFrame, key: list[str]) -> None:
    left, right = (rows.sort_values(key, ignore_index=True) for rows in (expected, found))
    pd.testing.assert_frame_equal(left, right, check_dtype=False, rtol=0, atol=1e-12)
