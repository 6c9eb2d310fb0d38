"""What is computed of a track's boards, on numbers worked by hand and against the kernel's own functions."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, ttest_rel

from pipeline.judging import Grid, TrackError, board_of, comparison_rows, correlation_rows, leaderboard_rows, primary_of
from pipeline.judging import stages as module
from pipeline.judging.declaration import ComparisonsSpec, CorrelationsSpec
from pipeline.leaderboard import Aggregate, Direction, Leaderboard, MeasureSpec
from pipeline_tests.track_graph import track

MAP = MeasureSpec("map")
TOPICS = tuple(str(number) for number in range(301, 321))
RUNS = ("a", "b", "c", "d")
CHANCE = np.random.default_rng(7)
VALUES = np.array([[0.8], [0.5], [0.5], [0.2]]) + CHANCE.uniform(-0.05, 0.05, size=(4, 20))
VALUES[2] = VALUES[1] - 0.001 + 0.02 * (-1) ** np.arange(20)  # as good as the second, as far as anybody can tell
JUDGED = VALUES[:, :15] + CHANCE.normal(scale=0.6, size=(4, 15))
SPECS = CorrelationsSpec(resamples=50)


def board(
    values: "np.ndarray" = VALUES, *specs: MeasureSpec, runs: tuple[str, ...] = RUNS, on_missing: str = "warn"
) -> Leaderboard:
    """A board of one measure, or of several with the same values."""
    named = specs or (MAP,)
    return board_of(Grid(runs, TOPICS[: values.shape[1]], {one.name: values for one in named}, {}), named, on_missing)


def test_runs_are_ranked_by_the_mean_over_topics() -> None:
    rows = leaderboard_rows(board(), "map").set_index("run_id")

    assert rows["value"].to_dict() == pytest.approx(dict(zip(RUNS, VALUES.mean(axis=1), strict=True)))
    order = [RUNS[at] for at in np.argsort(-VALUES.mean(axis=1))]
    assert rows.sort_values("position").index.tolist() == order
    assert rows["rank"].tolist() == rows["position"].tolist() == [1, 2, 3, 4]
    assert set(rows["status"]) == {"ranked"}
    assert (rows["n_topics"] == 20).all()
    assert rows["missing_topics"].isna().all()


def test_what_surely_differs_is_told_apart_and_what_does_not_could_be_of_either_rank() -> None:
    rows = leaderboard_rows(board(), "map").set_index("run_id")

    assert rows.loc["a", ["rank_lo", "rank_hi"]].tolist() == [1, 1]
    assert rows.loc["b", ["rank_lo", "rank_hi"]].tolist() == rows.loc["c", ["rank_lo", "rank_hi"]].tolist() == [2, 3]
    assert rows.loc["d", ["rank_lo", "rank_hi", "tie_group"]].tolist() == [4, 4, 4]
    assert set(rows["rank_method"]) == {"holm"}


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (MeasureSpec("map", aggregate=Aggregate.SUM), VALUES.sum(axis=1)),
        (MeasureSpec("map", aggregate=Aggregate.GMEAN), np.exp(np.log(VALUES).mean(axis=1))),
        (MeasureSpec("map", direction=Direction.ASC), VALUES.mean(axis=1)),
    ],
    ids=["sum", "geometric mean", "lower is better"],
)
def test_intervals_hold_ranks_whatever_sums_topics_up(spec: MeasureSpec, value: "np.ndarray") -> None:
    rows = leaderboard_rows(board(VALUES, spec), "map")

    by_run = rows.set_index("run_id")
    assert by_run["value"].to_dict() == pytest.approx(dict(zip(RUNS, value, strict=True)))
    assert by_run.loc["d", "rank"] == (1 if spec.direction is Direction.ASC else 4)
    assert (rows["rank_lo"] <= rows["rank"]).all()
    assert (rows["rank"] <= rows["rank_hi"]).all()
    assert by_run.loc["d", "rank_lo"] == by_run.loc["d", "rank_hi"]


def test_topics_that_a_run_lacks_are_listed_and_count_as_declared() -> None:
    gaps = VALUES.copy()
    gaps[0, :2] = np.nan

    rows = leaderboard_rows(board(gaps, on_missing="fix_aggregate"), "map").set_index("run_id")

    assert rows.loc["a", ["n_topics", "n_missing", "missing_topics"]].tolist() == [18, 2, "301, 302"]
    assert rows.loc["a", "value"] == pytest.approx(np.nansum(gaps[0]) / 20)


def test_a_missing_topic_is_no_zero_when_runs_are_told_apart() -> None:
    """A run that is the same as another where it has topics is not significantly worse for lacking half of them."""
    same = np.tile(VALUES[0], (2, 1))
    same[1, :10] = np.nan

    rows = leaderboard_rows(board(same, runs=("all", "half"), on_missing="fix_aggregate"), "map").set_index("run_id")

    assert rows["rank"].to_dict() == {"all": 1, "half": 2}
    assert rows["rank_hi"].tolist() == [2, 2]


def test_a_board_without_topics_has_ranks_and_says_why_it_has_no_intervals() -> None:
    grid = Grid(RUNS, (), {}, {"map": np.array([0.1, 0.4, 0.4, np.nan])})
    rows = leaderboard_rows(board_of(grid, [MAP], "fix_aggregate"), "map").set_index("run_id")

    assert rows["rank"].tolist()[:3] == [1, 1, 3]
    assert set(rows["rank_method"]) == {"no_topics"}
    assert rows.loc["d", "status"].startswith("unranked: ")
    assert rows.loc["d", ["rank", "value"]].isna().all()


def test_correlations_are_of_every_pair_of_measures_topic_and_method() -> None:
    truth = board(VALUES, MAP, MeasureSpec("P_10"))
    judge = board(JUDGED, MeasureSpec("GRADE"))

    rows = correlation_rows(truth, judge, ("map", "GRADE"), SPECS, "fix_aggregate")

    key = ["truth_measure", "judge_measure", "method", "topic_id"]
    expected = set(itertools.product(["map", "P_10"], ["GRADE"], SPECS.methods, ["all", *TOPICS[:15]]))
    assert set(rows[key].itertuples(index=False, name=None)) == expected
    assert len(rows) == len(expected)
    (overall,) = rows[
        (rows["topic_id"] == "all") & (rows["method"] == "kendall") & (rows["truth_measure"] == "map")
    ].to_dict("records")
    tau = kendalltau(VALUES[:, :15].mean(axis=1), judge.aggregates("GRADE")).statistic
    assert overall["value"] == pytest.approx(tau)
    assert (overall["n_runs"], overall["n_topics"]) == (4, 15)
    assert overall["ci_low"] <= overall["value"] <= overall["ci_high"]


def test_topics_are_left_out_when_asked_for_and_when_they_would_be_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = board()
    whole = correlation_rows(truth, truth, ("map", "map"), CorrelationsSpec(resamples=0, per_topic=False), "warn")
    assert set(whole["topic_id"]) == {"all"}
    monkeypatch.setattr(module, "MOST_CORRELATIONS", 62)  # 3 methods x 21
    assert set(correlation_rows(truth, truth, ("map", "map"), CorrelationsSpec(resamples=0), "warn")["topic_id"]) == {
        "all"
    }
    monkeypatch.setattr(module, "MOST_CORRELATIONS", 63)
    assert len(correlation_rows(truth, truth, ("map", "map"), CorrelationsSpec(resamples=0), "warn")) == 63


def test_boards_with_nothing_in_common_have_rows_that_say_so() -> None:
    others = board(VALUES, runs=("w", "x", "y", "z"))
    rows = correlation_rows(board(), others, ("map", "map"), SPECS, "fix_aggregate")

    assert rows["method"].tolist() == list(SPECS.methods)
    assert rows["value"].isna().all()
    assert rows["reason"].str.startswith("no run is on both boards").all()
    assert rows["n_runs"].tolist() == [0] * 3


def test_runs_are_compared_each_with_each_by_paired_tests() -> None:
    rows = comparison_rows(board(), "map", ComparisonsSpec())

    assert len(rows) == 6
    row = rows[(rows["run_id"] == "a") & (rows["other_run_id"] == "d")].iloc[0]
    assert row["p"] == pytest.approx(ttest_rel(VALUES[0], VALUES[3]).pvalue)
    assert (row["wins"], row["ties"], row["losses"], row["n_topics"]) == (20, 0, 0, 20)
    assert (row["better"], row["test"], row["correction"]) == ("a", "t", "holm")


def test_only_the_best_runs_are_compared() -> None:
    rows = comparison_rows(board(), "map", ComparisonsSpec(runs=2))
    best = leaderboard_rows(board(), "map").sort_values("position")["run_id"].tolist()[:2]
    assert {*rows["run_id"], *rows["other_run_id"]} == set(best)


def test_a_board_without_topics_has_no_comparisons() -> None:
    grid = Grid(RUNS, (), {}, {"map": np.array([0.1, 0.2, 0.3, 0.4])})
    assert comparison_rows(board_of(grid, [MAP], "warn"), "map", ComparisonsSpec()).empty


def test_whole_numbers_stay_whole_where_some_are_absent() -> None:
    rows = leaderboard_rows(board_of(Grid(("a", "b"), (), {}, {"map": np.array([0.1, np.nan])}), [MAP], "warn"), "map")
    assert str(rows["rank"].dtype) == "Int32"
    assert isinstance(rows, pd.DataFrame)


def test_a_judge_is_ranked_by_the_measure_of_the_track_its_own_or_its_only_one() -> None:
    grade = board(VALUES, MeasureSpec("GRADE"))
    two = board(VALUES, MeasureSpec("GRADE"), MeasureSpec("CLARITY"))
    declared = track(judges={"umbrela": {}, "crowd": {"primary": "CLARITY"}})

    assert primary_of(declared, "umbrela", board()) == "map"
    assert primary_of(declared, "umbrela", grade) == "GRADE"
    assert primary_of(declared, "crowd", two) == "CLARITY"
    with pytest.raises(
        TrackError, match=r"'umbrela' cannot be ranked by 'map'; .*`judges\.umbrela\.primary`: GRADE, CL"
    ):
        primary_of(declared, "umbrela", two)
    with pytest.raises(
        TrackError, match=r"'official' cannot be ranked by 'map'; name one of its measures in `primary`"
    ):
        primary_of(declared, "official", grade)


def test_a_measure_without_a_better_end_ranks_nobody() -> None:
    neither = board(VALUES, MeasureSpec("num_ret", direction=Direction.NONE), MAP)
    with pytest.raises(TrackError, match="cannot be ranked by 'num_ret'"):
        primary_of(track(primary="num_ret"), "official", neither)
