"""Files and directories read as boards: whose values they are, what measures are, and what is wrong with a line."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.leaderboard import (
    Aggregate,
    Direction,
    FormatError,
    Leaderboard,
    MeasureSpec,
    MissingTopicsError,
    MissingTopicsWarning,
    load,
)
from pipeline_tests.leaderboard.board.boards import plain
from pipeline_tests.leaderboard.formats.test_detection import written

TREC = """num_ret               \t1\t10
map                   \t1\t0.1000
num_ret               \t2\t20
map                   \t2\t0.3000
runid                 \tall\tAAA
num_q                 \tall\t2
num_ret               \tall\t30
map                   \tall\t0.2000
gm_map                \tall\t0.1732
"""


class TestRuns:
    def test_the_run_is_named_in_the_file(self, tmp_path: Path) -> None:
        assert load(written(tmp_path, TREC, "other.eval"), run_id="argument").board.run_ids == ("AAA",)

    def test_without_it_the_argument_and_then_the_name_of_the_file_names_it(self, tmp_path: Path) -> None:
        path = written(tmp_path, "map\tall\t1\n", "my.run.v1.eval.txt")
        assert load(path, run_id="argument").board.run_ids == ("argument",)
        assert load(path).board.run_ids == ("my.run.v1",)

    def test_headings_name_the_runs_of_sections(self, tmp_path: Path) -> None:
        text = "MODEL: one two\nmap\t1\t0.5\nmap\tall\t0.5\n\nMODEL: three\nmap\t1\t0.25\n"
        board = load(written(tmp_path, text)).board
        assert board.run_ids == ("one two", "three")
        assert plain(board)[("three", "1")] == {"map": 0.25}

    def test_what_is_above_the_first_heading_is_of_the_file(self, tmp_path: Path) -> None:
        text = "map\t1\t0.5\nMODEL: x\nmap\t1\t0.25\n"
        assert load(written(tmp_path, text, "top.txt")).board.run_ids == ("top", "x")

    def test_two_runs_in_one_file_without_headings_are_an_error(self, tmp_path: Path) -> None:
        path = written(tmp_path, TREC + TREC.replace("AAA", "BBB"))
        with pytest.raises(FormatError, match=rf"^{path}:14: runid is 'BBB', but 'AAA' in line 5; split the file, or"):
            load(path)


class TestMeasures:
    def test_known_measures_are_what_the_tools_mean_by_them(self, tmp_path: Path) -> None:
        loaded = load(written(tmp_path, TREC))
        assert loaded.board.measures == ("runid", "num_q", "num_ret", "map", "gm_map")
        assert [one.why for one in loaded.inferences] == ["known: trec_eval"] * 5
        assert plain(loaded.board)[("AAA", "all")] == {
            "runid": "AAA",
            "num_q": 2.0,
            "num_ret": 30.0,
            "map": 0.2,
            "gm_map": 0.1732,
        }

    def test_computed_anew_counts_are_added_means_averaged_and_the_rest_dropped_by_name(self, tmp_path: Path) -> None:
        board = load(written(tmp_path, TREC), drop_aggregate=True).board
        row = plain(board)[("AAA", "all")]
        assert row == {"num_ret": 30.0, "map": pytest.approx(0.2), "gm_map": pytest.approx(0.03**0.5)}
        assert [(one.kind, one.name) for one in board.dropped] == [("measure", "runid"), ("measure", "num_q")]

    @pytest.mark.parametrize(
        ("values", "aggregate", "said"),
        [
            (("1", "2", "1.5"), Aggregate.MEAN, "aggregate mean: 1 of 1 printed ones agree"),
            (("1", "2", "3"), Aggregate.SUM, "aggregate sum: 1 of 1 printed ones agree"),
            (("1", "2", "9"), Aggregate.NONE, "aggregate none: 0 of 1 printed ones agree"),
        ],
    )
    def test_an_unknown_one_is_summed_up_as_its_printed_aggregates_are(
        self, tmp_path: Path, values: tuple[str, str, str], aggregate: Aggregate, said: str
    ) -> None:
        lines = [f"a SCORE {topic} {value}\n" for topic, value in zip(("1", "2", "all"), values, strict=True)]
        (found,) = load(written(tmp_path, "".join(lines))).inferences
        assert found.measure.aggregate is aggregate
        assert said in found.why
        assert not found.is_certain

    def test_an_unknown_one_without_printed_aggregates_is_averaged_and_that_is_said(self, tmp_path: Path) -> None:
        (found,) = load(written(tmp_path, "a SCORE 1 1\na SCORE 2 3\n"), drop_aggregate=True).inferences
        assert found.measure == MeasureSpec("SCORE")
        assert found.why == "a number; higher taken to be better; aggregate mean: none printed"

    def test_one_with_values_below_0_has_no_default(self, tmp_path: Path) -> None:
        (found,) = load(written(tmp_path, "a LOGIT 1 -1.5\n")).inferences
        assert found.measure.default is None

    def test_one_that_only_all_rows_have_cannot_be_computed(self, tmp_path: Path) -> None:
        found = {one.measure.name: one.measure for one in load(written(tmp_path, "a AP 1 0.5\na C all 3\n")).inferences}
        assert (found["AP"].only_in_all, found["C"].only_in_all) == (False, True)
        assert found["C"].aggregate is Aggregate.NONE

    def test_one_that_is_not_all_numbers_is_text_and_an_example_is_given(self, tmp_path: Path) -> None:
        loaded = load(written(tmp_path, "a GRADE 1 good\na GRADE 2 3\na GRADE all good\n"))
        (found,) = loaded.inferences
        assert found.measure == MeasureSpec("GRADE", str)
        assert found.why == "text: 'good' is no number; aggregate first: 1 of 1 printed ones agree"
        assert plain(loaded.board)[("a", "2")] == {"GRADE": "3"}

    def test_what_is_declared_comes_before_what_is_concluded(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a LOSS 1 0.5\na LOSS 2 0.7\n")
        loss = MeasureSpec("LOSS", direction=Direction.ASC)
        loaded = load(path, declared=[loss], drop_aggregate=True)
        assert loaded.board.spec.measures == (loss,)
        assert loaded.inferences[0].is_certain
        with pytest.raises(ValueError, match="no measure 'LOS' in the files; they have: LOSS"):
            load(path, declared=[MeasureSpec("LOS")])


class TestBrokenLines:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("map\t3\n", "2 tab-separated columns, but line 1 has 3: 'map\\\\t3'; complete the line"),
            ("map\t3\t0.5\tx\n", "4 tab-separated columns, but line 1 has 3"),
            ("map 3 0.5\n", "1 tab-separated columns, but line 1 has 3"),
            ("map\t3\t\n", "no value; complete the line"),
            ("map\t\t0.5\n", "no topic"),
            ("map\t3\t0,5\n", "map is '0,5', which is no number"),
            ("map\t3\tinf\n", "map is 'inf', which is no number"),
            ("map\t3\t1e999\n", "map is '1e999', which is no number"),
            ("map\t1\t0.2\n", "map of run 'AAA' for topic '1' is 0.2, but 0.1000 in "),
            ("map\tall\t0.3\n", "map of run 'AAA' for topic 'all' is 0.3, but 0.2000 in .*:8; keep one of each"),
        ],
    )
    def test_the_file_and_line_are_named(self, tmp_path: Path, line: str, said: str) -> None:
        path = written(tmp_path, f"{TREC}# comment\n{line}")
        with pytest.raises(FormatError, match=f"^{path}:11: {said}"):
            load(path)

    def test_lines_that_say_the_same_again_are_counted(self, tmp_path: Path) -> None:
        loaded = load(written(tmp_path, f"{TREC}map\t1\t0.1\nmap\t1\t0.1000\n"))
        assert loaded.notes == ("lines that repeat another one word for word or number for number: 2",)

    def test_every_contradiction_is_named_up_to_ten(self, tmp_path: Path) -> None:
        text = "".join(f"a AP {topic} {value}\n" for value in (0, 1) for topic in range(12))
        with pytest.raises(FormatError, match=r"for topic '9' is 1, but 0 in .*:10; and 2 more; keep one of each$"):
            load(written(tmp_path, text))

    def test_a_last_line_without_an_end_is_read(self, tmp_path: Path) -> None:
        assert plain(load(written(tmp_path, TREC.rstrip("\n"))).board) == plain(load(written(tmp_path, TREC)).board)

    def test_lines_may_end_as_on_windows(self, tmp_path: Path) -> None:
        path = tmp_path / "w.eval"
        path.write_bytes(TREC.replace("\n", "\r\n").encode())
        assert plain(load(path).board) == plain(load(written(tmp_path, TREC)).board)

    def test_nothing_in_a_file_is_an_error(self, tmp_path: Path) -> None:
        for text in ("", "\n", "# comment\n"):
            with pytest.raises(FormatError, match=r"a\.txt: nothing in it; an evaluation that stopped early"):
                load(written(tmp_path, text))

    def test_no_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            load(tmp_path / "nothing")

    def test_a_name_that_no_other_file_could_hold_is_an_error(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            '{"query_id": "1", "measure": "AP", "value": 1}\n{"query_id": "1\\t2", "measure": "AP", "value": 1}\n',
        )
        with pytest.raises(FormatError, match=rf"^{path}:2: topic '1\\t2' is empty, begins or ends with a space, or"):
            load(path)

    def test_a_header_may_have_spaces_after_its_commas(self, tmp_path: Path) -> None:
        board = load(written(tmp_path, "run_id, topic_id, AP\na, 1, 0.5\n")).board
        assert plain(board) == {("a", "1"): {"AP": 0.5}}

    def test_nan_is_a_value_that_is_absent(self, tmp_path: Path) -> None:
        board = load(written(tmp_path, "a AP 1 nan\na AP 2 0.5\n"), on_missing="fix_aggregate").board
        assert plain(board)[("a", "1")] == {"AP": None}


class TestDirectories:
    def test_files_of_several_formats_are_one_board(self, tmp_path: Path) -> None:
        written(tmp_path, TREC, "one.eval")
        written(tmp_path, "1\tmap\t0.5\n2\tmap\t0.7\n", "two.tsv")
        written(
            tmp_path,
            '{"query_id": "1", "measure": "map", "value": 0.1}\n{"query_id": "2", "measure": "map", "value": 0.3}\n',
            "three.jsonl",
        )
        written(tmp_path, "hidden", ".hidden")
        (tmp_path / "folder").mkdir()
        loaded = load(tmp_path, drop_aggregate=True, on_missing="error")
        assert sorted(loaded.board.run_ids) == ["AAA", "three", "two"]
        assert {path.name: str(one) for path, one in loaded.formats.items()} == {
            "one.eval": "trec_eval",
            "three.jsonl": "jsonl",
            "two.tsv": "ir_measures_q",
        }
        assert loaded.layout is None

    def test_files_may_be_named_one_by_one(self, tmp_path: Path) -> None:
        one, two = written(tmp_path, TREC, "one.eval"), written(tmp_path, "1\tmap\t0.5\n2\tmap\t0.7\n", "two.tsv")
        assert load([one, two]).board.run_ids == ("AAA", "two")

    def test_contradictions_between_files_name_both_lines(self, tmp_path: Path) -> None:
        one = written(tmp_path, TREC, "one.eval")
        two = written(tmp_path, TREC.replace("0.3000", "0.4000"), "two.eval")
        said = f"^{two}:4: map of run 'AAA' for topic '2' is 0.4000, but 0.3000 in {one}:4"
        with pytest.raises(FormatError, match=said):
            load(tmp_path)

    def test_a_run_whose_file_is_empty_is_not_forgotten(self, tmp_path: Path) -> None:
        written(tmp_path, TREC, "one.eval")
        written(tmp_path, "", "stopped.eval")
        loaded = load(tmp_path, on_missing="fix_aggregate")
        assert [(one.kind, one.name) for one in loaded.board.dropped] == [("run", "stopped")]
        assert loaded.board.coverage.missing == {"stopped": ("1", "2")}
        assert loaded.notes == (f"{tmp_path / 'stopped.eval'}: nothing in it, so run 'stopped' has no topic",)
        with pytest.raises(MissingTopicsError, match="stopped lacks 1, 2"):
            load(tmp_path, on_missing="error")

    def test_a_directory_without_files_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="no file in it"):
            load(tmp_path)


class TestTopics:
    def test_relevance_judgements_say_which_topics_are_expected(self, tmp_path: Path) -> None:
        qrels = written(tmp_path, "1 0 d1 1\n1 0 d2 0\n2 0 d1 1\n3 0 d9 0\n4 0 d1 1\n", "qrels.txt")
        board = load(written(tmp_path, TREC), qrels=qrels, on_missing="fix_aggregate", drop_aggregate=True).board
        assert board.coverage.expected_from == "qrels.txt"
        assert board.coverage.missing == {"AAA": ("3", "4")}
        assert board.aggregates("map").tolist() == [pytest.approx(0.1)]
        assert board.aggregates("gm_map").tolist() == [pytest.approx((0.1 * 0.3 * 1e-10) ** 0.25)]

    def test_a_list_of_topics_does_too(self, tmp_path: Path) -> None:
        with pytest.warns(MissingTopicsWarning, match=r"of 3 topics of topics\.txt, AAA lacks 7"):
            load(written(tmp_path, TREC), qrels=written(tmp_path, "1\n2\n7\n", "topics.txt"))

    def test_who_expects_topics_is_one(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="give one"):
            load(written(tmp_path, TREC), qrels="x", expected_topic_ids=["1"])

    @pytest.mark.parametrize(
        ("text", "said"), [("", "no topic"), ("1 2\n", ":1: 2 columns; relevance judgements have 4")]
    )
    def test_what_is_neither_is_an_error(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(FormatError, match=said):
            load(written(tmp_path, TREC), qrels=written(tmp_path, text, "qrels.txt"))


def test_a_ranking_of_runs_is_read_and_it_is_said_how(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, "1 Q0 sysA 1 0.9 judge\n1 Q0 sysB 2 0.4 judge\n"), format="ranking")
    assert plain(loaded.board) == {("sysA", "1"): {"judge": 0.9}, ("sysB", "1"): {"judge": 0.4}}
    assert "the third column is taken for the run, the last for the measure" in loaded.notes[0]


def test_a_header_may_have_columns_that_are_left_unread_and_that_is_said(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, "run\ttask\ttopic\tmetric\tscore\na\tx\t1\tAP\t0.5\n"))
    assert plain(loaded.board) == {("a", "1"): {"AP": 0.5}}
    assert "columns left unread: task" in loaded.notes[0]


def test_headers_between_files_that_were_put_together_are_passed_over(tmp_path: Path) -> None:
    part = "run_id\ttopic_id\tmetric\tvalue\n{}\t1\tndcg\t0.5\n"
    assert load(written(tmp_path, part.format("a") + part.format("b"))).board.run_ids == ("a", "b")


def test_the_board_itself_can_be_loaded_and_written(tmp_path: Path) -> None:
    board = Leaderboard.load(written(tmp_path, TREC))
    board.write(tmp_path / "out.txt")
    assert plain(Leaderboard.load(tmp_path / "out.txt", format="ir_measures")) == plain(board)


def test_a_block_boundary_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "# c\nMODEL: x\n" + "".join(f"map\t{topic}\t0.{topic}\n" for topic in range(1, 9)) + "MODEL: y\nmap\t1\t0.5\n"
    )
    whole = load(written(tmp_path, text), on_missing="fix_aggregate").board
    monkeypatch.setattr("pipeline.leaderboard.formats.text._LINES_AT_ONCE", 3)
    in_blocks = load(written(tmp_path, text), on_missing="fix_aggregate").board
    assert plain(in_blocks) == plain(whole)
    np.testing.assert_array_equal(whole.matrix("map")[0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
