"""``podium board evaluate``: how well judges rank runs, as a table and as JSON."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.command import Podium, error

SAMPLE = PROJECT_ROOT / "data" / "sample"
TRUTH, JUDGE = str(SAMPLE / "evaluation"), str(SAMPLE / "judge.tot")
RUNS, TOPICS = list("abcdef"), [str(topic) for topic in range(10)]


def written(path: Path, values: np.ndarray, measure: str, runs: list[str] = RUNS) -> str:
    path.write_text(
        "".join(
            f"{run}\t{measure}\t{topic}\t{values[row, column]:.6f}\n"
            for row, run in enumerate(runs)
            for column, topic in enumerate(TOPICS)
        )
    )
    return str(path)


@pytest.fixture
def values() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.random((6, 10)).round(6)
    return truth, (truth + rng.random((6, 10))).round(6)


@pytest.fixture
def boards(tmp_path: Path, values: tuple[np.ndarray, np.ndarray]) -> tuple[str, str]:
    truth, judge = values
    return written(tmp_path / "truth.tot", truth, "map"), written(tmp_path / "good.tot", judge, "GRADE")


def test_judges_are_beside_one_another_with_intervals(
    podium: Podium, tmp_path: Path, boards: tuple[str, str], values: tuple[np.ndarray, np.ndarray]
) -> None:
    truth, good = boards
    bad = written(tmp_path / "bad.tot", -values[0], "GRADE")
    shown = podium(
        "board", "evaluate", "--truth", truth, good, bad, "--correlation", "kendall", "--correlation", "rbo@4"
    )
    assert shown.code == 0
    header, first, second = shown.table
    assert header == ["judge", "topic", "truth", "judged by", "kendall", "95 % interval", "rbo@4", "runs"]
    tau = stats.kendalltau(values[0].mean(axis=1), values[1].mean(axis=1)).statistic
    assert first[:5] == ["good.tot", "all", "map", "GRADE", f"{tau:.3f}"]
    assert second[:6] == ["bad.tot", "all", "map", "GRADE", "-1.000", "-1.000 … -1.000"]
    assert "good.tot: 6 runs and 10 topics on both boards" in shown.out


def test_json_has_every_correlation_and_what_was_left_out(
    podium: Podium, tmp_path: Path, boards: tuple[str, str], values: tuple[np.ndarray, np.ndarray]
) -> None:
    other = written(tmp_path / "other.tot", values[1], "GRADE", ["b", "c", "d", "e", "f", "x"])
    shown = podium("board", "evaluate", "--truth", boards[0], other, "--correlation", "pearson", "--json").json
    (judge,) = shown["judges"]
    assert (judge["judge"], judge["runs"], judge["topics"]) == ("other.tot", list("bcdef"), TOPICS)
    assert judge["left_out"]["truth_runs"] == ["a"]
    assert judge["left_out"]["judge_runs"] == ["x"]
    (row,) = judge["correlations"]
    expected = stats.pearsonr(values[0][1:].mean(axis=1), values[1][:5].mean(axis=1)).statistic
    assert row["value"] == pytest.approx(expected)
    assert (row["n_runs"], row["n_topics"], row["ci_method"]) == (5, 10, "topic_bootstrap")
    assert row["ci_low"] < row["value"] < row["ci_high"] or row["value"] == row["ci_high"]
    assert list(shown["truth"]["files"].values()) == ["tot"]
    said = podium("board", "evaluate", "--truth", boards[0], other, "--resamples", "0").out
    assert "on both boards; only the truth has 1 run (a); only the judge has 1 run (x)\n" in said


def test_topics_are_printed_if_asked_for(podium: Podium) -> None:
    options = ("--truth-measure", "map", "--correlation", "spearman")
    shown = podium("board", "evaluate", "--truth", TRUTH, JUDGE, *options, "--per-topic")
    assert [row[1] for row in shown.table[1:]] == ["all", "301", "302", "303", "304", "305", "306"]
    assert shown.table[1][-1] == "interval: too_few_topics"
    assert shown.table[5][-4:] == ["–", "–", "2", "too_few_runs"]
    rows = podium("board", "evaluate", "--truth", TRUTH, JUDGE, *options, "--per-topic", "--json").json
    assert len(rows["judges"][0]["correlations"]) == 7
    assert rows["judges"][0]["correlations"][4]["reason"] == "too_few_runs"


def test_what_is_left_out_and_what_is_missing_is_said(podium: Podium) -> None:
    shown = podium("board", "evaluate", "--truth", TRUTH, JUDGE, "--truth-measure", "map", "--on-missing", "warn")
    assert (
        "judge.tot: 3 runs and 6 topics on both boards; the truth has no row for 1 pair of these runs and topics "
        "(--on-missing warn); the judge has no row for 1 pair"
    ) in shown.out
    everything = podium("board", "evaluate", "--truth", TRUTH, JUDGE, "--resamples", "0")
    assert "no runs are ranked by runid (text), num_q (no_direction)" in everything.out
    assert {row[2] for row in everything.table[1:]} == {"num_rel_ret", "map", "gm_map", "P_5"}


def test_missing_topics_count_as_asked(podium: Podium) -> None:
    def map_by(on_missing: str) -> float:
        options = ("--truth-measure", "map", "--correlation", "pearson", "--on-missing", on_missing, "--json")
        shown = podium("board", "evaluate", "--truth", TRUTH, JUDGE, *options).json
        return float(shown["judges"][0]["correlations"][0]["value"])

    assert map_by("warn") != map_by("fix_aggregate")
    said = error(podium("board", "evaluate", "--truth", TRUTH, JUDGE, "--on-missing", "error"), 2)
    assert said.startswith("of 6 common topics, beta lacks '304' of measure")


def test_a_measure_of_which_less_is_better_is_turned_round(
    podium: Podium, tmp_path: Path, boards: tuple[str, str], values: tuple[np.ndarray, np.ndarray]
) -> None:
    loss = written(tmp_path / "loss.tot", 1 - values[0], "LOSS")
    options = ("--correlation", "kendall", "--lower-is-better", "LOSS", "--json")
    shown = podium("board", "evaluate", "--truth", boards[0], loss, *options).json
    assert shown["judges"][0]["correlations"][0]["value"] == pytest.approx(1.0)
    said = error(podium("board", "evaluate", "--truth", boards[0], loss, "--lower-is-better", "X"), 2)
    assert said == "--lower-is-better 'X': no board has this measure"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--correlation", "kendal"], "unknown correlation 'kendal'; known: kendall, spearman, pearson"),
        (["--truth-measure", "ndcg"], "unknown measure 'ndcg'; the board has: runid, num_q"),
        (["--judge-measure", "X"], "unknown measure 'X'; the board has: GRADE"),
        (["--on-missing", "skip"], "unknown on_missing 'skip'; known: error, warn, default, fix_aggregate"),
        (["--resamples", "-1"], "resamples is -1; draw topics 1,000 times or so"),
    ],
)
def test_mistakes_are_one_line_with_what_is_known(podium: Podium, options: list[str], message: str) -> None:
    assert error(podium("board", "evaluate", "--truth", TRUTH, JUDGE, *options), 2).startswith(message)


def test_boards_without_a_common_run_are_refused(podium: Podium, boards: tuple[str, str]) -> None:
    said = error(podium("board", "evaluate", "--truth", TRUTH, boards[1]), 2)
    assert said.startswith("no run is on both boards: the truth has 'alpha', 'beta', 'gamma', the judge 'a', 'b', 'c'")
