"""What a model would get on a board: its metrics, its windows, its row, and what to know about them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.competition.backtest.board import BoardRows, would_be_metrics
from pipeline.competition.categories import OVERALL
from pipeline.competition.contract import Contract
from pipeline.competition.labels import times
from pipeline.competition.peers import ENSEMBLE_PREFIX, is_virtual
from pipeline.competition.stages import (
    RankEvidence,
    RollingWindows,
    compute_leaderboard,
    earlier_board,
    stamp_deadline,
)
from pipeline.competition.submissions import submitted_columns
from pipeline.competition.truth import outcomes_of

_CYCLE = ["model_id", "cycle", "category", "metric"]


class BacktestError(ValueError):
    """Predictions that no board can be computed with; the message says what would do."""


@dataclass(frozen=True)
class Backtest:
    """A model on the board, had its predictions been submitted in time.

    Parameters
    ----------
    model_id : str
    contract : Contract
        Of the board.
    as_of : datetime
        The moment that the board would speak for.
    replaces : bool
        Whether the board has a model of that name, whose place it takes.
    cycles, resolved : tuple of datetime
        The cycles that it predicts, and those of them that count: they have an outcome. Ascending.
    notes : tuple of str
        What limits the result, a sentence each.
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics`` of all models, ensembles and members, every version.
    snapshots : DataFrame
        Rows of ``snapshots`` of all models at that moment.
    board : DataFrame
        Rows of ``leaderboard`` at that moment, in its order.
    """

    model_id: str
    contract: Contract
    as_of: datetime
    replaces: bool
    cycles: tuple[datetime, ...]
    resolved: tuple[datetime, ...]
    notes: tuple[str, ...]
    cycle_metrics: pd.DataFrame
    snapshots: pd.DataFrame
    board: pd.DataFrame

    @property
    def own_metrics(self) -> pd.DataFrame:
        """The model's metrics of every cycle, as known at last."""
        rows = self.cycle_metrics[self.cycle_metrics["model_id"] == self.model_id]
        latest = rows.sort_values("known_at", kind="stable").drop_duplicates(_CYCLE, keep="last")
        return latest.sort_values(["cycle", "category", "metric"], ignore_index=True)

    @property
    def windows(self) -> pd.DataFrame:
        """The model's metrics over every window, those of the whole contest first."""
        rows = self.snapshots[self.snapshots["model_id"] == self.model_id]
        return rows.sort_values("category", key=lambda of: of != OVERALL, kind="stable", ignore_index=True)

    @property
    def overall(self) -> pd.DataFrame:
        """The board of the whole contest."""
        return self.board[self.board["category"] == OVERALL].reset_index(drop=True)

    @property
    def row(self) -> pd.Series:
        """The model's row on the board of the whole contest."""
        return self.overall[self.overall["model_id"] == self.model_id].iloc[0]

    @property
    def n_ranked(self) -> int:
        """Real models that have a rank."""
        return int(self.overall["rank"].notna().sum())

    def neighbours(self, each_side: int = 2) -> pd.DataFrame:
        """Real models beside it on the board, itself among them, and the first one."""
        real = self.overall[~self.overall["is_ensemble"].astype(bool)]
        place = int(np.flatnonzero(real["model_id"] == self.model_id)[0])
        near = {0, *range(max(0, place - each_side), min(len(real), place + each_side + 1))}
        return real.iloc[sorted(near)].reset_index(drop=True)

    def cumulative(self, top: int = 5) -> pd.DataFrame:
        """The primary metric summed from the model's first cycle on: of it, the board's first models, an ensemble.

        Returns
        -------
        DataFrame
            model_id, cycle and value, in the order of time; a cycle that a model left out adds nothing to it.
        """
        real = self.overall[(self.overall["rank"].notna()) & (self.overall["model_id"] != self.model_id)]
        ensembles = [one.model_id for one in self.contract.active_ensembles[:1]]
        shown = [self.model_id, *real["model_id"].head(top), *ensembles]
        rows = self.cycle_metrics
        rows = rows[
            (rows["metric"] == self.contract.scoring.primary)
            & (rows["category"] == OVERALL)
            & (rows["cycle"] >= self.resolved[0])
            & (rows["cycle"] <= self.resolved[-1])
            & rows["model_id"].isin(shown)
        ]
        latest = rows.sort_values("known_at", kind="stable").drop_duplicates(_CYCLE, keep="last")
        latest = latest.dropna(subset=["value"]).sort_values(["cycle", "model_id"], ignore_index=True)
        summed = latest.groupby("model_id")["value"].cumsum()
        return pd.DataFrame({"model_id": latest["model_id"], "cycle": latest["cycle"], "value": summed})


def backtest(predictions: pd.DataFrame, board: BoardRows, contract: Contract) -> Backtest:
    """Put a model on a board as if its predictions had been submitted in time.

    Parameters
    ----------
    predictions : DataFrame
        Of one model: model_id, cycle, horizon, subject, target_time, value.
    board : BoardRows
        What the board has. A model of that name is replaced: all of its cycles.
    contract : Contract

    Returns
    -------
    Backtest

    Raises
    ------
    BacktestError
        If there are no predictions, they are of several models or of a virtual one, or none of their cycles has an
        outcome.
    """
    model_id = _model_of(predictions)
    candidate = _submitted(predictions, contract)
    with_outcome = times(outcomes_of(candidate, board.truth).dropna(subset=["value"])["cycle"])
    withheld = [cycle for cycle in with_outcome if cycle + contract.embargo > board.known_at]
    resolved = [cycle for cycle in with_outcome if cycle not in set(withheld)]
    cycles = times(candidate["cycle"])
    if not resolved:
        raise BacktestError(_nothing_to_judge(model_id, cycles, withheld, board))
    counted = candidate[~candidate["cycle"].isin(withheld)]
    metrics = would_be_metrics(counted, board, contract)
    as_of, snapshots, ranked = _newest_board(metrics, contract)
    unresolved = len(cycles) - len(with_outcome)
    return Backtest(
        model_id,
        contract,
        as_of,
        board.has(model_id),
        tuple(cycles),
        tuple(resolved),
        tuple(_notes(unresolved, withheld, resolved, as_of, candidate, board)),
        metrics,
        snapshots,
        ranked,
    )


def _newest_board(metrics: pd.DataFrame, contract: Contract) -> tuple[datetime, pd.DataFrame, pd.DataFrame]:
    """The last moment at which anything became known, and snapshots and leaderboard of then."""
    known = times(metrics["known_at"])
    as_of = known[-1]
    snapshots = RollingWindows(metrics, contract, as_of).at([earlier_board(as_of, known) or as_of, as_of])
    ranked = compute_leaderboard(snapshots, [as_of], known, contract, RankEvidence(metrics, contract))
    of_then = snapshots[snapshots["as_of"] == as_of].reset_index(drop=True)
    return as_of, of_then, ranked.sort_values(["category", "position"], ignore_index=True)


def _model_of(predictions: pd.DataFrame) -> str:
    """The one model that rows are of."""
    if predictions.empty:
        raise BacktestError("there are no predictions to test; give some rows that the board would take, in time")
    models = sorted(predictions["model_id"].unique())
    if len(models) > 1:
        raise BacktestError(f"the predictions are of {len(models)} models: {', '.join(models)}; test one of them")
    if is_virtual(models[0]):
        raise BacktestError(
            f"{models[0]!r} is a name of virtual models, which begin with {ENSEMBLE_PREFIX!r}; give the model another"
        )
    return str(models[0])


def _submitted(predictions: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """The rows as the board would have them, each received at its deadline."""
    deadline = predictions["cycle"] + pd.Timedelta(contract.predictions.deadline)
    rows = submitted_columns(predictions.assign(received_at=deadline))
    ordered = rows.sort_values(["cycle", "horizon", "subject"], kind="stable", ignore_index=True)
    return stamp_deadline(ordered, contract)


def _nothing_to_judge(model_id: str, cycles: list[datetime], withheld: list[datetime], board: BoardRows) -> str:
    """Why no cycle counts, and which would."""
    if withheld:
        return (
            f"the {_counted(len(withheld))} of {model_id!r} with an outcome are under embargo: what others predicted "
            f"is not published yet; test it on earlier ones"
        )
    asked = _day(cycles[0]) if len(cycles) == 1 else f"{_day(cycles[0])} to {_day(cycles[-1])}"
    resolved = times(board.cycle_metrics["cycle"])
    there = f"the board has outcomes for cycles {_day(resolved[0])} to {_day(resolved[-1])}" if resolved else ""
    return (
        f"no outcome is known of any of the {_counted(len(cycles))} of {model_id!r} ({asked}); "
        f"{there or 'the board has no outcome at all yet'}"
    )


def _notes(
    unresolved: int,
    withheld: list[datetime],
    resolved: list[datetime],
    as_of: datetime,
    candidate: pd.DataFrame,
    board: BoardRows,
) -> list[str]:
    """What limits the result."""
    model_id, n_cycles = candidate["model_id"].iloc[0], candidate["cycle"].nunique()
    notes = []
    if board.has(model_id):
        notes.append(f"The board has a model {model_id!r}: these predictions take the place of all of its own.")
    if unresolved:
        notes.append(f"{unresolved:,} of {_counted(n_cycles)} {_have(unresolved)} no outcome yet.")
    if withheld:
        notes.append(
            f"{_counted(len(withheld))} from {_day(withheld[0])} on {_are(len(withheld))} left out: what others "
            f"predicted is under embargo, so not published yet."
        )
    if board.as_of is not None and as_of < board.as_of:
        notes.append(
            f"Today's board speaks for {_day(board.as_of)}; without the cycles under embargo it is one as of "
            f"{_day(as_of)}."
        )
    others = board.predictions[~board.predictions["is_late"].astype(bool) & (board.predictions["model_id"] != model_id)]
    alone = len(set(resolved) - set(times(others["cycle"])))
    if alone:
        notes.append(f"Nobody else predicts {alone:,} of {_counted(n_cycles)}; they would count on the board for all.")
    return notes


def _counted(cycles: int) -> str:
    return f"{cycles:,} cycle" if cycles == 1 else f"{cycles:,} cycles"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d}"
