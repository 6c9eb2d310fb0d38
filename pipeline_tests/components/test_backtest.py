"""A backtest is the board that a submission of the same rows makes: nothing of it is an estimate."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.baselines.sp500 import source
from pipeline.competition.backtest import Backtest, BoardRows, backtest
from pipeline.components import competition
from pipeline.landing import inbox
from pipeline.reports.queries import board_rows
from pipeline.settings import PROJECT_ROOT
from pipeline.tables import LEADERBOARD, SNAPSHOTS, TableSpec
from pipeline_tests.competition.contests import OF_ANY, random_contest
from pipeline_tests.components.inbox_contest import InboxContest
from pipeline_tests.toy_contest import ToyContest

GIVEN = ["model_id", "cycle", "horizon", "subject", "target_time", "value"]
ENSEMBLES = [
    {"name": "main", "strategy": "equal_weight"},
    {"name": "best", "strategy": "inverse_variance", "min_history": 2, "filter": {"top_n": 2}},
]
EVERYTHING: dict[str, Any] = {
    "horizon_length": "7d",
    "predictions": {"source": "inbox", "trusted": True},
    "truth": {"source": "inbox", "known_at": "column"},
    "factors": {"source": "inbox", "values": ["size"]},
    "metrics": [*OF_ANY, "contribution@best"],
    "ensembles": ENSEMBLES,
    "windows": {"recent": {"cycles": 4}, "month": {"duration": "35d"}, "all": {}},
    "leaderboard": {"rank_by": "all.ic", "tie_breakers": ["recent.score"], "min_coverage": 0.3},
}
"""Every metric there is, two ensembles, revisions of truth."""

Make = Callable[..., InboxContest]


@pytest.fixture
def make(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr(competition, "_PICTURES", {})
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    return lambda **changes: InboxContest(tmp_path, EVERYTHING | changes)


def rows_of(contest: InboxContest) -> BoardRows:
    with contest.graph.open() as store:
        return board_rows(store.connection, "toy", datetime(2100, 1, 1))


def newest(contest: InboxContest, spec: TableSpec) -> pd.DataFrame:
    rows = contest.table(spec).drop(columns="competition")
    return rows[rows["as_of"] == rows["as_of"].max()]


def assert_same(expected: pd.DataFrame, found: pd.DataFrame, key: list[str]) -> None:
    left, right = (rows.sort_values(key, ignore_index=True)[list(expected.columns)] for rows in (expected, found))
    whole = dict.fromkeys(left.select_dtypes(["Int32", "Int64"]).columns, "float64")  # NULL is NaN in both
    pd.testing.assert_frame_equal(left.astype(whole), right, check_dtype=False, rtol=0, atol=1e-12)


def assert_is_the_board(result: Backtest, contest: InboxContest) -> None:
    snapshots, board = newest(contest, SNAPSHOTS), newest(contest, LEADERBOARD)
    assert result.as_of == board["as_of"].max()
    assert result.model_id in set(board["model_id"])
    assert_same(snapshots, result.snapshots, ["category", "model_id", "window_name", "metric"])
    assert_same(board, result.board, ["category", "model_id"])


def factors_of(predicted: pd.DataFrame) -> pd.DataFrame:
    cells = predicted[["cycle", "subject"]].drop_duplicates()
    return cells.assign(size=np.random.default_rng(1).normal(size=len(cells)))


def submitted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[*GIVEN, "received_at"]]


def test_a_backtest_is_the_board_after_submitting(make: Make) -> None:
    contest = make()
    predicted, outcomes = random_contest(5, cycles=9, models=4)
    own = predicted[predicted["model_id"] == "m2"].assign(received_at=lambda rows: rows["deadline"])
    others = predicted[predicted["model_id"] != "m2"]
    contest.bring(("predictions", submitted(others)), ("truth", outcomes), ("factors", factors_of(predicted)))

    result = backtest(own[GIVEN], rows_of(contest), contest.contract)

    contest.bring(("predictions", submitted(own)))
    assert_is_the_board(result, contest)


def test_a_backtest_under_the_name_of_a_model_is_the_board_after_it_submitted_again(make: Make) -> None:
    contest = make(missing={"policy": "carry_forward", "max_cycles": 2})
    predicted, outcomes = random_contest(3, cycles=9, models=4)
    own = predicted[predicted["model_id"] == "m2"].assign(received_at=lambda rows: rows["deadline"])
    before = own.assign(value=-own["value"], received_at=own["deadline"] - pd.Timedelta(hours=1))
    others = predicted[predicted["model_id"] != "m2"]
    contest.bring(
        ("predictions", submitted(pd.concat([others, before]))), ("truth", outcomes), ("factors", factors_of(predicted))
    )

    result = backtest(own[GIVEN], rows_of(contest), contest.contract)

    assert result.replaces
    contest.bring(("predictions", submitted(own)))
    assert_is_the_board(result, contest)


@pytest.mark.slow
def test_on_real_prices_a_reference_model_gets_the_row_that_it_would_have(make: Make) -> None:
    declared = yaml.safe_load((PROJECT_ROOT / "pipeline" / "defs" / "sp500" / "defs.yaml").read_text())["attributes"]
    known = {name: declared[name] for name in ("metrics", "windows", "ensembles", "leaderboard", "scoring")}
    prices = source()
    cycles = prices.cycles()[-90:-1]
    predicted, factors = prices.predictions(cycles), prices.factors(cycles)
    contest = make(
        **known,
        horizon_length=None,
        factors={"source": "inbox"},
        truth={"source": "inbox", "known_at": "target_time"},
    )
    truth = prices.truth()
    truth = truth[truth["target_time"].isin(predicted["target_time"].unique())][["subject", "target_time", "value"]]
    is_own = predicted["model_id"] == "momentum_12_1"
    contest.bring(("predictions", submitted(predicted[~is_own])), ("truth", truth), ("factors", factors))

    result = backtest(predicted.loc[is_own, GIVEN], rows_of(contest), contest.contract)

    assert result.n_ranked == 13
    contest.bring(("predictions", submitted(predicted[is_own])))
    assert_is_the_board(result, contest)
