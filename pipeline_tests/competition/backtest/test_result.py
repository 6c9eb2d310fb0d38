"""A backtest gives the rows of a board computed whole with the candidate among the others, and says what limits it."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.competition.backtest import Backtest, BacktestError, BoardRows, backtest
from pipeline.competition.backtest import board as blocks
from pipeline_tests.competition.backtest.boards import (
    ENSEMBLES,
    GIVEN,
    LATER,
    assert_same,
    board_of,
    declared,
    factors_of,
    rows_of,
)
from pipeline_tests.competition.contests import contract, cycle, predictions, random_contest, stack, truth

OWN = "m2"
NAMES = [f"s{number}" for number in range(6)]
VARIANTS: list[dict[str, Any]] = [
    {},
    {"missing": {"policy": "carry_forward", "max_cycles": 2}},
    {"missing": {"policy": "worst"}},
    {"missing": {"policy": "baseline", "baseline": "m0"}},
    {
        "predictions": {"source": "inbox", "deadline": "9d"},
        "truth": {"source": "inbox"},
        "factors": {"source": "inbox"},
        "horizon_length": "7d",
    },
    {"ensembles": [], "metrics": ["ic"], "leaderboard": {"rank_by": {"all.ic": 2, "month.ic": 1}}},
    {
        "ensembles": ENSEMBLES[:1],
        "metrics": ["ic", "contribution", "ensemble_correlation"],
        "leaderboard": {"rank_by": "all.contribution", "inactive_after": 3},
    },
    {"scoring": {"rule": "absolute_error", "primary": "score"}, "leaderboard": {"rank_by": "all.score"}},
]
CASES = [
    *((case, changes) for changes in VARIANTS for case in ("a newcomer", "another's place")),
    *((case, changes) for changes in VARIANTS[:2] for case in ("some cycles", "a cycle alone", "block by block")),
]


def in_time(rows: pd.DataFrame, deadline: timedelta) -> pd.DataFrame:
    due = rows["cycle"] + deadline
    return rows.assign(received_at=due, deadline=due, is_late=False)


def assert_is_the_whole_board(result: Backtest, expected: BoardRows) -> None:
    snapshots, board = board_of(expected, result.contract)
    assert result.as_of == board["as_of"].max()
    assert_same(snapshots, result.snapshots, ["category", "model_id", "window_name", "metric"])
    assert_same(board, result.board, ["category", "model_id"])


@pytest.mark.parametrize(("case", "changes"), CASES)
def test_a_backtest_is_the_board_computed_whole(
    case: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = declared(**changes)
    predicted, outcomes = random_contest(3, cycles=9, models=4)
    predicted = predicted.assign(deadline=predicted["cycle"] + declaration.predictions.deadline)
    factors = factors_of(predicted)
    own = in_time(predicted[predicted["model_id"] == OWN], declaration.predictions.deadline)
    before = predicted[predicted["model_id"] != OWN]
    if case == "some cycles":
        own = own[own["cycle"] >= cycle(4)]
    if case == "a cycle alone":
        before = before[before["cycle"] != cycle(4)]
    if case == "another's place":
        own = own.assign(model_id="m3")
    if case == "block by block":
        monkeypatch.setattr(blocks, "_CELLS", 1)
    whole = stack(before[before["model_id"] != own["model_id"].iloc[0]], own)

    result = backtest(own[GIVEN], rows_of(before, outcomes, factors, declaration), declaration)

    assert_is_the_whole_board(result, rows_of(whole, outcomes, factors, declaration))
    assert result.replaces == (case == "another's place")


def small(*models: str, cycles: int = 4, resolved: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Models that say much the same of six subjects, and outcomes of the first cycles."""
    signals = {
        model: {name: float(number * (place + 1) % 11) for number, name in enumerate(NAMES)}
        for place, model in enumerate(models)
    }
    predicted = stack(*(predictions(signals, number) for number in range(cycles)))
    outcome = {name: float(number) for number, name in enumerate(NAMES)}
    return predicted, stack(*(truth(outcome, number + 1) for number in range(resolved)))


def result_of(
    predicted: pd.DataFrame, outcomes: pd.DataFrame, *, known_at: datetime = LATER, **changes: Any
) -> Backtest:
    declaration = contract(**changes)
    board = predicted[predicted["model_id"] != "own"]
    rows = rows_of(board, outcomes, factors_of(predicted), declaration, known_at)
    return backtest(predicted.loc[predicted["model_id"] == "own", GIVEN], rows, declaration)


def test_it_says_how_many_cycles_have_no_outcome_yet() -> None:
    result = result_of(*small("own", "a", "b"))
    assert (len(result.cycles), len(result.resolved)) == (4, 3)
    assert result.notes == ("1 of 4 cycles has no outcome yet.",)


def test_the_standing_is_that_among_all_ranked_models_with_its_neighbours() -> None:
    predicted, outcomes = small("own", "a", "b", "c", "d", "e", "f")
    result = result_of(predicted, outcomes)
    near = result.neighbours(each_side=1)
    place = near["model_id"].tolist().index("own")
    assert result.n_ranked == 7
    assert result.row["model_id"] == "own"
    assert near["position"].iloc[0] == 1
    assert abs(near["position"] - result.row["position"]).tolist()[place] == 0
    assert len(near) <= 4


def test_of_one_cycle_there_are_values_and_the_reason_why_no_interval() -> None:
    result = result_of(*small("own", "a", "b", cycles=1, resolved=1))
    windows = result.windows.set_index(["window_name", "metric"])
    assert windows.loc[("all", "ic"), "n"] == 1
    assert windows.loc[("all", "ic"), "ci_method"] == "too_few_cycles"
    assert windows.loc[("all", "ic_sharpe"), "reason"] == "too_few_cycles"


def test_the_own_metrics_are_the_newest_of_every_cycle() -> None:
    predicted, outcomes = small("own", "a")
    revised = truth({"s0": 9.0}, 1, known_at=cycle(2) + timedelta(hours=1))
    own = result_of(predicted, stack(outcomes, revised)).own_metrics
    ic = own[own["metric"] == "ic"]
    assert ic["cycle"].tolist() == [cycle(0), cycle(1), cycle(2)]
    assert ic["known_at"].iloc[0] == cycle(2) + timedelta(hours=1)


def test_the_cumulative_metric_of_all_begins_with_the_model_and_ends_with_it() -> None:
    predicted, outcomes = small("own", "a", "b")
    is_early = (predicted["model_id"] == "own") & (predicted["cycle"] < cycle(1))
    summed = result_of(predicted[~is_early], outcomes, ensembles=[{"name": "main"}]).cumulative(top=1)
    assert sorted(summed["cycle"].unique()) == [cycle(1), cycle(2)]
    assert len(summed["model_id"].unique()) == 3
    assert {"own", "__ensemble_main__"} < set(summed["model_id"])
    own = summed[summed["model_id"] == "own"]["value"].tolist()
    assert own[1] == pytest.approx(2 * own[0])


def test_cycles_under_embargo_are_left_out_and_said_so() -> None:
    predicted, outcomes = small("own", "a", "b")
    embargo = {"source": "pipeline.baselines.sp500", "publish_after": "15d"}
    result = result_of(predicted, outcomes, known_at=cycle(3), predictions=embargo)
    assert [one for one in result.resolved] == [cycle(0)]
    assert result.notes[1].startswith(
        "2 cycles from 2024-01-12 on are left out: what others predicted is under embargo"
    )


def test_a_board_that_knows_more_than_is_published_is_said_to() -> None:
    predicted, outcomes = small("own", "a", "b")
    declaration = contract()
    board = rows_of(predicted[predicted["model_id"] != "own"], outcomes, factors_of(predicted), declaration)
    later = BoardRows(**{**vars(board), "as_of": cycle(9)})
    result = backtest(predicted.loc[predicted["model_id"] == "own", GIVEN], later, declaration)
    assert result.notes[-1].startswith("Today's board speaks for 2024-03-08; without the cycles under embargo it is")


def refused(predicted: pd.DataFrame, outcomes: pd.DataFrame, own: pd.DataFrame, **changes: Any) -> str:
    declaration = contract(**changes)
    rows = rows_of(predicted, outcomes, factors_of(predicted), declaration, cycle(3))
    with pytest.raises(BacktestError) as caught:
        backtest(own, rows, declaration)
    return str(caught.value)


def test_predictions_that_cannot_be_tested_are_refused_with_what_would_do() -> None:
    predicted, outcomes = small("a", "b")
    own = predicted.loc[predicted["model_id"] == "a", GIVEN]
    assert refused(predicted, outcomes, own.iloc[:0]).startswith("there are no predictions to test")
    assert refused(predicted, outcomes, predicted[GIVEN]) == "the predictions are of 2 models: a, b; test one of them"
    virtual = own.assign(model_id="__ensemble_main__")
    assert refused(predicted, outcomes, virtual).startswith("'__ensemble_main__' is a name of virtual models")
    assert refused(predicted, outcomes, own[own["cycle"] == cycle(3)]) == (
        "no outcome is known of any of the 1 cycle of 'a' (2024-01-26); the board has outcomes for cycles "
        "2024-01-05 to 2024-01-19"
    )
    assert refused(predicted, outcomes.iloc[:0], own).endswith("the board has no outcome at all yet")
    embargo = {"source": "pipeline.baselines.sp500", "publish_after": "70d"}
    assert "with an outcome are under embargo" in refused(predicted, outcomes, own, predictions=embargo)
