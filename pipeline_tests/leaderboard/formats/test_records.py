"""JSON lines, CSV and Parquet: what is refused of them, and what they may leave out."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.leaderboard import FormatError, load
from pipeline_tests.leaderboard.board.boards import plain
from pipeline_tests.leaderboard.formats.test_detection import written

JSON = '{"run": "a", "qid": 1, "metric": "AP", "score": 0.5}\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{broken\n", "no JSON: Expecting property name"),
        ("[1, 2]\n", r"no JSON object, but '\[1, 2\]'; write one object in each line"),
        ("7\n", "no JSON object"),
        ('{"run": "a", "qid": "1", "score": 0.5}\n', "no measure among the fields run, qid, score"),
        ("{}\n", "no topic and no measure and no value among the fields none"),
        (
            '{"topic": "1", "qid": "1", "metric": "AP", "score": 0.5}\n',
            "several of the fields .* hold the same",
        ),
        ('{"run": "a", "qid": null, "metric": "AP", "score": 0.5}\n', "topic is null; write a text or a number"),
        ('{"run": "a", "qid": "1", "metric": "", "score": 0.5}\n', 'measure is ""; write a text'),
        ('{"run": "a", "qid": "1", "metric": "AP", "score": [1]}\n', r'value is \["1"\]; write a text or a number'),
    ],
)
def test_a_wrong_line_of_json_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, JSON + line)
    with pytest.raises(FormatError, match=f"^{path}:2: {said}"):
        load(path)


def test_json_may_have_numbers_for_names_booleans_for_values_and_fields_of_its_own(tmp_path: Path) -> None:
    line = '{"run": "a", "qid": 2, "metric": "AP", "score": true, "judge": "x"}\n'
    loaded = load(written(tmp_path, JSON + "\n# comment\n" + line), on_missing="fix_aggregate")
    assert plain(loaded.board) == {("a", "1"): {"AP": 0.5}, ("a", "2"): {"AP": 1.0}}
    assert "fields left unread: judge" in loaded.notes[0]


def test_a_null_in_json_is_a_value_that_is_absent(tmp_path: Path) -> None:
    line = '{"run": "a", "qid": "2", "metric": "AP", "score": null}\n'
    assert plain(load(written(tmp_path, JSON + line)).board)[("a", "2")] == {"AP": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "run_id,topic_id,measure,value\na,1,AP\n",
            ":2: 3 fields, but the header has 4: run_id, topic",
        ),
        ("run_id,topic_id,measure\na,1,AP\n", ":1: the header names no value: run_id, topic_id, measure; long files"),
        ("run,run_id,topic,measure,value\na,a,1,AP,1\n", ":1: several of the columns .* hold the same"),
        ("topic_id,AP,AP\n1,2,3\n", ":1: several of the columns"),
        ("run_id,topic_id\na,1\n", ":1: no measure among the columns run_id, topic_id"),
        ("run_id,topic_id,measure,value\na,,AP,1\n", ":2: no topic; complete the line"),
        ('run_id,topic_id,measure,value\na,"1,AP,1\n', ":2: unexpected end of data"),
        ("topic_id,AP\n", ": nothing in it"),
    ],
)
def test_a_wrong_csv_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(FormatError, match=f"^{path}{said}"):
        load(path)


def test_csv_may_have_blank_lines_comments_and_columns_of_its_own(tmp_path: Path) -> None:
    text = "run_id,topic_id,judge,measure,value\n\n# comment, with a comma\na,1,x,AP,0.5\na,2,x,AP,\n"
    loaded = load(written(tmp_path, text), on_missing="fix_aggregate")
    assert plain(loaded.board) == {("a", "1"): {"AP": 0.5}, ("a", "2"): {"AP": None}}
    assert "columns left unread: judge" in loaded.notes[0]


def test_a_column_of_a_wide_file_without_any_value_is_told(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, "run_id,topic_id,AP,RR\na,1,0.5,\n"))
    assert loaded.board.measures == ("AP",)
    assert "columns without a value: RR" in loaded.notes[0]


def test_parquet_may_have_integers_booleans_and_categories(tmp_path: Path) -> None:
    path = tmp_path / "board.parquet"
    table = {
        "system": pa.array(["a", "a"]).dictionary_encode(),
        "topic": pa.array([301, 302]),
        "AP": pa.array([0.5, None]),
        "IS_MATCH": pa.array([True, False]),
    }
    pq.write_table(pa.table(table), path)
    assert plain(load(path, on_missing="fix_aggregate").board) == {
        ("a", "301"): {"AP": 0.5, "IS_MATCH": 1.0},
        ("a", "302"): {"AP": None, "IS_MATCH": 0.0},
    }


def test_a_wrong_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "board.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(FormatError, match=f"^{path}: no readable Parquet"):
        load(path)
    pq.write_table(pa.table({"topic": ["1"], "AP": [[0.5]]}), path)
    with pytest.raises(FormatError, match=f"^{path}: column 'AP' is list<.*texts and numbers can be read"):
        load(path)


def test_a_file_of_nothing_but_a_header_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nothing in it"):
        load(written(tmp_path, "run_id\ttopic_id\tmeasure\tvalue\n"))


def test_a_run_that_is_called_like_a_column_is_no_header(tmp_path: Path) -> None:
    assert load(written(tmp_path, "runid\tall\tvalue\nmap\tall\t0.5\n")).board.run_ids == ("value",)


def test_an_empty_file_is_nothing_in_any_format(tmp_path: Path) -> None:
    for name in ("jsonl", "csv", "parquet"):
        with pytest.raises(FormatError, match="nothing in it"):
            load(written(tmp_path, ""), format=name)
