"""Frames in and out: pandas on the caller's side, Arrow on DuckDB's, types as the table specification says.

What cannot be stored as declared is refused here, by name, before any SQL runs. Times are UTC without a zone.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables import Column, TableSpec
from pipeline.warehouse.identifiers import Sql, quote

_ARROW_TYPES: dict[str, Any] = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
}
_relation_numbers = itertools.count()


class RowsError(ValueError):
    """Rows that do not fit their table; the message names the table, the column and the values."""


def to_arrow(spec: TableSpec, board: str, rows: pd.DataFrame) -> pa.Table:
    """``rows`` as an Arrow table with exactly the columns and types of ``spec``; NaN becomes NULL.

    The board's column is filled in when it is absent.

    Raises
    ------
    RowsError
        If columns are missing or too many, rows are of another board, a value does not fit its column's type, a
        number is infinite, or a value is missing where the table needs one.
    """
    expected = set(spec.column_names)
    missing = sorted(expected - set(rows.columns) - {spec.board})
    extra = sorted(str(name) for name in set(rows.columns) - expected)
    if missing or extra or rows.columns.has_duplicates:
        repeated = sorted(str(name) for name in set(rows.columns[rows.columns.duplicated()]))
        raise RowsError(
            f"rows for {spec.qualified_name} do not have its columns: missing {missing}, not known {extra}, "
            f"repeated {repeated}; expected exactly {list(spec.column_names)}"
        )
    arrays = [
        pa.array([board] * len(rows), pa.string())
        if column.name == spec.board and column.name not in rows.columns
        else _array(spec, column, rows[column.name])
        for column in spec.columns
    ]
    # A frame put together from many has its text in as many chunks; DuckDB scans one chunk at a time, so join them.
    table = pa.table(arrays, names=list(spec.column_names)).combine_chunks()
    others = sorted(set(pc.unique(table.column(spec.board)).to_pylist()) - {board})
    if others:
        raise RowsError(
            f"rows for {spec.qualified_name} of board {board!r} have {spec.board} {others[:5]}; "
            f"replace each board's rows on their own"
        )
    return table


def to_pandas(spec: TableSpec, frame: pd.DataFrame) -> pd.DataFrame:
    """A result that holds columns of ``spec``, with dtypes that depend on the specification, not on the values."""
    dtypes = {column.name: column.dtype for column in spec.columns}
    return frame.astype({name: dtypes[name] for name in frame.columns})


def times(values: Sequence[datetime], what: str) -> pa.Array:
    """Moments as an Arrow array of naive UTC times.

    Raises
    ------
    ValueError
        If one has a zone: then it is unclear which moment the table would name.
    """
    zoned = [value for value in values if getattr(value, "tzinfo", None) is not None]
    if zoned:
        raise ValueError(
            f"{what} {zoned[0]} has a time zone; give UTC times without one (datetime.replace(tzinfo=None))"
        )
    return pa.array(values, pa.timestamp("us"))


@contextmanager
def relation(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> Iterator[Sql]:
    """The quoted name under which SQL on ``connection`` sees an Arrow table during a ``with`` block."""
    name = f"podium_relation_{next(_relation_numbers)}"
    connection.register(name, table)
    try:
        yield quote(name)
    finally:
        connection.unregister(name)


def _array(spec: TableSpec, column: Column, values: pd.Series) -> Any:
    where = f"column {column.name} of {spec.qualified_name}"
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise RowsError(f"{where} has values that are not all {column.type}: {error}") from error
    if pa.types.is_floating(array.type):
        array = _finite(where, array)
    if array.null_count and not column.nullable:
        first = pc.index(pc.is_null(array), pa.scalar(value=True)).as_py()
        raise RowsError(
            f"{where} may not be NULL, but is in {array.null_count} of {len(array)} rows (first: row {first}); "
            f"give a value or leave the rows out"
        )
    target = _ARROW_TYPES[column.type]
    if array.null_count == len(array):
        return pa.nulls(len(array), target)
    if not _fits(column.type, array.type):
        raise RowsError(f"{where} is {array.type}, expected {column.type}; convert it before writing")
    if column.type == "JSON":
        _check_json(where, array)
    if column.type == "DATE":
        _check_days(where, array)
    try:
        return array.cast(target, safe=column.type != "TIMESTAMP")
    except pa.ArrowInvalid as error:
        raise RowsError(f"{where} has a value that is not {column.type}: {error}") from error


def _check_json(where: str, array: Any) -> None:
    for number, text in enumerate(array.to_pylist()):
        try:
            json.loads(text or "null")
        except ValueError as error:
            raise RowsError(f"{where} is not JSON in row {number}: {error}; got {text[:80]!r}") from error


def _check_days(where: str, array: Any) -> None:
    """A time of day would be dropped without a word."""
    if pa.types.is_timestamp(array.type):
        timed = pc.not_equal(array, pc.floor_temporal(array, unit="day"))
        if pc.any(timed).as_py():
            first = pc.index(timed, pa.scalar(value=True)).as_py()
            raise RowsError(
                f"{where} has a time of day (first: row {first}, {array[first].as_py()}), and is a DATE; "
                f"give the day alone"
            )


def _finite(where: str, array: Any) -> Any:
    infinite = pc.is_inf(array)
    if pc.any(infinite).as_py():
        first = pc.index(infinite, pa.scalar(value=True)).as_py()
        raise RowsError(
            f"{where} is infinite in {pc.sum(infinite).as_py()} rows (first: row {first}, {array[first].as_py()}); "
            f"an undefined value is NULL with a reason"
        )
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)


def _fits(declared: str, given: Any) -> bool:
    if pa.types.is_dictionary(given):
        given = given.value_type
    number = pa.types.is_integer(given) or pa.types.is_floating(given) or pa.types.is_decimal(given)
    text = pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given)
    time = pa.types.is_timestamp(given) or pa.types.is_date(given)
    kinds = {"VARCHAR": text, "JSON": text, "BOOLEAN": pa.types.is_boolean(given)}
    kinds |= {"TIMESTAMP": time, "DATE": time}
    return bool(kinds.get(declared, number))
