"""``podium board compare``: which runs are better than which, as tables and as JSON."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.command import Podium, error

EVALUATION = str(PROJECT_ROOT / "data" / "sample" / "evaluation")


@pytest.fixture
def board(tmp_path: Path) -> str:
    """Three runs on twenty topics, two measures; the first is far above, and lacks two topics."""
    values = np.random.default_rng(0).random((3, 20)).round(4) + np.array([[1.0], [0.0], [0.0]])
    path = tmp_path / "runs.tot"
    path.write_text(
        "".join(
            f"{run}\tSCORE\t{topic}\t{value}\n{run}\tLOSS\t{topic}\t{2 - value}\n"
            for run, of_run in zip("abc", values, strict=True)
            for topic, value in enumerate(of_run, start=1)
            if (run, topic) not in {("a", 1), ("a", 2)}
        )
    )
    return str(path)


def values_of(path: str, measure: str = "SCORE") -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for run, name, topic, value in (line.split("\t") for line in Path(path).read_text().splitlines()):
        if name == measure:
            found.setdefault(run, {})[topic] = float(value)
    return found


def test_runs_are_ranked_with_marks_and_it_is_said_what_they_mean(podium: Podium, board: str) -> None:
    shown = podium("board", "compare", board, "--lower-is-better", "LOSS")
    assert shown.code == 0
    header, first, *others = shown.table
    assert header == ["rank", "could be", "", "run", "SCORE", "LOSS", "topics"]
    mean = np.mean(list(values_of(board)["a"].values()))
    loss = np.mean(list(values_of(board, "LOSS")["a"].values()))
    assert first == ["1", "1-1", "a", "a", f"{mean:.4f} bc", f"{loss:.4f} bc", "18"]
    assert {row[1] for row in others} == {"2-3"}
    assert {row[-1] for row in others} == {"20"}
    assert "Student's paired t test on common topics, two-sided, 3 pairs per measure, Holm's correction" in shown.out
    assert "means over fewer topics, which count as absent and not as 0: a (18)" in shown.out
    assert "Missing: of 20 topics that any run has, a lacks 2 topics (1, 2)" in shown.out


def test_json_has_every_run_and_every_pair(podium: Podium, board: str) -> None:
    shown = podium("board", "compare", board, "--measure", "SCORE", "--correction", "none", "--json").json
    assert (shown["test"], shown["correction"], shown["level"], shown["n_topics"]) == ("t", "none", 0.05, 20)
    assert [(run["rank"], run["rank_lo"]) for run in shown["runs"]] == [(1, 1), (2, 2), (3, 2)]
    pairs = {(pair["run_id"], pair["other_run_id"]): pair for pair in shown["pairs"]}
    assert set(pairs) == {("a", "b"), ("a", "c"), ("b", "c")}
    values = values_of(board)
    common = sorted(values["a"])
    expected = stats.ttest_rel([values["a"][topic] for topic in common], [values["b"][topic] for topic in common])
    assert pairs["a", "b"]["p"] == pytest.approx(expected.pvalue)
    assert (pairs["a", "b"]["n_topics"], pairs["a", "b"]["n_left_out"], pairs["a", "b"]["better"]) == (18, 2, "a")
    assert pairs["a", "b"]["wins"] + pairs["a", "b"]["ties"] + pairs["a", "b"]["losses"] == 18
    assert list(shown["files"].values()) == ["tot"]


def test_tables_for_markdown_and_latex_are_all_that_is_printed(podium: Podium, board: str) -> None:
    markdown = podium("board", "compare", board, "--measure", "SCORE", "--markdown").out
    assert markdown.startswith("| | run | SCORE |\n|---|---|---:|\n| a | a | **")
    assert "<sup>bc</sup> |" in markdown
    latex = podium("board", "compare", board, "--measure", "SCORE", "--latex").out
    assert latex.startswith("\\begin{table}\n")
    assert r"\textsuperscript{bc} \\" in latex
    assert latex.endswith("\\end{table}\n")


def test_the_test_its_correction_and_a_baseline_are_chosen(podium: Podium, board: str) -> None:
    options = ("--measure", "SCORE", "--json")
    against = podium("board", "compare", board, "--baseline", "b", "--test", "wilcoxon", *options).json
    assert (against["test"], against["baseline"]) == ("wilcoxon", "b")
    assert [(pair["run_id"], pair["other_run_id"]) for pair in against["pairs"]] == [("a", "b"), ("b", "c")]
    tukey = podium("board", "compare", board, "--test", "tukey", "--resamples", "99", *options).json
    assert tukey["correction"] == "none"
    assert {pair["n_topics"] for pair in tukey["pairs"]} == {18}
    drawn = [
        podium("board", "compare", board, "--test", "fisher", "--resamples", "300", "--seed", seed, *options).json
        for seed in ("1", "1", "2")
    ]
    assert drawn[0]["pairs"] == drawn[1]["pairs"] != drawn[2]["pairs"]


def test_it_says_when_nothing_could_be_found(podium: Podium) -> None:
    shown = podium("board", "compare", EVALUATION, "--measure", "map", "--test", "fisher")
    assert "with so few topics or resamples no pair could be significant on some measure." in shown.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test", "welch"], "unknown significance test 'welch'; known: t, wilcoxon, fisher, tukey"),
        (["--correction", "sidak"], "unknown correction 'sidak'; known: holm, bonferroni, benjamini_hochberg, none"),
        (["--test", "tukey", "--correction", "holm"], "test tukey with correction holm: it allows for the number of p"),
        (["--baseline", "delta"], "baseline 'delta' is not on the board, which has: alpha, beta, gamma"),
        (["--measure", "ndcg"], "unknown measure 'ndcg'; the board has: runid, num_q"),
        (["--measure", "num_q"], "runs cannot be compared by num_q: a measure must be a number of topics, with a d"),
        (["--level", "5"], "level is 5.0; give the chance of a false finding, such as 0.05"),
        (["--resamples", "0"], "resamples is 0; draw 10,000 times or so"),
        (["--json", "--latex"], "--markdown, --latex and --json are three ways to print one result; give one of them"),
    ],
)
def test_mistakes_are_one_line_with_what_is_known(podium: Podium, options: list[str], message: str) -> None:
    assert error(podium("board", "compare", EVALUATION, *options), 2).startswith(message)


@pytest.mark.parametrize("text", ["a\tAP\t1\t0.5\na\tAP\t2\t0.6\n", "a\tAP\t1\t0.5\nb\tAP\t1\t0.5\n"])
def test_where_there_is_nothing_to_test_it_is_said(podium: Podium, tmp_path: Path, text: str) -> None:
    path = tmp_path / "board.tot"
    path.write_text(text)
    compared = podium("board", "compare", str(path))
    assert "nothing to test on some measure: no two runs differ on topics that both have" in compared.out
