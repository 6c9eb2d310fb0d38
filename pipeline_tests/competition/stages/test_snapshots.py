"""Rolling windows: against a slow implementation that forgets what was not known, and replayed."""

from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.stages import RollingWindows, compute_cycle_metrics, compute_snapshots, score_predictions
from pipeline.leaderboard import interval, mean_influence
from pipeline.tables import SNAPSHOTS
from pipeline_tests.competition import reference
from pipeline_tests.competition.contests import (
    contract,
    cycle,
    predictions,
    random_contest,
    shuffled,
    stack,
    truth,
)

CUSTOM = "pipeline_tests.competition.custom"
ROW = ["as_of", "model_id", "window_name", "metric"]
NUMBERS = ["value", "n", "n_scored", "coverage", "coverage_since_first"]
NAMES = "stuvwxyz"
RISING = {name: float(place) for place, name in enumerate(NAMES)}
FALLING = {name: -value for name, value in RISING.items()}
FLAT = dict.fromkeys(NAMES, 1.0)
SQUARED = {"rule": "squared_error", "primary": "score"}
ALL_METRICS = ["ic", "ic_sharpe", "mean_return", "hit_rate", "score", "coverage"]


def cycle_metrics(rows: pd.DataFrame, outcomes: pd.DataFrame, declared: Contract) -> pd.DataFrame:
    return compute_cycle_metrics(rows, outcomes, score_predictions(rows, outcomes, declared), declared)


def cycles_of(rows: pd.DataFrame) -> list[datetime]:
    return sorted(rows.loc[~rows["is_late"], "cycle"].unique())


def moments(metrics: pd.DataFrame) -> list[datetime]:
    return sorted(metrics["known_at"].unique())


@cache
def contest(seed: int, rule: str = "rank_product") -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, Contract]:
    declared = contract(metrics=ALL_METRICS, scoring={"rule": rule, "primary": "ic"}, horizon_cycles=0.8)
    rows, outcomes = random_contest(seed, cycles=9)
    return rows, outcomes, cycle_metrics(rows, outcomes, declared), declared


def snapshots_of(
    rows: pd.DataFrame, outcomes: pd.DataFrame, declared: Contract, as_ofs: list[datetime] | None = None
) -> pd.DataFrame:
    metrics = cycle_metrics(rows, outcomes, declared)
    return compute_snapshots(metrics, moments(metrics) if as_ofs is None else as_ofs, declared)


def cell(snapshots: pd.DataFrame, as_of: datetime, model: str, window: str, metric: str) -> pd.Series:
    """The one row of a moment, model, window and metric."""
    (found,) = (row for _, row in snapshots[(snapshots[ROW] == [as_of, model, window, metric]).all(axis=1)].iterrows())
    return found


@pytest.mark.parametrize(("seed", "rule"), [(0, "rank_product"), (1, "squared_error"), (2, "rank_product")])
def test_every_number_is_that_of_the_slow_implementation(seed: int, rule: str) -> None:
    rows, outcomes, metrics, declared = contest(seed, rule)
    as_ofs = moments(metrics)[seed % 2 :: 2]
    found = compute_snapshots(metrics, as_ofs, declared).set_index(ROW).sort_index()
    expected = reference.snapshots(rows, outcomes, as_ofs, declared).set_index(ROW).sort_index()
    assert found.index.equals(expected.index)
    pd.testing.assert_frame_equal(
        found[NUMBERS], expected[NUMBERS], check_dtype=False, rtol=1e-9, atol=1e-12, check_index_type=False
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_moment_alone_is_as_among_all_others(seed: int) -> None:
    _, _, metrics, declared = contest(seed)
    together = compute_snapshots(metrics, moments(metrics), declared)
    for as_of in moments(metrics)[::4]:
        alone = compute_snapshots(metrics, [as_of], declared)
        at_moment = together[together["as_of"] == as_of].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, at_moment, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_replay_from_what_was_known_then_gives_the_same_board(seed: int) -> None:
    rows, outcomes, metrics, declared = contest(seed)
    together = compute_snapshots(metrics, moments(metrics), declared)
    for as_of in moments(metrics)[::4]:
        replayed = snapshots_of(rows, outcomes[outcomes["known_at"] <= as_of], declared, [as_of])
        at_moment = together[together["as_of"] == as_of].reset_index(drop=True)
        pd.testing.assert_frame_equal(replayed, at_moment, rtol=1e-12)


@pytest.mark.parametrize("text", ["str", "category"])
def test_blocks_of_moments_share_one_reading(text: str) -> None:
    _, _, metrics, declared = contest(0)
    as_ofs = moments(metrics)
    names = ["category", "metric", "model_id", "reason"]
    windows = RollingWindows(metrics.astype(dict.fromkeys(names, text)), declared)
    blocks = [windows.at(as_ofs[start : start + 3]) for start in range(0, len(as_ofs), 3)]
    pd.testing.assert_frame_equal(
        pd.concat(blocks, ignore_index=True), compute_snapshots(metrics, as_ofs, declared), check_exact=True
    )
    with pytest.raises(ValueError, match=r"is no longer kept at .*; ask in the order of time"):
        windows.at(as_ofs[:1])


def test_a_later_revision_leaves_earlier_moments_as_they_were() -> None:
    rows, outcomes, metrics, declared = contest(0)
    revised = stack(outcomes, truth(dict.fromkeys(["s0", "s1", "s2"], 9.0), 2, known_at=cycle(50)))
    before = compute_snapshots(metrics, moments(metrics), declared)
    after = snapshots_of(rows, revised, declared)
    pd.testing.assert_frame_equal(after[after["as_of"] < cycle(50)], before)
    assert (after["as_of"] == cycle(50)).any()


@pytest.mark.parametrize("seed", range(2))
def test_rows_are_in_shape_and_their_order_is_without_effect(seed: int) -> None:
    _, _, metrics, declared = contest(seed)
    as_ofs = moments(metrics)
    found = compute_snapshots(metrics, as_ofs, declared)
    again = compute_snapshots(shuffled(metrics, seed), as_ofs[::-1] + as_ofs[:2], declared)
    pd.testing.assert_frame_equal(found, again)
    assert [SNAPSHOTS.board, *found.columns] == list(SNAPSHOTS.column_names)
    assert not found.duplicated([name for name in SNAPSHOTS.key if name != "competition"]).any()
    np.testing.assert_array_equal(found["value"].isna(), found["reason"].notna())
    assert not np.isinf(found[["value", "se", "ci_low", "ci_high"]].to_numpy()).any()
    assert set(found["ci_method"]) <= {"ewc", "too_few_cycles", "zero_variance", "undefined"}
    assert (found["coverage_since_first"].fillna(1) >= found["coverage"].fillna(0) - 1e-12).all()


def test_intervals_are_those_of_the_kernel_over_the_window() -> None:
    rows, _, metrics, declared = contest(0)
    as_of = max(moments(metrics))
    latest = (
        metrics[metrics["metric"] == "ic"].sort_values("known_at").drop_duplicates(["model_id", "cycle"], keep="last")
    )
    series = latest.pivot(index="cycle", columns="model_id", values="value").reindex(cycles_of(rows))
    expected = interval(mean_influence(series.to_numpy()))
    found = compute_snapshots(metrics, [as_of], declared)
    found = found[(found["window_name"] == "all") & (found["metric"] == "ic")].sort_values("model_id")
    assert found["model_id"].tolist() == series.columns.tolist()
    np.testing.assert_allclose(found["ci_low"], expected.low)
    np.testing.assert_allclose(found["ci_high"], expected.high)
    np.testing.assert_allclose(found["se"], expected.se)


# --- by hand


def test_windows_end_at_the_newest_resolved_cycle_and_count_cycles_of_the_competition() -> None:
    signs = [1, -1, 1, 1, -1, 1]
    rows = stack(
        *(predictions({"a": RISING if sign > 0 else FALLING}, number) for number, sign in enumerate(signs)),
        predictions({"a": RISING}, 6),
        predictions({"b": RISING}, 3),
    )
    outcomes = stack(*(truth(RISING, number + 1) for number in range(6)))
    declared = contract(windows={"two": {"cycles": 2}, "weeks": {"duration": "21d"}, "all": {}})
    found = snapshots_of(rows, outcomes, declared)
    end = cycle(6)
    assert [cell(found, end, "a", name, "ic")["value"] for name in ("two", "weeks", "all")] == pytest.approx(
        [0.0, 1 / 3, 1 / 3]
    )
    assert [cell(found, end, "a", name, "ic")["n"] for name in ("two", "weeks", "all")] == [2, 3, 6]
    assert cell(found, end, "b", "two", "ic")[["n", "n_scored", "coverage", "reason"]].tolist() == [
        *(0, 0, 0.0),
        "no_predictions",
    ]
    assert cell(found, end, "b", "weeks", "ic")["coverage"] == pytest.approx(1 / 3)


def test_a_cycle_without_truth_takes_no_place_in_a_window_until_it_is_resolved() -> None:
    rows = stack(*(predictions({"a": RISING if number else FALLING}, number) for number in range(3)))
    late = cycle(3) + timedelta(days=3)
    outcomes = stack(truth(RISING, 1), truth(RISING, 3), truth(RISING, 2, known_at=late))
    found = snapshots_of(rows, outcomes, contract(windows={"all": {"cycles": 2}}))
    values = [cell(found, as_of, "a", "all", "ic")[["value", "n"]].tolist() for as_of in (cycle(3), late)]
    assert values == [[pytest.approx(0.0, abs=1e-12), 2], [pytest.approx(1.0), 2]]


def test_a_newcomer_is_measured_from_its_first_cycle_too_and_is_not_on_earlier_boards() -> None:
    rows = stack(
        *(predictions({"old": RISING} | ({"new": RISING} if number >= 3 else {}), number) for number in range(4))
    )
    found = snapshots_of(rows, stack(*(truth(RISING, number + 1) for number in range(4))), contract())
    assert found.groupby("as_of")["model_id"].unique().map(list).tolist() == [["old"]] * 3 + [["new", "old"]]
    new = cell(found, cycle(4), "new", "all", "ic")
    assert new[["coverage", "coverage_since_first", "n_scored"]].tolist() == [0.25, 1.0, 8]
    assert cell(found, cycle(4), "old", "all", "ic")["coverage_since_first"] == 1.0


def test_tasks_pool_by_sums_not_by_means() -> None:
    few = {name: RISING[name] for name in NAMES[:2]}
    rows = stack(predictions({"a": {name: 1.0 for name in NAMES}}, 0), predictions({"a": dict.fromkeys(few, 1.0)}, 1))
    outcomes = stack(truth({name: 1.0 for name in NAMES}, 1), truth(dict.fromkeys(NAMES, -1.0), 2))
    found = snapshots_of(rows, outcomes, contract(scoring=SQUARED))
    assert cell(found, cycle(2), "a", "all", "hit_rate")[["value", "n"]].tolist() == [0.8, 10]
    assert cell(found, cycle(2), "a", "all", "score")[["value", "n"]].tolist() == [0.8, 10]
    assert cell(found, cycle(2), "a", "all", "ic")["coverage"] == 10 / 16


def test_the_metric_coverage_is_the_column_coverage_cycles_left_out_included() -> None:
    rows = stack(*(predictions({"a": RISING} | ({"b": RISING} if number == 1 else {}), number) for number in range(4)))
    outcomes = stack(*(truth(RISING, number + 1) for number in range(4)))
    found = snapshots_of(rows, outcomes, contract(metrics=ALL_METRICS))
    of_coverage = found[found["metric"] == "coverage"]
    np.testing.assert_array_equal(of_coverage["value"], of_coverage["coverage"])
    assert cell(found, cycle(4), "b", "all", "coverage")[["value", "n"]].tolist() == [0.25, 32]


def test_sharpe_is_mean_over_standard_deviation_of_the_cycles() -> None:
    drawn = np.random.default_rng(3)
    rows = stack(*(predictions({"a": dict(zip(NAMES, drawn.normal(size=8), strict=True))}, n) for n in range(6)))
    found = snapshots_of(rows, stack(*(truth(RISING, n + 1) for n in range(6))), contract())
    metrics = cycle_metrics(rows, stack(*(truth(RISING, n + 1) for n in range(6))), contract())
    ic = metrics.loc[metrics["metric"] == "ic", "value"]
    sharpe = cell(found, cycle(6), "a", "all", "ic_sharpe")
    assert sharpe["value"] == pytest.approx(ic.mean() / ic.std(ddof=1))
    assert sharpe["n"] == 6
    assert cell(found, cycle(1), "a", "all", "ic_sharpe")["reason"] == "too_few_cycles"


def test_a_constant_model_has_the_same_reason_for_a_metric_and_for_its_series() -> None:
    rows = stack(*(predictions({"a": FLAT}, number) for number in range(3)))
    found = snapshots_of(rows, stack(*(truth(RISING, number + 1) for number in range(3))), contract())
    for metric in ("ic", "ic_sharpe", "mean_return"):
        assert cell(found, cycle(3), "a", "all", metric)["reason"] == "constant_input"
    assert cell(found, cycle(3), "a", "all", "score")["reason"] == "no_scores"


def test_equal_cycles_have_no_sharpe() -> None:
    rows = stack(*(predictions({"a": RISING}, number) for number in range(3)))
    found = snapshots_of(rows, stack(*(truth(RISING, number + 1) for number in range(3))), contract())
    assert cell(found, cycle(3), "a", "all", "ic_sharpe")["reason"] == "zero_variance"


def test_a_revision_makes_a_moment_of_its_own_that_replaces_the_cycle() -> None:
    rows = stack(predictions({"a": RISING}, 0), predictions({"a": RISING}, 1))
    late = cycle(2) + timedelta(days=3)
    outcomes = stack(truth(RISING, 1), truth(RISING, 2), truth(FALLING, 1, known_at=late))
    found = snapshots_of(rows, outcomes, contract())
    values = {as_of: cell(found, as_of, "a", "all", "ic")["value"] for as_of in (cycle(1), cycle(2), late)}
    assert values == pytest.approx({cycle(1): 1.0, cycle(2): 1.0, late: 0.0}, abs=1e-12)


def test_withdrawn_outcomes_leave_nothing_to_cover() -> None:
    outcomes = stack(truth(RISING), truth(dict.fromkeys(NAMES), known_at=cycle(2)))
    found = snapshots_of(predictions({"a": RISING}), outcomes, contract())
    after = cell(found, cycle(2), "a", "all", "ic")
    assert np.isnan(after["coverage"])
    assert np.isnan(after["coverage_since_first"])
    assert after[["n_scored", "reason"]].tolist() == [0, "too_few_pairs"]


def test_before_anything_is_known_there_is_no_board() -> None:
    metrics = cycle_metrics(predictions({"a": RISING}), truth(RISING), contract())
    found = compute_snapshots(metrics, [cycle(0)], contract())
    assert found.empty
    assert [SNAPSHOTS.board, *found.columns] == list(SNAPSHOTS.column_names)


@pytest.mark.parametrize("as_ofs", [[], [cycle(1)]])
def test_without_metrics_there_are_no_snapshots(as_ofs: list[datetime]) -> None:
    metrics = cycle_metrics(predictions({"a": RISING}), truth(RISING).iloc[:0], contract())
    assert compute_snapshots(metrics, as_ofs, contract()).columns.tolist() == list(SNAPSHOTS.column_names[1:])


def test_rows_of_metrics_that_the_contest_no_longer_has_are_left_out() -> None:
    rows, outcomes = predictions({"a": RISING}), truth(RISING)
    metrics = cycle_metrics(rows, outcomes, contract())
    stale = stack(
        metrics,
        metrics.assign(metric="abolished", value=7.0),
    )
    expected = compute_snapshots(metrics, [cycle(1)], contract())
    pd.testing.assert_frame_equal(compute_snapshots(stale, [cycle(1)], contract()), expected)


def test_categories_are_measured_apart() -> None:
    _, _, metrics, declared = contest(0)
    part = metrics[metrics["model_id"] != "m0"].assign(category="horizon=1")
    found = compute_snapshots(stack(metrics, part), moments(metrics), declared)
    assert set(found.loc[found["category"] == "horizon=1", "model_id"]) == set(part["model_id"])
    overall = found[found["category"] == "overall"].reset_index(drop=True)
    pd.testing.assert_frame_equal(overall, compute_snapshots(metrics, moments(metrics), declared))


def test_drawdown_and_sortino_are_those_of_the_models_cycles_in_the_window() -> None:
    listed = ["ic", "mean_return", "max_drawdown", "ic_max_drawdown", "sortino_ratio"]
    rows, outcomes = random_contest(5, cycles=12)
    outcomes = outcomes.assign(value=outcomes["value"] / 20)
    declared = contract(metrics=listed)
    metrics = cycle_metrics(rows, outcomes, declared)
    found = compute_snapshots(metrics, moments(metrics)[-1:], declared).set_index(["model_id", "metric", "window_name"])
    newest = metrics.sort_values("known_at").drop_duplicates(["model_id", "cycle", "metric"], keep="last")
    for model in ("m0", "m2", "m3"):
        series = {
            name: newest[(newest["model_id"] == model) & (newest["metric"] == name)].sort_values("cycle")["value"]
            for name in ("ic", "mean_return")
        }
        wealth, total = (1 + series["mean_return"].dropna()).cumprod(), series["ic"].dropna().cumsum()
        returns = series["mean_return"].dropna()
        expected = {
            "max_drawdown": (wealth / wealth.cummax().clip(lower=1) - 1).min(),
            "ic_max_drawdown": (total - total.cummax().clip(lower=0)).min(),
            "sortino_ratio": returns.mean() / np.sqrt((returns.clip(upper=0) ** 2).mean()),
        }
        for metric, value in expected.items():
            row = found.loc[(model, metric, "all")]
            assert row["value"] == pytest.approx(value, abs=1e-12)
            assert (row["n"], row["ci_method"]) == (len(returns), "not_smooth")
            assert row[["se", "ci_low", "ci_high", "reason"]].isna().all()
    assert found.loc[("constant", "max_drawdown", "all"), ["reason", "ci_method"]].tolist() == [
        "constant_input",
        "undefined",
    ]


@pytest.mark.usefixtures("dotted_paths_into_tests")
@pytest.mark.parametrize("as_category", [False, True])
def test_a_metric_of_ones_own_that_fails_says_so_in_every_window(as_category: bool) -> None:
    fails, series = f"{CUSTOM}.fails_for_b", f"{CUSTOM}.FAILING_SERIES"
    declared = contract(metrics=["ic", fails, series])
    rows = stack(*(predictions({"a": RISING, "b": FALLING}, number) for number in range(3)))
    metrics = cycle_metrics(rows, stack(*(truth(RISING, number + 1) for number in range(3))), declared)
    if as_category:  # as the warehouse reads them
        metrics = metrics.astype(dict.fromkeys(["category", "metric", "model_id", "reason"], "category"))
    found = compute_snapshots(metrics, [cycle(3)], declared)
    assert cell(found, cycle(3), "a", "all", fails)[["value", "n"]].tolist() == [1.0, 3]
    assert pd.isna(cell(found, cycle(3), "a", "all", fails)["reason"])
    assert cell(found, cycle(3), "b", "all", fails)["reason"] == "error: ZeroDivisionError: division by zero"
    for model in ("a", "b"):
        of_series = cell(found, cycle(3), model, "all", series)
        assert of_series[["reason", "ci_method"]].tolist() == ["error: RuntimeError: out of order", "undefined"]
        assert pd.isna(cell(found, cycle(3), model, "all", "ic")["reason"])
    np.testing.assert_array_equal(found["value"].isna(), found["reason"].notna())
