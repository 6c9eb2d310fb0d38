"""Predictions and truth in, scores out: one row each time that a score became known or changed."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.stages import score_predictions, stamp_deadline
from pipeline.tables import SCORES
from pipeline_tests.competition.contests import (
    HOUR,
    contract,
    cycle,
    predictions,
    random_contest,
    shuffled,
    stack,
    truth,
)

SQUARED = contract(scoring={"rule": "squared_error", "primary": "score"})
RANKED = contract(min_subjects=2)
T1, T2, T3 = (cycle(1) + days * timedelta(days=1) for days in (0, 3, 9))
TWO = predictions({"a": {"x": 1.0, "y": 2.0}, "b": {"x": 3.0}})


def said(scores: pd.DataFrame) -> list[tuple]:
    """model, subject, known_at, outcome, value, failed_reason, sorted; NaN as None."""
    columns = ["model_id", "subject", "known_at", "outcome", "value", "failed_reason"]
    plain = scores[columns].astype(object).where(scores[columns].notna(), None)
    return sorted(map(tuple, plain.itertuples(index=False)), key=lambda row: (row[2], row[0], row[1]))


@pytest.mark.parametrize(
    ("received", "deadline", "is_late"),
    [(-HOUR, "0h", False), (0 * HOUR, "0h", False), (HOUR, "0h", True), (HOUR, "2h", False), (-HOUR, "-2h", True)],
)
def test_what_comes_after_the_deadline_is_late(received: timedelta, deadline: str, is_late: bool) -> None:
    declared = contract(predictions={"source": "s", "deadline": deadline})
    rows = stamp_deadline(pd.DataFrame({"cycle": [cycle(0)], "received_at": [cycle(0) + received]}), declared)
    assert rows[["output_type", "output_type_id", "is_late"]].to_numpy().tolist() == [["value", "", is_late]]
    assert rows["deadline"].tolist() == [cycle(0) + declared.predictions.deadline]


def test_each_prediction_with_an_outcome_has_a_score() -> None:
    scores = score_predictions(TWO, truth({"x": 0.0, "y": 0.5, "z": 9.0}), SQUARED)
    assert said(scores) == [
        ("a", "x", T1, 0.0, 1.0, None),
        ("a", "y", T1, 0.5, 2.25, None),
        ("b", "x", T1, 0.0, 9.0, None),
    ]
    assert scores["success"].all()
    assert scores["prediction"].tolist() == [1.0, 2.0, 3.0]


def test_a_prediction_without_an_outcome_has_no_row() -> None:
    assert said(score_predictions(TWO, truth({"y": 0.5}), SQUARED)) == [("a", "y", T1, 0.5, 2.25, None)]


def test_a_late_prediction_is_not_scored() -> None:
    late = predictions({"a": {"x": 1.0}, "b": {"x": 3.0}}, late=["b"])
    assert score_predictions(late, truth({"x": 0.0}), SQUARED)["model_id"].tolist() == ["a"]


def test_a_late_model_changes_no_one_elses_score() -> None:
    crowd = {f"m{number}": {s: float(number * ord(s) % 7) for s in "uvwxyz"} for number in range(3)}
    outcomes = truth({s: float(ord(s) % 5) for s in "uvwxyz"})
    with_late = score_predictions(predictions(crowd, late=["m2"]), outcomes, RANKED)
    without = score_predictions(predictions({m: crowd[m] for m in ("m0", "m1")}), outcomes, RANKED)
    pd.testing.assert_frame_equal(with_late, without)


def test_a_revision_adds_rows_only_where_the_score_changed_and_with_its_own_time() -> None:
    rows = stack(truth({"x": 0.0, "y": 0.5}), truth({"x": 2.0}, known_at=T2))
    assert said(score_predictions(TWO, rows, SQUARED)) == [
        ("a", "x", T1, 0.0, 1.0, None),
        ("a", "y", T1, 0.5, 2.25, None),
        ("b", "x", T1, 0.0, 9.0, None),
        ("a", "x", T2, 2.0, 1.0, None),
        ("b", "x", T2, 2.0, 1.0, None),
    ]


def test_a_revision_changes_the_rank_products_of_other_subjects() -> None:
    model = predictions({"a": {"x": 1.0, "y": 3.0, "z": 2.0}})
    rows = stack(truth({"x": 1.0, "y": 2.0, "z": 3.0}), truth({"x": 2.5}, known_at=T2))
    scores = score_predictions(model, rows, RANKED)
    assert [(*row[1:3], round(row[4], 12)) for row in said(scores)] == [
        *(("x", T1, 1.5), ("y", T1, 0.0), ("z", T1, 0.0)),
        *(("x", T2, 0.0), ("y", T2, -1.5)),
    ]


def test_a_withdrawn_outcome_takes_the_score_back() -> None:
    rows = stack(truth({"x": 0.0, "y": 0.5}), truth({"x": None}, known_at=T2), truth({"x": 0.0}, known_at=T3))
    scores = score_predictions(TWO[TWO["model_id"] == "a"], rows, SQUARED)
    assert said(scores) == [
        ("a", "x", T1, 0.0, 1.0, None),
        ("a", "y", T1, 0.5, 2.25, None),
        ("a", "x", T2, None, None, "outcome_withdrawn"),
        ("a", "x", T3, 0.0, 1.0, None),
    ]
    assert scores.set_index("known_at")["success"].to_dict() == {T1: True, T2: False, T3: True}


def test_a_prediction_that_cannot_be_scored_says_why_and_so_again_when_the_reason_changes() -> None:
    constant = predictions({"a": {"x": 1.0, "y": 1.0, "z": 1.0}})
    rows = stack(truth({"x": 1.0}), truth({"y": 2.0}, known_at=T2))
    assert said(score_predictions(constant, rows, RANKED)) == [
        ("a", "x", T1, 1.0, None, "too_few_pairs"),
        ("a", "x", T2, 1.0, None, "constant_input"),
        ("a", "y", T2, 2.0, None, "constant_input"),
    ]


def test_an_outcome_withdrawn_before_it_was_ever_given_is_nothing() -> None:
    assert score_predictions(TWO, truth({"x": None}), SQUARED).empty


def test_horizons_have_scores_of_their_own() -> None:
    both = stack(predictions({"a": {"x": 1.0}}, horizon=1), predictions({"a": {"x": 1.0}}, horizon=2))
    scores = score_predictions(both, stack(truth({"x": 0.0}, 1), truth({"x": 3.0}, 2)), SQUARED)
    assert scores[["horizon", "known_at", "value"]].to_numpy().tolist() == [[1, cycle(1), 1.0], [2, cycle(2), 4.0]]


@pytest.mark.parametrize(
    ("rows", "outcomes"),
    [
        (TWO, truth({"x": 1.0}).iloc[:0]),
        (TWO, pd.DataFrame(columns=["subject", "target_time", "horizon", "known_at", "value"])),
        (TWO.iloc[:0], truth({"x": 1.0})),
        (predictions({"a": {"x": 1.0}}, late=["a"]), truth({"x": 1.0})),
    ],
)
def test_without_predictions_or_truth_there_are_no_scores(rows: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    scores = score_predictions(rows, outcomes, SQUARED)
    assert scores.empty
    assert [SCORES.board, *scores.columns] == list(SCORES.column_names)


def test_one_model_and_one_subject_are_enough_for_an_error() -> None:
    scores = score_predictions(predictions({"a": {"x": 1.0}}), truth({"x": 0.0}), SQUARED)
    assert scores["value"].tolist() == [1.0]


def test_odd_names_are_kept_as_they_are() -> None:
    names = ["__ensemble_main__", "a b/c.d'e\"f", "模型", "NaN", "", "A"]
    odd = predictions({name: {"B/RK.Ü": float(place)} for place, name in enumerate(names)})
    scores = score_predictions(odd, truth({"B/RK.Ü": 0.0}), SQUARED)
    assert dict(zip(scores["model_id"], scores["value"], strict=True)) == {
        name: place**2 for place, name in enumerate(names)
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("declared", [SQUARED, contract()])
def test_order_of_rows_is_without_effect_and_columns_are_those_of_the_table(seed: int, declared) -> None:
    rows, outcomes = random_contest(seed)
    scores = score_predictions(rows, outcomes, declared)
    pd.testing.assert_frame_equal(scores, score_predictions(shuffled(rows, seed), shuffled(outcomes, seed), declared))
    assert [SCORES.board, *scores.columns] == list(SCORES.column_names)
    assert not scores.duplicated([name for name in SCORES.key if name != "competition"]).any()
    np.testing.assert_array_equal(scores["success"], scores["value"].notna())
    np.testing.assert_array_equal(scores["failed_reason"].isna(), scores["success"])
    assert not np.isinf(scores["value"]).any()


@pytest.mark.parametrize("seed", range(3))
def test_scoring_cycles_one_by_one_gives_the_same_rows(seed: int) -> None:
    rows, outcomes = random_contest(seed, cycles=5)
    whole = score_predictions(rows, outcomes, contract())
    parts = [score_predictions(of_cycle, outcomes, contract()) for _, of_cycle in rows.groupby("cycle")]
    order = ["model_id", "cycle", "horizon", "subject", "known_at"]
    pd.testing.assert_frame_equal(
        stack(*(part for part in parts if len(part))).sort_values(order, ignore_index=True),
        whole.sort_values(order, ignore_index=True),
    )
