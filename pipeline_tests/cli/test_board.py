"""``podium board``: evaluation results in files, shown, converted, merged, filtered and verified."""

import json
from pathlib import Path

import pytest

from pipeline.leaderboard import load
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.leaderboard.board.boards import plain

SAMPLE = PROJECT_ROOT / "data" / "sample"
EVALS = [str(path) for path in sorted((SAMPLE / "evaluation").iterdir())]
QRELS = str(SAMPLE / "qrels.txt")
TOT = "a\tSCORE\t1\t0.5\na\tSCORE\t2\t0.7\nb\tSCORE\t1\t0.9\nb\tSCORE\t2\t0.8\n"


def written(folder: Path, text: str, name: str = "board.tot") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


class TestShow:
    def test_runs_are_ranked_by_what_is_printed_and_it_is_said_what_is_wrong_with_it(self, podium: Podium) -> None:
        shown = podium("board", "show", *EVALS)
        assert shown.code == 0
        assert "3 runs, 6 topics, 8 measures; ranked by map, higher is better" in shown.out
        header, *rows = shown.table
        assert header[:4] == ["rank", "run", "map", "topics"]
        assert [row[:2] + row[3:4] for row in rows] == [
            ["1", "alpha", "6/6"],
            ["2", "beta", "5/6"],
            ["3", "gamma", "6/6"],
        ]
        assert "Missing: of 6 topics that any run has, beta lacks 1 topic (304)" in shown.out
        assert "4 printed aggregates are not what the topics sum up to, beyond rounding" in shown.out

    def test_without_any_all_row_aggregates_are_computed_and_it_is_said(self, podium: Podium, tmp_path: Path) -> None:
        shown = podium("board", "show", written(tmp_path, TOT))
        assert [row[1:3] for row in shown.table[1:]] == [["b", "0.85"], ["a", "0.6"]]
        assert "no all row is printed: aggregates are computed from topics, as --recompute does" in shown.out

    def test_runs_without_one_where_others_have_it_are_named(self, podium: Podium, tmp_path: Path) -> None:
        shown = podium("board", "show", written(tmp_path, TOT + "a\tSCORE\tall\t0.6\n"))
        assert [row[:3] for row in shown.table[1:]] == [["1", "a", "0.6"], ["–", "b", "–"]]
        assert "Without an all row: b; --recompute makes them" in shown.out

    def test_computed_from_what_is_there_another_run_wins(self, podium: Podium) -> None:
        shown = podium("board", "show", *EVALS, "--recompute")
        assert [row[1] for row in shown.table[1:]] == ["beta", "alpha", "gamma"]
        assert "Left out: measures runid, num_q (only all rows have it" in shown.out

    def test_with_the_expected_topics_it_does_not(self, podium: Podium) -> None:
        shown = podium(
            "board", "show", *EVALS, "--recompute", "--expect", QRELS, "--on-missing", "fix_aggregate", "--json"
        ).json
        assert [(run["rank"], run["run_id"], run["n_topics"]) for run in shown["runs"]] == [
            (1, "alpha", 6),
            (2, "beta", 5),
            (3, "gamma", 6),
        ]
        assert shown["runs"][1]["aggregates"]["num_rel"] is None
        assert shown["expected_topics"]["from"] == "qrels.txt"
        assert shown["expected_topics"]["missing"] == {"beta": ["304"]}

    def test_what_was_computed_is_not_compared_with_what_was_expected(self, podium: Podium) -> None:
        shown = podium("board", "show", *EVALS, "--recompute", "--expect", QRELS, "--json").json
        assert shown["aggregates_that_differ"] == []

    def test_missing_topics_can_be_an_error(self, podium: Podium) -> None:
        said = error(podium("board", "show", *EVALS, "--recompute", "--on-missing", "error"), 2)
        assert said.startswith("of 6 topics that any run has, beta lacks 304; add them, or build with")

    def test_json_has_measures_inferences_and_differences(self, podium: Podium, tmp_path: Path) -> None:
        shown = podium("board", "show", written(tmp_path, TOT + "a\tSCORE\tall\t0.3\n"), "--json").json
        (measure,) = shown["measures"]
        assert (measure["name"], measure["aggregate"], measure["direction"]) == ("SCORE", "none", "desc")
        assert shown["inferred"][0]["why"].endswith("aggregate none: 0 of 1 printed ones agree")
        assert list(shown["files"].values()) == ["tot"]

    def test_what_was_concluded_is_said(self, podium: Podium, tmp_path: Path) -> None:
        shown = podium("board", "show", written(tmp_path, TOT), "--recompute")
        assert "SCORE: a number; higher taken to be better; aggregate mean: none printed" in shown.out
        assert [row[1] for row in shown.table[1:]] == ["b", "a"]

    def test_lower_can_be_declared_to_be_better(self, podium: Podium, tmp_path: Path) -> None:
        shown = podium("board", "show", written(tmp_path, TOT), "--recompute", "--lower-is-better", "SCORE")
        assert [row[1] for row in shown.table[1:]] == ["a", "b"]
        assert "lower is better" in shown.out
        said = error(podium("board", "show", written(tmp_path, TOT), "--lower-is-better", "X"), 2)
        assert said == "no measure 'X' in the files; they have: SCORE"

    def test_a_board_with_nothing_to_rank_by_is_shown_without_ranks(self, podium: Podium, tmp_path: Path) -> None:
        shown = podium("board", "show", written(tmp_path, "a\tGRADE\t1\tgood\na\tGRADE\t2\tbad\n"))
        assert shown.table[1][:2] == ["–", "a"]


class TestErrors:
    def test_a_file_that_is_not_there(self, podium: Podium, tmp_path: Path) -> None:
        assert error(podium("board", "show", str(tmp_path / "none")), 2) == f"no file {tmp_path / 'none'}"

    def test_a_broken_line_is_named(self, podium: Podium, tmp_path: Path) -> None:
        path = written(tmp_path, TOT + "b\tSCORE\t3\n")
        assert error(podium("board", "show", path), 2).startswith(
            f"{path}:5: 3 tab-separated columns, but line 1 has 4"
        )

    def test_a_file_that_does_not_tell_its_format_and_the_way_out(self, podium: Podium, tmp_path: Path) -> None:
        path = written(tmp_path, "leaf SCORE 0.5\n", "r.txt")
        assert "name the format" in error(podium("board", "show", path), 2)
        assert podium("board", "show", path, "--format", "ir_measures_q").code == 0

    def test_an_unknown_measure_format_or_policy(self, podium: Podium, tmp_path: Path) -> None:
        path = written(tmp_path, TOT)
        assert "unknown measure 'map'; the board has: SCORE" in error(podium("board", "show", path, "--by", "map"), 2)
        assert "unknown format 'x'; known: trec_eval" in error(podium("board", "show", path, "--format", "x"), 2)
        assert "--on-missing 'x' is unknown" in error(podium("board", "show", path, "--on-missing", "x"), 2)


class TestConvert:
    @pytest.mark.parametrize("to", ["tot", "ir_measures", "jsonl", "csv", "csv_wide", "parquet", "parquet_wide"])
    def test_everything_is_there_in_the_other_format(self, podium: Podium, tmp_path: Path, to: str) -> None:
        output = tmp_path / "board"
        done = podium("board", "convert", *EVALS, "--to", to, "--output", str(output))
        assert done.code == 0
        assert f"Wrote {output}: 3 runs, 6 topics, 8 measures" in done.out
        board, again = (load(path, on_missing="fix_aggregate").board for path in (EVALS, output))
        assert plain(again) == plain(board)

    def test_and_back_byte_for_byte(self, podium: Podium, tmp_path: Path) -> None:
        podium("board", "convert", *EVALS, "--to", "tot", "-o", str(tmp_path / "board.tot"))
        done = podium(
            "board", "convert", str(tmp_path / "board.tot"), "--to", "trec_eval", "-o", str(tmp_path / "evals")
        )
        assert "Wrote 3 files in" in done.out
        for path in EVALS:
            assert (tmp_path / "evals" / Path(path).name).read_bytes() == Path(path).read_bytes()

    def test_what_was_read_is_not_written_over(self, podium: Podium, tmp_path: Path) -> None:
        path = written(tmp_path, TOT)
        said = error(podium("board", "convert", path, "--to", "tot", "-o", path), 2)
        assert said == f"{path} was read from where {path} would be written; name another place"

    def test_a_format_that_cannot_hold_it_says_so(self, podium: Podium, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        said = error(podium("board", "convert", *EVALS, "--to", "trec_eval", "-o", str(tmp_path / "file")), 2)
        assert "trec_eval holds one run in each, and the board has 3: name a folder" in said


class TestMerge:
    def test_runs_and_measures_are_joined_and_aggregates_computed(self, podium: Podium, tmp_path: Path) -> None:
        one = written(tmp_path, TOT, "one.tot")
        other = written(tmp_path, TOT.replace("SCORE", "MARK").replace("b\t", "c\t"), "other.tot")
        done = podium("board", "merge", one, other, "-o", str(tmp_path / "both.tot"), "--json").json
        assert done["runs"] == ["a", "b", "c"]
        assert plain(load(tmp_path / "both.tot").board)[("a", "all")] == {"SCORE": 0.6, "MARK": 0.6}

    def test_contradictions_name_both_lines(self, podium: Podium, tmp_path: Path) -> None:
        one, other = written(tmp_path, TOT, "one.tot"), written(tmp_path, TOT.replace("0.5", "0.4"), "other.tot")
        said = error(podium("board", "merge", one, other, "-o", str(tmp_path / "both.tot")), 2)
        assert said == f"{other}:1: SCORE of run 'a' for topic '1' is 0.4, but 0.5 in {one}:1; keep one of each"
        assert not (tmp_path / "both.tot").exists()

    def test_files_of_several_formats_need_one_to_be_named(self, podium: Podium, tmp_path: Path) -> None:
        other = written(tmp_path, json.dumps({"query_id": "1", "measure": "SCORE", "value": 1}) + "\n", "x.jsonl")
        arguments = ["board", "merge", written(tmp_path, TOT), other, "-o", str(tmp_path / "both")]
        assert "the files are jsonl, tot; name the format to write with --to" in error(podium(*arguments), 2)
        assert podium(*arguments, "--to", "csv").code == 0


class TestFilter:
    def test_aggregates_are_of_what_is_kept(self, podium: Podium, tmp_path: Path) -> None:
        done = podium("board", "filter", written(tmp_path, TOT), "--topic", "2", "-o", str(tmp_path / "x"))
        assert done.code == 0
        assert (
            tmp_path / "x"
        ).read_text() == "a\tSCORE\t2\t0.7\nb\tSCORE\t2\t0.8\na\tSCORE\tall\t0.7\nb\tSCORE\tall\t0.8\n"

    def test_the_best_runs_of_some_topics(self, podium: Podium, tmp_path: Path) -> None:
        arguments = ["board", "filter", *EVALS, "--topics", written(tmp_path, "301\n304\n", "t"), "--top", "1"]
        done = podium(*arguments, "-o", str(tmp_path / "best"), "--to", "tot", "--json").json
        assert done["runs"] == ["alpha"]
        assert done["topics"] == ["301", "304"]
        assert done["expected_topics"]["topics"] == ["301", "304"]

    def test_a_run_or_topic_that_nobody_has_is_an_error(self, podium: Podium, tmp_path: Path) -> None:
        path, output = written(tmp_path, TOT), str(tmp_path / "x")
        said = error(podium("board", "filter", path, "--run", "z", "-o", output), 2)
        assert said == "runs 'z' are not on the board, which has 2: a, b"
        assert "topics '9' are not" in error(podium("board", "filter", path, "--topic", "9", "-o", output), 2)

    def test_a_run_without_any_kept_topic_is_named(self, podium: Podium, tmp_path: Path) -> None:
        done = podium("board", "filter", *EVALS, "--topic", "304", "-o", str(tmp_path / "x"), "--to", "tot")
        assert "Left out: runs beta (it has no topic to compute aggregates from)" in done.out


class TestVerify:
    def test_all_that_is_wrong_is_listed_and_the_exit_code_says_so(self, podium: Podium) -> None:
        done = podium("board", "verify", *EVALS)
        assert done.code == 2
        assert done.err == ""
        assert "complete_grid: 1 violation\n  run 'beta' lacks topic '304'\n" in done.out
        assert "aggregates_match: 4 violations\n" in done.out
        assert "no_extra_topics: nothing wrong\n" in done.out

    def test_with_the_expected_topics_the_printed_aggregates_are_right(self, podium: Podium) -> None:
        done = podium("board", "verify", *EVALS, "--expect", QRELS, "--check", "aggregates_match", "--json")
        assert (done.code, done.json["violations"], done.json["checks"]) == (0, [], ["aggregates_match"])

    def test_json_has_every_violation_with_its_place(self, podium: Podium) -> None:
        found = podium("board", "verify", *EVALS, "--check", "same_topics", "--json").json["violations"]
        assert [(one["run_id"], one["topic_id"], one["measure"]) for one in found] == [("beta", "304", None)]

    def test_a_board_that_is_right(self, podium: Podium, tmp_path: Path) -> None:
        done = podium("board", "verify", written(tmp_path, TOT))
        assert done.code == 0
        assert done.out.count("nothing wrong") == 5

    def test_an_unknown_check_names_the_known_ones(self, podium: Podium, tmp_path: Path) -> None:
        said = error(podium("board", "verify", written(tmp_path, TOT), "--check", "x"), 2)
        assert said.startswith("unknown check 'x'; known: complete_grid")
