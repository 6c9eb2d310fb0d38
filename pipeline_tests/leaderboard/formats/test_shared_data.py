"""Real files: official TREC runs evaluated by trec_eval and ir_measures, and boards of judges."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.leaderboard import FormatError, aggregate_differences, load, write
from pipeline_tests.conftest import SHARED_DATA
from pipeline_tests.leaderboard.board.boards import plain

TREC = SHARED_DATA / "trec"
FILES = sorted(
    path
    for folder in ("robust03_trec_eval_q", "robust03_ir_measures", "autojudge", "missing_topics", "trec_eval_tests")
    for path in (TREC / folder).glob("*")
    if path.suffix in (".eval", ".tsv", ".jsonl", ".txt") or path.name.startswith("out.test")
)
SAME = {"map": "AP", "bpref": "Bpref", "recip_rank": "RR", "P_10": "P@10"}

pytestmark = pytest.mark.skipif(not FILES, reason=f"{TREC} is not there; PODIUM_SHARED_DATA names the shared data")


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}/{path.name}" for path in FILES])
def test_a_file_is_written_again_byte_for_byte(tmp_path: Path, path: Path) -> None:
    loaded = load(path, on_missing="fix_aggregate")
    (format_,) = loaded.formats.values()
    write(loaded.board, tmp_path / "again", format_, loaded.layout)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_a_directory_of_trec_eval_is_written_again_as_one(tmp_path: Path) -> None:
    folder = TREC / "robust03_trec_eval_q"
    for path in write(load(folder).board, tmp_path / "again", "trec_eval"):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_both_tools_say_the_same_of_every_run_and_topic() -> None:
    by_trec_eval = load(TREC / "robust03_trec_eval_q").board
    by_ir_measures = load(sorted((TREC / "robust03_ir_measures").glob("*.tsv"))).board
    assert set(by_trec_eval.run_ids) == set(by_ir_measures.run_ids)
    assert by_trec_eval.topic_ids == by_ir_measures.topic_ids
    order = [by_ir_measures.run_ids.index(run) for run in by_trec_eval.run_ids]
    for one, other in SAME.items():
        np.testing.assert_array_equal(by_trec_eval.matrix(one), by_ir_measures.matrix(other)[order])
        np.testing.assert_array_equal(by_trec_eval.aggregates(one), by_ir_measures.aggregates(other)[order])
        np.testing.assert_array_equal(
            by_trec_eval.get_aggregate_ranking(one).rank, by_ir_measures.get_aggregate_ranking(other).rank[order]
        )


def test_every_printed_aggregate_is_what_its_topics_sum_up_to_within_rounding() -> None:
    for path in FILES:
        if "v9style" not in path.name and path.parent.name != "trec_eval_tests":
            assert aggregate_differences(load(path, on_missing="fix_aggregate").board) == (), path


def test_recomputed_aggregates_of_trec_eval_drop_only_what_no_topic_has() -> None:
    printed = load(TREC / "robust03_trec_eval_q").board
    anew = load(TREC / "robust03_trec_eval_q", drop_aggregate=True).board
    assert [(one.kind, one.name) for one in anew.dropped] == [("measure", "runid"), ("measure", "num_q")]
    np.testing.assert_array_equal(anew.aggregates("num_rel_ret"), printed.aggregates("num_rel_ret"))
    np.testing.assert_allclose(anew.aggregates("map"), printed.aggregates("map"), atol=1e-4)
    assert anew.get_aggregate_ranking("map").rank.tolist() == printed.get_aggregate_ranking("map").rank.tolist()


class TestMissingTopics:
    """SABIR03BASE without 10 of its 100 topics, evaluated with ``-c``: trec_eval 9 prints no row for those ten."""

    PRINTED = TREC / "missing_topics" / "SABIR03BASE_90topics_c_v9style.eval"

    def expected(self) -> tuple[str, ...]:
        return load(TREC / "robust03_trec_eval_q" / "SABIR03BASE.eval").board.topic_ids

    def test_computed_from_what_is_there_the_mean_is_too_high(self) -> None:
        board = load(self.PRINTED, drop_aggregate=True).board
        assert board.coverage.expected_from == "union"
        assert f"{board.aggregates('map')[0]:.4f}" == "0.2104"

    def test_with_the_expected_topics_it_is_what_trec_eval_printed(self) -> None:
        printed = load(self.PRINTED).board
        board = load(
            self.PRINTED, drop_aggregate=True, expected_topic_ids=self.expected(), on_missing="fix_aggregate"
        ).board
        assert f"{board.aggregates('map')[0]:.4f}" == "0.1893" == f"{printed.aggregates('map')[0]:.4f}"
        assert len(board.coverage.missing["SABIR03BASE"]) == 10
        assert len(board.topic_ids) == 90
        assert aggregate_differences(printed, n_expected=100) == ()

    def test_the_relevant_documents_of_missing_topics_are_not_invented(self) -> None:
        board = load(
            self.PRINTED, drop_aggregate=True, expected_topic_ids=self.expected(), on_missing="fix_aggregate"
        ).board
        assert np.isnan(board.aggregates("num_rel")[0])
        assert board.aggregates("num_rel_ret")[0] == load(self.PRINTED).board.aggregates("num_rel_ret")[0]

    def test_the_printed_aggregates_do_not_agree_with_the_printed_topics(self) -> None:
        wrong = {one.measure: one for one in aggregate_differences(load(self.PRINTED).board)}
        assert {"map", "gm_map", "P_5", "num_rel"} <= wrong.keys()
        assert (wrong["map"].printed, f"{wrong['map'].recomputed:.4f}") == (0.1893, "0.2104")

    def test_trec_eval_10_and_ir_measures_print_the_missing_topics_as_0(self) -> None:
        for name, measure in (("SABIR03BASE_90topics_c.eval", "map"), ("SABIR03BASE_90topics.ir_measures.tsv", "AP")):
            board = load(TREC / "missing_topics" / name, drop_aggregate=True).board
            assert f"{board.aggregates(measure)[0]:.4f}" == "0.1893"
            assert len(board.topic_ids) == 100


def test_boards_of_judges_are_concluded_to_be_means(tmp_path: Path) -> None:
    loaded = load(TREC / "autojudge" / "starter-kit_default.eval.tot.txt")
    assert len(loaded.board.run_ids) == 11
    assert [one.why.partition("aggregate ")[2] for one in loaded.inferences] == [
        "mean: 11 of 11 printed ones agree"
    ] * 2


def test_two_tools_with_other_digits_for_one_run_contradict_each_other() -> None:
    folder = TREC / "robust03_ir_measures"
    with pytest.raises(FormatError, match=r"AP of run 'SABIR03BASE' for topic '303' is 0\.1282, but 0\.128181960"):
        load([folder / "SABIR03BASE.jsonl", folder / "SABIR03BASE.tsv"])


def test_any_format_holds_a_real_board(tmp_path: Path) -> None:
    board = load(TREC / "robust03_trec_eval_q").board
    for name in ("tot", "ir_measures", "jsonl", "csv", "csv_wide", "parquet", "parquet_wide"):
        write(board, tmp_path / name, name)
        assert plain(load(tmp_path / name).board) == plain(board)


def test_many_runs_in_sections_are_told_apart() -> None:
    paths = sorted((TREC / "ir1_multi_run").glob("*")) if (TREC / "ir1_multi_run").is_dir() else []
    if not paths:
        pytest.skip("the file of sections is not among the shared data")
    for path in paths:
        loaded = load(path, on_missing="fix_aggregate")
        assert len(loaded.board.run_ids) > 1
        assert loaded.layout is not None
        assert loaded.layout.in_sections
