"""From what a file says to typed values: every field converted as a whole column, every failure a reason of its row.

Nothing is guessed: a number is no date, a truth value no number, and a list or bytes are nothing at all, but where JSON
is asked for. Blanks around text, numbers and times do not count, but in what is kept as it is.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from pipeline.landing.blocks import Block, Refused, UnreadableFileError
from pipeline.landing.intake import FileField

FIRST_YEAR, LAST_YEAR = 1700, 2199
"""Years that a time may be of: others are slips, and could not be reckoned with in nanoseconds."""
_LONGEST_TEXT = 10_000
_LARGEST_INTEGER = 2**53 - 1
"""The largest whole number that doubles do not confuse with others."""
_SHOWN = 60
_TRUE, _FALSE = {"true", "t", "yes", "1"}, {"false", "f", "no", "0"}
_DATE = r"\s*\d{4}-\d{2}-\d{2}"
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")

Converted = tuple["pd.Series[Any]", "pd.Series[bool]"]
"""Values in their type, and which of them are wrong; what a missing one is called does not matter."""


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
        remedies = " ".join(_sentence(one) for one in dict.fromkeys(field.remedy for field in missing))
        raise UnreadableFileError(f"it has no column {wanted}; its columns are {', '.join(columns)}. {remedies}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def conform(block: Block, fields: Sequence[FileField]) -> Conformed:
    """Convert the fields of some rows; a row of which one field is wrong is refused as a whole."""
    raw = block.rows
    columns: dict[str, Any] = {}
    reasons = kinds = pd.Series("", index=raw.index, dtype=object)
    for field in fields:
        values = raw[field.column] if field.column in raw.columns else pd.Series(None, index=raw.index, dtype=object)
        columns[field.name], wrong, kind = _convert(values, field)
        reasons, kinds = _also(reasons, wrong), _also(kinds, kind)
    bad = reasons != ""
    return Conformed(pd.DataFrame(columns, index=raw.index)[~bad], refusals(block, reasons[bad], kinds[bad]))


def refusals(block: Block, reasons: "pd.Series[str]", kinds: "pd.Series[str]") -> list[Refused]:
    """Rows of a block as refused ones, by the reasons of each and their kinds."""
    said = block.originals(reasons.index)
    return [
        Refused(int(number), reason, original, kind)
        for number, reason, original, kind in zip(reasons.index, reasons.tolist(), said, kinds.tolist(), strict=True)
    ]


def without_values(reasons: "pd.Series[str]") -> "pd.Series[str]":
    """Reasons without the values that they quote, as ``repr`` does: the kind of each."""
    return reasons.astype(object).map(lambda reason: _QUOTED.sub("…", reason))


def _also(told: "pd.Series[str]", more: "pd.Series[str]") -> "pd.Series[str]":
    """Texts of one kind and, behind them, of another; each may be empty."""
    return told.where(more == "", told + np.where(told == "", "", "; ") + more)


def _convert(values: "pd.Series[Any]", field: FileField) -> tuple["pd.Series[Any]", "pd.Series[str]", "pd.Series[str]"]:
    """The values in the field's type, the reason of each that is not, and its kind; both are empty where it is."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    missing = values.isna()
    converted, wrong = _CONVERTERS[field.type](values)
    bad = wrong & ~missing
    reasons = pd.Series("", index=values.index, dtype=object)
    kinds = reasons.copy()
    if bad.any():
        shown = values[bad].map(lambda value: repr(value)[:_SHOWN])
        reasons[bad] = field.column + " is " + shown.astype(object) + f", not {_MEANINGS[field.type]}"
        kinds[bad] = f"{field.column} is not {_MEANINGS[field.type]}"
    if missing.any() and not field.nullable:
        if field.default is not None and not field.required:
            converted = converted.where(~missing, field.default)
        else:
            reasons[missing] = kinds[missing] = f"{field.column} is missing"
    return converted.astype(_DTYPES[field.type]), reasons, kinds


def _each(values: "pd.Series[Any]", convert: Callable[["pd.Series[Any]"], Converted]) -> Converted:
    """Convert a column of text by its distinct values, which are few."""
    if not isinstance(values.dtype, pd.StringDtype):
        return convert(values)
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    converted, wrong = convert(pd.Series(distinct))
    return converted.take(codes).set_axis(values.index), wrong.take(codes).set_axis(values.index)


def _to_text(values: "pd.Series[Any]") -> Converted:
    text = values.astype(object).map(_text)
    return text.astype("str"), text.isna()


def _to_label(values: "pd.Series[Any]") -> Converted:
    text = values.astype(object).map(lambda value: _text(_written(value)))
    return text.astype("str"), text.isna()


def _written(value: object) -> object:
    """A number as text, in as many digits as it takes."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, float | np.floating | np.integer | Decimal):
        return value
    return format(float(value), ".15g") if np.isfinite(float(value)) else None


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = value.strip() if isinstance(value, str) else ""
    return text if text and len(text) <= _LONGEST_TEXT and text.isprintable() else None


def _to_number(values: "pd.Series[Any]") -> Converted:
    if values.dtype == bool:
        numbers = pd.Series(np.nan, index=values.index)
    elif isinstance(values.dtype, pd.StringDtype):
        numbers = pd.to_numeric(values.astype(object), errors="coerce")
    elif pd.api.types.is_numeric_dtype(values):
        numbers = values
    else:
        numbers = values.astype(object).map(_number)
    numbers = numbers.astype("float64")
    return numbers, ~pd.Series(np.isfinite(numbers), index=values.index)


def _number(value: object) -> float:
    if isinstance(value, str):
        return float(pd.to_numeric(pd.Series([value], dtype=object), errors="coerce").iloc[0])
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _to_integer(values: "pd.Series[Any]", most: int = int(np.iinfo(np.int32).max)) -> Converted:
    numbers, wrong = _to_number(values)
    wrong |= (numbers != numbers.round()) | (numbers.abs() > most)
    return numbers.mask(wrong).astype("Int64"), wrong


def _to_time(values: "pd.Series[Any]") -> Converted:
    times = values
    if not pd.api.types.is_datetime64_any_dtype(values):  # a number could be seconds or days since whatever
        text = values.astype(object).map(lambda value: value if isinstance(value, str) else None).astype("str")
        dated = text.where(text.str.match(_DATE, na=False))
        times = pd.to_datetime(dated.str.strip(), format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    is_sane = times.dt.year.between(FIRST_YEAR, LAST_YEAR)
    return times.where(is_sane).astype("datetime64[us]"), ~is_sane


def _to_truth_value(values: "pd.Series[Any]") -> Converted:
    said = values.astype(object).map(lambda value: str(value).strip().lower())
    truth = pd.Series(pd.NA, index=values.index, dtype="boolean")
    truth[said.isin(_TRUE)] = True
    truth[said.isin(_FALSE)] = False
    return truth, truth.isna()


def _to_json(values: "pd.Series[Any]") -> Converted:
    """JSON: a text that is some, and whatever else can be written as some."""
    written = values.astype(object).map(
        lambda value: _json(value) if isinstance(value, str) else _as_json(value), na_action="ignore"
    )
    return written.astype("str"), written.isna()


def _to_document(values: "pd.Series[Any]") -> Converted:
    """Any text as it is, and whatever else can be written as JSON."""
    written = values.astype(object).map(
        lambda value: _unicode(value) if isinstance(value, str) else _as_json(value), na_action="ignore"
    )
    return written.astype("str"), written.isna()


def _to_whole_text(values: "pd.Series[Any]") -> Converted:
    text = values.astype(object).map(lambda value: _unicode(value) if isinstance(value, str) else None)
    return text.astype("str"), text.isna()


def _unicode(text: str) -> str | None:
    """A text that can be stored, whatever is in it; None for one with half characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def _json(text: str) -> str | None:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return _unicode(text)


def _as_json(value: object) -> str | None:
    try:
        return json.dumps(value, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return None


def _plain(value: object) -> object:
    """What Parquet has and JSON does not."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


_CONVERTERS: dict[str, Callable[["pd.Series[Any]"], Converted]] = {
    "VARCHAR": lambda values: _each(values, _to_text),
    "LABEL": lambda values: _each(values, _to_label),
    "DOUBLE": _to_number,
    "INTEGER": lambda values: _each(values, _to_integer),
    "BIGINT": lambda values: _each(values, lambda distinct: _to_integer(distinct, _LARGEST_INTEGER)),
    "TIMESTAMP": lambda values: _each(values, _to_time),
    "BOOLEAN": lambda values: _each(values, _to_truth_value),
    "JSON": lambda values: _each(values, _to_json),
    "DOCUMENT": lambda values: _each(values, _to_document),
    "TEXT": lambda values: _each(values, _to_whole_text),
}
_MEANINGS = {
    "VARCHAR": f"printable text of at most {_LONGEST_TEXT:,} characters",
    "LABEL": f"a number, or printable text of at most {_LONGEST_TEXT:,} characters",
    "DOUBLE": "a finite number such as 1.5",
    "INTEGER": "a whole number",
    "BIGINT": "a whole number up to 2^53 - 1",
    "TIMESTAMP": f"a date or time such as 2024-05-31 or 2024-05-31T22:00Z, of the years {FIRST_YEAR} to {LAST_YEAR}",
    "BOOLEAN": "true or false",
    "JSON": "JSON",
    "DOCUMENT": "text or JSON",
    "TEXT": "text without half characters",
}
_DTYPES: dict[str, Any] = {
    "VARCHAR": "str",
    "LABEL": "str",
    "DOUBLE": "float64",
    "INTEGER": "Int64",
    "BIGINT": "Int64",
    "TIMESTAMP": "datetime64[us]",
    "BOOLEAN": "boolean",
    "JSON": "str",
    "DOCUMENT": "str",
    "TEXT": "str",
}
