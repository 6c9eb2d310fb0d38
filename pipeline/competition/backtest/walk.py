"""A model asked for its predictions cycle by cycle, each time knowing only what was known at the deadline."""

import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import numpy as np
import pandas as pd

from pipeline.competition.backtest.board import BoardRows
from pipeline.competition.backtest.result import BacktestError
from pipeline.competition.contract import Contract
from pipeline.competition.outputs import Output, id_text
from pipeline.competition.truth import FACT

COLUMNS = ["model_id", "cycle", "horizon", "subject", "target_time", "value"]
_OUTCOME = [*FACT, "known_at", "value"]
_FACTOR = ["cycle", "subject", "factor", "value"]
_SECTION = ["cycle", "horizon"]
_NAMED = 5


@dataclass(frozen=True)
class Known:
    """What a model may know when it predicts, and what it is asked; copies, which it may change.

    Parameters
    ----------
    truth : DataFrame
        Outcomes known at the deadline: subject, target_time, horizon (-1 when it serves every horizon), known_at and
        value, the newest known then of each, in the order of target_time.
    factors : DataFrame
        Factors of this cycle and of earlier ones: cycle, subject, factor and value.
    deadline : datetime
        Until when predictions of the cycle count, UTC.
    horizon : int
    target_time : datetime
        End of the period that is to be predicted.
    """

    truth: pd.DataFrame
    factors: pd.DataFrame
    deadline: datetime
    horizon: int
    target_time: datetime


Numbers = float | Mapping[object, float] | Sequence[float]
Model = Callable[[datetime, Sequence[str], Known], Mapping[str, Numbers] | pd.Series | None]
"""From a cycle, the subjects to predict and what is known to a value for each subject, or for some; None for none.

Of a distribution the value is its numbers: by id, or all in the order of the ids, or samples one after another.
"""


def predict(
    model: Model,
    model_id: str,
    board: BoardRows,
    contract: Contract,
    first: datetime | None = None,
    last: datetime | None = None,
) -> pd.DataFrame:
    """Ask a model for every cycle and horizon of a board, in the order of time.

    Parameters
    ----------
    model : callable
        It is told the subjects that anybody predicted in time then, sorted.
    model_id : str
        What to call it.
    board : BoardRows
    contract : Contract
    first, last : datetime or None
        Only cycles in this range, both ends included.

    Returns
    -------
    DataFrame
        model_id, cycle, horizon, subject, target_time, value; a value that is None or NaN is no prediction. Of
        distributions also output_type_id.

    Raises
    ------
    BacktestError
        If the board has no cycle in the range, or the model fails or gives what is no prediction: in which cycle.
    """
    past = _Past(board.truth, board.factors)
    rows: list[tuple[object, ...]] = []
    asked = 0
    for (cycle, horizon), subjects, target_time in _sections(board, first, last):
        deadline = cycle + contract.predictions.deadline
        known = Known(past.truth(deadline), past.factors(cycle), deadline, horizon, target_time)
        where = f"cycle {cycle:%Y-%m-%d %H:%M}, horizon {horizon}"
        given = _asked(model, cycle, subjects, known, where)
        rows += [
            (model_id, cycle, horizon, subject, target_time, value, one)
            for subject, numbers in _values(given, subjects, where, contract.output).items()
            for one, value in numbers.items()
        ]
        asked += 1
    if not asked:
        raise BacktestError(_no_cycle(board, first, last))
    if not rows:
        raise BacktestError(f"the model predicts nothing in any of {asked:,} calls; it must give {{subject: value}}")
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "output_type_id"])
    frame = frame.astype({"cycle": "datetime64[us]", "target_time": "datetime64[us]"})
    return frame if contract.output.is_distribution else frame[COLUMNS]


class _Past:
    """What was known at any time, out of tables sorted once."""

    def __init__(self, truth: pd.DataFrame, factors: pd.DataFrame) -> None:
        rows = truth.sort_values("known_at", kind="stable")
        # A version counts until the next one of the same outcome is known.
        rows = rows.assign(until=rows.groupby(FACT)["known_at"].shift(-1))
        self._truth = rows.sort_values(["target_time", "known_at", "horizon", "subject"], ignore_index=True)
        self._factors = factors.sort_values(["cycle", "subject", "factor"], ignore_index=True)
        self._factor_cycles = self._factors["cycle"].to_numpy()

    def truth(self, deadline: datetime) -> pd.DataFrame:
        """The newest values known by then; those withdrawn are left out."""
        rows = self._truth
        counts = (rows["known_at"] <= deadline) & ~(rows["until"] <= deadline) & rows["value"].notna()
        return rows.loc[counts, _OUTCOME].reset_index(drop=True)

    def factors(self, cycle: datetime) -> pd.DataFrame:
        """Those of the cycle and of earlier ones."""
        until = int(np.searchsorted(self._factor_cycles, np.datetime64(cycle, "us"), side="right"))
        return self._factors[_FACTOR].iloc[:until].copy(deep=True)


def _sections(
    board: BoardRows, first: datetime | None, last: datetime | None
) -> Iterator[tuple[tuple[datetime, int], list[str], datetime]]:
    """Every cycle and horizon in the range, with the subjects predicted there and its target time."""
    rows = board.predictions
    is_asked = ~rows["is_late"].astype(bool)
    is_asked &= True if first is None else rows["cycle"] >= first
    is_asked &= True if last is None else rows["cycle"] <= last
    for section, of_section in rows[is_asked].groupby(_SECTION, sort=True):
        cycle, horizon = cast(tuple[pd.Timestamp, int], section)
        subjects = sorted(of_section["subject"].unique())
        yield (cycle.to_pydatetime(), int(horizon)), subjects, of_section["target_time"].max().to_pydatetime()


def _asked(model: Model, cycle: datetime, subjects: list[str], known: Known, where: str) -> object:
    """What the model gives.

    Raises
    ------
    BacktestError
        If it raises: what, and in which line of it.
    """
    try:
        return model(cycle, list(subjects), known)
    except (Exception, SystemExit) as error:
        raise BacktestError(f"the model fails in {where}: {type(error).__name__}: {error}{_line_of(error)}") from error


def _line_of(error: BaseException) -> str:
    """The innermost line of the file that the model is in; nothing where no line of it was reached."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f" (line {own[-1].lineno}, in {own[-1].name})" if own else ""


def _values(given: object, subjects: list[str], where: str, output: Output) -> dict[str, dict[str, float]]:
    """The predictions of one call: the numbers of each subject by their ids, one alone by none.

    Raises
    ------
    BacktestError
        If they are none.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping | pd.Series):
        raise BacktestError(f"the model gives a {type(given).__name__} in {where}; it must give {{subject: value}}")
    unknown = [repr(subject) for subject, _ in given.items() if subject not in set(subjects)]
    if unknown:
        more = ", ..." if len(subjects) > _NAMED else ""
        raise BacktestError(
            f"the model gives a value for {unknown[0]} in {where}, which is not asked for; asked for are "
            f"{', '.join(subjects[:_NAMED])}{more}"
        )
    found: dict[str, dict[str, float]] = {}
    for subject, value in given.items():
        by_id = _by_id(value, subject, where, output) if output.is_distribution else {"": value}
        numbers = {one: _number(number, subject, where) for one, number in by_id.items()}
        found[str(subject)] = {one: number for one, number in numbers.items() if not math.isnan(number)}
    return found


def _by_id(value: object, subject: object, where: str, output: Output) -> dict[str, object]:
    """What a model gives for the distribution of a subject, by ids as tables hold them.

    Raises
    ------
    BacktestError
        If it is no distribution of the board's output type.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping | pd.Series):
        numbers = {id_text(one, output.type): number for one, number in value.items()}
        unknown = output.unknown(numbers)
        if unknown:
            raise BacktestError(
                f"the model gives a number for {unknown[0]!r} of {subject!r} in {where}; {output.type} predictions "
                f"have {output.known}"
            )
        return numbers
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise BacktestError(
            f"the model gives {value!r} for {subject!r} in {where}; it must give the numbers of a {output.type} "
            f"prediction: {{id: number}} for {output.known}"
        )
    ids = output.ids or tuple(str(place + 1) for place in range(len(value)))
    if len(ids) != len(value):
        raise BacktestError(
            f"the model gives {len(value)} numbers for {subject!r} in {where}; {output.type} predictions have "
            f"{len(ids)}: {output.known}"
        )
    return dict(zip(ids, value, strict=True))


def _number(value: object, subject: object, where: str) -> float:
    """A value as a number; NaN where it is missing."""
    if value is None or value is pd.NA:
        return math.nan
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise BacktestError(f"the model gives {value!r} for {subject!r} in {where}, which is no number")
    if math.isinf(value):
        raise BacktestError(f"the model gives {value!r} for {subject!r} in {where}; a prediction is a finite number")
    return float(value)


def _no_cycle(board: BoardRows, first: datetime | None, last: datetime | None) -> str:
    """Why nothing was asked."""
    cycles = np.unique(board.predictions.loc[~board.predictions["is_late"].astype(bool), "cycle"].to_numpy())
    if not len(cycles):
        return "the board has no cycle yet, so there is nothing to ask a model; it has some once somebody predicts"
    begin, end = (f"{pd.Timestamp(one):%Y-%m-%d}" for one in (cycles[0], cycles[-1]))
    asked = " ".join(f"{word} {time:%Y-%m-%d}" for word, time in (("from", first), ("to", last)) if time is not None)
    return f"the board has no cycle {asked}; it has cycles {begin} to {end}"
