"""The boards: runs and their groups, on numbers worked by hand and by another library."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.experiments import BoardError, ScoredRuns, leaderboard_rows, run_board_rows, scorer_rows
from pipeline.tables import EXPERIMENT_LEADERBOARD, EXPERIMENT_RUN_BOARD, EXPERIMENT_SCORERS
from pipeline_tests.experiments.declared import configurations, imported, run_rows, score_rows

RNG = np.random.default_rng(3)
PROMPT = {"prompts": {"p": "{{ n }}"}}


def inputs(n: int) -> list[dict[str, Any]]:
    return [{"id": f"i{k:02}", "variables": {"n": k}} for k in range(n)]


def scored(declared: Any, runs: pd.DataFrame, scores: pd.DataFrame) -> ScoredRuns:
    return ScoredRuns.of(declared, runs, scores, configurations(declared))


def by_model(declared: Any, values: Any, **columns: Any) -> pd.DataFrame:
    """The board of models with one scorer's values, by model."""
    runs = run_rows(declared, **columns)
    board = scored(declared, runs, score_rows(runs["run_id"], a=values))
    return leaderboard_rows(board, "model").set_index("contestant")


def test_runs_are_ranked_by_their_weighted_score_and_ties_share_a_rank() -> None:
    declared = imported({"a": 3, "b": 1}, models=["small"])
    runs = run_rows(declared)
    board = run_board_rows(scored(declared, runs, score_rows(runs["run_id"], a=[0, 1, 1, 1], b=[1, 0, 0, 1])))
    assert board["score"].tolist() == [1.0, 0.75, 0.75, 0.25]
    assert board["rank"].tolist() == [1, 2, 2, 4]
    assert board["position"].tolist() == [1, 2, 3, 4]
    assert board["run_id"].tolist()[0] == runs["run_id"][3]
    assert set(board["status"]) == {"ranked"}


def test_every_run_is_on_the_board_with_what_became_of_it() -> None:
    declared = imported({"a": 1, "b": 1}, models=["small"])
    runs = run_rows(declared, status=["failed", "completed", "completed", "pending"])
    scores = score_rows(runs["run_id"], a=[1.0, 1.0, math.nan, math.nan])
    board = run_board_rows(scored(declared, runs, scores)).set_index("run_id").loc[runs["run_id"]]
    assert board["status"].tolist() == [
        "unranked: failed",
        "unranked: missing_scorers",
        "unranked: no_scores",
        "unranked: pending",
    ]
    assert board["rank"].isna().all()
    assert board["score"].tolist()[:2] == [1.0, 1.0]
    assert board["missing_scorers"].tolist() == ["b", "b", "a, b", "a, b"]


def test_the_board_has_the_columns_of_its_table_and_no_nulls_where_there_may_be_none() -> None:
    declared = imported({"a": 1})
    runs = run_rows(declared)
    board = scored(declared, runs, score_rows(runs["run_id"][:3], a=0.5))
    frames = {
        EXPERIMENT_RUN_BOARD: run_board_rows(board),
        EXPERIMENT_LEADERBOARD: leaderboard_rows(board, "prompt"),
        EXPERIMENT_SCORERS: scorer_rows(board, "configuration"),
    }
    for spec, frame in frames.items():
        assert list(frame.columns) == list(spec.column_names[1:])
        never = [one.name for one in spec.columns[1:] if not one.nullable]
        assert not frame[never].isna().any().any()


def test_a_mean_is_over_runs_with_its_standard_deviation_and_an_interval_over_inputs() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(10))
    values = RNG.random(10)
    row = by_model(declared, values).loc["m"]
    assert row["score"] == pytest.approx(values.mean())
    assert row["sd"] == pytest.approx(values.std(ddof=1))
    low, high = stats.t.interval(0.95, 9, values.mean(), stats.sem(values))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert (row["ci_method"], row["n_inputs"], row["n_scored"]) == ("over_inputs", 10, 10)


def test_repeats_of_an_input_that_say_the_same_are_no_further_evidence() -> None:
    once = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(10))
    often = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(10), repeats=20)
    values = RNG.random(10)
    one, many = by_model(once, values).loc["m"], by_model(often, np.tile(values, 20)).loc["m"]
    assert many["n_scored"] == 20 * one["n_scored"]
    assert (many["ci_low"], many["ci_high"]) == pytest.approx((one["ci_low"], one["ci_high"]))


def test_with_few_inputs_the_interval_is_over_repeats_and_says_so() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(2), repeats=10)
    values = RNG.random((10, 2))
    row = by_model(declared, values.ravel()).loc["m"]
    deviations = values - values.mean(axis=0)
    se = math.sqrt((deviations**2).sum() / 18 / 20)
    half = stats.t.ppf(0.975, 18) * se
    assert row["ci_method"] == "over_repeats"
    assert (row["se"], row["ci_low"], row["ci_high"]) == pytest.approx((se, values.mean() - half, values.mean() + half))


def test_there_is_no_interval_where_there_is_too_little_to_tell_by() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(7))
    row = by_model(declared, RNG.random(7)).loc["m"]
    assert (row["ci_method"], math.isnan(row["ci_low"])) == ("too_few_inputs", True)
    alike = by_model(imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(9)), 0.5).loc["m"]
    assert (alike["ci_method"], math.isnan(alike["se"]), alike["sd"]) == ("zero_variance", True, 0.0)


def test_the_interval_of_unequal_numbers_of_runs_is_that_of_a_ratio() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(9), repeats=4, min_coverage=0)
    runs = run_rows(declared)
    values = RNG.random(len(runs))
    values[RNG.random(len(runs)) < 0.4] = math.nan
    row = by_model(declared, values).loc["m"]
    frame = pd.DataFrame({"i": runs["input_id"], "v": values}).dropna().groupby("i")["v"].agg(["sum", "count"])
    n, theta = len(frame), frame["sum"].sum() / frame["count"].sum()
    residual = frame["sum"] - theta * frame["count"]
    se = math.sqrt((residual**2).sum() / (n * (n - 1))) / frame["count"].mean()
    assert (row["score"], row["se"]) == pytest.approx((theta, se))


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=8, max_size=8), st.randoms())
@settings(max_examples=8, deadline=None)
def test_the_order_of_rows_changes_nothing(values: list[float], random) -> None:
    declared = imported({"a": 1})
    runs = run_rows(declared)
    scores = score_rows(runs["run_id"], a=values)
    order, other = list(range(8)), list(range(8))
    random.shuffle(order)
    random.shuffle(other)
    before, after = scored(declared, runs, scores), scored(declared, runs.iloc[order], scores.iloc[other])
    pd.testing.assert_frame_equal(run_board_rows(before), run_board_rows(after))
    for grouping in ("configuration", "model", "prompt"):
        pd.testing.assert_frame_equal(leaderboard_rows(before, grouping), leaderboard_rows(after, grouping))


def test_groups_are_configurations_models_and_prompts() -> None:
    declared = imported({"a": 1}, min_coverage=0)
    runs = run_rows(declared)
    board = scored(declared, runs, score_rows(runs["run_id"], a=[0, 1, 1, 1, 0, 1, 1, 1]))
    by_prompt = leaderboard_rows(board, "prompt")
    assert by_prompt[["contestant", "rank", "score", "n_runs"]].to_numpy().tolist() == [
        ["polite@2", 1, 1.0, 4],
        ["terse@1", 2, 0.5, 4],
    ]
    assert leaderboard_rows(board, "model")["contestant"].tolist() == ["large", "small"]
    by_configuration = leaderboard_rows(board, "configuration")
    assert by_configuration["rank"].tolist() == [1, 1, 1, 4]
    assert by_configuration["title"].tolist()[-1] == "terse@1 · small"
    with pytest.raises(ValueError, match="unknown grouping 'task'; known: configuration, model, prompt"):
        leaderboard_rows(board, "task")


def test_what_did_not_come_about_is_counted_and_lowers_the_coverage_and_is_no_0() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(4))
    status = ["completed", "completed", "failed", "cancelled"]
    row = by_model(declared, [1.0, 0.5, math.nan, math.nan], status=status).loc["m"]
    assert row[["n_runs", "n_scored", "n_failed", "n_cancelled", "n_unfinished"]].tolist() == [4, 2, 1, 1, 0]
    assert (row["score"], row["coverage"], row["n_inputs_missing"]) == (0.75, 0.5, 2)
    assert row["status"] == "unranked: low_coverage"
    assert pd.isna(row["rank"])


def test_a_failed_repeat_lowers_the_coverage_of_its_input() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(2), repeats=4)
    status = ["completed", "failed"] + ["completed"] * 6
    row = by_model(declared, 1.0, status=status).loc["m"]
    assert (row["coverage"], row["n_scored"], row["n_inputs_missing"]) == (0.875, 7, 0)


def test_who_was_tried_on_the_easy_inputs_only_is_not_ranked() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m", "n"], inputs=inputs(4))
    runs = run_rows(declared)
    kept = ~((runs["configuration"] == runs["configuration"][0]) & runs["input_id"].isin(["i02", "i03"]))
    runs = runs[kept].reset_index(drop=True)
    board = scored(declared, runs, score_rows(runs["run_id"], a=1.0))
    found = leaderboard_rows(board, "model").set_index("contestant")
    assert found.loc["m", ["coverage", "status"]].tolist() == [0.5, "unranked: low_coverage"]
    assert found.loc["n", ["coverage", "rank"]].tolist() == [1.0, 1]
    wanting = leaderboard_rows(board, "model", ["i00", "i01", "i02", "i03", "i04", "i05", "i06", "i07"])
    assert wanting.set_index("contestant").loc["n", ["coverage", "n_inputs_missing"]].tolist() == [0.5, 4]


def test_a_run_on_an_input_that_nobody_wants_unranks_nobody_else() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m", "n"], inputs=inputs(8))
    runs = run_rows(declared)
    own = ~((runs["configuration"] == runs["configuration"][0]) & ~runs["input_id"].isin(["i04", "i05", "i06", "i07"]))
    runs = runs[own].reset_index(drop=True)
    board = scored(declared, runs, score_rows(runs["run_id"], a=1.0))
    found = leaderboard_rows(board, "model", ["i04", "i05", "i06", "i07"]).set_index("contestant")
    assert found["coverage"].tolist() == [1.0, 1.0]
    assert found["n_inputs_missing"].tolist() == [0, 0]
    assert found["rank"].tolist() == [1, 1]


def test_nobody_without_a_scored_run_is_ranked() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m", "n"], inputs=inputs(1), min_coverage=0)
    found = by_model(declared, [1.0, math.nan])
    assert found.loc["n", "status"] == "unranked: no_scored_runs"
    assert math.isnan(found.loc["n", "score"])


def test_unknown_costs_are_no_0() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m", "n"], inputs=inputs(2))
    found = by_model(declared, 1.0, cost=[0.2, math.nan, math.nan, math.nan], tokens_in=[10, 1, math.nan, 3])
    assert found.loc["m", ["cost", "total_cost", "n_cost", "tokens_in"]].tolist() == [0.2, 0.2, 1, 10]
    assert found.loc["n", ["cost", "total_cost"]].isna().all()
    assert found.loc["n", ["n_cost", "tokens_in"]].tolist() == [0, 2]


def test_zeros_and_full_scores_are_counted_to_12_digits() -> None:
    declared = imported({"a": 0.1, "b": 0.2, "c": 0.3}, **PROMPT, models=["m"], inputs=inputs(3))
    runs = run_rows(declared)
    board = scored(declared, runs, score_rows(runs["run_id"], a=[0, 1, 1], b=[0, 1, 1], c=[0, 1, 0.5]))
    row = leaderboard_rows(board, "model").iloc[0]
    assert (row["n_zero"], row["n_full"]) == (1, 1)


def test_only_the_newest_repeats_count() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(1), repeats=4, newest_repeats=2)
    days = pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-03", "2026-01-02"])
    row = by_model(declared, [0.1, 0.2, 0.4, 0.8], created_at=days).loc["m"]
    assert (row["score"], row["n_runs"]) == (0.25, 2)


def test_a_repeat_that_has_not_completed_replaces_none_that_has() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m"], inputs=inputs(1), repeats=4, newest_repeats=2)
    days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"])
    status = ["completed", "completed", "failed", "pending"]
    row = by_model(declared, [0.2, 0.4, math.nan, math.nan], created_at=days, status=status).loc["m"]
    assert (row["score"], row["n_runs"], row["status"]) == (pytest.approx(0.3), 2, "ranked")


def test_better_models_have_ranks_that_the_evidence_separates() -> None:
    declared = imported({"a": 1}, **PROMPT, models=["best", "good", "also"], inputs=inputs(30))
    noise = RNG.normal(0, 0.02, (30, 3))
    found = by_model(declared, (np.array([0.8, 0.5, 0.5]) + noise).ravel())
    assert found.loc["best", ["rank_lo", "rank_hi", "rank_method"]].tolist() == [1, 1, "holm"]
    assert {(row.rank_lo, row.rank_hi) for row in found.loc[["good", "also"]].itertuples()} == {(2, 3)}


def test_more_contestants_than_can_be_compared_have_ranks_and_no_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = imported({"a": 1}, **PROMPT, models=["m", "n"], inputs=inputs(9))
    monkeypatch.setattr("pipeline.experiments.board.MOST_COMPARED", 1)
    found = by_model(declared, RNG.random(18))
    assert sorted(found["rank"]) == [1, 2]
    assert found["rank_lo"].isna().all()
    assert set(found["rank_method"]) == {"too_many_contestants"}


def test_the_scorers_of_a_contestant_are_summed_up_one_by_one() -> None:
    declared = imported({"a": 2, "b": 1}, **PROMPT, models=["m"], inputs=inputs(3), min_scorers=1)
    runs = run_rows(declared, status=["completed", "completed", "failed"])
    scores = score_rows(runs["run_id"], a=[0.2, 0.6, 1.0], extra=[1.0, math.nan, 1.0])
    found = scorer_rows(scored(declared, runs, scores), "model").set_index("scorer")
    assert found.loc["a", ["weight", "value", "n_scored", "n_unscored"]].tolist() == [2.0, 0.4, 2, 0]
    assert found.loc["a", "sd"] == pytest.approx(np.std([0.2, 0.6], ddof=1))
    assert found.loc["b", ["n_scored", "n_unscored"]].tolist() == [0, 2]
    assert math.isnan(found.loc["b", "value"])
    assert found.loc["extra", ["value", "n_scored", "n_unscored"]].tolist() == [1.0, 1, 1]
    assert math.isnan(found.loc["extra", "weight"])


def test_an_experiment_without_runs_has_empty_boards() -> None:
    declared = imported({"a": 1})
    board = scored(declared, run_rows(declared).iloc[:0], score_rows([]))
    assert len(run_board_rows(board)) == 0
    assert len(leaderboard_rows(board, "configuration")) == 0
    assert len(scorer_rows(board, "configuration")) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda runs: pd.concat([runs, runs.iloc[:1]]), "run_id .* is there more than once"),
        (lambda runs: runs.assign(status="done"), "unknown status 'done'; known: pending, running, completed"),
        (lambda runs: runs.assign(configuration="x"), "runs have configurations that are not there: 'x'"),
    ],
)
def test_rows_that_make_no_board_are_told(change, told: str) -> None:
    declared = imported({"a": 1})
    with pytest.raises(BoardError, match=told):
        scored(declared, change(run_rows(declared)), score_rows([]))
