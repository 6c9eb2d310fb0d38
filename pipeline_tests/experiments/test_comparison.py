"""Configurations against a baseline, on the inputs that both have."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.experiments import BoardError, ScoredRuns, comparison_rows
from pipeline.tables import EXPERIMENT_COMPARISONS
from pipeline_tests.experiments.declared import configurations, imported, run_rows, score_rows

RNG = np.random.default_rng(8)
N = 12


def compared(values: Any, models: list[str], repeats: int = 1, **changes: Any) -> pd.DataFrame:
    """Values of shape (repeats, inputs, models); the first model is the baseline."""
    declared = imported(
        {"a": 1},
        prompts={"p": "{{ n }}"},
        models=models,
        inputs=[{"id": f"i{k:02}", "variables": {"n": k}} for k in range(N)],
        baseline={"model": models[0]},
        repeats=repeats,
        **changes,
    )
    runs = run_rows(declared)
    scores = score_rows(runs["run_id"], a=np.asarray(values).ravel())
    board = ScoredRuns.of(declared, runs, scores, configurations(declared))
    names = {one.id: one.model for one in declared.configurations}
    return comparison_rows(board).assign(model=lambda rows: rows["configuration"].map(names)).set_index("model")


def test_differences_are_those_of_a_paired_t_test() -> None:
    values = RNG.random((N, 2))
    row = compared(values, ["base", "m"]).loc["m"]
    test = stats.ttest_rel(values[:, 1], values[:, 0])
    low, high = test.confidence_interval(0.95)
    assert (row["statistic"], row["p"]) == pytest.approx((test.statistic, test.pvalue))
    assert row["difference"] == pytest.approx((values[:, 1] - values[:, 0]).mean())
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert row["n_inputs"] == N


def test_repeats_are_averaged_before_inputs_are_paired() -> None:
    values = RNG.random((3, N, 2))
    row = compared(values, ["base", "m"], repeats=3).loc["m"]
    test = stats.ttest_rel(*values.mean(axis=0).T[::-1])
    assert (row["statistic"], row["p"], row["n_inputs"]) == pytest.approx((test.statistic, test.pvalue, N))


def test_inputs_that_one_of_them_lacks_are_left_out_and_counted() -> None:
    values = RNG.random((N, 2))
    values[:3, 1], values[-1, 0] = math.nan, math.nan
    row = compared(values, ["base", "m"]).loc["m"]
    test = stats.ttest_rel(values[3:-1, 1], values[3:-1, 0])
    assert (row["p"], row["n_inputs"], row["n_left_out"]) == pytest.approx((test.pvalue, N - 4, 4))


def test_verdicts_allow_for_all_that_are_compared() -> None:
    base = RNG.random(N) * 0.4 + 0.3
    shift = np.array([0, 0.2, -0.2, 0.0])
    values = base[:, None] + shift + RNG.normal(0, 0.01, (N, 4)) * (shift != 0)
    found = compared(values, ["base", "up", "down", "same"])
    assert found["verdict"].to_dict() == {"up": "better", "down": "worse", "same": "undecided"}
    assert found.loc["same", ["wins", "ties", "losses", "reason"]].tolist() == [0, N, 0, "no_difference"]
    assert found.loc["up", ["wins", "losses"]].tolist() == [N, 0]
    p = found["p"].dropna().to_numpy()
    np.testing.assert_allclose(sorted(found["p_adjusted"].dropna()), sorted([max(2 * p.min(), p.max()), 2 * p.min()]))


def test_the_test_is_the_declared_one() -> None:
    values = RNG.random((N, 2))
    row = compared(values, ["base", "m"], comparisons={"test": "wilcoxon", "correction": "none"}).loc["m"]
    assert row["p"] == pytest.approx(stats.wilcoxon(values[:, 1], values[:, 0]).pvalue)
    assert (row["test"], row["correction"]) == ("wilcoxon", "none")


def test_without_common_inputs_there_is_a_reason_and_no_verdict() -> None:
    values = np.ones((N, 2))
    values[:6, 0], values[6:, 1] = math.nan, math.nan
    row = compared(values, ["base", "m"]).loc["m"]
    assert (row["verdict"], row["reason"], row["n_inputs"]) == ("undecided", "no_common_inputs", 0)
    assert math.isnan(row["difference"])


def test_only_the_best_are_compared() -> None:
    values = np.broadcast_to(np.array([0.5, 0.1, 0.9, 0.7]), (N, 4))
    found = compared(values, ["base", "a", "b", "c"], comparisons={"configurations": 2})
    assert list(found.index) == ["b", "c"]


def test_no_baseline_is_nothing_to_compare_and_an_unknown_one_an_error() -> None:
    declared = imported({"a": 1})
    runs = run_rows(declared)
    board = ScoredRuns.of(declared, runs, score_rows(runs["run_id"], a=1.0), configurations(declared))
    assert list(comparison_rows(board).columns) == list(EXPERIMENT_COMPARISONS.column_names[1:])
    assert len(comparison_rows(board)) == 0
    assert len(comparison_rows(board, declared.configurations[2].id)) == 3
    with pytest.raises(BoardError, match="baseline 'x' has no runs"):
        comparison_rows(board, "x")
