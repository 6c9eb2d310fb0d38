"""From what a file says to typed values: every field converted as a whole column, every failure a reason of its row."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.landing.files import Refused, UnreadableFileError
from pipeline.landing.intake import FileField

_LONGEST_ORIGINAL = 10_000
_SHOWN = 60
_TRUE, _FALSE = {"true", "t", "yes", "1"}, {"false", "f", "no", "0"}


@dataclass(frozen=True)
class Conformed:
    """Rows whose every field could be converted, and the others.

    Parameters
    ----------
    rows : DataFrame
        One column for each field, by Podium's name; indexed by row number.
    refused : list of Refused
        Each with the reasons of all its fields.
    """

    rows: pd.DataFrame
    refused: list[Refused]


def check_columns(columns: Sequence[str], fields: Sequence[FileField]) -> None:
    """Refuse a file without a column that is needed.

    Raises
    ------
    UnreadableFileError
        Naming every missing column and those that are there.
    """
    missing = [field for field in fields if field.required and field.column not in columns]
    if missing:
        wanted = ", ".join(
            repr(one.column) + (f" (for {one.name})" if one.name != one.column else "") for one in missing
        )
        raise UnreadableFileError(
            f"it has no column {wanted}; its columns are {', '.join(map(str, columns))}. Rename them, or declare what "
            f"they are called under `columns`"
        )


def conform(raw: pd.DataFrame, fields: Sequence[FileField]) -> Conformed:
    """Convert the fields of some rows.

    Parameters
    ----------
    raw : DataFrame
        Rows as the file has them, indexed by row number.
    fields : sequence of FileField
    """
    columns: dict[str, Any] = {}
    reasons = pd.Series("", index=raw.index, dtype=object)
    for field in fields:
        if field.column in raw.columns:
            columns[field.name], wrong = _convert(raw[field.column], field)
            reasons = reasons.where(wrong == "", reasons + np.where(reasons == "", "", "; ") + wrong)
        else:
            columns[field.name] = pd.Series(field.default, index=raw.index, dtype=_DTYPES[field.type])
            if field.required:
                reasons += f"{field.column} is missing"
    bad = reasons != ""
    return Conformed(pd.DataFrame(columns, index=raw.index)[~bad], refusals(raw[bad], reasons[bad]))


def refusals(raw: pd.DataFrame, reasons: "pd.Series[str]") -> list[Refused]:
    """The rows as refused ones, what they said as JSON."""
    records = raw.to_dict("records")
    numbers = raw.index.tolist()
    return [
        Refused(int(number), reason, _original(record))
        for number, reason, record in zip(numbers, reasons.tolist(), records, strict=True)
    ]


def _original(record: dict[Any, Any]) -> str:
    said = {str(name): None if value is None or value is pd.NaT else value for name, value in record.items()}
    text = json.dumps(said, default=str, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")[:_LONGEST_ORIGINAL]


def _convert(values: "pd.Series[Any]", field: FileField) -> tuple["pd.Series[Any]", "pd.Series[str]"]:
    """The values in the field's type, and the reason of each that is not; empty where it is."""
    missing = values.isna()
    converted, wrong = _CONVERTERS[field.type](values)
    bad = wrong & ~missing
    reasons = pd.Series("", index=values.index, dtype=object)
    if bad.any():
        shown = values[bad].map(lambda value: repr(value)[:_SHOWN])
        reasons[bad] = field.column + " is " + shown + f", not {_MEANINGS[field.type]}"
    if missing.any() and not field.nullable:
        if field.default is not None and not field.required:
            converted = converted.where(~missing, field.default)
        else:
            reasons[missing] = f"{field.column} is missing"
    return converted, reasons


def _to_text(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    if values.dtype != object and not isinstance(values.dtype, pd.StringDtype):
        values = values.astype(object)
    text = values.map(lambda value: value if isinstance(value, str) else str(value), na_action="ignore")
    unprintable = text.map(lambda value: value == "" or not value.isprintable(), na_action="ignore")
    return text.astype("str"), unprintable.eq(True)


def _to_number(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    if values.dtype == bool:
        return values.astype("float64"), pd.Series(True, index=values.index)
    stripped = values
    if not pd.api.types.is_numeric_dtype(values):
        is_bool = values.map(lambda value: isinstance(value, bool), na_action="ignore").eq(True)
        stripped = values.mask(is_bool, "a truth value")
    numbers = pd.to_numeric(stripped, errors="coerce").astype("float64")
    return numbers, numbers.isna() | numbers.abs().eq(np.inf)


def _to_integer(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    numbers, wrong = _to_number(values)
    wrong |= (numbers != numbers.round()) | (numbers.abs() > np.iinfo(np.int32).max)
    return numbers.mask(wrong).astype("Int64"), wrong


def _to_time(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    if pd.api.types.is_numeric_dtype(values):  # seconds or days since when? Nobody knows
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]"), pd.Series(True, index=values.index)
    if not pd.api.types.is_datetime64_any_dtype(values):
        text = values.map(lambda value: value if isinstance(value, str) else str(value), na_action="ignore")
        looks_like_a_date = text.map(lambda value: value[:5].count("-") == 1, na_action="ignore").eq(True)
        values = pd.to_datetime(text.where(looks_like_a_date), format="ISO8601", utc=True, errors="coerce")
    times = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
    times = times.astype("datetime64[us]")
    return times, times.isna()


def _to_truth_value(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    text = values.map(lambda value: str(value).strip().lower(), na_action="ignore")
    truth = pd.Series(pd.NA, index=values.index, dtype="boolean")
    truth[text.isin(_TRUE)] = True
    truth[text.isin(_FALSE)] = False
    return truth, truth.isna()


_CONVERTERS: dict[str, Callable[["pd.Series[Any]"], tuple["pd.Series[Any]", "pd.Series[bool]"]]] = {
    "VARCHAR": _to_text,
    "DOUBLE": _to_number,
    "INTEGER": _to_integer,
    "TIMESTAMP": _to_time,
    "BOOLEAN": _to_truth_value,
}
_MEANINGS = {
    "VARCHAR": "printable text",
    "DOUBLE": "a finite number",
    "INTEGER": "a whole number",
    "TIMESTAMP": "a date or time such as 2024-05-31 or 2024-05-31T22:00Z",
    "BOOLEAN": "true or false",
}
_DTYPES = {
    "VARCHAR": "str",
    "DOUBLE": "float64",
    "INTEGER": "Int64",
    "TIMESTAMP": "datetime64[us]",
    "BOOLEAN": "boolean",
}
