"""A model is asked cycle by cycle, and cannot see what was not known at the deadline."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.backtest import BacktestError, BoardRows, Known, predict
from pipeline_tests.competition.backtest.boards import GIVEN, factors_of, rows_of
from pipeline_tests.competition.contests import NAN, contract, cycle, predictions, random_contest, stack, truth

DECLARED = contract()
SUBJECTS = ["s0", "s1", "s2"]
Call = tuple[datetime, list[str], Known]


@pytest.fixture(scope="module")
def board() -> BoardRows:
    """Three cycles of three subjects; the outcome of the first is revised while the third is open."""
    signal = {"a": dict.fromkeys(SUBJECTS, 1.0)}
    predicted = stack(*(predictions(signal, number) for number in range(3)))
    outcomes = stack(
        truth({"s0": 1.0, "s1": 2.0, "s2": 3.0}, 1),
        truth({"s0": 10.0, "s1": None}, 1, known_at=cycle(2) - timedelta(hours=1)),
        truth({"s0": 4.0, "s1": 5.0, "s2": 6.0}, 2, known_at=cycle(2) + timedelta(hours=1)),
    )
    return rows_of(predicted, outcomes, factors_of(predicted), DECLARED)


def asked(board: BoardRows, declaration: Any = DECLARED, **range: datetime) -> list[Call]:
    calls: list[Call] = []

    def model(cycle: datetime, subjects: Sequence[str], known: Known) -> dict[str, float]:
        calls.append((cycle, list(subjects), known))
        return dict.fromkeys(subjects, 1.0)

    predict(model, "own", board, declaration, **range)
    return calls


QUANTILES = contract(
    predictions={"source": "s", "output_type": "quantile", "output_type_ids": [0.1, 0.5, 0.9]},
    scoring={"rule": "wis", "primary": "wis"},
    metrics=["wis"],
    leaderboard={"rank_by": "all.wis"},
)
SAMPLES = contract(
    predictions={"source": "s", "output_type": "sample"},
    scoring={"rule": "crps", "primary": "crps"},
    metrics=["crps"],
    leaderboard={"rank_by": "all.crps"},
)


@pytest.mark.parametrize(
    ("declaration", "given", "numbers"),
    [
        (QUANTILES, {0.1: 1.0, "0.50": 2.0, 0.9: 3.0}, {"0.1": 1.0, "0.5": 2.0, "0.9": 3.0}),
        (QUANTILES, pd.Series([1.0, 3.0], [0.1, 0.9]), {"0.1": 1.0, "0.9": 3.0}),
        (QUANTILES, [1.0, 2.0, 3.0], {"0.1": 1.0, "0.5": 2.0, "0.9": 3.0}),
        (QUANTILES, np.array([1.0, NAN, 3.0]), {"0.1": 1.0, "0.9": 3.0}),
        (QUANTILES, None, {}),
        (SAMPLES, (5.0, 4.0), {"1": 5.0, "2": 4.0}),
        (SAMPLES, {7: 5.0}, {"7": 5.0}),
    ],
)
def test_a_model_of_distributions_gives_their_numbers(
    board: BoardRows, declaration: Any, given: object, numbers: dict[str, float]
) -> None:
    found = predict(lambda *_: {"s0": given, "s1": [1.0, 2.0, 3.0]}, "own", board, declaration)
    own = found[(found["subject"] == "s0") & (found["cycle"] == cycle(0))]
    assert dict(zip(own["output_type_id"], own["value"], strict=True)) == numbers
    assert set(found["subject"]) == ({"s0", "s1"} if numbers else {"s1"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({0.2: 1.0}, "gives a number for '0.2' of 's0' in cycle .*; quantile predictions have 0.1, 0.5, 0.9"),
        ([1.0, 2.0], "gives 2 numbers for 's0' in cycle .*; quantile predictions have 3: 0.1, 0.5, 0.9"),
        (1.0, r"gives 1.0 for 's0' in cycle .*; it must give the numbers of a quantile prediction: \{id: number\}"),
        ({0.1: "low"}, "gives 'low' for 's0' in cycle .*, which is no number"),
    ],
)
def test_what_is_no_distribution_is_named(board: BoardRows, given: object, message: str) -> None:
    with pytest.raises(BacktestError, match=message):
        predict(lambda *_: {"s0": given}, "own", board, QUANTILES)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("deadline", ["0h", "-12h", "9d"])
def test_a_model_never_sees_what_was_not_known_at_the_deadline(seed: int, deadline: str) -> None:
    declaration = contract(predictions={"source": "pipeline.baselines.sp500", "deadline": deadline})
    predicted, outcomes = random_contest(seed)
    board = rows_of(predicted, outcomes, factors_of(predicted), DECLARED)
    calls = asked(board, declaration)
    assert len(calls) == len(predicted[~predicted["is_late"]][["cycle", "horizon"]].drop_duplicates())
    for at, _, known in calls:
        assert known.deadline == at + declaration.predictions.deadline
        assert (known.truth["known_at"] <= known.deadline).all()
        assert (known.factors["cycle"] <= at).all()
        assert len(known.factors) == (board.factors["cycle"] <= at).sum()
        by_then = outcomes[outcomes["known_at"] <= known.deadline].sort_values("known_at", kind="stable")
        newest = by_then.drop_duplicates(["subject", "target_time", "horizon"], keep="last").dropna(subset=["value"])
        key = ["subject", "target_time", "horizon"]
        left, right = (rows.sort_values(key, ignore_index=True) for rows in (newest, known.truth))
        pd.testing.assert_frame_equal(left, right[list(left.columns)], check_dtype=False)


def test_what_comes_later_changes_no_call(board: BoardRows) -> None:
    other = BoardRows(**{**vars(board), "truth": board.truth[board.truth["known_at"] <= cycle(2)]})
    for (*_, known), (*_, again) in zip(asked(board), asked(other), strict=True):
        pd.testing.assert_frame_equal(known.truth, again.truth)


def test_a_revision_and_a_withdrawal_count_from_when_they_are_known(board: BoardRows) -> None:
    first, second, third = ({row.subject: row.value for row in known.truth.itertuples()} for *_, known in asked(board))
    assert first == {}
    assert second == {"s0": 1.0, "s1": 2.0, "s2": 3.0}
    assert third == {"s0": 10.0, "s2": 3.0}


def test_what_a_model_does_to_what_it_is_given_stays_with_it(board: BoardRows) -> None:
    def vandal(cycle: datetime, subjects: list[str], known: Known) -> dict[str, float]:
        known.truth["value"] = 0.0
        known.factors.loc[:, "value"] = 0.0
        subjects.clear()
        return {}

    with pytest.raises(BacktestError, match="predicts nothing in any of 3 calls"):
        predict(vandal, "own", board, DECLARED)
    assert [sorted(known.truth["value"]) for *_, known in asked(board)] == [[], [1.0, 2.0, 3.0], [3.0, 10.0]]


def test_every_horizon_is_asked_about_with_its_target_time() -> None:
    predicted, outcomes = random_contest(1, cycles=4)
    board = rows_of(predicted, outcomes, factors_of(predicted), DECLARED)
    assert [(known.horizon, known.target_time) for *_, known in asked(board)][:3] == [
        (1, cycle(1)),
        (2, cycle(2)),
        (1, cycle(2)),
    ]


def test_only_cycles_of_the_range_are_asked_about(board: BoardRows) -> None:
    assert [at for at, *_ in asked(board, first=cycle(1), last=cycle(1))] == [cycle(1)]


@pytest.mark.parametrize(
    "given",
    [
        {"s0": 1, "s1": np.float32(2.0), "s2": NAN},
        {"s0": 1.0, "s1": 2.0, "s2": None},
        pd.Series({"s0": 1.0, "s1": 2.0, "s2": pd.NA}),
    ],
)
def test_values_are_taken_and_missing_ones_are_no_predictions(board: BoardRows, given: Any) -> None:
    rows = predict(lambda *_: given, "own", board, DECLARED, first=cycle(2))
    assert list(rows.columns) == GIVEN
    assert rows[["model_id", "subject", "value"]].to_numpy().tolist() == [["own", "s0", 1.0], ["own", "s1", 2.0]]
    assert (rows["cycle"].iloc[0], rows["target_time"].iloc[0]) == (cycle(2), cycle(3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1.0], "gives a list in cycle 2024-01-05 00:00, horizon 1; it must give {subject: value}"),
        (
            {"X": 1.0},
            "gives a value for 'X' in cycle 2024-01-05 00:00, horizon 1, which is not asked for; asked for are s",
        ),
        ({"s0": "1"}, "gives '1' for 's0' in cycle 2024-01-05 00:00, horizon 1, which is no number"),
        ({"s0": True}, "gives True for 's0' in cycle 2024-01-05 00:00, horizon 1, which is no number"),
        ({"s0": math.inf}, "gives inf for 's0' in cycle 2024-01-05 00:00, horizon 1; a prediction is a finite number"),
    ],
)
def test_what_is_no_prediction_is_refused_with_its_cycle(board: BoardRows, given: Any, message: str) -> None:
    with pytest.raises(BacktestError) as caught:
        predict(lambda *_: given, "own", board, DECLARED)
    assert message in str(caught.value)


def test_a_model_that_fails_is_named_by_cycle_exception_and_line(board: BoardRows) -> None:
    def fails(at: datetime, subjects: list[str], known: Known) -> dict[str, float]:
        return {} if at == cycle(0) else {"s0": [0.0][len(subjects)]}

    line = fails.__code__.co_firstlineno + 1
    expected = (
        f"the model fails in cycle 2024-01-12 00:00, horizon 1: IndexError: list index out of range "
        f"(line {line}, in fails)"
    )
    with pytest.raises(BacktestError) as caught:
        predict(fails, "own", board, DECLARED)
    assert str(caught.value) == expected


def test_a_model_that_cannot_be_called_so_fails_without_a_line(board: BoardRows) -> None:
    def of_nothing() -> dict[str, float]:
        return {}

    with pytest.raises(BacktestError, match=r"TypeError: .*takes 0 positional arguments but 3 were given$"):
        predict(of_nothing, "own", board, DECLARED)  # type: ignore[arg-type]


def test_a_range_without_cycles_says_which_there_are(board: BoardRows) -> None:
    with pytest.raises(BacktestError, match="no cycle from 2024-03-01; it has cycles 2024-01-05 to 2024-01-19"):
        asked(board, first=datetime(2024, 3, 1))
    empty = BoardRows(**{**vars(board), "predictions": board.predictions.iloc[:0]})
    with pytest.raises(BacktestError, match="the board has no cycle yet"):
        asked(empty)
