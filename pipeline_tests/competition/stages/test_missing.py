"""Cycles that a model leaves out: what stands in for them, and that it never counts as the model's own."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.competition import Contract
from pipeline.competition.stages import compute_cycle_metrics, compute_snapshots, score_predictions
from pipeline.competition.stages.block import Block
from pipeline.competition.stages.missing import absences
from pipeline.competition.stand_ins import Played, carry_forward, choose_stand_ins
from pipeline_tests.competition.contests import contract, cycle, predictions, random_contest, stack, truth

NAMES = "stuvwxyz"
BEST = {name: float(place) for place, name in enumerate(NAMES)}
WORST = {name: -value for name, value in BEST.items()}
MIDDLE = BEST | {"s": 7.0, "z": 0.0}
IC_OF_MIDDLE = 1 - 6 * 2 * 49 / (8 * 63)
SQUARED = {"rule": "squared_error", "primary": "score"}


CARRIED = {"policy": "carry_forward"}


def carried(rows: pd.DataFrame, declared: Contract) -> pd.DataFrame:
    """Predictions with what stands in by the contract."""
    if not declared.missing.carries:
        return rows
    cycles = [pd.Timestamp(one).to_pydatetime() for one in rows["cycle"].unique()]
    chosen = choose_stand_ins(Played.of_predictions(rows), cycles, declared.missing.max_cycles)
    return carry_forward(rows, rows.iloc[:0], chosen)


def snapshots(plays: dict[str, str], **changes: Any) -> pd.DataFrame:
    """Snapshots of the last moment: model -> how it plays each cycle: best, middle, worst, or not (a blank)."""
    how = {"b": BEST, "m": MIDDLE, "w": WORST}
    n_cycles = max(map(len, plays.values()))
    rows = stack(
        *(
            predictions({model: how[play[number]] for model, play in plays.items() if play[number] != " "}, number)
            for number in range(n_cycles)
        )
    )
    outcomes = stack(*(truth(BEST, number + 1) for number in range(n_cycles)))
    declared = contract(windows={"all": {}, "two": {"cycles": 2}}, **changes)
    rows = carried(rows, declared)
    metrics = compute_cycle_metrics(rows, outcomes, score_predictions(rows, outcomes, declared), declared)
    return compute_snapshots(metrics, [cycle(n_cycles)], declared).set_index(["model_id", "window_name", "metric"])


def test_absences_begin_after_the_first_cycle_and_only_where_somebody_played() -> None:
    took_part = np.array([[1, 0], [0, 0], [1, 1], [0, 1], [1, 0]], dtype=bool)
    assert absences(took_part).tolist() == [
        [False, False],
        [False, False],
        [False, False],
        [True, False],
        [False, True],
    ]


def test_nothing_stands_in_by_default() -> None:
    found = snapshots({"a": "b b", "b": "mmm"})
    assert found.loc[("a", "all", "ic"), ["value", "n", "n_imputed"]].tolist() == [pytest.approx(1.0), 2, 0]


def test_a_baseline_stands_in_but_is_not_counted_as_the_models_own() -> None:
    found = snapshots({"a": "b b", "b": "mmm"}, missing={"policy": "baseline", "baseline": "b"})
    row = found.loc[("a", "all", "ic")]
    assert row["value"] == pytest.approx((2 + IC_OF_MIDDLE) / 3)
    assert row[["n", "n_imputed", "n_scored"]].tolist() == [2, 1, 16]
    assert row["coverage"] == pytest.approx(2 / 3)
    assert found.loc[("b", "all", "ic"), "n_imputed"] == 0


def test_a_baseline_that_did_not_play_stands_in_for_nobody() -> None:
    found = snapshots({"a": "b b", "b": "m m", "c": "www"}, missing={"policy": "baseline", "baseline": "b"})
    assert found.loc[("a", "all", "ic"), ["value", "n", "n_imputed"]].tolist() == [pytest.approx(1.0), 2, 0]


def test_the_worst_of_the_cycle_stands_in_whichever_way_is_better() -> None:
    found = snapshots({"a": "b b", "b": "mmm", "c": "mwm"}, missing={"policy": "worst"})
    assert found.loc[("a", "all", "ic"), "value"] == pytest.approx((2 - 1) / 3)
    losses = snapshots({"a": "b b", "b": "mmm", "c": "mwm"}, missing={"policy": "worst"}, scoring=SQUARED)
    assert losses.loc[("a", "all", "score"), "value"] == pytest.approx(4 * sum(x * x for x in range(8)) / 24)


def test_what_stands_in_for_pooled_metrics_are_tasks_that_are_not_counted() -> None:
    found = snapshots({"a": "b b", "b": "www"}, missing={"policy": "worst"}, center=-0.5)
    row = found.loc[("a", "all", "hit_rate")]
    assert row[["n", "n_imputed"]].tolist() == [14, 1]  # an outcome of 0 has no sign
    assert row["value"] < 1.0


def test_series_are_of_what_stands_in_too() -> None:
    found = snapshots({"a": "b b", "b": "mmm"}, missing={"policy": "baseline", "baseline": "b"})
    series = np.array([1.0, IC_OF_MIDDLE, 1.0])
    row = found.loc[("a", "all", "ic_sharpe")]
    assert row["value"] == pytest.approx(series.mean() / series.std(ddof=1))
    assert row[["n", "n_imputed"]].tolist() == [2, 1]


def test_a_model_says_how_many_cycles_it_has_left_out_since_its_last() -> None:
    found = snapshots({"a": "bbbb", "b": "mm  ", "c": "w ww", "d": "  m "})
    absent = found.xs(("all", "ic"), level=("window_name", "metric"))["cycles_absent"]
    assert absent.to_dict() == {"a": 0, "b": 2, "c": 0, "d": 1}


def test_a_submission_carried_forward_is_scored_but_is_not_counted_as_the_models_own() -> None:
    found = snapshots({"a": "m  b", "b": "wwww"}, missing=CARRIED)
    row = found.loc[("a", "all", "ic")]
    assert row["value"] == pytest.approx((3 * IC_OF_MIDDLE + 1) / 4)
    assert row[["n", "n_imputed", "n_scored", "cycles_absent"]].tolist() == [2, 2, 16, 0]
    assert row["coverage"] == row["coverage_since_first"] == pytest.approx(1 / 2)
    pooled = found.loc[("a", "all", "score")]
    assert pooled[["n", "n_imputed"]].tolist() == [16, 2]
    assert found.loc[("b", "all", "ic"), ["n", "n_imputed"]].tolist() == [4, 0]


def test_coverage_as_a_metric_leaves_out_what_is_carried() -> None:
    found = snapshots({"a": "m  b", "b": "wwww"}, missing=CARRIED, metrics=["ic", "coverage"])
    assert found.loc[("a", "all", "coverage"), ["value", "n", "n_imputed"]].tolist() == [0.5, 32, 0]


def test_a_model_that_stopped_is_carried_so_far_and_absent_since_its_last_own_cycle() -> None:
    found = snapshots({"a": "bm   ", "b": "wwwww"}, missing=CARRIED | {"max_cycles": 1})
    row = found.loc[("a", "all", "ic")]
    assert row["value"] == pytest.approx((1 + 2 * IC_OF_MIDDLE) / 3)
    assert row[["n", "n_imputed", "cycles_absent"]].tolist() == [2, 1, 3]
    gone = found.loc[("a", "two", "ic")]
    assert gone[["n", "n_imputed", "n_scored", "reason"]].tolist() == [0, 0, 0, "no_predictions"]


def test_a_window_may_hold_nothing_of_a_models_own() -> None:
    row = snapshots({"a": "b   ", "b": "wwww"}, missing=CARRIED).loc[("a", "two", "ic")]
    assert row["value"] == pytest.approx(1.0)
    assert row[["n", "n_imputed", "n_scored", "coverage", "cycles_absent"]].tolist() == [0, 2, 0, 0.0, 3]


def test_a_model_is_on_the_board_from_its_own_first_resolved_cycle() -> None:
    rows = stack(predictions({"a": BEST, "b": BEST}), *(predictions({"b": BEST}, number) for number in (1, 2)))
    declared = contract(missing=CARRIED)
    rows = carried(rows, declared)
    for known, expected in (([2, 3], ["b"]), ([1, 2, 3], ["a", "b"])):
        outcomes = stack(*(truth(BEST, number) for number in known))
        metrics = compute_cycle_metrics(rows, outcomes, score_predictions(rows, outcomes, declared), declared)
        found = compute_snapshots(metrics, [cycle(3)], declared)
        assert sorted(found["model_id"].unique()) == expected


def test_scores_metrics_and_panels_say_what_is_imputed() -> None:
    rows = stack(predictions({"a": BEST, "b": BEST}), predictions({"b": WORST}, 1))
    outcomes = stack(truth(BEST, 1), truth(BEST, 2), truth(BEST | {"s": 1.0}, 2, known_at=cycle(3)))
    declared = contract(missing=CARRIED)
    rows = carried(rows, declared)
    scores = score_predictions(rows, outcomes, declared)
    metrics = compute_cycle_metrics(rows, outcomes, scores, declared)
    for found in (scores, metrics):
        flagged = found[found["is_imputed"]]
        assert set(zip(flagged["model_id"], flagged["cycle"], strict=True)) == {("a", pd.Timestamp(cycle(1)))}
        assert len(flagged) == ((found["model_id"] == "a") & (found["cycle"] == cycle(1))).sum()
        assert flagged["known_at"].nunique() == 2
    panels = [state.panel for state in Block.of(rows, outcomes, declared).states()]
    assert [panel.imputed.tolist() for panel in panels] == [[[False, False], [True, False]], [[True, False]]]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_carried_moves_values_as_if_submitted_and_counts_as_if_not(seed: int) -> None:
    rows, outcomes = random_contest(seed, cycles=9)
    declared = contract(missing=CARRIED, windows={"three": {"cycles": 3}, "all": {}})
    whole = carried(rows, declared)
    assert whole["is_imputed"].any()
    rows_of = {"carried": whole, "submitted": whole.assign(is_imputed=False), "left out": rows}
    found = {}
    for how, given in rows_of.items():
        metrics = compute_cycle_metrics(given, outcomes, score_predictions(given, outcomes, declared), declared)
        as_ofs = sorted(metrics["known_at"].unique())
        key = ["as_of", "model_id", "window_name", "metric"]
        found[how] = compute_snapshots(metrics, as_ofs, declared).set_index(key).sort_index()
    assert found["carried"].index.equals(found["left out"].index)
    submitted = found["submitted"].loc[found["carried"].index]
    for column in ("value", "se", "ci_low", "reason"):
        pd.testing.assert_series_equal(found["carried"][column], submitted[column], check_exact=True)
    for column in ("n_scored", "coverage", "coverage_since_first", "cycles_absent"):
        pd.testing.assert_series_equal(found["carried"][column], found["left out"][column], check_exact=True)
    pooled = found["carried"].index.get_level_values("metric").isin(["hit_rate", "score"])
    counted = found["carried"]["n"] + found["carried"]["n_imputed"]
    assert counted[~pooled].equals(submitted["n"][~pooled])
    # Whatever is a model's own is counted as if nothing were carried.
    assert found["carried"]["n"].equals(found["left out"]["n"])


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({"policy": "baseline"}, "name a model with policy: baseline"),
        ({"baseline": "b"}, "name a model with policy: baseline"),
        ({"policy": "carry_forward", "baseline": "b"}, "name a model with policy: baseline"),
        ({"max_cycles": 3}, "missing.max_cycles is 3 and missing.policy is 'skip'; it limits policy: carry_forward"),
        ({"policy": "worst", "max_cycles": 3}, "it limits policy: carry_forward only"),
        ({"policy": "carry_forward", "max_cycles": 0}, "greater than or equal to 1"),
        ({"policy": "median"}, "'skip', 'baseline', 'worst' or 'carry_forward'"),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_refused(missing: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        contract(missing=missing)
