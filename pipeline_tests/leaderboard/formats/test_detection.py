"""Which format a file is in is told by its content, or not at all."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.leaderboard import FormatError, FormatName, load
from pipeline_tests.leaderboard.board.boards import plain


def written(folder: Path, text: str, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def format_of(path: Path) -> FormatName:
    (found,) = load(path, on_missing="fix_aggregate").formats.values()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("map\tall\t0.2\n", "trec_eval"),
        ("map                   \t303\t0.2\n", "trec_eval"),
        ("SCORE 303 0.2\n", "trec_eval"),
        ("SCORE\tall\t1\nSCORE\tleaf\t1\n", "trec_eval"),
        ("all\tAP\t0.2\n", "ir_measures_q"),
        ("303\tnDCG(dcg='exp-log2')@10\t0.2\n", "ir_measures_q"),
        ("303\tSCORE\t0.2\n", "ir_measures_q"),
        ("leaf P@10 0.2\n", "ir_measures_q"),
        ("a\tmap\t303\t0.2\n", "tot"),
        ("a SCORE all 0.2\n", "tot"),
        ("a\t303\tmap\t0.2\n", "ir_measures"),
        ("303\tall\tSCORE\t0.2\n", "ir_measures"),
        ("run_id\tquery_id\tmeasure\tvalue\nr\tleaf\tRELEVANCE\t0.5\n", "ir_measures"),
        ("run_id measure topic_id value\nr RELEVANCE leaf 0.5\n", "tot"),
        ("metric\ttopic\tscore\nRELEVANCE\tleaf\t0.5\n", "trec_eval"),
        ('{"query_id": "1", "measure": "AP", "value": 1}\n', "jsonl"),
        ("run_id,topic_id,measure,value\na,1,AP,0.5\n", "csv"),
        ("topic_id,AP,P@10\n1,0.5,1\n", "csv_wide"),
        ("# a comment\n\nmap all 0.2\n", "trec_eval"),
        ("MODEL: x\nmap all 0.2\n", "trec_eval"),
    ],
)
def test_the_content_tells(tmp_path: Path, text: str, expected: str) -> None:
    assert format_of(written(tmp_path, text)) == expected


def test_a_name_does_not_tell(tmp_path: Path) -> None:
    assert format_of(written(tmp_path, "all\tAP\t0.2\n", "a.eval")) == "ir_measures_q"
    assert format_of(written(tmp_path, "map\tall\t0.2\n", "a.jsonl")) == "trec_eval"


def test_the_two_orders_of_three_columns_give_the_same_board(tmp_path: Path) -> None:
    one = written(tmp_path, "map\t303\t0.2\nmap\tall\t0.2\n", "r.eval")
    other = written(tmp_path, "303\tmap\t0.2\nall\tmap\t0.2\n", "r.tsv")
    assert (
        plain(load(one).board)
        == plain(load(other).board)
        == {
            ("r", "303"): {"map": 0.2},
            ("r", "all"): {"map": 0.2},
        }
    )


@pytest.mark.parametrize("text", ["leaf SCORE 0.5\n", "a leaf SCORE 0.5\n", "a\tb\t1\nc\td\t2\n"])
def test_what_does_not_tell_is_an_error_that_asks_for_the_format(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(FormatError, match=rf"^{path}:1: cannot tell which of .*; name the format$"):
        load(path)


def test_the_format_can_be_named_where_the_content_does_not_tell(tmp_path: Path) -> None:
    path = written(tmp_path, "leaf SCORE 0.5\n", "r.txt")
    assert plain(load(path, format="ir_measures_q").board)[("r", "leaf")] == {"SCORE": 0.5}
    assert plain(load(path, format="trec_eval").board)[("r", "SCORE")] == {"leaf": 0.5}


def test_values_that_look_like_relevance_judgements_are_read_if_their_format_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a 0 SCORE 1\n")
    assert plain(load(path, format="ir_measures").board) == {("a", "0"): {"SCORE": 1.0}}


@pytest.mark.parametrize(
    ("text", "named", "said"),
    [
        ("303 AP 0.5\n", "trec_eval", "this is ir_measures_q, not trec_eval: column 1 holds numbers"),
        ("map all 0.5\n", "ir_measures_q", "this is trec_eval, not ir_measures_q: column 2 holds 'all'"),
        ("map all 0.5\n", "tot", "3 columns, and tot has 4: run, measure, topic, value"),
        ('{"query_id": "1"}\n', "tot", "this is jsonl, not tot"),
        ("query_id measure value\n1 AP 2\n", "trec_eval", "the header .* is that of ir_measures_q, not of trec_eval"),
    ],
)
def test_a_named_format_that_the_content_contradicts_is_an_error(
    tmp_path: Path, text: str, named: str, said: str
) -> None:
    with pytest.raises(FormatError, match=said):
        load(written(tmp_path, text), format=named)


def test_content_that_contradicts_itself_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, "map\tall\t0.2\n303\tSCORE\t0.2\n")
    with pytest.raises(
        FormatError, match=rf"^{path}:1: cannot tell trec_eval from ir_measures_q: .*; are two files mi"
    ):
        load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("map 0.5\n", r":1: 2 columns: 'map 0.5'; known formats have 3 \(trec_eval, ir_measures_q\), 4"),
        ("a b c d e\n", ":1: 5 columns"),
        ("303 D1 systemA 1 0.9 judge\n", ":1: 6 columns are a ranking .* the second holds D1 and not Q0"),
        (
            "run_id topic_id value\na 1 2\n",
            ":1: the header run_id, topic_id, value names run, topic, value; it",
        ),
    ],
)
def test_other_columns_are_an_error_that_says_what_there_is(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        load(written(tmp_path, text))


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown format 'trec'; known: trec_eval, ir_measures_q, tot"):
        load("nothing", format="trec")


def test_gzipped_files_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run.eval.gz"
    path.write_bytes(gzip.compress("\ufeffmap\tall\t0.5\n".encode()))
    assert load(path).board.run_ids == ("run",)
    assert load(path).board.measures == ("map",)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"map\tall\t0.5\nmap\t\xff\xfe\t1\n", 2),
        ("map\tall\t0.5\n".encode("utf-16"), 1),
        (b"run_id,topic_id,measure,value\n" + b"a,1,AP,0.5\n" * 20_000 + b"a,M\xfcller,AP,0.5\n", 20_002),
        (gzip.compress(b"map\tall\t0.5\nmap\t\xff\xfe\t1\n", mtime=0), 2),
    ],
)
def test_bytes_that_are_no_text_are_an_error_that_names_the_line(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "a.eval"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"a\.eval:{line}: no text in UTF-8 \(.*\); save the file as UTF-8"):
        load(path)


@pytest.mark.parametrize(
    "change", [lambda packed: packed[: len(packed) // 2], lambda packed: packed[:-8] + b"12345678"]
)
def test_a_damaged_gzipped_file_is_an_error(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.eval.gz"
    path.write_bytes(change(gzip.compress("".join(f"map\t{topic}\t0.{topic}\n" for topic in range(999)).encode())))
    with pytest.raises(FormatError, match=r"a\.eval\.gz: the gzipped file is damaged: .*; write or copy it again"):
        load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,1,AP,0.5\n", "1 column: 'a,1,AP,0.5', by the look of it CSV: separate fields by commas, below a header"),
        ("run_id;topic_id;measure;value\n", "by the look of it CSV: separate fields by commas, below a header such as"),
        ('[{"run_id": "a"}]\n', "by the look of it a JSON array: write one object in each line"),
        ("x" * 99 + "\n", f"1 column: '{'x' * 60}'...; known formats have 3"),
    ],
)
def test_what_it_looks_like_is_said_with_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=re.escape(said)):
        load(written(tmp_path, text))


def test_a_quotation_mark_that_is_not_closed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r":2: unexpected end of data; is a quotation mark not closed\?"):
        load(written(tmp_path, 'run_id,topic_id,measure,value\n"a,1,AP,0.5\n'))
