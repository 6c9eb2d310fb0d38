"""Inputs: names of their own, and files of them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.experiments import InputsError, InputSpec, read_inputs

ROWS = [
    {"id": "a", "country": "Österreich", "n": 1, "reference": "Wien"},
    {"id": "b", "country": "Italy", "n": 2, "reference": None},
]


def test_an_input_without_a_name_is_named_by_what_it_is() -> None:
    one, same, other = (InputSpec(variables=given) for given in ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, {"a": 2}))
    assert one.id == same.id != other.id
    assert InputSpec.model_validate({"id": 7, "variables": {}}).id == "7"
    with pytest.raises(ValueError, match="it has neither id nor variables"):
        InputSpec()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_files_of_each_format_say_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"inputs{suffix}"
    if suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n", encoding="utf-8")
    elif suffix == ".csv":
        pd.DataFrame(ROWS).to_csv(path, index=False)
    else:
        pd.DataFrame(ROWS).to_parquet(path)
    first, second = read_inputs(path)
    assert (first.id, first.reference, first.variables["country"]) == ("a", "Wien", "Österreich")
    assert str(first.variables["n"]) == "1"
    assert second.reference is None


def test_numbers_and_lists_of_parquet_are_kept_as_they_are(tmp_path: Path) -> None:
    rows = [{"id": "a", "x": 0.1234567890123456, "words": ["b", "c"], "reference": ["d", "e"]}]
    pd.DataFrame(rows).to_parquet(tmp_path / "inputs.parquet")
    (found,) = read_inputs(tmp_path / "inputs.parquet")
    assert (found.variables, found.reference) == ({"x": 0.1234567890123456, "words": ["b", "c"]}, ["d", "e"])


def test_dates_are_to_be_written_as_text(tmp_path: Path) -> None:
    pd.DataFrame({"day": [pd.Timestamp("2026-01-01")]}).to_parquet(tmp_path / "inputs.parquet")
    with pytest.raises(InputsError, match=r"row 1: the value\.day is a (datetime|Timestamp), which JSON does not have"):
        read_inputs(tmp_path / "inputs.parquet")


def test_variables_may_be_an_object_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "inputs.jsonl"
    path.write_text('{"variables": {"id": "x"}, "reference": ["a", "b"]}\n')
    (found,) = read_inputs(path)
    assert (found.variables, found.reference) == ({"id": "x"}, ["a", "b"])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"x": 1}\n{"x": ', "a.jsonl: it cannot be read: "),
        ("a.jsonl", '{"x": 1}\n[1]\n', r"a.jsonl: row 2: \[1\] is no object with names"),
        ("a.jsonl", '{"x": NaN}\n', "a.jsonl: row 1: .* is nan"),
        ("a.jsonl", '{"variables": {"x": 1}, "y": 2}\n', "row 1: it has variables and y beside them"),
        ("a.jsonl", "\n", "a.jsonl: no inputs in it"),
        ("a.csv", "x\n1\n1\n", "a.csv: input .* is there more than once"),
        ("a.csv", "id,x\na,1\nb,1\n", "a.csv: inputs 'a' and 'b' have the same variables"),
        ("a.txt", "x", "a.txt: a file of inputs ends in .jsonl, .ndjson, .csv, .parquet"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputsError, match=told):
        read_inputs(tmp_path / name)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"nowhere\.csv: it cannot be read"):
        read_inputs(tmp_path / "nowhere.csv")
