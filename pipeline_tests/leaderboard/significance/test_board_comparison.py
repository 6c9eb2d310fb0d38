"""The runs of a board compared, and the tables that show it."""

import re

import numpy as np
import pytest
from scipy import stats

from pipeline.leaderboard import (
    BoardComparison,
    Comparing,
    Direction,
    LeaderboardBuilder,
    LeaderboardSpec,
    MeasureSpec,
    SignificanceTable,
    SignificanceTest,
    compare_runs,
    mean_influence,
    rank_intervals,
)
from pipeline_tests.leaderboard.evaluation.boards import board_of

NAN = float("nan")
RUNS = ["first", "second", "third"]


def values() -> np.ndarray:
    """Three runs on twelve topics, the first far above the others."""
    x = np.random.default_rng(0).random((3, 12))
    x[0] += 2
    return x


@pytest.fixture
def comparison() -> BoardComparison:
    return compare_runs(board_of({"map": values(), "loss": -values()}, RUNS))


def test_every_run_has_its_mean_rank_and_rank_interval(comparison: BoardComparison) -> None:
    x = values()
    rows = [row for row in comparison.runs() if row.measure == "map"]
    by_mean = np.argsort(-x.mean(axis=1))
    assert [row.run_id for row in rows] == [RUNS[run] for run in by_mean]
    assert [row.rank for row in rows] == [1, 2, 3]
    assert [row.mean for row in rows] == pytest.approx(sorted(x.mean(axis=1), reverse=True))
    assert {row.n_topics for row in rows} == {12}
    influence = mean_influence(x.T)
    expected = rank_intervals(influence.value, [influence], Direction.DESC, dependent=False)
    assert [(row.rank_lo, row.rank_hi, row.tie_group) for row in rows] == [
        (expected.rank_lo[run], expected.rank_hi[run], expected.tie_group[run]) for run in by_mean
    ]
    assert (rows[0].rank_hi, rows[1].rank_lo, rows[2].tie_group) == (1, 2, 2)
    assert set(rows[0].better_than) == {"second", "third"}


def test_every_pair_is_a_row(comparison: BoardComparison) -> None:
    x = values()
    rows = list(comparison.pairs())
    assert [(row.measure, row.run_id, row.other_run_id) for row in rows] == [
        (measure, *pair)
        for measure in ("map", "loss")
        for pair in (("first", "second"), ("first", "third"), ("second", "third"))
    ]
    assert rows[0].p == pytest.approx(stats.ttest_rel(x[0], x[1]).pvalue)
    assert (rows[0].wins, rows[0].ties, rows[0].losses, rows[0].better) == (12, 0, 0, "first")
    assert (rows[3].wins, rows[3].losses, rows[3].better) == (0, 12, "second")
    assert (rows[2].better, rows[2].reason, rows[2].test, rows[2].correction) == (None, None, "t", "holm")


def test_where_lower_is_better_the_lowest_mean_is_first() -> None:
    error = MeasureSpec("error", direction=Direction.ASC)
    found = compare_runs(board_of({error: values()}, RUNS))
    rows = list(found.runs())
    assert rows[-1].run_id == "first"
    assert rows[0].better_than == ("first",)


def test_a_run_that_lacks_topics_is_judged_by_those_it_has() -> None:
    x = values()
    x[1, :3] = NAN
    found = compare_runs(board_of({"map": x}, RUNS))
    by_run = {row.run_id: row for row in found.runs()}
    assert by_run["second"].mean == pytest.approx(x[1, 3:].mean())
    assert by_run["second"].n_topics == 9
    (pair, *_) = found.pairs()
    assert (pair.n_topics, pair.n_left_out) == (9, 3)
    assert pair.p == pytest.approx(stats.ttest_rel(x[0, 3:], x[1, 3:]).pvalue)
    assert "means over fewer topics, which count as absent and not as 0: second (9)" in SignificanceTable(found).caption


def test_a_run_without_any_value_is_last_and_has_none() -> None:
    x = values()
    x[2] = NAN
    found = compare_runs(board_of({"map": x, "P_10": values()}, RUNS), measures=["map"])
    last = list(found.runs())[-1]
    assert (last.run_id, last.mean, last.rank, last.rank_lo, last.tie_group) == ("third", None, None, None, None)
    assert [row.reason for row in found.pairs()] == [None, "no_common_topics", "no_common_topics"]
    assert "| c | third | – |" in SignificanceTable(found).to_markdown()


def test_few_topics_separate_nobody_in_rank_and_one_topic_gives_no_p_value() -> None:
    found = compare_runs(board_of({"map": values()[:, :1]}, RUNS))
    assert {(row.rank_lo, row.rank_hi) for row in found.runs()} == {(1, 3)}
    assert {row.reason for row in found.pairs()} == {"too_few_topics"}


def test_with_a_baseline_only_its_pairs_are_rows() -> None:
    found = compare_runs(board_of({"map": values()}, RUNS), baseline="second")
    assert [(row.run_id, row.other_run_id) for row in found.pairs()] == [("first", "second"), ("second", "third")]
    assert "compared with second only" in SignificanceTable(found).caption


def test_only_numbers_of_topics_with_a_direction_are_compared() -> None:
    spec = LeaderboardSpec(
        (MeasureSpec("label", str), MeasureSpec("num_ret", direction=Direction.NONE), MeasureSpec("map"))
    )
    builder = LeaderboardBuilder(spec)
    for (run, topic), value in np.ndenumerate(values()):
        builder.add(run_id=f"{run}", topic_id=f"{topic}", values={"label": "x", "num_ret": 1, "map": value})
    board = builder.build()
    assert [one.measure.name for one in compare_runs(board).measures] == ["map"]
    with pytest.raises(
        ValueError, match="runs cannot be compared by label, num_ret: a measure must be a number of topic"
    ):
        compare_runs(board, measures=["label", "map", "num_ret"])
    with pytest.raises(KeyError, match="unknown measure 'P_10'; the board has: label, num_ret, map"):
        compare_runs(board, measures=["P_10"])


def test_mistakes_are_refused_with_what_was_given() -> None:
    board = board_of({"map": values()}, RUNS)
    with pytest.raises(ValueError, match="baseline 'fourth' is not on the board, which has: first, second, third"):
        compare_runs(board, baseline="fourth")
    only_text = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("label", str),)))
    only_text.add(run_id="a", topic_id="1", label="x")
    with pytest.raises(
        ValueError, match="no measure to compare by: none is a number of topics, with a direction; the b"
    ):
        compare_runs(only_text.build())
    all_rows = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("map"),)))
    all_rows.add(run_id="a", topic_id="all", map=1)
    with pytest.raises(ValueError, match="the board has all rows only; runs are compared topic by topic"):
        compare_runs(all_rows.build(drop_aggregate=False))


# Tables


def test_a_markdown_table_marks_who_is_better_than_whom(comparison: BoardComparison) -> None:
    x = values()
    order = np.argsort(-x.mean(axis=1))
    lines = SignificanceTable(comparison, digits=3).to_markdown().splitlines()
    assert lines[:2] == ["| | run | map | loss |", "|---|---|---:|---:|"]
    second, third = order[1:]
    best_loss = "**" if x[third].mean() <= x[second].mean() else ""
    assert lines[2] == f"| a | first | **{x[0].mean():.3f}**<sup>bc</sup> | {-x[0].mean():.3f} |"
    assert lines[3] == f"| b | {RUNS[second]} | {x[second].mean():.3f} | {-x[second].mean():.3f}<sup>a</sup> |"
    assert lines[4] == (
        f"| c | {RUNS[third]} | {x[third].mean():.3f} | {best_loss}{-x[third].mean():.3f}{best_loss}<sup>a</sup> |"
    )
    assert lines[6] == (
        "Means over 12 topics; a letter marks a run that is significantly worse: Student's paired t "
        "test on common topics, two-sided, 3 pairs per measure, Holm's correction, level 0.05; the best in bold."
    )


def test_a_latex_table_marks_the_same_and_keeps_room_for_missing_marks(comparison: BoardComparison) -> None:
    latex = SignificanceTable(comparison).to_latex()
    rows = re.findall(r"^([abc]) & (\w+) & (.*) & (.*) \\\\$", latex, re.MULTILINE)
    mean = f"{values()[0].mean():.4f}"
    assert rows[0] == (
        "a",
        "first",
        rf"\textbf{{{mean}}}\textsuperscript{{bc}}",
        rf"-{mean}\hphantom{{\textsuperscript{{a}}}}",
    )
    assert rows[1][2].endswith(r"\hphantom{\textsuperscript{bc}}")
    assert latex.startswith("\\begin{table}\n")
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 1


def test_those_that_tie_for_the_best_are_all_bold() -> None:
    x = values()
    found = compare_runs(board_of({"map": np.stack([x[0], x[0], x[2]])}, RUNS))
    assert SignificanceTable(found).to_markdown().count("**") == 4


@pytest.mark.parametrize(
    ("name", "markdown", "latex"),
    [
        ("a_b", r"a\_b", r"a\_b"),
        ("50%&#$x", r"50%&amp;#\$x", r"50\%\&\#\$x"),
        (r"c:\{x}~^", r"c:\\{x}\~^", r"c:\textbackslash{}\{x\}\textasciitilde{}\textasciicircum{}"),
        ("<b>|*`[1]", r"&lt;b&gt;\|\*\`\[1\]", r"\textless{}b\textgreater{}\textbar{}*`[1]"),
        ("två", "två", "två"),
    ],
)
def test_names_are_escaped(name: str, markdown: str, latex: str) -> None:
    found = compare_runs(board_of({"P_10": values()}, [name, "b", "c"]), baseline=name)
    table = SignificanceTable(found)
    assert f"| a | {markdown} | " in table.to_markdown()
    assert f"compared with {markdown} only" in table.to_markdown()
    assert f"a & {latex} & " in table.to_latex()
    assert r"& run & P\_10 \\" in table.to_latex()
    assert f"compared with {name} only" in table.caption


def test_more_runs_than_letters_get_two_and_marks_get_commas() -> None:
    x = np.random.default_rng(0).random((30, 20)) - 10 * np.arange(30)[:, None]
    lines = SignificanceTable(compare_runs(board_of({"map": x}))).to_markdown().splitlines()
    assert lines[31].startswith("| ad | run29 | ")
    assert lines[30].endswith("<sup>ad</sup> |")
    assert lines[29].endswith("<sup>ac,ad</sup> |")
    assert lines[2].endswith(",z,aa,ab,ac,ad</sup> |")


def test_the_caption_names_the_test_and_says_when_it_could_find_nothing() -> None:
    board = board_of({"map": values()[:, :4]}, RUNS)
    table = SignificanceTable(compare_runs(board, Comparing(SignificanceTest.FISHER)))
    assert "Fisher's randomisation test on common topics" in table.caption
    assert table.caption.endswith("with so few topics or resamples no pair could be significant on some measure.")
    tukey = SignificanceTable(compare_runs(board, Comparing(SignificanceTest.TUKEY, resamples=100)))
    assert "Tukey's HSD test by randomisation on common topics, two-sided, 3 pairs per measure, level" in tukey.caption


@pytest.mark.parametrize("test", list(SignificanceTest))
def test_the_order_of_runs_and_topics_in_a_file_changes_nothing(test: SignificanceTest) -> None:
    drawn = np.random.default_rng(3)
    x = drawn.random((5, 20)) + np.linspace(0, 0.3, 5)[:, None]
    runs, topics = [f"r{number}" for number in range(5)], [f"t{number}" for number in range(20)]
    how = Comparing.named(str(test), None, resamples=200)

    def found(of_runs: np.ndarray, of_topics: np.ndarray) -> dict[tuple[str, ...], float | None]:
        builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("map"),)))
        for run in of_runs:
            for topic in of_topics:
                builder.add(run_id=runs[run], topic_id=topics[topic], map=x[run, topic])
        pairs = compare_runs(builder.build(), how).pairs()
        return {tuple(sorted((row.run_id, row.other_run_id))): row.p_adjusted for row in pairs}

    as_they_are = found(np.arange(5), np.arange(20))
    for _ in range(3):
        assert found(drawn.permutation(5), drawn.permutation(20)) == pytest.approx(as_they_are, abs=1e-12)
