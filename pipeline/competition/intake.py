"""What rows from files must meet in a competition, kind by kind, and the rows of tables that they become.

Each ``*_rows`` function takes rows whose columns have their types already, indexed by their place in the file, and
gives those that are accepted and the reasons of those that are not. Pure: who and what is known is given.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Ints
from pipeline.competition.contract import Contract
from pipeline.competition.outputs import Output, id_text
from pipeline.competition.peers import ENSEMBLE_PREFIX, is_virtual
from pipeline.competition.truth import ANY_HORIZON
from pipeline.competition.whole import WholeForecasts

Judged = tuple[pd.DataFrame, "pd.Series[str]"]
"""Rows to store, with ``row_number``; reasons of the others, by row number."""

FORECAST = ["model_id", "cycle", "horizon", "subject"]
"""What a forecast is told by; the rows of a distribution share it."""

FIRST_HORIZON = 1
"""The horizon of files that have no such column."""


def prediction_rows(
    rows: pd.DataFrame,
    received_at: datetime,
    contract: Contract,
    models: AbstractSet[str] | None,
    subjects: AbstractSet[str] | None,
) -> Judged:
    """Predictions of a file.

    Parameters
    ----------
    rows : DataFrame
        model_id, cycle, horizon, subject, target_time, value, received_at; the last is used of trusted files only. Of
        distributions also output_type_id, and output_type, which may be missing.
    received_at : datetime
        When the file arrived, UTC.
    contract : Contract
    models, subjects : set of str or None
        Those registered; None when registration is open.

    Returns
    -------
    rows : DataFrame
        Rows of ``landing.prediction_rows`` and ``is_late``; a late one is accepted.
    reasons : Series of str
    """
    reasons = _Reasons(rows.index)
    _refuse_virtual(reasons, rows)
    _refuse_unknown(reasons, rows, models, subjects)
    if contract.output.is_distribution:
        rows = _of_distributions(reasons, rows, contract.output)
    reasons.add(rows["horizon"] < 0, "horizon is below 0")
    reasons.add(_is_too_far(rows, contract), _TOO_FAR)
    target_time = _target_time(rows, contract)
    reasons.add(target_time.isna(), _NO_TARGET_TIME.format(part="predictions"))
    if contract.horizon_length is not None:
        expected = _from_cycle(rows, contract.horizon_length)
        reasons.add(
            (target_time != expected) & target_time.notna(),
            "target_time is not cycle + horizon x horizon_length; correct it or leave the column out",
        )
    reasons.add(target_time < rows["cycle"], "target_time is before its cycle")
    deadline = rows["cycle"] + pd.Timedelta(contract.predictions.deadline)
    arrived = deadline if contract.predictions.trusted else pd.Series(pd.Timestamp(received_at), index=rows.index)
    if contract.predictions.trusted:
        arrived = rows["received_at"].fillna(deadline)
    stored = rows.assign(target_time=target_time, received_at=arrived, is_late=arrived > deadline)
    return reasons.split(stored)


def whole_forecasts(rows: pd.DataFrame, output: Output) -> "pd.Series[str]":
    """What rows of distributions must be together: all rows of a forecast that breaks a rule are refused.

    Parameters
    ----------
    rows : DataFrame
        row_number, model_id, cycle, horizon, subject, output_type_id and value of whole forecasts.
    output : Output

    Returns
    -------
    Series of str
        The rule that is broken and what is wrong, by row number.
    """
    forecast: Ints = np.asarray(rows.groupby(FORECAST, sort=False).ngroup(), dtype=np.int64)
    ids, values = rows["output_type_id"].to_numpy(dtype=object), rows["value"].to_numpy(dtype=float)
    reasons = _Reasons(pd.Index(rows["row_number"]))
    for rule, wrong in WholeForecasts.of(forecast, ids, values).wrong(output.type, output.ids):
        if not wrong:
            continue
        told = [f"{rule}: {wrong[one]}" if one in wrong else "" for one in forecast.tolist()]
        said = pd.Series(told, index=rows["row_number"], dtype=object)
        reasons.add(said != "", said)
    return reasons.refused


def truth_rows(rows: pd.DataFrame, received_at: datetime, contract: Contract) -> Judged:
    """Outcomes of a file.

    Parameters
    ----------
    rows : DataFrame
        subject, target_time, cycle, horizon, known_at, value. Without a target_time the outcome is that of a cycle and
        horizon; with one and without a horizon it serves every horizon.
    received_at : datetime
        When the file arrived, UTC.
    contract : Contract

    Returns
    -------
    rows : DataFrame
        Rows of ``landing.truth_rows``.
    reasons : Series of str
    """
    reasons = _Reasons(rows.index)
    by_cycle = rows["target_time"].isna()
    reasons.add(by_cycle & _is_too_far(rows, contract), _TOO_FAR)
    target_time = _target_time(rows.assign(horizon=rows["horizon"].fillna(FIRST_HORIZON)), contract)
    horizon = rows["horizon"].mask(rows["horizon"].isna() & by_cycle, FIRST_HORIZON).fillna(ANY_HORIZON)
    reasons.add(target_time.isna(), _NO_TARGET_TIME.format(part="truth"))
    reasons.add(horizon < ANY_HORIZON, "horizon is below 0")
    if contract.output.type == "pmf":
        _refuse_no_category(reasons, rows["value"], contract.output)
    if contract.truth.known_at == "column":
        reasons.add(rows["known_at"].isna(), "known_at is missing, and truth.known_at is 'column'")
    known = rows["known_at"] if contract.truth.known_at == "column" else target_time
    reasons.add(
        known > pd.Timestamp(received_at) + _CLOCKS,
        "it lies in the future, where no outcome is known yet: correct its "
        + ("known_at" if contract.truth.known_at == "column" else "target_time"),
    )
    stored = rows.assign(target_time=target_time, horizon=horizon, received_at=pd.Timestamp(received_at))
    return reasons.split(stored)


def factor_rows(rows: pd.DataFrame, received_at: datetime, contract: Contract) -> Judged:
    """Factors of a file: one factor a row, or one a column when the contract lists them.

    Returns
    -------
    rows : DataFrame
        Rows of ``landing.factor_rows``, several for a row of the file; a factor without a value is left out. (A row of
        which one value is no number did not come here: it is refused as a whole.)
    reasons : Series of str
    """
    wide = contract.factors.values if contract.factors is not None else ()
    long = rows if not wide else _melt(rows, wide)
    stored = long.dropna(subset=["value"]).assign(received_at=pd.Timestamp(received_at))
    return stored.rename_axis("row_number").reset_index(), pd.Series(dtype=object)


def registration_rows(rows: pd.DataFrame, received_at: datetime) -> Judged:
    """Registrations of a file, of models or of subjects; all are accepted but models called like virtual ones."""
    reasons = _Reasons(rows.index)
    if "model_id" in rows:
        _refuse_virtual(reasons, rows)
    return reasons.split(rows.assign(received_at=pd.Timestamp(received_at)))


_CLOCKS = timedelta(days=1)
"""How far a time may lie ahead: dates stand for their midnight, and zones differ."""
_NO_TARGET_TIME = "target_time is missing; give it, or declare horizon_length (and a cycle, in files of {part})"

_TOO_FAR = "horizon is too large: target_time would be after the year 2199"
_LAST_TIME = pd.Timestamp("2199-12-31")


class _Reasons:
    """Why rows are refused, the first cause of each."""

    def __init__(self, index: "pd.Index[Any]") -> None:
        self._reasons = pd.Series("", index=index, dtype=object)

    def add(self, where: "pd.Series[Any]", reason: "str | pd.Series[str]") -> None:
        """Refuse rows that were not refused yet."""
        new = where.eq(True).fillna(False).astype(bool) & (self._reasons == "")
        self._reasons = self._reasons.mask(new, reason)

    @property
    def refused(self) -> "pd.Series[str]":
        """The reasons of the rows refused."""
        return self._reasons[self._reasons != ""]

    def split(self, stored: pd.DataFrame) -> Judged:
        """The rows without a reason, with their number, and the reasons of the others."""
        taken = stored[self._reasons == ""]
        return taken.rename_axis("row_number").reset_index(), self.refused


def _of_distributions(reasons: _Reasons, rows: pd.DataFrame, output: Output) -> pd.DataFrame:
    """The rows with ids as tables hold them; refuses what is no number of such a distribution."""
    if "output_type" in rows:
        other = rows["output_type"].notna() & (rows["output_type"] != output.type)
        reasons.add(other, "output_type is " + rows["output_type"].map(repr) + f", and {output.type!r} is asked for")
    codes, distinct = pd.factorize(rows["output_type_id"])
    texts = [id_text(one, output.type) for one in distinct]
    ids = pd.Series(np.array([*texts, ""], dtype=object)[codes], index=rows.index, dtype=object)
    unknown = ids.isin(output.unknown(texts))
    reasons.add(unknown, "output_type_id is " + ids.map(repr) + f", and {output.type} predictions have {output.known}")
    if output.type in ("pmf", "cdf"):
        reasons.add((rows["value"] < 0) | (rows["value"] > 1), "value is no probability, which lies between 0 and 1")
    return rows.assign(output_type_id=ids)


def _refuse_no_category(reasons: _Reasons, outcomes: "pd.Series[float]", output: Output) -> None:
    """Refuse outcomes that are the place of no category."""
    known = outcomes.isin(range(1, len(output.ids) + 1)) | outcomes.isna()
    reasons.add(
        ~known,
        f"value is the place of no category: give 1 to {len(output.ids)}, for {', '.join(output.ids)} in this order",
    )


def _refuse_virtual(reasons: _Reasons, rows: pd.DataFrame) -> None:
    reasons.add(
        rows["model_id"].map(is_virtual, na_action="ignore"),
        f"model_id begins with {ENSEMBLE_PREFIX}, which is kept for ensembles: choose another name",
    )


def _refuse_unknown(
    reasons: _Reasons, rows: pd.DataFrame, models: AbstractSet[str] | None, subjects: AbstractSet[str] | None
) -> None:
    for column, known, what in (("model_id", models, "model"), ("subject", subjects, "subject")):
        if known is not None:
            reasons.add(
                ~rows[column].isin(list(known)),
                f"{what} "
                + rows[column].map(repr)
                + f" is not registered; land it first, in a file for {what}s (column {column})",
            )


def _target_time(rows: pd.DataFrame, contract: Contract) -> "pd.Series[Any]":
    """The target time that a row gives, or the one that follows from its cycle and horizon."""
    given = rows["target_time"]
    return given if contract.horizon_length is None else given.fillna(_from_cycle(rows, contract.horizon_length))


def _is_too_far(rows: pd.DataFrame, contract: Contract) -> "pd.Series[bool]":
    """Whether cycle + horizon x horizon_length is later than any time may be."""
    if contract.horizon_length is None:
        return pd.Series(False, index=rows.index)
    return _horizon(rows).gt(_room(rows, contract.horizon_length))


def _room(rows: pd.DataFrame, length: timedelta) -> "pd.Series[float]":
    """The horizon that ends at the last time that may be; missing without a cycle."""
    room: pd.Series[float] = (_LAST_TIME - rows["cycle"]).dt.total_seconds() / length.total_seconds()
    return room


def _from_cycle(rows: pd.DataFrame, length: timedelta) -> "pd.Series[Any]":
    """The end of a row's horizon; missing where there is no cycle."""
    horizon = _horizon(rows)
    steps = horizon.where(horizon <= _room(rows, length), 0).astype("int64")
    end: pd.Series[Any] = rows["cycle"] + steps * np.timedelta64(length).astype("timedelta64[us]")
    return end


def _horizon(rows: pd.DataFrame) -> "pd.Series[float]":
    return rows["horizon"].astype("float64").fillna(FIRST_HORIZON)


def _melt(rows: pd.DataFrame, factors: tuple[str, ...]) -> pd.DataFrame:
    return rows.melt(
        id_vars=["cycle", "subject"],
        value_vars=list(factors),
        var_name="factor",
        value_name="value",
        ignore_index=False,
    )
