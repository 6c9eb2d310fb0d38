"""Evaluation sets in a warehouse: values by definition, kept up to date, and the same for ever of any past moment."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.components import competition, evaluation_tables
from pipeline.components.competition import assets_of
from pipeline.components.evaluation_tables import evaluations_of
from pipeline.components.recompute import NOTHING_NEW, Recompute
from pipeline.tables import EVALUATIONS, PREDICTIONS, TRUTH
from pipeline.warehouse import Store, WarehouseFiles
from pipeline_tests import distribution_contest
from pipeline_tests.conftest import toy_environment
from pipeline_tests.toy_contest import LATE, MODELS, SUBJECTS, WITHHELD, ToyContest, contract, week
from pipeline_tests.toy_graph import ToyGraph, failed_checks, metadata

HOUR = timedelta(hours=1)
WHOLE = {
    "name": "all",
    "metrics": ["absolute_error", "squared_error"],
    "relative_metrics": "absolute_error",
    "baseline": "good",
    "by": ["subject", "cycle"],
    "min_submitted": 0.5,
}
RECENT = {"name": "last 5", "metrics": "squared_error", "cycles": {"last": 5}, "by": "target_time"}
MAIN = {"name": "main", "strategy": "inverse_variance", "window": 12, "min_history": 4}


def declared(*ensembles: Mapping[str, Any], **changes: Any) -> Contract:
    return contract(evaluations=[WHOLE, RECENT], ensembles=list(ensembles), **changes)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    with WarehouseFiles(folder / "toy.duckdb").write("a test") as store:
        yield store


def bring_up_to_date(store: Store, contest: Contract) -> dict[str, int]:
    """What a run does, without Dagster: changes by table."""
    assets = {spec: (update, read) for spec, update, read in assets_of(contest)}
    order = TopologicalSorter({spec: set(read) & set(assets) for spec, (_, read) in assets.items()}).static_order()
    outcomes = {spec.name: assets[spec][0](store, contest, Recompute()) for spec in order}
    return {name: sum(change.changed for change in outcome.changes) for name, outcome in outcomes.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The folder of a board that is up to date; do not write there."""
    return _made(tmp_path_factory.mktemp("made"), dbt_dir, declared())


@pytest.fixture(scope="module")
def made_with_main(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The same with an ensemble."""
    return _made(tmp_path_factory.mktemp("main"), dbt_dir, declared(MAIN))


def _made(folder: Path, dbt_dir: Path, contest: Contract) -> Path:
    with toy_environment(folder, dbt_dir), opened(folder) as store:
        bring_up_to_date(store, contest)
    return folder


@pytest.fixture
def filled(toy: ToyContest, tmp_path: Path, made: Path) -> Iterator[Store]:
    """A copy of the board that is up to date."""
    with copied(made, tmp_path) as store:
        yield store


@pytest.fixture
def with_main(toy: ToyContest, tmp_path: Path, made_with_main: Path) -> Iterator[Store]:
    """A copy of that with an ensemble."""
    with copied(made_with_main, tmp_path) as store:
        yield store


@contextmanager
def copied(made: Path, folder: Path) -> Iterator[Store]:
    shutil.copy(made / "toy.duckdb", folder / "toy.duckdb")
    with opened(folder) as store:
        yield store


def scored(store: Store) -> pd.DataFrame:
    """Every prediction in time with the newest outcome, by joins."""
    truth = store.read(TRUTH, "toy").sort_values("known_at").drop_duplicates(["subject", "target_time"], keep="last")
    rows = store.read(PREDICTIONS, "toy")
    rows = rows[~rows["is_late"]]
    return rows.merge(truth[["subject", "target_time", "value"]], how="left", on=["subject", "target_time"])


def board(rows: pd.DataFrame, evaluation: str, metric: str, by: str = "overall") -> pd.DataFrame:
    chosen = (rows["evaluation"] == evaluation) & (rows["metric"] == metric) & (rows["by"] == by)
    return rows[chosen].set_index("model_id" if by == "overall" else ["model_id", "part"]).sort_index()


def test_a_run_fills_the_table_and_the_next_has_nothing_to_do(
    toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(competition, "_PICTURES", {})
    graph = ToyGraph(tmp_path, [declared()])
    first = graph.run()
    assert failed_checks(first) == {}
    assert {check.check_name for check in first.get_asset_check_evaluations() if "evaluation" in check.check_name} == {
        "evaluations_say_why",
        "evaluation_ranks_are_well_formed",
    }
    rows = graph.table(EVALUATIONS)
    assert set(rows["evaluation"]) == {"all", "last 5"}
    assert metadata(graph.run())["toy/evaluations"]["podium/why"] == NOTHING_NEW


def test_values_are_those_of_the_definition(filled: Store) -> None:
    rows, predictions = filled.read(EVALUATIONS, "toy"), scored(filled)
    error = (predictions["value_x"] - predictions["value_y"]).abs()
    whole = board(rows, "all", "absolute_error")
    kept = whole[whole["ci_method"] != "excluded"]
    expected = error.groupby(predictions["model_id"]).mean()
    np.testing.assert_allclose(kept["value"].astype(float), expected[kept.index])
    np.testing.assert_array_equal(kept["n"], error.groupby(predictions["model_id"]).count()[kept.index])
    np.testing.assert_array_equal(kept["n_submitted"], predictions.groupby("model_id").size()[kept.index])
    by_subject = board(rows, "all", "absolute_error", "subject")
    expected = error.groupby([predictions["model_id"], predictions["subject"]]).mean()
    np.testing.assert_allclose(by_subject["value"].astype(float), expected[by_subject.index])
    assert len(by_subject) == (len(MODELS) - 1) * len(SUBJECTS)


def test_who_submitted_too_little_is_listed_with_the_reason(filled: Store) -> None:
    rows = filled.read(EVALUATIONS, "toy")
    excluded = rows[rows["ci_method"] == "excluded"]
    assert set(excluded["model_id"]) == {"latecomer"}
    assert set(excluded["reason"]) == {"submitted 37.5 % of 320 tasks; 50 % needed"}
    noise = board(rows, "all", "squared_error").loc[LATE[0]]
    assert (noise["n_submitted"], noise["n_tasks"]) == (312, 320)


def test_a_set_of_the_last_cycles_moves_on(toy: ToyContest, filled: Store) -> None:
    before = board(filled.read(EVALUATIONS, "toy"), "last 5", "squared_error", "target_time")
    toy.add_cycle()
    assert bring_up_to_date(filled, declared())["evaluations"] == 1
    after = board(filled.read(EVALUATIONS, "toy"), "last 5", "squared_error", "target_time")
    assert sorted({part for _, part in before.index}) == [
        f"{week(number):%Y-%m-%dT%H:%M:%S}" for number in range(36, 41)
    ]
    assert sorted({part for _, part in after.index}) == [
        f"{week(number):%Y-%m-%dT%H:%M:%S}" for number in range(37, 42)
    ]


def test_a_past_moment_has_the_same_numbers_whatever_becomes_known_later(toy: ToyContest, with_main: Store) -> None:
    store, contest, moment = with_main, declared(MAIN), week(30) + HOUR
    then = evaluations_of(store, contest, moment)
    newest = evaluations_of(store, contest)
    toy.revise(3, SUBJECTS[0], 5.0, week(41))
    toy.resolve(WITHHELD, week(41))
    toy.add_cycle()
    assert bring_up_to_date(store, contest)["evaluations"] == 1
    pd.testing.assert_frame_equal(evaluations_of(store, contest, moment), then)
    assert not evaluations_of(store, contest).equals(newest)
    last = then[(then["evaluation"] == "last 5") & (then["by"] == "target_time")]
    assert last["part"].max() == f"{week(31):%Y-%m-%dT%H:%M:%S}"


def test_an_open_round_does_not_count(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = week(39) - HOUR
    monkeypatch.setattr(evaluation_tables, "utc_now", lambda: moment)
    with opened(tmp_path) as store:
        bring_up_to_date(store, declared())
        rows = store.read(EVALUATIONS, "toy")
    assert rows.loc[rows["by"] == "cycle", "part"].max() == f"{week(38):%Y-%m-%dT%H:%M:%S}"


def test_a_revision_counts_from_when_it_became_known(toy: ToyContest, tmp_path: Path) -> None:
    toy.revise(3, SUBJECTS[0], 5.0, week(20))
    contest = declared()
    with opened(tmp_path) as store:
        bring_up_to_date(store, contest)
        before, after = (
            board(evaluations_of(store, contest, moment), "all", "squared_error", "subject")["value"]
            for moment in (week(20) - HOUR, week(20))
        )
    assert after["good", SUBJECTS[0]] > before["good", SUBJECTS[0]] + 1
    others = [(model, subject) for model, subject in before.index if subject != SUBJECTS[0]]
    np.testing.assert_allclose(after[others], before[others], rtol=0.2)


def test_a_revision_makes_the_table_as_if_made_anew(toy: ToyContest, filled: Store, tmp_path: Path) -> None:
    toy.revise(10, SUBJECTS[1], -1.0, week(41))
    with opened(tmp_path / "anew") as other:
        bring_up_to_date(filled, declared())
        bring_up_to_date(other, declared())
        pd.testing.assert_frame_equal(filled.read(EVALUATIONS, "toy"), other.read(EVALUATIONS, "toy"))


def test_ensembles_are_beside_the_models_and_change_none_of_their_numbers(toy: ToyContest, tmp_path: Path) -> None:
    with opened(tmp_path) as store, opened(tmp_path / "without") as other:
        bring_up_to_date(store, declared(MAIN, metrics=["ic"]))
        bring_up_to_date(other, declared(metrics=["ic"]))
        rows, without = store.read(EVALUATIONS, "toy"), other.read(EVALUATIONS, "toy")
    real = rows[~rows["is_ensemble"]].reset_index(drop=True)
    columns = [name for name in real if name != "rank_with_ensembles"]
    pd.testing.assert_frame_equal(real[columns], without[columns])
    virtual = board(rows, "all", "absolute_error_scaled_relative_skill").loc["__ensemble_main__"]
    assert virtual["value"] > 0
    assert pd.isna(virtual["rank"])
    assert virtual["rank_with_ensembles"] > 0


def test_without_a_declaration_the_rows_are_gone(filled: Store) -> None:
    assert not filled.read(EVALUATIONS, "toy").empty
    bring_up_to_date(filled, contract())
    assert filled.read(EVALUATIONS, "toy").empty


def test_blocks_and_what_is_kept_of_them_change_nothing(with_main: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = declared(MAIN)
    whole = evaluations_of(with_main, contest)
    monkeypatch.setattr(evaluation_tables, "cycles_per_block", lambda *_: 7)
    monkeypatch.setattr(evaluation_tables, "_NUMBERS_KEPT", 0)
    pd.testing.assert_frame_equal(evaluations_of(with_main, contest), whole)


def test_quantiles_have_their_measures(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(competition, "_PICTURES", {})
    season = {"name": "season", "metrics": ["wis", "interval_coverage_50"], "relative_metrics": "wis", "baseline": "c"}
    graph = ToyGraph(tmp_path, [distribution_contest.contract("quantile", evaluations=[season])])
    graph.bring()
    assert graph.failing() == {}
    rows = graph.table(EVALUATIONS)
    shown = board(rows, "season", "wis_scaled_relative_skill")
    assert shown["value"]["c"] == 1
    forecasts = graph.table(PREDICTIONS).groupby(["model_id", "cycle", "horizon", "subject"]).size()
    # Whoever leaves out a part of a distribution submitted it all the same.
    np.testing.assert_array_equal(shown["n_submitted"], forecasts.groupby("model_id").size()[shown.index])
    assert shown["n"]["d"] < (forecasts["d"] == forecasts.max()).sum() < shown["n_submitted"]["d"]


@pytest.mark.parametrize("by", ["cycle", "target_time"])
def test_no_cycle_is_shown_by_itself_before_its_predictions_may_be(by: str) -> None:
    predictions = contract().model_dump()["predictions"]
    sets = [{"name": "all", "metrics": "absolute_error", "by": by}]
    assert contract(predictions=predictions | {"publish_after": "0h"}, evaluations=sets)
    with pytest.raises(ValueError, match=f"'all' is divided by {by}, which would show metrics of cycles before"):
        contract(predictions=predictions | {"publish_after": "7d"}, evaluations=sets)


@pytest.mark.parametrize(
    ("evaluations", "message"),
    [
        ([WHOLE, WHOLE], "evaluations names 'all' twice"),
        (
            [{"name": "w", "metrics": "wis"}],
            "'value' predictions have no measure wis; known: rank_product, absolute_error",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused_at_load(evaluations: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        contract(evaluations=evaluations)
