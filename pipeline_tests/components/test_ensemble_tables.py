"""The tables of ensembles in a warehouse: kept up to date as if made anew, gone with the declaration, on the board."""

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.components.competition import assets_of
from pipeline.components.recompute import Recompute
from pipeline.tables import (
    ENSEMBLE_PREDICTIONS,
    ENSEMBLE_TABLES,
    ENSEMBLE_WEIGHTS,
    LEADERBOARD,
    MODELS,
    PREDICTIONS,
    QUARANTINE,
    SNAPSHOTS,
    TableSpec,
)
from pipeline.warehouse import Store, WarehouseFiles, open_published
from pipeline_tests import toy_contest
from pipeline_tests.components.inbox_contest import InboxContest, predictions
from pipeline_tests.conftest import toy_environment
from pipeline_tests.stories import seeds
from pipeline_tests.toy_contest import SUBJECTS, WITHHELD, ToyContest, contract, week
from pipeline_tests.toy_graph import (
    ToyGraph,
    assert_same_tables,
    bring_up_to_date,
    chosen,
    failed_checks,
    metadata,
    recomputed,
)

HOUR = timedelta(hours=1)
MAIN = {"name": "main", "strategy": "inverse_variance", "window": 12, "min_history": 4}
TOP = {"name": "top2", "strategy": "equal_weight", "filter": {"top_n": 2}, "title": "The best two"}
METRICS = ["ic", "ic_sharpe", "mean_return", "hit_rate", "turnover", "model_correlation"]
OF_MEMBERS = ["contribution", "ensemble_correlation", "contribution@top2", "mmc"]
VIRTUAL = ["__ensemble_main__", "__ensemble_top2__"]


def declared(*ensembles: Mapping[str, Any], metrics: tuple[str, ...] = (), **changes: Any) -> Contract:
    """The toy contest with ensembles, and metrics besides those of any contest."""
    return contract(ensembles=list(ensembles), metrics=[*METRICS, *metrics], **changes)


def with_both(**changes: Any) -> Contract:
    return declared(MAIN, TOP, metrics=tuple(OF_MEMBERS), **changes)


def tables(store: Store) -> dict[str, pd.DataFrame]:
    specs = {spec for spec, _, _ in assets_of(with_both())}
    return {spec.name: store.read(spec, "toy") for spec in sorted(specs, key=lambda spec: spec.name)}


@pytest.fixture(scope="module")
def file_with_both(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The board with both ensembles, up to date at its beginning; do not write there."""
    return made_in(tmp_path_factory.mktemp("both"), dbt_dir, with_both())


@pytest.fixture(scope="module")
def file_without(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The same without ensembles."""
    return made_in(tmp_path_factory.mktemp("without"), dbt_dir, declared())


def made_in(folder: Path, dbt_dir: Path, contest: Contract) -> Path:
    """The file of a contest of 24 weeks that is up to date."""
    with toy_environment(folder, dbt_dir):
        toy_contest._contests["toy"] = Resubmitting(n_cycles=24)
        with opened(folder) as store:
            bring_up_to_date(store, contest)
    return folder / "toy.duckdb"


@pytest.fixture
def both(world: "Resubmitting", file_with_both: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of the board with both ensembles in the folder of the test."""
    shutil.copy(file_with_both, tmp_path / "toy.duckdb")
    with opened(tmp_path) as store:
        yield store


@pytest.fixture
def none(world: "Resubmitting", file_without: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of the board without ensembles in the folder of the test."""
    shutil.copy(file_without, tmp_path / "toy.duckdb")
    with opened(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def filled(file_with_both: Path) -> dict[str, pd.DataFrame]:
    """Every table of a contest of 24 weeks; do not change them."""
    with WarehouseFiles(file_with_both).read() as store:
        return tables(store)


@pytest.fixture(scope="module")
def filled_without(file_without: Path) -> dict[str, pd.DataFrame]:
    """The same without ensembles."""
    with WarehouseFiles(file_without).read() as store:
        return tables(store)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    with WarehouseFiles(folder / "toy.duckdb").write("a test") as store:
        yield store


def made_anew(folder: Path, contest: Contract) -> dict[str, pd.DataFrame]:
    with opened(folder / "anew") as store:
        bring_up_to_date(store, contest)
        return tables(store)


class Resubmitting(ToyContest):
    """A toy contest whose models may submit anew."""

    anew: frozenset[tuple[str, int]] = frozenset()

    def fingerprint(self) -> str:
        return super().fingerprint() + repr(sorted(self.anew))

    def _predictions(self, model: str, number: int) -> pd.DataFrame:
        rows = super()._predictions(model, number)
        return rows.assign(value=-rows["value"][::-1].to_numpy()) if (model, number) in self.anew else rows


@pytest.fixture
def world(toy: ToyContest) -> Resubmitting:
    """The source of the board, in its environment."""
    toy_contest._contests["toy"] = Resubmitting(n_cycles=24)
    return toy_contest._contests["toy"]  # type: ignore[return-value]


def a_week_passes(world: Resubmitting, chance: random.Random) -> None:
    world.add_cycle()


def an_outcome_is_revised(world: Resubmitting, chance: random.Random) -> None:
    cycle = chance.randrange(world.n_cycles - 1)
    now = max(week(world.n_cycles - 1), *(one.known_at for one in world.vintages)) + HOUR
    world.revise(cycle, chance.choice(SUBJECTS), chance.choice([None, 0.4, -0.4]), now)


def an_outcome_was_revised_long_ago(world: Resubmitting, chance: random.Random) -> None:
    cycle = chance.randrange(world.n_cycles // 2)
    world.revise(cycle, chance.choice(SUBJECTS), chance.gauss(0, 1), week(cycle + 3) + HOUR * chance.randrange(1, 20))


def a_model_submits_anew(world: Resubmitting, chance: random.Random) -> None:
    world.anew = world.anew | {(chance.choice(["good", "sharp", "constant"]), chance.randrange(world.n_cycles))}


def a_model_leaves(world: Resubmitting, chance: random.Random) -> None:
    world.models_missing.add(chance.choice(["good", "noise", "contrarian"]))


def models_come_back(world: Resubmitting, chance: random.Random) -> None:
    world.models_missing.clear()


EVENTS: list[Callable[[Resubmitting, random.Random], None]] = [
    a_week_passes,
    an_outcome_is_revised,
    an_outcome_was_revised_long_ago,
    a_model_submits_anew,
    a_model_leaves,
    models_come_back,
]


@pytest.mark.parametrize("seed", seeds())
def test_whatever_happens_the_tables_are_as_if_made_anew(
    world: Resubmitting, both: Store, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    contest = with_both()
    told = []
    for event in [*EVENTS, *chance.choices(EVENTS, k=4)]:
        told.append(event.__name__)
        event(world, chance)
        bring_up_to_date(both, contest)
        assert set(bring_up_to_date(both, contest).values()) == {0}, told
    kept = tables(both)
    assert_same_tables(kept, made_anew(tmp_path, contest))
    assert {name for name, rows in kept.items() if rows.empty} <= {"submissions", "model_versions"}


def test_week_by_week_ends_where_all_at_once_does(world: Resubmitting, both: Store, tmp_path: Path) -> None:
    contest = with_both()
    for _ in range(6):
        world.add_cycle()
        bring_up_to_date(both, contest)
    assert_same_tables(tables(both), made_anew(tmp_path, contest))


def test_a_week_computes_ensembles_of_the_cycles_it_touches_only(world: Resubmitting, both: Store) -> None:
    world.add_cycle()
    done = bring_up_to_date(both, with_both())
    assert {name: done[name] for name in ("ensemble_weights", "ensemble_predictions", "member_metrics")} == {
        # The new cycle, due when the outcomes of the one before are known, and for members that one as well.
        "ensemble_weights": 1,
        "ensemble_predictions": 1,
        "member_metrics": 2,
    }
    assert done["snapshots"] == done["leaderboard"] == 1


def test_small_blocks_give_the_same_rows(
    world: Resubmitting, filled: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.components.blocks.fitting", lambda cells, arrays=0: 5)
    with opened(tmp_path) as store:
        bring_up_to_date(store, with_both())
        assert_same_tables(tables(store), filled)


class TestDeclaration:
    def rows(self, store: Store) -> dict[str, int]:
        return {spec.name: len(store.read(spec, "toy")) for spec in ENSEMBLE_TABLES}

    def real(self, store: Store, spec: TableSpec) -> pd.DataFrame:
        rows = store.read(spec, "toy")
        rows = rows[~rows["model_id"].str.startswith("__ensemble_")].reset_index(drop=True)
        return rows[~rows["metric"].isin(OF_MEMBERS)].reset_index(drop=True) if spec == SNAPSHOTS else rows

    @pytest.mark.parametrize("how", ["removed", "not enabled"])
    def test_without_ensembles_nothing_of_them_is_left_and_the_board_is_as_before(
        self, both: Store, filled_without: dict[str, pd.DataFrame], how: str
    ) -> None:
        without = declared() if how == "removed" else declared(*(one | {"enabled": False} for one in (MAIN, TOP)))
        assert min(self.rows(both).values()) > 0
        bring_up_to_date(both, without)
        assert set(self.rows(both).values()) == {0}
        after = tables(both)
        assert set(bring_up_to_date(both, without).values()) == {0}
        of_contract = {"boards", "metrics"}
        assert_same_tables(
            {name: rows for name, rows in after.items() if name not in of_contract},
            {name: rows for name, rows in filled_without.items() if name not in of_contract},
        )

    def test_one_that_is_added_later_has_its_whole_history(self, none: Store, filled: dict[str, pd.DataFrame]) -> None:
        bring_up_to_date(none, declared(MAIN))
        bring_up_to_date(none, with_both())
        assert_same_tables(tables(none), filled)

    def test_one_that_is_removed_and_comes_back_is_as_it_was(self, both: Store) -> None:
        before = tables(both)
        bring_up_to_date(both, declared())
        bring_up_to_date(both, with_both())
        assert_same_tables(tables(both), before)

    def test_one_of_two_may_go(self, both: Store, tmp_path: Path) -> None:
        only_main = declared(MAIN, TOP | {"enabled": False}, metrics=("contribution", "ensemble_correlation"))
        bring_up_to_date(both, only_main)
        kept = tables(both)
        assert set(kept["ensemble_weights"]["ensemble"]) == {"main"}
        assert "__ensemble_top2__" not in set(kept["models"]["model_id"]) | set(kept["leaderboard"]["model_id"])
        assert_same_tables(kept, made_anew(tmp_path, only_main))

    @pytest.mark.parametrize(
        "change",
        [
            {"strategy": "skill_variance"},
            {"title": "The crowd"},
            *(
                pytest.param(change, marks=pytest.mark.slow)
                for change in (
                    {"combine": "median"},
                    {"normalize": "zscore"},
                    {"filter": {"top_n": 3}},
                    {"window": 6},
                    {"min_history": 8},
                )
            ),
        ],
        ids=str,
    )
    def test_a_changed_declaration_changes_what_follows_from_it(
        self, both: Store, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        changed = declared(MAIN | change, TOP, metrics=tuple(OF_MEMBERS))
        bring_up_to_date(both, changed)
        kept = tables(both)
        assert_same_tables(kept, made_anew(tmp_path, changed))

    def test_ensembles_change_nothing_about_real_models_but_their_rank_beside_them(self, none: Store) -> None:
        before = {spec: self.real(none, spec) for spec in (SNAPSHOTS, LEADERBOARD)}
        bring_up_to_date(none, with_both())
        after = {spec: self.real(none, spec) for spec in (SNAPSHOTS, LEADERBOARD)}
        pd.testing.assert_frame_equal(after[SNAPSHOTS], before[SNAPSHOTS], check_exact=True)
        beside = ["position", "rank_with_ensembles"]
        pd.testing.assert_frame_equal(
            after[LEADERBOARD].drop(columns=beside), before[LEADERBOARD].drop(columns=beside), check_exact=True
        )


class TestVirtualModels:
    def test_are_models(self, filled: dict[str, pd.DataFrame]) -> None:
        models = filled["models"].set_index("model_id").loc[VIRTUAL]
        assert models["kind"].tolist() == ["ensemble"] * 2
        assert models["title"].tolist() == ["Ensemble main", "The best two"]
        assert models["designated"].tolist() == [False, False]
        # Nobody is ranked, and so among the best, before the first outcomes are known.
        assert models["first_seen"].tolist() == [week(0), week(1)]
        assert set(filled["models"].query("kind == 'real'")["model_id"]).isdisjoint(VIRTUAL)

    def test_are_scored_and_measured(self, filled: dict[str, pd.DataFrame]) -> None:
        assert set(filled["ensemble_scores"]["model_id"]) == set(VIRTUAL)
        assert set(filled["ensemble_metrics"]["metric"]) >= set(METRICS) - {"ic_sharpe"}
        assert set(filled["scores"]["model_id"]).isdisjoint(VIRTUAL)
        snapshots = filled["snapshots"].query("model_id in @VIRTUAL")
        assert set(snapshots["metric"]) == set(METRICS)
        assert set(filled["snapshots"].query("metric in @OF_MEMBERS")["model_id"]).isdisjoint(VIRTUAL)
        assert set(filled["snapshots"]["metric"]) == {*METRICS, *OF_MEMBERS}

    def test_have_no_rank_but_a_place_beside_the_others(self, filled: dict[str, pd.DataFrame]) -> None:
        board = filled["leaderboard"]
        newest = board[board["as_of"] == board["as_of"].max()].sort_values("position")
        virtual = newest[newest["is_ensemble"]]
        assert set(virtual["model_id"]) == set(VIRTUAL)
        assert virtual["rank"].isna().all()
        assert virtual["rank_change"].isna().all()
        assert virtual["rank_with_ensembles"].notna().all()
        ranked = newest[newest["status"] == "ranked"]
        for rows, name in ((ranked, "rank_with_ensembles"), (ranked[~ranked["is_ensemble"]], "rank")):
            assert rows[name].tolist() == rows["rank_key"].round(12).rank(method="min", ascending=False).tolist()

    def test_predict_as_soon_as_their_members_do(self, filled: dict[str, pd.DataFrame]) -> None:
        rows = filled["ensemble_predictions"]
        assert set(rows.loc[rows["cycle"] == filled["predictions"]["cycle"].max(), "model_id"]) == set(VIRTUAL)
        assert (rows["received_at"] == rows["deadline"]).all()

    def test_are_no_members(self, filled: dict[str, pd.DataFrame]) -> None:
        assert set(filled["ensemble_weights"]["model_id"]).isdisjoint(VIRTUAL)
        assert set(filled["member_metrics"]["model_id"]).isdisjoint(VIRTUAL)

    def test_have_weights_that_sum_to_one(self, filled: dict[str, pd.DataFrame]) -> None:
        sums = filled["ensemble_weights"].groupby(["ensemble", "cycle", "horizon"])["weight"].sum()
        assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
        assert (filled["ensemble_weights"]["weight"] >= 0).all()

    def test_a_late_prediction_is_not_in_them(self, filled: dict[str, pd.DataFrame]) -> None:
        (model, number), rows = toy_contest.LATE, filled["ensemble_weights"]
        members = set(rows.loc[rows["cycle"] == week(number), "model_id"])
        assert members
        assert model not in members


@pytest.mark.parametrize("rank_by", ["all.contribution", {"all.ic": 0.5, "all.contribution": 0.5}], ids=str)
def test_a_board_ranked_by_contribution_says_why_ensembles_are_not_on_it(none: Store, rank_by: Any) -> None:
    bring_up_to_date(none, declared(MAIN, metrics=("contribution",), leaderboard={"rank_by": rank_by}))
    board = tables(none)["leaderboard"]
    newest = board[board["as_of"] == board["as_of"].max()]
    assert (newest.query("not is_ensemble")["status"] == "ranked").any()
    assert set(newest.query("is_ensemble")["status"]) <= {"unranked: undefined_key"}


def test_snapshots_asked_for_before_the_members_metrics_say_that_there_are_none(none: Store) -> None:
    contest = declared(MAIN, metrics=("contribution",))
    ((spec, update, _),) = chosen(contest, "snapshots")
    update(none, contest, Recompute())
    rows = none.read(spec, "toy")
    found = rows[rows["metric"] == "contribution"]
    assert set(found["model_id"]) == set(rows["model_id"])
    assert found["value"].isna().all()
    assert set(found["reason"]) == {"no_predictions"}
    assert rows.loc[rows["metric"] == "ic", "value"].notna().any()


def test_the_graph_computes_them_once(world: Resubmitting, tmp_path: Path) -> None:
    graph = ToyGraph(tmp_path, [with_both()])
    first = graph.run()
    assert failed_checks(first) == {}
    done = recomputed(first)
    assert done["ensemble_weights"] == done["member_metrics"] == world.n_cycles
    assert set(recomputed(graph.run()).values()) == {0}
    assert metadata(first)["toy/ensemble_weights"]["dagster/row_count"] == len(graph.table(ENSEMBLE_TABLES[0]))
    assert set(graph.table(MODELS)["kind"]) == {"real", "ensemble"}


def test_truth_that_came_late_reweighs_the_cycles_due_since(world: Resubmitting, both: Store) -> None:
    world.n_cycles = WITHHELD + 6
    for cycle in range(23, world.n_cycles - 1):
        if cycle != WITHHELD:
            world.resolve(cycle)
    bring_up_to_date(both, with_both())
    world.resolve(WITHHELD, week(WITHHELD + 3))
    done = bring_up_to_date(both, with_both())
    assert done["ensemble_weights"] == 3


@pytest.mark.parametrize("table", ["predictions", "models"])
def test_a_source_with_a_model_called_like_an_ensemble_is_refused(
    world: Resubmitting, tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = getattr(world, table)
    monkeypatch.setattr(world, table, lambda *cycles: given(*cycles).replace({"model_id": {"good": "__ensemble_x__"}}))
    refusal = r"source 'pipeline_tests.toy_contest.toy' of 'toy' has a model '__ensemble_x__'; names that begin with"
    with opened(tmp_path) as store, pytest.raises(ValueError, match=refusal):
        bring_up_to_date(store, with_both())


def test_a_file_with_a_model_called_like_an_ensemble_is_quarantined(toy: ToyContest, tmp_path: Path) -> None:
    contest = InboxContest(tmp_path, {"ensembles": [MAIN]})
    rows = pd.concat([predictions(model, 5, 4) for model in ("honest", "__ensemble_main__")])
    contest.bring(("predictions", rows), ("models", "model_id\n__ensemble_main__\nhonest\n"))
    assert set(contest.table(PREDICTIONS)["model_id"]) == {"honest"}
    refused = contest.table(QUARANTINE)
    assert len(refused) == len(rows) // 2 + 1
    assert set(refused["reason"]) == {
        "model_id begins with __ensemble_, which is kept for ensembles: choose another name"
    }
    models = contest.table(MODELS).set_index("model_id")
    assert models["kind"].to_dict() == {"honest": "real", "__ensemble_main__": "ensemble"}


def test_what_is_under_embargo_is_not_published(
    world: Resubmitting, file_with_both: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "warehouse").mkdir()
    shutil.copy(file_with_both, tmp_path / "warehouse" / "podium.duckdb")
    files = WarehouseFiles(tmp_path / "warehouse" / "podium.duckdb")
    source = {"source": "pipeline_tests.toy_contest.toy", "publish_after": "20d"}
    newest = week(world.n_cycles - 1)
    monkeypatch.setattr("pipeline.warehouse.publish.utc_now", lambda: newest + HOUR)
    with files.write("a test") as store:
        bring_up_to_date(store, with_both(predictions=source))
        latest = {spec: store.read(spec, "toy")["cycle"].max() for spec in ENSEMBLE_TABLES}
    files.publish()
    assert latest[ENSEMBLE_WEIGHTS] == latest[ENSEMBLE_PREDICTIONS] == newest
    with open_published(files.published_dir) as connection:
        for spec in ENSEMBLE_TABLES:
            (published,) = connection.execute(f"SELECT max(cycle) FROM toy.{spec.name}").fetchall()[0]
            assert published == newest - 3 * toy_contest.WEEK, spec.name
