"""What came true, as hubs publish it: oracle output, time series, and FluSight's older file of admissions."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from upath import UPath

from pipeline.competition.hub.config import Hub, HubError
from pipeline.competition.hub.files import read_table

TARGET_DATA = "target-data"
AUXILIARY = "auxiliary-data"
_DECLARED = "hub-config/target-data.json"
_DATES = ("target_end_date", "date", "target_date", "week")
_VALUES = ("oracle_value", "observation", "value", "observed")
KINDS = ("oracle-output", "time-series", "target-hospital-admissions")
"""The files that hold outcomes, the best first."""
_ABSENT = ["NA", "nan", "NaN", "<NA>", "None"]
"""How files write that there is nothing."""
_ARCHIVE = f"{AUXILIARY}/target-data-archive"
_ARCHIVED = re.compile(rf"{re.escape(KINDS[-1])}\D*(?P<as_of>\d{{4}}-\d{{2}}-\d{{2}})\.(csv|parquet)")
_FORMATS = (".parquet", ".csv")
COLUMNS = ["target", "unit", "date", "horizon", "output_type", "output_type_id", "as_of", "value"]


@dataclass(frozen=True)
class TargetData:
    """Outcomes of a hub.

    Parameters
    ----------
    path : UPath
        Where they come from.
    rows : DataFrame
        target ('' where files name none), unit, date, horizon, output_type and output_type_id ('' where an outcome is
        one for all of them), as_of (NaT where files do not say), value (NaN where nothing is known).
    unit_ids : tuple of str
        The task ids that say whose outcome it is, such as location; ``unit`` joins their values by a slash.
    """

    path: UPath
    rows: pd.DataFrame
    unit_ids: tuple[str, ...]


def read_target_data(hub: Hub, kind: str | None = None) -> TargetData:
    """Read the outcomes of a hub.

    Parameters
    ----------
    hub : Hub
    kind : str, optional
        ``oracle-output``, ``time-series`` or ``target-hospital-admissions``; by default the first that is there.

    Raises
    ------
    HubError
        If there are none, or a file lacks a date or a value.
    """
    for path in _candidates(hub, KINDS if kind is None else (kind,)):
        return _read(hub, path)
    wanted = ", ".join(KINDS if kind is None else (kind,))
    raise HubError(f"{hub.path / TARGET_DATA} has no outcomes: no file or folder named {wanted} (CSV or Parquet)")


def all_target_data(hub: Hub) -> Iterator[TargetData]:
    """The outcomes of every kind of file that there is, the best first. Errors as :func:`read_target_data`."""
    for kind in KINDS:
        for path in _candidates(hub, (kind,)):
            yield _read(hub, path)
            break


def archived_target_data(hub: Hub) -> TargetData | None:
    """FluSight's older files of admissions, each as of the date in its name; None where there are none.

    Errors as :func:`read_target_data`.
    """
    folder = hub.path / _ARCHIVE
    files = sorted(folder.iterdir(), key=str) if folder.is_dir() else []
    found = [(path, _ARCHIVED.fullmatch(path.name)) for path in files]
    parts = [(_read(hub, path), pd.Timestamp(named["as_of"])) for path, named in found if named is not None]
    if not parts:
        return None
    rows = pd.concat([one.rows.assign(as_of=as_of) for one, as_of in parts], ignore_index=True)
    return TargetData(folder, rows, parts[0][0].unit_ids)


def _candidates(hub: Hub, kinds: Sequence[str]) -> Iterator[UPath]:
    for kind in kinds:
        for path in (
            *(hub.path / TARGET_DATA / f"{kind}{suffix}" for suffix in _FORMATS),
            hub.path / TARGET_DATA / kind,
        ):
            if path.exists():
                yield path


def _read(hub: Hub, path: UPath) -> TargetData:
    rows = pd.concat([read_table(file) for file in _files(path)], ignore_index=True)
    declared = _declared_date(hub)
    date = next((name for name in (*declared, *_DATES) if name in rows), None)
    value = next((name for name in _VALUES if name in rows), None)
    if date is None or value is None:
        lacking = "date" if date is None else "value"
        names = _DATES if date is None else _VALUES
        raise HubError(
            f"{path} has no {lacking}; expected one of {', '.join(names)}; found {', '.join(map(str, rows))}"
        )
    task_ids = dict.fromkeys(name for one in hub.rounds for name in one.task_ids)
    unit_ids = tuple(name for name in task_ids if name in rows and name not in (date, "target", "horizon"))
    return TargetData(path, _tidy(path, rows, date, value, unit_ids), unit_ids)


def _files(path: UPath) -> list[UPath]:
    """The file itself, or every one in a folder of partitions.

    Raises
    ------
    HubError
        If a folder has none.
    """
    if not path.is_dir():
        return [path]
    found = sorted((one for one in path.rglob("*") if one.suffix in _FORMATS), key=str)
    if not found:
        raise HubError(f"{path} has no CSV or Parquet file")
    return found


def _declared_date(hub: Hub) -> list[str]:
    """The column that newer hubs declare to be the date."""
    path = hub.path / _DECLARED
    if not path.exists():
        return []
    try:
        declared = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise HubError(f"{path} is no JSON: line {error.lineno}: {error.msg}") from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise HubError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    name = declared.get("date_col") if isinstance(declared, dict) else None
    return [name] if isinstance(name, str) else []


def _tidy(path: UPath, rows: pd.DataFrame, date: str, value: str, unit_ids: Sequence[str]) -> pd.DataFrame:
    written = rows[value].astype(str).str.strip()
    number = pd.to_numeric(rows[value], errors="coerce").astype(float)
    wrong = number.isna() & ~rows[value].isna() & ~written.isin(["", *_ABSENT])
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise HubError(f"{path}: row {first + 1}: {value} {written.iloc[first]!r} is no number")
    found = pd.DataFrame({"value": number})
    found["date"] = _times(path, rows[date], date)
    found["as_of"] = _times(path, rows["as_of"], "as_of") if "as_of" in rows else pd.NaT
    for name in ("target", "horizon", "output_type", "output_type_id"):
        found[name] = rows[name].astype(str).str.strip().replace(_ABSENT, "") if name in rows else ""
    parts = [rows[name].astype(str) for name in unit_ids]
    found["unit"] = ["/".join(values) for values in zip(*parts, strict=True)] if parts else ""
    return found[COLUMNS]


def _times(path: UPath, values: "pd.Series[object]", column: str) -> "pd.Series[pd.Timestamp]":  # type: ignore[type-var]
    found = pd.to_datetime(values, errors="coerce", format="ISO8601")
    wrong = found.isna()
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise HubError(f"{path}: row {first + 1}: {column} {values.iloc[first]!r} is no date")
    return found
