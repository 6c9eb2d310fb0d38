"""Metrics of every model and cycle: pooled over horizons, again when a revision changed them."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.competition import Contract
from pipeline.competition.metrics import METRICS
from pipeline.competition.previous import cycles_before
from pipeline.competition.stages import compute_cycle_metrics, score_predictions
from pipeline.competition.stages.cycle_metrics import panel_metrics
from pipeline.tables import CYCLE_METRICS
from pipeline_tests.competition import reference
from pipeline_tests.competition.contests import (
    NAN,
    OF_ANY,
    contract,
    cycle,
    predictions,
    random_contest,
    shuffled,
    stack,
    truth,
)

CUSTOM = "pipeline_tests.competition.custom"
T1, T2, T3 = (cycle(1) + days * timedelta(days=1) for days in (0, 3, 9))
NAMES = "stuvwxyz"
RISING = {name: float(place) for place, name in enumerate(NAMES)}
MIXED = dict(zip(NAMES, [3.0, -1.0, 4.0, 1.0, 5.0, -9.0, 2.0, 6.0], strict=True))


def metrics_of(rows: pd.DataFrame, outcomes: pd.DataFrame, declared: Contract) -> pd.DataFrame:
    return compute_cycle_metrics(rows, outcomes, score_predictions(rows, outcomes, declared), declared)


def values(metrics: pd.DataFrame, metric: str, model: str = "a") -> dict[datetime, float]:
    rows = metrics[(metrics["metric"] == metric) & (metrics["model_id"] == model)]
    return dict(zip(rows["known_at"], rows["value"], strict=True))


def test_the_metrics_of_a_cycle_are_those_listed_without_series_and_always_coverage_and_resolved() -> None:
    assert [metric.name for metric in panel_metrics(contract())] == [
        *("ic", "mean_return", "hit_rate", "score"),
        *("coverage", "resolved"),
    ]
    listed = contract(metrics=["ic", "coverage"])
    assert [metric.name for metric in panel_metrics(listed)] == ["ic", "coverage", "resolved"]


def test_one_cycle_by_an_independent_library() -> None:
    found = metrics_of(predictions({"a": RISING}), truth(MIXED), contract())
    spearman = stats.spearmanr(list(RISING.values()), list(MIXED.values())).statistic
    assert values(found, "ic") == {T1: pytest.approx(spearman, abs=1e-12)}
    assert values(found, "score") == {T1: pytest.approx(spearman, abs=1e-12)}
    # sign(0) of the first signal is neutral; 5 of the other 7 outcomes are positive.
    assert values(found, "hit_rate") == {T1: 5 / 7}
    assert values(found, "coverage") == {T1: 1.0}
    rows = found.set_index("metric")
    assert rows.loc["hit_rate", ["numerator", "denominator", "n"]].tolist() == [5, 7, 7]
    assert rows.loc["ic", ["numerator", "denominator", "n"]].isna().tolist() == [True, True, False]
    assert rows["reason"].isna().all()


def test_horizons_pool_into_the_cycle() -> None:
    rows = stack(
        predictions({"a": RISING}, horizon=1),
        predictions({"a": {name: -value for name, value in RISING.items()}}, horizon=2),
    )
    outcomes = stack(truth(MIXED, 1), truth(RISING, 2))
    found = metrics_of(rows, outcomes, contract())
    spearman = stats.spearmanr(list(RISING.values()), list(MIXED.values())).statistic
    assert values(found, "ic") == {
        cycle(1): pytest.approx(spearman),
        cycle(2): pytest.approx((spearman - 1) / 2),
    }
    assert values(found, "hit_rate") == {cycle(1): 5 / 7, cycle(2): 5 / 14}
    known = found[found["metric"] == "coverage"].set_index("known_at")
    assert known["denominator"].tolist() == [8, 16]
    assert found.loc[found["metric"] == "ic", "n"].tolist() == [8, 16]


def test_a_horizon_without_a_value_leaves_the_mean_to_the_others() -> None:
    rows = stack(predictions({"a": RISING}, horizon=1), predictions({"a": dict.fromkeys(NAMES, 1.0)}, horizon=2))
    found = metrics_of(rows, stack(truth(MIXED, 1), truth(RISING, 2)), contract())
    spearman = stats.spearmanr(list(RISING.values()), list(MIXED.values())).statistic
    assert values(found, "ic") == {cycle(1): pytest.approx(spearman)}
    assert found.loc[found["metric"] == "ic", "n"].tolist() == [8]


@pytest.mark.parametrize("horizon", [1, 2])
def test_an_undefined_cycle_has_the_reason_of_the_horizon_that_was_predicted(horizon: int) -> None:
    constant = predictions({"a": dict.fromkeys(NAMES, 1.0)}, horizon=horizon)
    other = predictions({"b": RISING}, horizon=3 - horizon)
    found = metrics_of(stack(constant, other), stack(truth(MIXED, 1), truth(RISING, 2)), contract())
    of_constant = found[(found["metric"] == "ic") & (found["model_id"] == "a")]
    assert of_constant["reason"].iloc[-1] == "constant_input"
    assert of_constant["value"].isna().all()


def test_a_revision_adds_a_row_for_each_metric_that_it_changed_and_no_other() -> None:
    # s has rank 1 in the signals, and its outcome only grows: returns change, ranks and signs do not.
    changed = MIXED | {"x": -8.0}
    found = metrics_of(predictions({"a": RISING}), stack(truth(MIXED), truth(changed, known_at=T2)), contract())
    assert list(values(found, "mean_return")) == [T1, T2]
    for metric in ("ic", "hit_rate", "score", "coverage"):
        assert list(values(found, metric)) == [T1]


def test_withdrawing_every_outcome_takes_the_values_back_with_a_reason() -> None:
    outcomes = stack(truth(MIXED), truth(dict.fromkeys(NAMES), known_at=T2))
    found = metrics_of(predictions({"a": RISING}), outcomes, contract())
    after = found[found["known_at"] == T2].set_index("metric")
    assert after["value"].drop("resolved").isna().all()
    assert after.loc["resolved", "value"] == 0.0
    assert after["reason"].to_dict() == {
        "ic": "too_few_pairs",
        "mean_return": "too_few_pairs",
        "hit_rate": "too_few_pairs",
        "score": "no_scores",
        "coverage": "no_scores",
        "resolved": None,
    }


def test_a_horizon_without_outcomes_is_not_resolved() -> None:
    rows = stack(predictions({"a": RISING}, horizon=1), predictions({"a": RISING, "b": RISING}, horizon=2))
    found = metrics_of(rows, truth({"x": 1.0}, 1), contract())
    assert values(found, "resolved") == {cycle(1): 0.5}
    assert values(found, "resolved", "b") == {cycle(1): 0.0}


def test_who_took_no_part_has_no_rows_and_who_was_late_neither() -> None:
    rows = stack(predictions({"a": RISING, "b": RISING}, 0, late=["b"]), predictions({"b": RISING}, 1))
    found = metrics_of(rows, stack(truth(MIXED, 1), truth(MIXED, 2)), contract())
    took_part = found[["model_id", "cycle"]].drop_duplicates()
    assert sorted(took_part.itertuples(index=False, name=None)) == [("a", cycle(0)), ("b", cycle(1))]


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_metric_of_ones_own_stands_under_its_path() -> None:
    name = f"{CUSTOM}.REVERSED_IC"
    found = metrics_of(predictions({"a": RISING}), truth(MIXED), contract(metrics=["ic", name]))
    assert values(found, name) == {T1: -values(found, "ic")[T1]}


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_pooled_metric_of_ones_own_must_say_what_it_is_made_of() -> None:
    declared = contract(metrics=["ic", f"{CUSTOM}.FORGETFUL"])
    rows = metrics_of(predictions({"a": RISING}), truth(MIXED), declared).set_index("metric")
    assert rows.loc[f"{CUSTOM}.FORGETFUL", "reason"] == (
        f"error: ValueError: metric '{CUSTOM}.FORGETFUL' pools over tasks; its function must give numerator and "
        f"denominator"
    )
    assert np.isnan(rows.loc[f"{CUSTOM}.FORGETFUL", "value"])
    assert rows.loc["ic", "reason"] is None


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_function_of_ones_own_is_a_metric_by_its_path_in_either_form() -> None:
    declared = contract(metrics=["ic", "model_correlation", f"{CUSTOM}.spread", f"{CUSTOM}.unlike"])
    rows = stack(predictions({"a": RISING, "b": MIXED}, horizon=1), predictions({"a": RISING}, horizon=2))
    found = metrics_of(rows, stack(truth(MIXED, 1), truth(RISING, 2)), declared)
    # Both horizons of a have the same spread, known by and by; b is not in the second.
    assert list(values(found, f"{CUSTOM}.spread").values()) == [7.0, 7.0]
    assert list(values(found, f"{CUSTOM}.spread", "b").values()) == [15.0]
    alike = values(found, "model_correlation")[T1]
    assert values(found, f"{CUSTOM}.unlike")[T1] == pytest.approx(1 - alike)


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_metric_of_ones_own_that_fails_is_null_with_its_reason_and_the_others_go_on() -> None:
    failing = f"{CUSTOM}.fails"
    picky = f"{CUSTOM}.fails_for_b"
    declared = contract(metrics=["ic", failing, picky])
    rows, outcomes = predictions({"a": RISING, "b": RISING}), truth(MIXED)
    found = metrics_of(rows, outcomes, declared).set_index(["model_id", "metric"])
    assert found["reason"].dropna().to_dict() == {
        ("a", failing): "error: RuntimeError: out of order",
        ("b", failing): "error: RuntimeError: out of order",
        ("b", picky): "error: ZeroDivisionError: division by zero",
    }
    np.testing.assert_array_equal(found["value"].isna(), found["reason"].notna())
    plain = metrics_of(rows, outcomes, contract(metrics=["ic"])).set_index(["model_id", "metric"])
    pd.testing.assert_frame_equal(found.loc[plain.index], plain)


def test_each_cycle_is_compared_with_the_one_before_it_of_the_same_horizon() -> None:
    reverse = {name: -value for name, value in RISING.items()}
    rows = stack(
        predictions({"a": RISING}, 0, horizon=1),
        predictions({"a": RISING}, 0, horizon=2),
        predictions({"b": RISING}, 1, horizon=1),
        predictions({"a": RISING}, 2, horizon=1),
        predictions({"a": RISING, "b": RISING}, 3, horizon=1),
        predictions({"a": reverse}, 4, horizon=1),
        predictions({"a": reverse}, 4, horizon=2),
    )
    outcomes = stack(*(truth(MIXED, number) for number in range(1, 8)))
    found = metrics_of(rows, outcomes, contract(metrics=["ic", "turnover", "rank_turnover"]))
    newest = found.drop_duplicates(["model_id", "cycle", "metric"], keep="last")
    of_a = newest[(newest["model_id"] == "a") & (newest["metric"] == "turnover")].set_index("cycle")
    # a was not in cycle 1; in cycle 4 horizon 2 has nothing before it, and horizon 1 is turned round.
    np.testing.assert_array_equal(of_a["value"], [NAN, NAN, 0.0, 1.0])
    assert of_a["reason"].dropna().tolist() == ["no_previous", "no_previous"]
    ranks = newest[(newest["model_id"] == "a") & (newest["metric"] == "rank_turnover")]
    np.testing.assert_allclose(ranks["value"], [NAN, NAN, 0.0, 2.0], atol=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_cycles_by_themselves_give_the_rows_that_all_of_them_give(seed: int) -> None:
    """However cycles are put into blocks: with the one before each, where a metric compares with it."""
    declared = contract(metrics=OF_ANY, ensembles=[{"name": "main"}])
    rows, outcomes = random_contest(seed, subjects=9)
    factors = pd.DataFrame(
        [
            {"cycle": when, "subject": f"s{place}", "factor": "size", "value": float(place % 4)}
            for when in rows["cycle"].unique()
            for place in range(9)
        ]
    )
    scores = score_predictions(rows, outcomes, declared)
    key = ["model_id", "cycle", "metric", "known_at"]
    whole = compute_cycle_metrics(rows, outcomes, scores, declared, factors=factors).sort_values(key)
    played = sorted(pd.Timestamp(when) for when in rows.loc[~rows["is_late"], "cycle"].unique())
    parts = []
    for when in rows["cycle"].unique():
        mine, before = rows[rows["cycle"] == when], rows[rows["cycle"].isin(cycles_before([when], played))]
        of_cycle = scores[scores["cycle"] == when]
        parts.append(
            compute_cycle_metrics(mine, outcomes, of_cycle, declared, before, factors[factors["cycle"] == when])
        )
    one, other = (
        frame.sort_values(key, ignore_index=True).fillna({"reason": ""})
        for frame in (stack(*(part for part in parts if len(part))), whole)
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-12, atol=1e-12)
    assert whole.loc[whole["metric"].isin(["turnover", "fnc"]), "value"].notna().sum() > 20


@pytest.mark.parametrize("empty", ["truth", "predictions"])
def test_without_predictions_or_truth_there_are_no_metrics(empty: str) -> None:
    rows, outcomes = predictions({"a": RISING}), truth(MIXED)
    found = metrics_of(
        rows.iloc[:0] if empty == "predictions" else rows,
        outcomes.iloc[:0] if empty == "truth" else outcomes,
        contract(),
    )
    assert found.empty
    assert [CYCLE_METRICS.board, *found.columns] == list(CYCLE_METRICS.column_names)


def test_one_model_and_one_subject_have_what_can_be_computed() -> None:
    found = metrics_of(predictions({"a": {"x": 1.0}}), truth({"x": 2.0}), contract())
    rows = found.set_index("metric")
    assert rows["reason"].to_dict() == {
        "ic": "too_few_pairs",
        "mean_return": "too_few_pairs",
        "hit_rate": None,
        "score": "no_scores",
        "coverage": None,
        "resolved": None,
    }
    assert rows.loc["hit_rate", "value"] == 1.0
    assert rows.loc["coverage", "value"] == 0.0


@pytest.mark.parametrize("rule", ["rank_product", "squared_error"])
@pytest.mark.parametrize("seed", range(3))
def test_the_last_value_of_each_cycle_is_that_of_the_slow_implementation(seed: int, rule: str) -> None:
    declared = contract(scoring={"rule": rule, "primary": "ic"}, horizon_cycles=0.8, center=0.05)
    rows, outcomes = random_contest(seed)
    found = metrics_of(rows, outcomes, declared).sort_values("known_at")
    last = found.drop_duplicates(["model_id", "cycle", "metric"], keep="last").set_index(
        ["cycle", "model_id", "metric"]
    )
    expected = {}
    for when, models in reference.resolve(rows, outcomes, declared).items():
        for model, one in models.items():
            for name in ("ic", "mean_return", "hit_rate", "score"):
                expected[when, model, name] = reference.statistic(name, [one])[0]
            expected[when, model, "coverage"] = len(one.scores) / one.outcomes if one.outcomes else NAN
    last = last.drop(index="resolved", level="metric")
    assert set(last.index) == set(expected)
    np.testing.assert_allclose(last["value"].to_numpy(), [expected[key] for key in last.index], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_in_shape_and_their_order_is_without_effect(seed: int) -> None:
    rows, outcomes = random_contest(seed)
    scores = score_predictions(rows, outcomes, contract())
    found = compute_cycle_metrics(rows, outcomes, scores, contract())
    again = compute_cycle_metrics(shuffled(rows, seed), shuffled(outcomes, seed), shuffled(scores, seed), contract())
    pd.testing.assert_frame_equal(found, again)
    assert not found.duplicated([name for name in CYCLE_METRICS.key if name != "competition"]).any()
    np.testing.assert_array_equal(found["value"].isna(), found["reason"].notna())
    assert not np.isinf(found["value"]).any()
    pooled = found[found["metric"].isin(["hit_rate", "score", "coverage"]) & found["value"].notna()]
    np.testing.assert_allclose(pooled["value"], pooled["numerator"] / pooled["denominator"])


@pytest.mark.parametrize("seed", range(2))
def test_a_later_row_differs_from_the_one_before(seed: int) -> None:
    rows, outcomes = random_contest(seed)
    found = metrics_of(rows, outcomes, contract()).sort_values("known_at")
    told = ["value", "n", "numerator", "denominator", "reason"]
    for _, versions in found.groupby(["model_id", "cycle", "metric"]):
        same = versions[told].astype(object).where(versions[told].notna(), None).duplicated(keep=False)
        consecutive = versions[told].astype(object).where(versions[told].notna(), None)
        assert not (consecutive == consecutive.shift()).all(axis=1).any() or not same.any()


def test_a_duplicated_model_has_the_same_numbers() -> None:
    rows, outcomes = random_contest(4)
    twin = rows[rows["model_id"] == "m0"].assign(model_id="twin")
    found = metrics_of(stack(rows, twin), outcomes, contract())
    mine, other = (found[found["model_id"] == model].drop(columns="model_id") for model in ("m0", "twin"))
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), other.reset_index(drop=True))


def test_all_built_in_metrics_can_be_listed_together() -> None:
    every = contract(metrics=OF_ANY, ensembles=[{"name": "main"}])
    found = metrics_of(*random_contest(0, cycles=3), every)
    assert set(found["metric"]) == {name for name in OF_ANY if METRICS.get(name).of_panel is not None}
