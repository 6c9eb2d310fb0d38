"""Files are read whole or refused whole; a row that cannot be read is given with its reason and its own text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.landing import text_files
from pipeline.landing.blocks import Block, UnreadableFileError, printable
from pipeline.landing.files import read_blocks, suffix_of

AB = ("a", "b")


def read(path: Path, wanted: Sequence[str] = AB) -> tuple[dict[int, list[Any]], dict[int, tuple[str, str]]]:
    """The rows of a file, missing cells as None, and those that cannot be read with reason and original."""
    blocks = list(read_blocks(path, wanted))
    rows = {
        int(number): [None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell for cell in row]
        for block in blocks
        for number, row in zip(block.rows.index, block.rows.astype(object).to_numpy().tolist(), strict=True)
    }
    return rows, {one.row_number: (one.reason, one.original) for block in blocks for one in block.unreadable}


def written(folder: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, wanted: Sequence[str] = AB) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        list(read_blocks(path, wanted))
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a,b\n06,1\nx,2\n", id="plain"),
        pytest.param("a,b\n06,1\nx,2", id="no final newline"),
        pytest.param("a,b\r\n06,1\r\nx,2\r\n", id="CRLF"),
        pytest.param("a,b\r06,1\rx,2\r", id="CR"),
        pytest.param("\na,b\n\n06,1\n  \n\nx,2\n\n", id="blank lines"),
        pytest.param("\ufeffa,b\n06,1\nx,2\n", id="BOM"),
        pytest.param("a;b\n06;1\nx;2\n", id="semicolons"),
        pytest.param("a\tb\n06\t1\nx\t2\n", id="tabs"),
        pytest.param('"a","b"\n"06","1"\n"x","2"\n', id="quotes"),
        pytest.param(" a , b\n06,1\nx,2\n", id="blanks in the header"),
        pytest.param("a,b\n06,1\nx,2\n".encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xfe\xff" + "a,b\n06,1\nx,2\n".encode("utf-16-be"), id="UTF-16 big-endian"),
    ],
)
def test_a_csv_file_is_read_however_it_was_saved(tmp_path: Path, content: bytes | str) -> None:
    assert read(written(tmp_path, content)) == ({1: ["06", "1"], 2: ["x", "2"]}, {})


def test_a_quoted_header_may_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, '"a,\nof it";"b,,,,"\n1;2\n')

    assert read(path, ["a,\nof it", "b,,,,"]) == ({1: ["1", "2"]}, {})


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"x, ""y""\nz",2\n🦆,עברית\n')

    assert read(path) == ({1: ['x, "y"\nz', "2"], 2: ["🦆", "עברית"]}, {})


def test_an_empty_cell_is_missing(tmp_path: Path) -> None:
    assert read(written(tmp_path, 'a,b\n,1\n"",NA\n')) == ({1: [None, "1"], 2: [None, "NA"]}, {})


def test_only_wanted_columns_are_read_and_all_are_named(tmp_path: Path) -> None:
    (block,) = read_blocks(written(tmp_path, "x,b,a\n1,2,3\n"), ("a", "c"))

    assert block.columns == ("x", "b", "a")
    assert block.rows.columns.tolist() == ["a"]
    assert block.originals(block.rows.index) == ["1,2,3"]


def test_a_ragged_row_is_refused_with_its_own_text(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path, "a,b\n1\n1,2\n1,2,3\n"))

    assert rows == {2: ["1", "2"]}
    assert bad == {
        1: ("has 1 fields where the first line has 2", "1"),
        3: ("has 3 fields where the first line has 2", "1,2,3"),
    }


def test_a_row_that_is_no_utf8_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path, b"a,b\nM\xfcnchen,1\nx,2\n"))

    assert rows == {2: ["x", "2"]}
    assert bad == {1: ("is not UTF-8; save the file as UTF-8", "M\\xfcnchen,1")}


def test_a_header_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, b"M\xfcnchen,b\n1,2\n")) == ("its first line is not UTF-8; save the file as UTF-8")


def test_utf16_cut_in_the_middle_ends(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path, "a,b\nx,1\ny,2".encode("utf-16")[:-1]))

    assert rows == {1: ["x", "1"]}
    assert [reason for reason, _ in bad.values()] == ["is not UTF-8; save the file as UTF-8"]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path, 'a,b\n1,2\n"x,3\n4,5\n6,7\n'))

    assert rows == {1: ["1", "2"], 3: ["4", "5"], 4: ["6", "7"]}
    assert bad == {2: ("cannot be read: unexpected end of data", '"x,3')}


def test_a_quote_that_is_never_closed_in_a_long_file_costs_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "_LONGEST_ROW", 100)
    rows, bad = read(written(tmp_path, 'a,b\n"x,3\n' + "4,5\n" * 1000))

    assert len(rows) == 1000
    assert bad == {1: ("cannot be read: has a quote that is never closed", '"x,3')}


@pytest.mark.parametrize(("name", "limit"), [("file.csv", "_LONGEST_ROW"), ("file.jsonl", "_LONGEST_JSON_ROW")])
def test_a_line_that_is_too_long_is_one_refused_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: str
) -> None:
    monkeypatch.setattr(text_files, limit, 100)
    line = {"file.csv": "1,2", "file.jsonl": '{"a": "1", "b": "2"}'}[name]
    head = "a,b\n" if name == "file.csv" else ""
    rows, bad = read(written(tmp_path, head + "\n".join([line, "x" * 950, line]), name))

    assert rows == {1: ["1", "2"], 3: ["1", "2"]}
    assert [reason.removeprefix("cannot be read: ") for reason, _ in bad.values()] == [
        "is longer than 100 characters; give it as Parquet"
    ]


def test_a_line_of_json_may_have_whole_documents(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path, f'{{"a": "{"x" * 3_000_000}", "b": "2"}}\n', "file.jsonl"))

    assert [len(one) for one in rows[1]] == [3_000_000, 1]
    assert bad == {}


def test_a_file_of_a_header_has_no_rows_and_its_columns(tmp_path: Path) -> None:
    (block,) = read_blocks(written(tmp_path, "a,b"), AB)

    assert block.columns == AB
    assert block.rows.empty


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("", "file.csv", "the file is empty"),
        ("\n\n", "file.csv", "no column names"),
        (",,\n1,2,3\n", "file.csv", "no column names"),
        ("a,a\n1,2\n", "file.csv", "columns are named twice: 'a'"),
        ('a,"b\n1,2\n', "file.csv", "its first line cannot be read (unexpected end of data)"),
        ("a,b\n", "file.xlsx", ".xlsx is no format that can be read; known: .parquet, .csv"),
        ("a,b\n", "file", "a name without ending is no format"),
        (b"PAR1 or not", "file.parquet", "it is no whole Parquet file"),
        ("\n", "file.jsonl", "the file has no lines"),
        ("[1]\n", "file.jsonl", "its first line is no JSON object: '[1]'"),
        ("a,b\n1,2\n", "file.jsonl", "its first line is no JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | str, name: str, says: str) -> None:
    assert says in refusal(written(tmp_path, content, name))


def test_a_file_that_is_not_there_is_no_unreadable_file(tmp_path: Path) -> None:
    for name in ("x.csv", "x.parquet", "x.jsonl"):
        with pytest.raises(FileNotFoundError):
            list(read_blocks(tmp_path / name, AB))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1, 2]", "is no JSON object"),
        ("3", "is no JSON object"),
        ("{", "is no JSON object (Expecting property name"),
        ('{"a": 1, "a": 2}', "is no JSON object (a name is there twice)"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "is no JSON object (Exceeds the limit"),
    ],
)
def test_a_json_line_that_cannot_be_read_is_refused(tmp_path: Path, line: str, reason: str) -> None:
    rows, bad = read(written(tmp_path, '{"a": 1}\n' + line + '\n{"b": 2}\n', "file.jsonl"))

    assert rows == {1: [1, None], 3: [None, 2]}
    assert bad[2][0].startswith(reason)


def test_json_values_come_as_they_are(tmp_path: Path) -> None:
    line = '{"a": 12345678901234567890, "b": {"c": [1]}}\n{"a": "\\ud800", "b": true}\n{"a": NaN, "b": -Infinity}\n'
    rows, bad = read(written(tmp_path, line, "file.jsonl"))

    assert rows == {1: [12345678901234567890, {"c": [1]}], 2: ["\ud800", True], 3: [None, -np.inf]}
    assert not bad


def test_a_column_of_an_index_is_read_and_what_pandas_noted_is_not_believed(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "b": pd.array([1, None], "Int64")}).set_index("a")
    frame.to_parquet(tmp_path / "file.parquet")

    assert read(tmp_path / "file.parquet") == ({1: ["x", 1], 2: ["y", None]}, {})


def test_rows_of_parquet_are_numbered_across_groups_and_their_original_is_json(tmp_path: Path) -> None:
    table = pa.table({"a": ["x", None, "z"], "b": [1.5, float("nan"), float("inf")], "more": [1, 2, 3]})
    pq.write_table(table, tmp_path / "file.parquet", row_group_size=2)
    blocks = [block for block in read_blocks(tmp_path / "file.parquet", AB) if len(block.rows)]

    assert [block.rows.index.tolist() for block in blocks] in ([[1, 2], [3]], [[1, 2, 3]])
    originals = [text for block in blocks for text in block.originals(block.rows.index)]
    assert [json.loads(text) for text in originals] == [
        {"a": "x", "b": 1.5},
        {"a": None, "b": None},
        {"a": "z", "b": float("inf")},
    ]


def test_a_zone_that_nobody_knows_does_no_harm(tmp_path: Path) -> None:
    moment = pa.array([1704412800], pa.timestamp("s", tz="Nowhere/City"))
    pq.write_table(pa.table({"a": moment}), tmp_path / "file.parquet")

    assert read(tmp_path / "file.parquet", ["a"])[0] == {1: [pd.Timestamp("2024-01-05")]}


@pytest.mark.parametrize("damage", ["cut", "middle"])
def test_a_damaged_parquet_file_gives_nothing(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"a": range(100_000), "b": np.random.default_rng(1).random(100_000)}), path)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[200_000:400_000] = b"\xff" * 200_000
    path.write_bytes(content)

    assert "it is no whole Parquet file" in refusal(path)


def test_blocks_are_limited_in_rows_and_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "BLOCK_ROWS", 4)
    path = written(tmp_path, "a,b\n" + "1,2\n" * 10)
    assert [len(block.rows) for block in read_blocks(path, AB)] == [4, 4, 2]

    monkeypatch.setattr(text_files, "BLOCK_CHARACTERS", 5)
    assert [len(block.rows) for block in read_blocks(path, AB)] == [2] * 5


def test_a_short_original_is_kept_and_a_long_one_cut() -> None:
    def original(text: str) -> str:
        return Block(AB, pd.DataFrame(index=[1]), [], [text]).originals(pd.Index([1]))[0]

    assert original("x\0\udcff\ud800") == "x\\0\\udcff\\ud800"
    assert len(original("\0" * 20_000)) == 10_000


@given(st.text(st.characters()))
def test_whatever_is_printable_can_be_stored(text: str) -> None:
    shown = printable(text)

    assert "\0" not in shown
    assert shown.encode().decode() == shown


def test_only_endings_of_known_formats_are_kept() -> None:
    assert [suffix_of(Path(name)) for name in ("a.CSV", "a.csv.gz", "a", "a." + "x" * 250)] == [".csv", "", "", ""]


def test_a_text_that_a_file_refers_to_again_and_again_is_not_written_out_at_once(tmp_path: Path) -> None:
    """Kept once in 60 kB; 200 rows of it are 200 MB."""
    path = tmp_path / "file.parquet"
    repeated(path, 1_000_000, 200)
    sizes = [block.rows.memory_usage(deep=True).sum() for block in read_blocks(path, ["a"])]
    assert sum(sizes) > 200e6
    assert max(sizes) < 20e6


def test_a_file_that_says_far_more_than_its_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    repeated(path, 1_000_000, 20_000)
    with pytest.raises(UnreadableFileError, match=r"repeats texts so often that they would take more than 1\.0 GB"):
        next(read_blocks(path, ["a"]))


def repeated(path: Path, length: int, times: int) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array(["x" * length]))
    pq.write_table(pa.table({"a": text}), path, compression="zstd", store_schema=False)


@pytest.mark.parametrize("head", ['a,b\n1,"', 'a,"b'])
def test_a_quote_that_stays_open_over_many_lines_takes_no_longer_than_they_do(tmp_path: Path, head: str) -> None:
    """Were all lines so far counted at each, 300,000 of them would take an hour."""
    (tmp_path / "file.csv").write_text(head + "\n" * 300_000)
    try:
        told = [one.reason for block in read_blocks(tmp_path / "file.csv", AB) for one in block.unreadable]
    except UnreadableFileError as error:
        told = [str(error)]
    assert len(told) == 1
    assert "quote" in told[0] or "end of" in told[0]
