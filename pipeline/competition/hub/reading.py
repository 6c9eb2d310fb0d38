"""One file of a hub for one of its targets: which rows are taken, which are refused and by which rule."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools
from pipeline.competition.hub.config import Hub, HubError
from pipeline.competition.hub.files import Submission, parse_table, read_bytes
from pipeline.competition.hub.forecast_target import HORIZON, WHOLE, ForecastTarget
from pipeline.competition.hub.rules import NOT_APPLICABLE, IdColumn, Rows, Rule, column_problems, refused_rows

COLUMNS = ["horizon", "subject", "target_time", "output_type_id", "value"]
REFUSED = ["row_number", "reason", "original"]


def _none_refused() -> pd.DataFrame:
    return pd.DataFrame({"row_number": np.array([], dtype=np.int64), "reason": [], "original": []})


@dataclass(frozen=True)
class Judged:
    """What became of the rows of a file that concern a target.

    Parameters
    ----------
    n_rows : int
        Rows of the target and its output type, and those of no target or output type that there is.
    accepted : DataFrame
        horizon, subject, target_time, output_type_id, value.
    refused : DataFrame
        row_number (place in the file, from 1), reason (``<rule>: <why>``), original (the row as JSON).
    sha256 : str
        Of the file's content.
    unreadable : str or None
        Why no row can be read at all.
    """

    n_rows: int
    accepted: pd.DataFrame
    refused: pd.DataFrame = field(default_factory=_none_refused)
    sha256: str = ""
    unreadable: str | None = None


def cycle_of(hub: Hub, round_id: str) -> datetime:
    """The date of a round: its name, or else the last day on which it takes submissions.

    Raises
    ------
    HubError
        If neither is a date.
    """
    try:
        return datetime.fromisoformat(round_id)
    except ValueError:
        end = hub.round(round_id).submissions_due.end
        if isinstance(end, int):
            raise HubError(
                f"round {round_id!r} of {hub.name} is no date, and has none: give submissions_due.end one"
            ) from None
        return datetime(end.year, end.month, end.day)


def judge(submission: Submission, hub: Hub, target: ForecastTarget, output_type: str) -> Judged:
    """Read a file and hold it against the hub's rules."""
    declared = hub.round(submission.round_id)
    content = b""
    try:
        content = read_bytes(submission.path)
        table = parse_table(submission.path, content)
    except HubError as error:
        why = str(error).removeprefix(f"{submission.path} ")
        return Judged(0, _nothing(), sha256=_hash(content), unreadable=f"{Rule.FILE}: {why}")
    problems = column_problems([str(name) for name in table], declared)
    if problems:
        return Judged(0, _nothing(), sha256=_hash(content), unreadable=f"{Rule.COLUMNS}: {'; '.join(problems)}")
    places = np.flatnonzero(_concerned(table, hub, target, output_type))
    table = table.iloc[places]
    if table.empty:
        return Judged(0, _nothing(), sha256=_hash(content))
    rows = Rows.of(table, declared.task_ids)
    broken = refused_rows(rows, declared, submission.round_id)
    reasons = pd.Series(broken["rule"] + ": " + broken["reason"], dtype=object)
    reasons.index = broken["row"].to_numpy()
    times = _times(rows, target, pd.Timestamp(cycle_of(hub, submission.round_id)), reasons.index.to_numpy())
    reasons = pd.concat([reasons, times.reasons]).sort_index()
    taken = np.ones(len(rows), dtype=bool)
    taken[reasons.index] = False
    return Judged(
        len(rows),
        _accepted(rows, target, output_type, times, taken),
        _refused(table, places, reasons),
        _hash(content),
    )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "horizon": np.array([], dtype=np.int32),
            "subject": pd.Categorical([]),
            "target_time": np.array([], dtype="datetime64[us]"),
            "output_type_id": pd.Categorical([]),
            "value": np.array([], dtype=np.float64),
        }
    )


def _concerned(table: pd.DataFrame, hub: Hub, target: ForecastTarget, output_type: str) -> Bools:
    """Rows of the target and the output type, and those that are of nothing that the hub knows."""
    others = [ForecastTarget.keys_of(one) for name, one in hub.targets.items() if name != target.target_id]
    coded = {name: IdColumn.of(table[name]) for name in {*target.keys, *(name for keys in others for name in keys)}}
    own, of_others = _has(coded, target.keys, len(table)), np.zeros(len(table), dtype=bool)
    for keys in others:
        of_others |= _has(coded, keys, len(table))
    kinds = IdColumn.of(table["output_type"])
    asked = kinds.among({output_type}) | ~kinds.among(target.output_types)
    return (own & asked) | ~(own | of_others)


def _has(coded: dict[str, IdColumn], keys: Any, n_rows: int) -> Bools:
    found = np.ones(n_rows, dtype=bool)
    for name, value in keys.items():
        found &= coded[name].among({value})
    return found


@dataclass(frozen=True)
class _Times:
    """Of each row how far ahead it looks and until when, or why not; ``reasons`` by place."""

    horizon: npt.NDArray[np.int32]
    target_time: npt.NDArray[np.datetime64]
    reasons: "pd.Series[Any]"


def _times(rows: Rows, target: ForecastTarget, cycle: pd.Timestamp, broken: npt.NDArray[np.int64]) -> _Times:
    names = [name for name in (HORIZON if target.has_horizon else None, target.date_id) if name is not None]
    group = rows.group(names)
    first = np.unique(group, return_index=True)[1]
    written = [{name: rows.ids[name].distinct[rows.ids[name].codes[row]] for name in names} for row in first]
    ok = np.ones(len(rows), dtype=bool)
    ok[broken] = False
    known = np.unique(group[ok])
    horizon = np.zeros(len(first), dtype=np.int32)
    target_time = np.full(len(first), np.datetime64("NaT"), dtype="datetime64[us]")
    why = np.full(len(first), "", dtype=object)
    for one in known:
        found = _time(written[one], target, cycle)
        if isinstance(found, str):
            why[one] = f"{Rule.DATE}: {found}"
        else:
            horizon[one], target_time[one] = found[0], found[1].to_datetime64()
    wrong = np.flatnonzero(ok & (why[group] != ""))
    return _Times(horizon[group], target_time[group], pd.Series(why[group[wrong]], index=wrong, dtype=object))


def _time(written: dict[str, str], target: ForecastTarget, cycle: pd.Timestamp) -> tuple[int, pd.Timestamp] | str:
    """Horizon and target time of what the task ids say, or why there are none."""
    day = written.get(target.date_id or "", "")
    date = None if day in NOT_APPLICABLE else pd.Timestamp(day)
    if not target.has_horizon:
        if date is None:
            return "neither a horizon nor a date says when it comes true"
        ahead = target.horizon(cycle, date)
        return f"{date.date()} is no whole number of weeks after the round" if ahead is None else (ahead, date)
    try:
        ahead = int(written[HORIZON])
    except ValueError:
        return f"horizon {written[HORIZON]} is no whole number"
    expected = target.comes_true(cycle, ahead)
    if expected is None and date is None:
        return "the hub does not say how long a horizon is"
    if expected is not None and date is not None and date != expected:
        return f"{target.date_id} is {date.date()}, but horizon {ahead} of this round ends {expected.date()}"
    found = expected if date is None else date
    assert found is not None  # noqa: S101  # nosec B101 # one of them
    return ahead, found


def _accepted(rows: Rows, target: ForecastTarget, output_type: str, times: _Times, taken: Bools) -> pd.DataFrame:
    subject = _subjects(rows, target)
    ids = _output_type_ids(rows, output_type)
    return pd.DataFrame(
        {
            "horizon": times.horizon[taken],
            "subject": _categorical(IdColumn(subject.codes[taken], subject.distinct)),
            "target_time": times.target_time[taken],
            "output_type_id": _categorical(IdColumn(ids.codes[taken], ids.distinct)),
            "value": rows.value[taken],
        }
    )


def _categorical(coded: IdColumn) -> pd.Categorical:
    """A coded column whose distinct texts may repeat, or not occur."""
    used, codes = np.unique(coded.codes, return_inverse=True)
    texts, place = np.unique(coded.distinct[used].astype(str), return_inverse=True)
    return pd.Categorical.from_codes(place[codes], categories=pd.Index(texts, dtype="str"))


def _subjects(rows: Rows, target: ForecastTarget) -> IdColumn:
    if not target.unit_ids:
        return IdColumn(np.zeros(len(rows), dtype=np.int64), np.array([WHOLE], dtype=object))
    if len(target.unit_ids) == 1:
        return rows.ids[target.unit_ids[0]]
    group = rows.group(target.unit_ids)
    first = np.unique(group, return_index=True)[1]
    parts = [rows.ids[name].texts()[first] for name in target.unit_ids]
    return IdColumn(group, np.array(["/".join(one) for one in zip(*parts, strict=True)], dtype=object))


def _output_type_ids(rows: Rows, output_type: str) -> IdColumn:
    """The ids as predictions have them; samples are numbered within their forecast."""
    ids = rows.ids["output_type_id"]
    if output_type in ("quantile", "cdf"):
        return IdColumn(ids.codes, np.array([_number(text) for text in ids.distinct], dtype=object))
    if output_type == "sample":
        number = _numbered(rows)
        return IdColumn(number, np.array([str(one + 1) for one in range(int(number.max(initial=0)) + 1)], dtype=object))
    if output_type == "pmf":
        return ids
    return IdColumn(np.zeros(len(rows), dtype=np.int64), np.array([""], dtype=object))


def _number(text: str) -> str:
    try:
        return format(float(text), ".12g")
    except ValueError:  # of a row that is refused
        return text


def _numbered(rows: Rows) -> npt.NDArray[np.int64]:
    """The place of each sample among those of its forecast, from 0; ids that forecasts share keep their order."""
    ids = rows.ids["output_type_id"]
    order = sorted(range(len(ids.distinct)), key=lambda at: _natural(str(ids.distinct[at])))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    forecast = rows.group([name for name in rows.ids if name != "output_type_id"])
    frame = pd.DataFrame({"forecast": forecast, "place": place[ids.codes]})
    return frame.groupby("forecast")["place"].rank("dense").to_numpy(dtype=np.int64) - 1


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _refused(table: pd.DataFrame, places: npt.NDArray[np.int64], reasons: "pd.Series[Any]") -> pd.DataFrame:
    rows = reasons.index.to_numpy(dtype=np.int64)
    said = table.iloc[rows].to_dict("records")
    return pd.DataFrame(
        {
            "row_number": places[rows] + 1,
            "reason": reasons.to_numpy(dtype=object),
            "original": [json.dumps(one, default=str, ensure_ascii=False) for one in said],
        }
    )
