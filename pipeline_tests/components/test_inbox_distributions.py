"""Distributions that arrive as files: what is taken, what is refused as a whole, and boards that come of it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.backtest import backtest
from pipeline.components import competition
from pipeline.intake import StoreKnown, predictions_intake
from pipeline.landing import check_file, inbox
from pipeline.reports.queries import board_rows
from pipeline.tables import (
    LEADERBOARD,
    PREDICTION_ROWS,
    PREDICTIONS,
    QUARANTINE,
    SCORES,
    SNAPSHOTS,
    SUBMISSIONS,
)
from pipeline_tests.components.inbox_contest import InboxContest
from pipeline_tests.distribution_contest import CYCLES, IDS, RULES, SUBJECTS, DistributionContest, week
from pipeline_tests.toy_contest import ToyContest

Make = Callable[..., InboxContest]
GIVEN = ["model_id", "cycle", "horizon", "subject", "target_time", "output_type_id", "value"]
DISTRIBUTIONS = ["quantile", "pmf", "sample", "cdf"]


@pytest.fixture
def make(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A contest of an output type whose files are judged by their own times."""
    monkeypatch.setattr(competition, "_PICTURES", {})
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)

    def made(output_type: str, **changes: Any) -> InboxContest:
        rule, metrics = RULES[output_type]
        ids = {"output_type_ids": IDS[output_type]} if output_type != "sample" else {}
        return InboxContest(
            tmp_path,
            {
                "horizon_length": "7d",
                "predictions": {"source": "inbox", "trusted": True, "output_type": output_type, **ids},
                "truth": {"source": "inbox", "known_at": "column"},
                "scoring": {"rule": rule, "primary": metrics[0]},
                "metrics": [*metrics, "ic"],
                "leaderboard": {"rank_by": f"all.{metrics[0]}"},
                "min_subjects": 3,
                **changes,
            },
        )

    return made


def rows_of(output_type: str, *models: str) -> pd.DataFrame:
    """What some models predict one week ahead, whole distributions alone."""
    source = DistributionContest(output_type)
    rows = [
        {**task, "output_type_id": one, "value": value}
        for number in range(CYCLES)
        for task, numbers in source.forecasts(number)
        if task["horizon"] == 1 and task["model_id"] in models and len(numbers) == len(IDS[output_type])
        for one, value in numbers.items()
    ]
    return pd.DataFrame(rows)[GIVEN]


def truth_of(output_type: str) -> pd.DataFrame:
    return DistributionContest(output_type).truth()


def quarantined(contest: InboxContest) -> dict[str, int]:
    """Reasons of refused rows, and how many have each."""
    return contest.table(QUARANTINE)["reason"].value_counts().to_dict()


@pytest.mark.parametrize("output_type", DISTRIBUTIONS)
def test_files_of_distributions_become_a_board(make: Make, output_type: str) -> None:
    contest = make(output_type)
    sent = rows_of(output_type, "a", "b", "c")
    contest.bring(("predictions", sent), ("truth", truth_of(output_type)))
    assert contest.failing() == {}
    stored = contest.table(PREDICTIONS)
    assert len(stored) == len(sent)
    assert set(stored["output_type_id"]) == {str(one) for one in IDS[output_type]}
    assert quarantined(contest) == {}
    submissions = contest.table(SUBMISSIONS)
    assert set(submissions["n_rows"]) == {len(SUBJECTS)}, "predictions, not the rows that each of them takes"
    scores = contest.table(SCORES)
    assert scores["success"].all()
    assert contest.table(LEADERBOARD)["rank"].notna().any()


def quantiles(subject: str = "s0", number: int = 0, **numbers: float | str) -> pd.DataFrame:
    """One quantile forecast by model z, with some numbers of its own: q0_1=... ."""
    values: dict[str, float | str] = {"0.1": 1.0, "0.25": 2.0, "0.5": 3.0, "0.75": 4.0, "0.9": 5.0}
    values |= {name[1:].replace("_", "."): value for name, value in numbers.items()}
    task = {"model_id": "z", "cycle": week(number), "horizon": 1, "subject": subject}
    return pd.DataFrame([{**task, "output_type_id": one, "value": value} for one, value in values.items()])


WRONG_QUANTILES = {
    "crossing": (
        quantiles(q0_5=9.0),
        {"crossing_quantiles: quantiles cross: the value at 0.75 is below the one before it": 5},
    ),
    "missing": (quantiles().query("output_type_id != '0.9'"), {"missing_levels: lacks 0.9": 4}),
    "no number": (
        quantiles(q0_9="much"),
        {"value is 'much', not a finite number such as 1.5": 1, "missing_levels: lacks 0.9": 4},
    ),
    "unknown level": (
        quantiles(q0_3=2.5),
        {"output_type_id is '0.3', and quantile predictions have 0.1, 0.25, 0.5, 0.75, 0.9": 1},
    ),
    "another type": (
        quantiles().assign(output_type=["quantile"] * 4 + ["mean"]),
        {"output_type is 'mean', and 'quantile' is asked for": 1, "missing_levels: lacks 0.9": 4},
    ),
}


@pytest.mark.parametrize("wrong", WRONG_QUANTILES)
def test_a_forecast_that_breaks_a_rule_is_refused_as_a_whole(make: Make, wrong: str) -> None:
    broken, reasons = WRONG_QUANTILES[wrong]
    contest = make("quantile")
    good = quantiles("s1").assign(output_type="quantile")
    contest.bring(("predictions", pd.concat([broken, good])))
    assert contest.failing() == {}
    assert quarantined(contest) == reasons
    taken = contest.table(PREDICTIONS)
    is_whole = "unknown level" in wrong
    assert sorted(set(taken["subject"])) == (["s0", "s1"] if is_whole else ["s1"])
    assert set(taken["output_type_id"]) == {"0.1", "0.25", "0.5", "0.75", "0.9"}


def test_one_level_written_in_two_ways_is_given_twice(make: Make) -> None:
    contest = make("quantile")
    twice = pd.concat(
        [quantiles(), quantiles().query("output_type_id == '0.1'").assign(output_type_id="0.10", value=0.5)]
    )
    contest.bring(("predictions", twice))
    said = quarantined(contest)
    assert sum(said.values()) == 6
    assert said["missing_levels: lacks 0.1"] == 4
    assert any(
        "one of 2 rows of the file that have the same model_id, cycle, horizon, subject, output" in one for one in said
    )


def probabilities(*values: float, ids: tuple[object, ...] = ("low", "mid", "high")) -> pd.DataFrame:
    task = {"model_id": "z", "cycle": week(0), "horizon": 1, "subject": "s0"}
    return pd.DataFrame([{**task, "output_type_id": one, "value": v} for one, v in zip(ids, values, strict=True)])


@pytest.mark.parametrize(
    ("output_type", "rows", "reasons"),
    [
        ("pmf", probabilities(0.2, 0.2, 0.2), {"probabilities: probabilities add up to 0.6, not 1": 3}),
        (
            "pmf",
            probabilities(-0.2, 0.6, 0.6),
            {"value is no probability, which lies between 0 and 1": 1, "missing_levels: lacks low": 2},
        ),
        (
            "pmf",
            probabilities(1.5, 0.0, 0.0, ids=("low", "mid", "top")),
            {
                "value is no probability, which lies between 0 and 1": 1,
                "output_type_id is 'top', and pmf predictions have low, mid, high": 1,
                "missing_levels: lacks high, low": 1,
            },
        ),
        (
            "cdf",
            probabilities(0.1, 0.3, 0.2, 0.5, 1.0, ids=(-2, -1, 0, 1, 2)),
            {"crossing_quantiles: probabilities fall: the value at 0 is below the one before it": 5},
        ),
        (
            "sample",
            probabilities(0.1, 0.3, ids=(0, "first")),
            {
                "output_type_id is '0', and sample predictions have whole numbers from 1 up": 1,
                "output_type_id is 'first', and sample predictions have whole numbers from 1 up": 1,
            },
        ),
    ],
)
def test_what_is_no_distribution_is_refused(
    make: Make, output_type: str, rows: pd.DataFrame, reasons: dict[str, int]
) -> None:
    contest = make(output_type)
    contest.bring(("predictions", rows))
    assert quarantined(contest) == reasons
    assert contest.table(PREDICTION_ROWS).empty


def test_an_outcome_of_probabilities_is_the_place_of_a_category(make: Make) -> None:
    contest = make("pmf")
    outcomes = truth_of("pmf").head(4).assign(value=[0.0, 1.0, 2.5, 4.0])
    contest.bring(("predictions", rows_of("pmf", "a")), ("truth", outcomes))
    wrong = "value is the place of no category: give 1 to 3, for low, mid, high in this order"
    assert quarantined(contest) == {wrong: 3}


def test_a_later_file_takes_the_place_of_the_whole_submission(make: Make) -> None:
    contest = make("quantile")
    first, later = quantiles(q0_9=50.0), quantiles("s1")
    contest.bring(("predictions", first))
    contest.bring(("predictions", later))
    assert set(contest.table(PREDICTIONS)["subject"]) == {"s1"}
    assert contest.table(SUBMISSIONS)["n_rows"].tolist() == [1, 1]


def test_whole_forecasts_are_judged_however_many_rows_at_a_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.landing.staging._ROWS_AT_ONCE", 7)
    contest = make("quantile")
    frames = [quantiles(f"s{place}", **({"q0_1": 8.0} if place % 3 == 0 else {})) for place in range(9)]
    contest.bring(("predictions", pd.concat(frames).sample(frac=1.0, random_state=0)))
    assert quarantined(contest) == {
        "crossing_quantiles: quantiles cross: the value at 0.25 is below the one before it": 15
    }
    assert set(contest.table(PREDICTIONS)["subject"]) == {f"s{place}" for place in range(9) if place % 3}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_checking_says_what_landing_would_refuse(make: Make, tmp_path: Path, suffix: str) -> None:
    contest = make("quantile")
    contest.bring()
    rows = pd.concat([quantiles(), quantiles("s1", q0_1=9.0)]).assign(
        output_type_id=lambda rows: rows["output_type_id"].astype(float)
    )
    path = tmp_path / f"sent{suffix}"
    rows.to_csv(path, index=False) if suffix == ".csv" else rows.to_parquet(path)
    with contest.graph.open() as store:
        intake = predictions_intake(contest.contract, StoreKnown(store, "toy"))
        verdict = check_file(store.connection, path, intake, datetime(2024, 1, 1))
    assert (verdict.n_rows, verdict.n_accepted, verdict.n_rejected) == (10, 5, 5)
    assert verdict.reasons == (
        ("crossing_quantiles: quantiles cross: the value at 0.25 is below the one before it", 5),
    )


def test_a_file_without_ids_says_which_column_is_missing(make: Make, tmp_path: Path) -> None:
    contest = make("quantile")
    contest.bring()
    path = tmp_path / "sent.csv"
    quantiles().drop(columns="output_type_id").to_csv(path, index=False)
    with contest.graph.open() as store:
        intake = predictions_intake(contest.contract, StoreKnown(store, "toy"))
        verdict = check_file(store.connection, path, intake, datetime(2024, 1, 1))
    assert "it has no column 'output_type_id'" in str(verdict.unreadable)


@pytest.mark.parametrize("output_type", ["quantile", "sample"])
def test_a_backtest_of_distributions_is_the_board_after_submitting(make: Make, output_type: str) -> None:
    ensembles = [{"name": "pool", "strategy": "equal_weight", "combine": "linear_pool"}]
    contest = make(output_type, ensembles=ensembles)
    contest.bring(("predictions", rows_of(output_type, "a", "b")), ("truth", truth_of(output_type)))
    own = rows_of(output_type, "c")
    tested = own.assign(output_type_id=own["output_type_id"].astype(str))
    with contest.graph.open() as store:
        board = board_rows(store.connection, "toy", datetime(2100, 1, 1))
    result = backtest(tested, board, contest.contract)

    contest.bring(("predictions", own))
    for spec, found, key in (
        (SNAPSHOTS, result.snapshots, ["model_id", "window_name", "metric"]),
        (LEADERBOARD, result.board, ["model_id"]),
    ):
        rows = contest.table(spec).drop(columns="competition")
        expected = rows[rows["as_of"] == rows["as_of"].max()].sort_values(key, ignore_index=True)
        values = [name for name in ("value", "rank", "rank_key", "coverage", "n") if name in expected]
        left, right = (one.sort_values(key, ignore_index=True)[values].astype(float) for one in (expected, found))
        np.testing.assert_allclose(right, left, atol=1e-12)
