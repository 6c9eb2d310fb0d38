"""Cycles that a model leaves out: what stands in for them, and that it never counts as the model's own."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.competition.stages import compute_cycle_metrics, compute_snapshots, score_predictions
from pipeline.competition.stages.missing import absences
from pipeline_tests.competition.contests import contract, cycle, predictions, stack, truth

NAMES = "stuvwxyz"
BEST = {name: float(place) for place, name in enumerate(NAMES)}
WORST = {name: -value for name, value in BEST.items()}
MIDDLE = BEST | {"s": 7.0, "z": 0.0}
IC_OF_MIDDLE = 1 - 6 * 2 * 49 / (8 * 63)
SQUARED = {"rule": "squared_error", "primary": "score"}


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


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({"policy": "baseline"}, "name a model with policy: baseline"),
        ({"baseline": "b"}, "name a model with policy: baseline"),
        ({"policy": "median"}, "'skip', 'baseline' or 'worst'"),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_refused(missing: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        contract(missing=missing)
