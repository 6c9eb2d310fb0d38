"""Scored tasks for evaluation sets: which predictions are submitted, scored by which outcome and on which scale."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.evaluations import ScoredTasks
from pipeline.competition.stages import score_tasks
from pipeline_tests.competition.contests import HOUR, WEEK, contract, cycle, predictions

ERRORS = {"name": "errors", "metrics": ["absolute_error", "squared_error"]}
VALUES = {"good": {"A": 1.0, "B": 2.0}, "poor": {"A": 5.0}}


def truth(*rows: tuple[str, int, Any, float]) -> pd.DataFrame:
    """Outcomes at the end of the first week: subject, horizon (-1 is any), when it was known, value."""
    return pd.DataFrame(
        [
            {"subject": subject, "target_time": cycle(1), "horizon": horizon, "known_at": known_at, "value": value}
            for subject, horizon, known_at, value in rows
        ]
    )


def value(tasks: ScoredTasks, measure: str, model: str, subject: str) -> float:
    row = tasks.subjects.tolist().index(subject)
    return float(tasks.measures[measure][row, tasks.models.tolist().index(model)])


def test_every_prediction_in_time_is_submitted_and_scored_by_the_newest_outcome() -> None:
    outcomes = truth(("A", -1, cycle(1), 3.0), ("A", -1, cycle(2), 1.5))
    late = predictions({"late": {"A": 1.0}}, late=["late"])
    tasks = score_tasks(pd.concat([predictions(VALUES), late]), outcomes, contract(evaluations=[ERRORS]))
    assert tasks.models.tolist() == ["good", "poor"]
    assert tasks.subjects.tolist() == ["A", "B"]
    assert (tasks.cycles == np.datetime64(cycle(0))).all()
    assert (tasks.target_times == np.datetime64(cycle(1))).all()
    np.testing.assert_array_equal(tasks.submitted, [[True, True], [True, False]])
    assert value(tasks, "absolute_error", "good", "A") == 0.5
    assert value(tasks, "squared_error", "poor", "A") == 3.5**2
    assert np.isnan(value(tasks, "absolute_error", "good", "B"))


def test_the_outcome_of_a_horizon_goes_before_the_one_of_any_once_it_is_known() -> None:
    of_any, own = ("A", -1, cycle(1), 3.0), ("A", 1, cycle(2), 2.0)
    declared = contract(evaluations=[ERRORS])
    later_of_any = ("A", -1, cycle(3), 9.0)
    for rows, error in (((of_any,), 2.0), ((of_any, own), 1.0), ((of_any, own, later_of_any), 1.0)):
        tasks = score_tasks(predictions(VALUES), truth(*rows), declared)
        assert value(tasks, "absolute_error", "good", "A") == error


def test_a_withdrawn_outcome_is_none() -> None:
    outcomes = truth(("A", -1, cycle(1), 3.0), ("A", -1, cycle(1) + HOUR, np.nan))
    tasks = score_tasks(predictions(VALUES), outcomes, contract(evaluations=[ERRORS]))
    assert np.isnan(value(tasks, "absolute_error", "good", "A"))
    assert tasks.submitted.any()


def test_what_stands_in_for_a_submission_is_none() -> None:
    rows = pd.concat([predictions(VALUES), predictions({"away": {"A": 1.0}}).assign(is_imputed=True)])
    tasks = score_tasks(rows, truth(("A", -1, cycle(1), 3.0)), contract(evaluations=[ERRORS]))
    away = tasks.models.tolist().index("away")
    assert not tasks.submitted[:, away].any()
    assert np.isnan(value(tasks, "absolute_error", "away", "A"))


def test_the_contests_scale_is_that_of_every_measure() -> None:
    scaled = contract(
        evaluations=[ERRORS],
        scoring={"rule": "absolute_error", "primary": "score", "scale": "log1p"},
        metrics=["score"],
        leaderboard={"rank_by": "all.score"},
    )
    tasks = score_tasks(predictions(VALUES), truth(("A", -1, cycle(1), 3.0)), scaled)
    assert value(tasks, "absolute_error", "good", "A") == pytest.approx(np.log(4) - np.log(2))
    assert value(tasks, "squared_error", "good", "A") == pytest.approx((np.log(4) - np.log(2)) ** 2)


def test_horizons_have_their_own_target_times() -> None:
    rows = pd.concat([predictions(VALUES, horizon=horizon) for horizon in (1, 2)])
    tasks = score_tasks(rows, truth(("A", -1, cycle(1), 3.0)), contract(evaluations=[ERRORS]))
    times = {int(horizon): time for horizon, time in zip(tasks.horizons, tasks.target_times, strict=True)}
    assert times == {1: np.datetime64(cycle(1)), 2: np.datetime64(cycle(1) + WEEK)}
