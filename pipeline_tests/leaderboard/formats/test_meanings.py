"""What files say of their measures themselves: written, read again, preferred to what values look like."""

import json
from pathlib import Path

import pytest

from pipeline.leaderboard import (
    Aggregate,
    Direction,
    FormatError,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardSpec,
    MeasureSpec,
    load,
    write,
)
from pipeline.leaderboard.formats import HOLD_MEANINGS

LATENCY = MeasureSpec("LATENCY", direction=Direction.ASC)
SHARE = MeasureSpec("SHARE", aggregate=Aggregate.NONE, default=0.5, weight=0.25)
SHARPE = MeasureSpec("SHARPE", aggregate=Aggregate.NONE, default=None, only_in_all=True)
GEOMETRIC = MeasureSpec("GEO", aggregate=Aggregate.GMEAN, only_in_all=True, of="SHARE")
LABEL = MeasureSpec("LABEL", str)
MEASURES = (LATENCY, SHARE, SHARPE, GEOMETRIC, LABEL)
ASC = '{"measure": "AP", "direction": "asc", "aggregate": "mean", "default": null}\n'
VALUE = '{"run_id": "a", "topic_id": "1", "measure": "AP", "value": 0.5}\n'


def board() -> Leaderboard:
    builder = LeaderboardBuilder(LeaderboardSpec(MEASURES))
    builder.add(run_id="a", topic_id="1", LATENCY=None, SHARE=0.5, LABEL="yes")
    builder.add(run_id="a", topic_id="2", LATENCY=2.0, SHARE=0.5, LABEL="no")
    builder.add(run_id="a", topic_id="all", LATENCY=2.0, SHARE=0.75, SHARPE=1.5, GEO=0.5, LABEL="yes")
    return builder.build(drop_aggregate=False, on_missing="fix_aggregate")


def written(folder: Path, text: str, name: str = "board.jsonl") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("format", HOLD_MEANINGS)
def test_measures_come_back_as_they_were_in_their_order(tmp_path: Path, format: str) -> None:
    path = tmp_path / "board"
    write(board(), path, format, meanings=board().measures)
    found = load(path)
    assert found.board.spec.measures == MEASURES
    assert {one.why for one in found.inferences} == {"declared in the file"}
    assert list(found.board.entries) == list(board().entries)


def test_only_those_that_were_asked_for_are_said(tmp_path: Path) -> None:
    path = tmp_path / "board"
    write(board(), path, "jsonl", meanings=["LATENCY"])
    first, second, *_ = path.read_text().splitlines()
    assert json.loads(first) == {"measure": "LATENCY", "direction": "asc", "aggregate": "mean", "default": None}
    assert "value" in second


def test_without_any_a_file_has_values_only(tmp_path: Path) -> None:
    path = tmp_path / "board"
    write(board(), path, "jsonl")
    assert all("value" in json.loads(line) for line in path.read_text().splitlines())


def test_a_file_is_preferred_to_what_is_known_of_a_measure(tmp_path: Path) -> None:
    assert load(written(tmp_path, ASC + VALUE)).board.spec["AP"].direction is Direction.ASC


def test_who_reads_it_is_preferred_to_the_file(tmp_path: Path) -> None:
    found = load(written(tmp_path, ASC + VALUE), declared=[MeasureSpec("AP")])
    assert found.board.spec["AP"] == MeasureSpec("AP")
    assert [one.why for one in found.inferences] == ["declared"]


def test_it_is_written_again_byte_for_byte(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    write(board(), first, "jsonl", meanings=board().measures)
    found = load(first)
    write(found.board, second, "jsonl", found.layout, meanings=found.board.measures)
    assert second.read_bytes() == first.read_bytes()


def test_a_measure_without_a_value_may_be_declared(tmp_path: Path) -> None:
    other = ASC.replace("AP", "OTHER")
    assert load(written(tmp_path, other + VALUE)).board.measures == ("AP",)


def test_a_file_that_declares_and_has_no_value_has_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nothing in it"):
        load(written(tmp_path, ASC))


def test_two_files_that_mean_different_things_are_both_named(tmp_path: Path) -> None:
    written(tmp_path, ASC + VALUE, "one.jsonl")
    written(tmp_path, ASC.replace("asc", "desc") + VALUE.replace('"a"', '"b"'), "two.jsonl")
    with pytest.raises(FormatError, match=r"two\.jsonl: declares measure 'AP' as .*desc.*one\.jsonl as .*asc"):
        load(tmp_path)


def test_a_value_of_a_topic_where_only_all_rows_should_have_one_is_an_error_with_its_line(tmp_path: Path) -> None:
    only = '{"measure": "AP", "direction": "desc", "only_in_all": true}\n'
    written(tmp_path, only + VALUE.replace('"1"', '"all"'), "one.jsonl")
    written(tmp_path, VALUE.replace('"a"', '"b"'), "two.jsonl")
    with pytest.raises(FormatError, match=r"two\.jsonl:1: AP of topic '1', but it is declared to be in all rows only"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"measure": "AP", "direction": "up"}', "'up' is not a valid Direction"),
        ('{"measure": "AP", "direction": "asc", "aggregate": "median"}', "'median' is not a valid Aggregate"),
        ('{"measure": "AP", "direction": "asc", "dtype": "int"}', "dtype 'int' of measure 'AP' is unknown; known: fl"),
        ('{"measure": "AP", "direction": "asc", "default": "x"}', "value 'x' of measure 'AP' is no number"),
        ('{"measure": "AP", "direction": "asc", "weight": -1}', "weight -1.0; weights are positive"),
        ('{"measure": "AP", "direction": "asc", "colour": 1}', "no topic and no value among the fields"),
        ('{"measure": 7, "direction": "asc", "aggregate": []}', r"board\.jsonl:2: "),
    ],
)
def test_what_is_no_measure_is_an_error_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        load(written(tmp_path, f"{VALUE}{line}\n"))
    assert "board.jsonl:2: " in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("no json", "is no JSON"),
        ('{"measure": "AP"}', "is no list of objects"),
        ('[{"measure": "AP"}]', "declare no measure; it takes measure, direction"),
    ],
)
def test_a_damaged_schema_of_parquet_is_an_error(tmp_path: Path, said: str, message: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"run_id": ["a"], "topic_id": ["1"], "measure": ["AP"], "value": [0.5]}
    pq.write_table(pa.table(columns, metadata={"podium.measures": said}), tmp_path / "board.parquet")
    with pytest.raises(FormatError, match=rf"board\.parquet: podium\.measures in its schema.* {message}"):
        load(tmp_path)
