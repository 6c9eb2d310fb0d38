"""Values become exactly what the file says, or the row is refused; nothing is guessed."""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.landing import FileField, UnreadableFileError
from pipeline.landing.blocks import Block
from pipeline.landing.conform import check_columns, conform
from pipeline.landing.files import read_blocks

FIRST = datetime(2024, 1, 5)


def of(values: "pd.Series[Any]", type: str, **more: Any) -> tuple[list[Any], dict[int, str]]:
    """What a column of a file becomes, missing values as None, and why rows are refused."""
    rows = values.rename("x").to_frame().set_axis(range(1, len(values) + 1))
    done = conform(Block(("x",), rows), [FileField("x", type, "x", **more)])
    found = [None if pd.isna(value) else value for value in done.rows["x"].tolist()]
    return found, {one.row_number: one.reason for one in done.refused}


def text(*cells: str | None, type: str) -> tuple[list[Any], dict[int, str]]:
    return of(pd.Series(cells, dtype="str"), type)


def one(cell: object, type: str, dtype: Any = object) -> object:
    """What one cell becomes; None when it is refused."""
    values, refused = of(pd.Series([cell], dtype=dtype), type)
    assert len(values) + len(refused) == 1
    return values[0] if values else None


@pytest.mark.parametrize("dtype", ["str", object])
@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1e5", 1e5),
        (" 1 ", 1.0),
        ("-0", -0.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+3", 3.0),
        ("0.1", 0.1),
        ("9007199254740993", 9007199254740992.0),
        ("1,5", None),
        ("0x10", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("-Infinity", None),
        ("1e309", None),
        ("9" * 400, None),
        ("1 2", None),
        ("true", None),
        ("١", None),
    ],
)
def test_text_is_a_number_only_when_it_is_one(cell: str, number: float | None, dtype: Any) -> None:
    assert one(cell, "DOUBLE", dtype) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_number_stored_is_the_number_written(number: float) -> None:
    assert one(repr(number), "DOUBLE", "str") == number
    assert one(repr(number), "DOUBLE", object) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (1, 1.0),
        (10**30, 1e30),
        (Decimal("1.25"), 1.25),
        (True, None),
        (10**400, None),
        ([1], None),
        (b"1", None),
        ({"a": 1}, None),
        (date(2024, 1, 5), None),
        (np.array([1.0]), None),
    ],
)
def test_a_number_is_a_number_and_nothing_else_is(cell: object, number: float | None) -> None:
    assert one(cell, "DOUBLE") == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [("3", 3), ("3.0", 3), ("-1", -1), ("1.5", None), ("3e9", None), ("2147483647", 2147483647), ("-2147483648", None)],
)
def test_a_horizon_is_whole_and_fits(cell: str, number: int | None) -> None:
    assert one(cell, "INTEGER", "str") == number


@pytest.mark.parametrize("dtype", ["str", object])
@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-01-05", FIRST),
        (" 2024-01-05 ", FIRST),
        ("2024-01-05T00:00Z", FIRST),
        ("2024-01-05 00:00:00.000001", datetime(2024, 1, 5, 0, 0, 0, 1)),
        ("2024-01-05T10:00+02:00", datetime(2024, 1, 5, 8)),
        ("1700-01-01", datetime(1700, 1, 1)),
        ("2199-12-31", datetime(2199, 12, 31)),
        ("1699-12-31", None),
        ("2200-01-01", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("2024-13-01", None),
        ("2024-02-30", None),
        ("20240105", None),
        ("2024-01", None),
        ("05.01.2024", None),
        ("01/05/2024", None),
        ("1704412800", None),
        ("now", None),
    ],
)
def test_text_is_a_time_only_when_it_is_an_iso_date(cell: str, moment: datetime | None, dtype: Any) -> None:
    assert one(cell, "TIMESTAMP", dtype) == moment


@pytest.mark.parametrize("cell", [1704412800, 20240105, 1.5, True, time(10), ["2024-01-05"], b"2024-01-05"])
def test_a_number_is_no_time(cell: object) -> None:
    assert one(cell, "TIMESTAMP") is None


@pytest.mark.parametrize("dtype", ["str", object])
@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("06", "06"),
        (" a b ", "a b"),
        ("'\"`", "'\"`"),
        ("🦆", "🦆"),
        ("שלום", "שלום"),
        ("a\nb", None),
        ("a\0b", None),
        ("a\u202eb", None),
        ("   ", None),
        ("x" * 10_000, "x" * 10_000),
        ("x" * 10_001, None),
    ],
)
def test_text_keeps_its_zeros_and_must_be_printable(cell: str, name: str | None, dtype: Any) -> None:
    assert one(cell, "VARCHAR", dtype) == name


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (6, "6"),
        (10**20, str(10**20)),
        (6.0, None),
        (True, None),
        (b"a", None),
        (["a"], None),
        ("\ud800", None),
        (date(2024, 1, 5), None),
    ],
)
def test_a_whole_number_may_be_a_name_and_nothing_else(cell: object, name: str | None) -> None:
    assert one(cell, "VARCHAR") == name


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ('{"a": [1, 2.50, null, "é"]}', '{"a": [1, 2.50, null, "é"]}'),  # as it was written
        ('"a"', '"a"'),
        ("null", "null"),
        ({"a": {"b": [1, True, None]}}, '{"a": {"b": [1, true, null]}}'),
        ([0.1, "x"], '[0.1, "x"]'),
        (1.5, "1.5"),
        (True, "true"),
        (np.array([1, 2]), "[1, 2]"),
        (np.float64(0.5), "0.5"),
        (Decimal("1.25"), "1.25"),
        ("{'a': 1}", None),
        ("a", None),
        ("{", None),
        ("NaN", None),
        ('{"a": Infinity}', None),
        ("[" * 100_000, None),
        ('"\ud800"', None),
        (float("inf"), None),
        ({"a": {1, 2}}, None),
        (b"{}", None),
    ],
)
def test_json_is_a_text_that_is_some_or_what_can_be_written_as_some(cell: object, written: str | None) -> None:
    assert one(cell, "JSON") == written


@pytest.mark.parametrize(
    ("cell", "document", "text"),
    [
        (" two\nlines\t", " two\nlines\t", " two\nlines\t"),  # nothing is stripped
        ("NaN", "NaN", "NaN"),
        ("x" * 100_000, "x" * 100_000, "x" * 100_000),
        ("half \ud800", None, None),
        ({"said": "yes"}, '{"said": "yes"}', None),
        ([1, 2], "[1, 2]", None),
        (7, "7", None),
        (b"bytes", None, None),
    ],
)
def test_a_document_may_be_what_json_writes_and_a_text_is_a_text(
    cell: object, document: str | None, text: str | None
) -> None:
    assert one(cell, "DOCUMENT") == document
    assert one(cell, "TEXT") == text


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("a", "a"),
        (7, "7"),
        (7.0, "7"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.5"),
        (True, None),
        (np.inf, None),
        ("", None),
    ],
)
def test_a_label_is_a_text_or_a_number_in_as_many_digits_as_it_takes(cell: object, label: str | None) -> None:
    assert one(cell, "LABEL") == label


@pytest.mark.parametrize(("cell", "number"), [(2**53 - 1, 2**53 - 1), (2**53, None), ("12", 12), (1.5, None)])
def test_a_large_whole_number_is_one_that_a_double_holds_exactly(cell: object, number: int | None) -> None:
    assert one(cell, "BIGINT") == number


def test_truth_values_are_the_usual_words() -> None:
    words = text("True", "f", " YES ", "0", "maybe", None, type="BOOLEAN")

    assert words[0] == [True, False, True, False]
    assert words[1] == {5: "x is 'maybe', not true or false", 6: "x is missing"}
    assert one(True, "BOOLEAN", bool) is True
    assert one(1.0, "BOOLEAN") is None


def test_reasons_name_the_column_the_value_and_what_it_should_be() -> None:
    assert text("1,5", None, type="DOUBLE") == (
        [],
        {1: "x is '1,5', not a finite number such as 1.5", 2: "x is missing"},
    )
    assert "not a date or time such as 2024-05-31" in text("5", type="TIMESTAMP")[1][1]
    assert len(one_reason("y" * 1000)) < 100


def one_reason(cell: str) -> str:
    return text(cell, type="DOUBLE")[1][1]


def test_every_wrong_field_of_a_row_is_named() -> None:
    rows = pd.DataFrame({"x": ["a", "1"], "y": ["b", "2024-01-05"]}, index=[7, 9], dtype="str")
    done = conform(
        Block(("x", "y"), rows, [], ["a,b", "1,2024-01-05"]),
        [FileField("value", "DOUBLE", "x"), FileField("cycle", "TIMESTAMP", "y")],
    )

    assert done.rows.to_dict("index") == {9: {"value": 1.0, "cycle": pd.Timestamp(FIRST)}}
    (refused,) = done.refused
    assert refused.row_number == 7
    assert refused.original == "a,b"
    assert refused.reason.startswith("x is 'a', not a finite number such as 1.5; y is 'b', not a date")


def test_a_missing_column_is_missing_values_or_the_default() -> None:
    rows = pd.DataFrame(index=[1, 2])
    fields = [
        FileField("horizon", "INTEGER", "h", required=False, default=1),
        FileField("known_at", "TIMESTAMP", "k", required=False, nullable=True),
    ]
    assert conform(Block((), rows), fields).rows["horizon"].tolist() == [1, 1]
    assert conform(Block((), rows), fields).rows["known_at"].isna().all()
    assert len(conform(Block((), rows), [FileField("a", "VARCHAR", "a")]).refused) == 2


def test_a_default_stands_for_missing_cells_too() -> None:
    assert of(pd.Series(["2", None], dtype="str"), "INTEGER", required=False, default=1) == ([2, 1], {})


def test_every_missing_column_is_named() -> None:
    with pytest.raises(UnreadableFileError, match=r"no column 'ticker' \(for subject\), 'v'; its columns are a, b"):
        check_columns(("a", "b"), [FileField("subject", "VARCHAR", "ticker"), FileField("v", "DOUBLE", "v")])


DAY = pa.array([19727], pa.date32())
"""2024-01-05."""


@pytest.mark.parametrize(
    ("array", "type", "value"),
    [
        *((pa.array([6], kind), "DOUBLE", 6.0) for kind in (pa.int8(), pa.uint8(), pa.int32(), pa.uint64())),
        *((pa.array([6, None], kind), "VARCHAR", "6") for kind in (pa.int8(), pa.uint16(), pa.int64(), pa.uint64())),
        *((pa.array([6], kind), "INTEGER", 6) for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.float64())),
        (pa.array([2**63], pa.uint64()), "DOUBLE", float(2**63)),
        (pa.array([2**63], pa.uint64()), "INTEGER", None),
        (pa.array([0.5], pa.float16()), "DOUBLE", 0.5),
        (pa.array([0.5], pa.float32()), "DOUBLE", 0.5),
        (pa.array([float("inf")]), "DOUBLE", None),
        (pa.array([Decimal("1.25")], pa.decimal128(9, 2)), "DOUBLE", 1.25),
        (pa.array([Decimal("1.25")], pa.decimal256(60, 2)), "DOUBLE", 1.25),
        (pa.array([True]), "DOUBLE", None),
        (pa.array([True, None]), "DOUBLE", None),
        (pa.array([True]), "VARCHAR", None),
        (pa.array([True]), "BOOLEAN", True),
        (pa.array([True, None]), "BOOLEAN", True),
        (pa.array([1]), "BOOLEAN", True),
        (pa.array(["1.5"]), "DOUBLE", 1.5),
        (pa.array(["a"], pa.large_string()), "VARCHAR", "a"),
        (pa.array(["a"], pa.string_view()), "VARCHAR", "a"),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "VARCHAR", "a"),
        (pa.array(["2024-01-05"]).dictionary_encode(), "TIMESTAMP", FIRST),
        (pa.array([b"a"], pa.binary()), "VARCHAR", None),
        (pa.array([["a"]]), "VARCHAR", None),
        (pa.array([[1.0]]), "DOUBLE", None),
        (pa.array([{"a": 1}]), "VARCHAR", None),
        (pa.array([None], pa.null()), "DOUBLE", None),
        (pa.array([None], pa.null()), "VARCHAR", None),
        (DAY, "TIMESTAMP", FIRST),
        (DAY, "DOUBLE", None),
        (DAY, "VARCHAR", None),
        (DAY.cast(pa.date64()), "TIMESTAMP", FIRST),
        *((DAY.cast(pa.timestamp(unit)), "TIMESTAMP", FIRST) for unit in ("s", "ms", "us", "ns")),
        (DAY.cast(pa.timestamp("us", "Europe/Rome")), "TIMESTAMP", FIRST),
        (DAY.cast(pa.timestamp("ns")), "DOUBLE", None),
        (pa.array([datetime(1699, 1, 1)], pa.timestamp("us")), "TIMESTAMP", None),
        (pa.array([datetime(2300, 1, 1)], pa.timestamp("ms")), "TIMESTAMP", None),
        (pa.array([10**15], pa.timestamp("s")), "TIMESTAMP", None),
        (pa.array([1704412800]), "TIMESTAMP", None),
        (pa.array([1], pa.duration("s")), "DOUBLE", None),
        (pa.array([1], pa.duration("s")), "TIMESTAMP", None),
        (pa.array([1], pa.time32("s")), "TIMESTAMP", None),
    ],
)
def test_every_type_of_parquet(tmp_path: Path, array: pa.Array, type: str, value: object) -> None:
    pq.write_table(pa.table({"x": array}), tmp_path / "file.parquet", store_schema=True)
    blocks = list(read_blocks(tmp_path / "file.parquet", ["x"]))
    done = [conform(block, [FileField("x", type, "x")]) for block in blocks]

    values = [found for part in done for found in part.rows["x"].tolist()]
    refused = [row.reason for part in done for row in part.refused]
    assert len(values) + len(refused) == len(array)
    assert values[:1] == ([] if value is None else [value])
