"""A board as it would be with other predictions of one model: everything that they touch computed anew.

The functions are those that make the board itself, so what comes out is what it would show. Nothing is approximated:
who joins also moves what others are compared with, the ensembles that it enters, and what these add.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.contract import Contract
from pipeline.competition.labels import times
from pipeline.competition.metrics import Need
from pipeline.competition.previous import cycles_before
from pipeline.competition.stages import (
    WalkForward,
    compute_cycle_metrics,
    compute_ensemble_predictions,
    compute_member_metrics,
    compute_weights,
    member_metrics,
    rows_as_listed,
)
from pipeline.competition.stages.cycle_metrics import COLUMNS as METRIC_COLUMNS
from pipeline.competition.stand_ins import Played, carry_forward, choose_stand_ins

Times = npt.NDArray[np.datetime64]
RowsOf = Callable[[pd.DataFrame], pd.DataFrame]

_CELLS = 1_000_000
"""Predictions of a block of cycles; two dozen arrays of this many numbers are held at once."""


@dataclass(frozen=True)
class BoardRows:
    """What a board has, as its tables of these names do; the board's own name may be left out.

    Parameters
    ----------
    predictions, truth, factors, cycle_metrics : DataFrame
    ensemble_predictions, ensemble_metrics, member_metrics : DataFrame
        Empty for a contest without ensembles.
    as_of : datetime or None
        The moment that the newest board speaks for; None when there is none.
    known_at : datetime
        When all of this was read from the working file, UTC: cycles whose embargo ended later are not there.
    """

    predictions: pd.DataFrame
    truth: pd.DataFrame
    factors: pd.DataFrame
    cycle_metrics: pd.DataFrame
    ensemble_predictions: pd.DataFrame
    ensemble_metrics: pd.DataFrame
    member_metrics: pd.DataFrame
    as_of: datetime | None
    known_at: datetime

    def has(self, model_id: str) -> bool:
        """Whether a real model has predictions there."""
        return bool((self.predictions["model_id"] == model_id).any())


def would_be_metrics(candidate: pd.DataFrame, board: BoardRows, contract: Contract) -> pd.DataFrame:
    """The metrics of all cycles and models, had the candidate's predictions been submitted.

    Parameters
    ----------
    candidate : DataFrame
        Rows of ``predictions`` of one model, in place of whatever the board has of it.
    board : BoardRows
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``cycle_metrics``, those of ensembles and of members beside them included, as windows are computed of.
    """
    every = _with_candidate(candidate, board.predictions, contract)
    changed = _changed_cycles(candidate, board.predictions, every, contract)
    real = _updated(board.cycle_metrics, changed, _metrics_of(every, board, contract), every)
    if not contract.active_ensembles:
        return real
    # Of what an ensemble knew at a deadline, nothing that a later cycle brought can have been part.
    since = np.datetime64(pd.Timestamp(changed.min()) - max(contract.predictions.deadline, timedelta(0)), "us")
    return pd.concat([real, *_of_ensembles(every, since, real, board, contract)], ignore_index=True)


def needed_since(candidate: pd.DataFrame, own_since: datetime | None, contract: Contract) -> datetime | None:
    """From which cycle on a backtest needs the board's predictions, and the cycle before that; None for all of them.

    Parameters
    ----------
    candidate : DataFrame
        Predictions of one model.
    own_since : datetime or None
        The first cycle of the board's own model of that name, which the candidate replaces.
    contract : Contract
    """
    if contract.missing.carries:  # any earlier submission may stand in
        return None
    first: datetime = min(time for time in (candidate["cycle"].min().to_pydatetime(), own_since) if time is not None)
    return first - max(contract.predictions.deadline, timedelta(0))


def _with_candidate(candidate: pd.DataFrame, predictions: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """All predictions, the candidate's for those of its model, with what stands in for cycles that are left out."""
    others: pd.DataFrame = predictions[predictions["model_id"] != candidate["model_id"].iloc[0]]
    every = pd.concat([others[candidate.columns], candidate], ignore_index=True)
    if not contract.missing.carries:
        return every
    own = every[~every["is_imputed"].astype(bool)]
    chosen = choose_stand_ins(Played.of_predictions(own), times(own["cycle"]), contract.missing.max_cycles)
    return carry_forward(own, own.iloc[:0], chosen)


def _changed_cycles(candidate: pd.DataFrame, before: pd.DataFrame, every: pd.DataFrame, contract: Contract) -> Times:
    """The cycles whose metrics the candidate moves, ascending."""
    replaced = before.loc[before["model_id"] == candidate["model_id"].iloc[0], "cycle"]
    own: Times = np.union1d(candidate["cycle"].to_numpy(), replaced.to_numpy())
    played: Times = np.union1d(every["cycle"].to_numpy(), own)
    if contract.missing.carries:
        return played[np.searchsorted(played, own.min()) :]  # a submission may stand in for any later cycle
    if Need.PREVIOUS in contract.needs:
        after = np.searchsorted(played, own, side="right")
        own = np.union1d(own, played[after[after < len(played)]])
    return own


def _metrics_of(every: pd.DataFrame, board: BoardRows, contract: Contract, peers: pd.DataFrame | None = None) -> RowsOf:
    """From some cycles' predictions, out of ``every``, to their metrics; beside ``peers`` where these are others."""
    played = _played(every)

    def metrics(rows: pd.DataFrame) -> pd.DataFrame:
        return compute_cycle_metrics(
            rows,
            _truth_of(rows, board),
            None,
            contract,
            _of_cycles(every, cycles_before(times(rows["cycle"]), played)) if Need.PREVIOUS in contract.needs else None,
            _of_cycles(board.factors, rows["cycle"].unique()) if Need.FACTORS in contract.needs else None,
            None if peers is None else _of_cycles(peers, rows["cycle"].unique()),
        )

    return metrics


def _of_ensembles(
    every: pd.DataFrame, since: np.datetime64, real: pd.DataFrame, board: BoardRows, contract: Contract
) -> Iterator[pd.DataFrame]:
    """The metrics of ensembles, and of members beside them under the names that they are listed by."""
    cycles = np.union1d(every["cycle"].to_numpy(), board.ensemble_predictions["cycle"].to_numpy(dtype="datetime64[us]"))
    cycles = cycles[cycles >= since]
    weighing, beside = WalkForward(real, contract), WalkForward(real, contract)  # each goes forward in time once

    def combined_of(rows: pd.DataFrame) -> pd.DataFrame:
        return compute_ensemble_predictions(rows, compute_weights(rows, weighing, contract), contract)

    def members_of(rows: pd.DataFrame) -> pd.DataFrame:
        return compute_member_metrics(rows, _truth_of(rows, board), beside, contract)

    combined = _updated(board.ensemble_predictions, cycles, combined_of, every)
    metrics_of = _metrics_of(combined, board, contract, every)
    yield _updated(board.ensemble_metrics, cycles, metrics_of, combined)[METRIC_COLUMNS]
    listed = member_metrics(contract)
    members = _updated(board.member_metrics, cycles, members_of, every) if listed else board.member_metrics
    for metric in listed:
        yield rows_as_listed(members, metric.name, contract)[METRIC_COLUMNS]


def _updated(stored: pd.DataFrame, changed: Times, rows_of: RowsOf, inputs: pd.DataFrame) -> pd.DataFrame:
    """Stored rows with those of the changed cycles computed anew, block by block in the order of time."""
    kept = stored[~stored["cycle"].isin(changed)]
    wanted = inputs[inputs["cycle"].isin(changed)]
    frames = [rows_of(block) for block in _blocks(wanted)]
    new = [frame for frame in frames if len(frame)]
    if not new:
        return kept
    columns = list(new[0].columns)
    return pd.concat([*([kept[columns]] if len(kept) else []), *new], ignore_index=True)


def _blocks(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rows of whole cycles, as many as fit in memory when they are computed."""
    is_one_number = (rows["output_type_id"] == "").all()
    numbers = 1 if is_one_number else rows["output_type_id"].nunique() * rows["horizon"].nunique()
    cells = max(1, rows["model_id"].nunique() * rows["subject"].nunique() * numbers)
    cycles = np.unique(rows["cycle"].to_numpy())
    size = max(1, _CELLS // cells)
    for start in range(0, len(cycles), size):
        yield rows[rows["cycle"].isin(cycles[start : start + size])]


def _truth_of(rows: pd.DataFrame, board: BoardRows) -> pd.DataFrame:
    return board.truth[board.truth["target_time"].isin(rows["target_time"].unique())]


def _of_cycles(rows: pd.DataFrame, cycles: Iterable[datetime]) -> pd.DataFrame:
    return rows[rows["cycle"].isin(list(cycles))]


def _played(predictions: pd.DataFrame) -> list[datetime]:
    """The cycles with a prediction in time, ascending."""
    return times(predictions.loc[~predictions["is_late"].astype(bool), "cycle"])
