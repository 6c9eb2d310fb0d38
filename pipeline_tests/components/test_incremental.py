"""Only what is new is computed, past boards stay as they were, events in any order end where a fresh start would."""

import random
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.stages import RollingWindows
from pipeline.components import competition
from pipeline.components.competition import assets_of
from pipeline.components.competition_tables import update_cycle_metrics
from pipeline.components.readings import known_metrics
from pipeline.components.recompute import Recompute
from pipeline.tables import (
    CYCLE_METRICS,
    ENSEMBLE_TABLES,
    EVALUATIONS,
    FACTORS,
    LEADERBOARD,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    TRUTH,
    TableSpec,
)
from pipeline.warehouse import Dirty, Store, WarehouseFiles
from pipeline_tests.brought import bring
from pipeline_tests.conftest import toy_environment
from pipeline_tests.stories import seeds
from pipeline_tests.toy_contest import CYCLES, SUBJECTS, WITHHELD, ToyContest, contract, week
from pipeline_tests.toy_graph import ToyGraph, assert_same_tables, chosen, metadata, recomputed

HOUR = timedelta(hours=1)
NEWEST_BOARD = week(CYCLES - 1)
"""The newest moment that the toy contest has a board for when it begins."""
BOARDS = CYCLES - 2
"""Boards when it begins: no truth yet of the newest cycle, nor of the one withheld."""


@pytest.fixture(scope="module")
def filled_folder(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The folder of ``graph``; do not write there."""
    folder = tmp_path_factory.mktemp("filled")
    with toy_environment(folder, dbt_dir):
        ToyGraph(folder).bring()
    return folder


@pytest.fixture
def graph(toy: ToyContest, tmp_path: Path, filled_folder: Path, monkeypatch: pytest.MonkeyPatch) -> ToyGraph:
    """The toy contest with all its tables, and without pictures, which take long."""
    monkeypatch.setattr(competition, "_PICTURES", {})
    shutil.copytree(filled_folder, tmp_path, dirs_exist_ok=True)
    return ToyGraph(tmp_path)


def moved(graph: ToyGraph, before: pd.DataFrame) -> dict[str, list[datetime]]:
    """Cycles whose rows changed since the ledger ``before``, by table."""
    with graph.open() as store:
        after = store.ledger("toy")
    key = ["table_name", "cycle"]
    both = after.merge(before, on=key, how="left", suffixes=("", "_before"))
    changed = both[both["seq"] != both["seq_before"].fillna(0)]
    return {str(name): rows["cycle"].dt.to_pydatetime().tolist() for name, rows in changed.groupby("table_name")}


@pytest.fixture
def ledger(graph: ToyGraph) -> pd.DataFrame:
    """The ledger when the test begins."""
    with graph.open() as store:
        return store.ledger("toy")


def until(rows: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    return rows[rows["as_of"] < as_of].reset_index(drop=True)


def assert_boards_before_are_the_same(graph: ToyGraph, before: dict[str, pd.DataFrame], as_of: datetime) -> None:
    after = graph.tables()
    for spec in (SNAPSHOTS, LEADERBOARD):
        pd.testing.assert_frame_equal(
            until(after[spec.name], as_of), until(before[spec.name], as_of), check_exact=True, obj=spec.name
        )


def test_a_new_cycle_computes_itself_and_the_one_it_resolves(
    toy: ToyContest, graph: ToyGraph, ledger: pd.DataFrame
) -> None:
    before = graph.tables()
    toy.add_cycle()

    done = graph.bring().recomputed

    assert {name: done[name] for name in ("scores", "cycle_metrics", "snapshots", "leaderboard")} == {
        "scores": 2,
        "cycle_metrics": 2,
        "snapshots": 1,
        "leaderboard": 1,
    }
    changed = moved(graph, ledger)
    assert changed["predictions"] == [week(CYCLES)]
    assert changed["truth"] == [week(CYCLES)]
    assert changed["scores"] == changed["cycle_metrics"] == [week(CYCLES - 1)]
    assert changed["snapshots"] == changed["leaderboard"] == [week(CYCLES)]
    assert_boards_before_are_the_same(graph, before, week(CYCLES))


def test_late_truth_of_an_old_cycle_computes_that_cycle_and_a_new_board(
    toy: ToyContest, graph: ToyGraph, ledger: pd.DataFrame
) -> None:
    before, known_at = graph.tables(), NEWEST_BOARD + HOUR
    toy.resolve(WITHHELD, known_at)

    done = graph.bring().recomputed

    assert (done["scores"], done["cycle_metrics"], done["snapshots"], done["leaderboard"]) == (1, 1, 1, 1)
    changed = moved(graph, ledger)
    assert changed["scores"] == changed["cycle_metrics"] == [week(WITHHELD)]
    assert changed["snapshots"] == changed["leaderboard"] == [known_at]
    assert_boards_before_are_the_same(graph, before, known_at)


def test_truth_that_was_known_in_the_past_changes_the_boards_since_then_only(toy: ToyContest, graph: ToyGraph) -> None:
    before, known_at = graph.tables(), week(WITHHELD + 1)
    toy.resolve(WITHHELD, known_at)

    done = graph.bring().recomputed

    assert (done["scores"], done["cycle_metrics"]) == (1, 1)
    # One board for each cycle from then on; the newest cycle has no truth yet.
    assert (done["snapshots"], done["leaderboard"]) == (CYCLES - 1 - WITHHELD, CYCLES - 1 - WITHHELD)
    assert_boards_before_are_the_same(graph, before, known_at)
    assert not graph.table(LEADERBOARD).equals(before["leaderboard"])


def test_a_revision_adds_rows_and_changes_no_earlier_board(toy: ToyContest, graph: ToyGraph) -> None:
    before, known_at = graph.tables(), NEWEST_BOARD + HOUR
    toy.revise(35, "S2", 0.5, known_at)

    done = graph.bring().recomputed

    after = graph.tables()
    assert (done["scores"], done["cycle_metrics"], done["snapshots"], done["leaderboard"]) == (1, 1, 1, 1)
    for spec in (TRUTH, SCORES, CYCLE_METRICS):
        old = after[spec.name][after[spec.name]["known_at"] < known_at].reset_index(drop=True)
        pd.testing.assert_frame_equal(old, before[spec.name], check_exact=True)
        assert len(after[spec.name]) > len(before[spec.name])
    assert len(after["truth"]) == len(before["truth"]) + 1
    assert_boards_before_are_the_same(graph, before, known_at)
    keys = {
        as_of: rows.set_index("model_id")["rank_key"]
        for as_of, rows in after["leaderboard"].groupby("as_of")
        if as_of >= NEWEST_BOARD
    }
    assert not keys[pd.Timestamp(known_at)].equals(keys[pd.Timestamp(NEWEST_BOARD)])


def test_a_withdrawn_outcome_is_a_row_too_and_its_scores_say_so(toy: ToyContest, graph: ToyGraph) -> None:
    known_at = NEWEST_BOARD + HOUR
    toy.revise(35, "S2", None, known_at)

    graph.bring()

    truth, scores = graph.table(TRUTH), graph.table(SCORES)
    assert truth.loc[truth["known_at"] == known_at, "value"].isna().tolist() == [True]
    withdrawn = scores[scores["known_at"] == known_at]
    assert set(withdrawn.loc[withdrawn["subject"] == "S2", "failed_reason"]) == {"outcome_withdrawn"}


@pytest.mark.parametrize(
    ("metrics", "of_predictions", "of_factors"),
    [
        (["ic", "turnover", "fnc"], [5, 6], [9]),
        (["ic", "fnc"], [5], [9]),
        (["ic", "rank_turnover"], [5, 6], []),
        (["ic"], [5], []),
    ],
)
def test_metrics_of_a_cycle_depend_on_the_cycle_before_and_on_factors_where_a_listed_one_does(
    toy: ToyContest, tmp_path: Path, metrics: list[str], of_predictions: list[int], of_factors: list[int]
) -> None:
    declared = contract(metrics=metrics, leaderboard={"rank_by": "all.ic"})

    def recompute_after(spec: TableSpec, number: int) -> list[datetime]:
        rows = store.read(spec, "toy", [week(number)])
        rows["value"] = -rows["value"]
        store.replace(spec, "toy", [Dirty(week(number), store.max_seq())], rows, "by hand")
        before = store.ledger("toy")
        update_cycle_metrics(store, declared, Recompute())
        after = store.ledger("toy").merge(before, on=["table_name", "cycle"], suffixes=("", "_before"))
        return after.loc[after["input_seq"] > after["input_seq_before"], "cycle"].dt.to_pydatetime().tolist()

    until_metrics = chosen(declared, "predictions", "truth", "factors", "scores", "cycle_metrics")
    with WarehouseFiles(tmp_path / "closure.duckdb").write("a test") as store:
        bring(store, declared, until_metrics)
        assert recompute_after(PREDICTIONS, 5) == [week(number) for number in of_predictions]
        assert recompute_after(FACTORS, 9) == [week(number) for number in of_factors]


def test_a_changed_window_computes_windows_and_boards_but_no_scores(graph: ToyGraph) -> None:
    windows = {"recent": {"cycles": 4}, "quarter": {"duration": "91d"}, "all": {}}
    changed = ToyGraph(graph.folder, [contract(windows=windows)])

    done = changed.bring().recomputed

    # The windows of the first four boards hold the same cycles as before, so their snapshots did not change.
    assert {name: cycles for name, cycles in done.items() if cycles} == {
        "catalog": 1,
        "snapshots": BOARDS,
        "leaderboard": BOARDS - 4,
    }


def test_a_changed_rule_of_eligibility_ranks_anew_and_computes_nothing_else(graph: ToyGraph) -> None:
    rules = contract().leaderboard.model_dump() | {"min_coverage": 0.9}

    done = ToyGraph(graph.folder, [contract(leaderboard=rules)]).bring().recomputed

    assert {name: cycles for name, cycles in done.items() if cycles} == {"catalog": 1, "leaderboard": BOARDS}


def test_force_computes_a_range_again_and_moves_nothing(graph: ToyGraph, ledger: pd.DataFrame) -> None:
    tables = graph.tables()
    config = {"from_cycle": "2020-02-07T22:00", "to_cycle": "2020-03-06", "force": True}

    result = graph.run("predictions", "truth", "scores", "cycle_metrics", "snapshots", "leaderboard", config=config)

    assert set(recomputed(result).values()) == {5}
    assert {values["podium/cycles_changed"] for values in metadata(result).values()} == {0}
    assert metadata(result)["toy/scores"]["podium/why"] == "5 cycles, 2020-02-07 to 2020-03-06: asked for by hand"
    assert moved(graph, ledger) == {}
    assert_same_tables(graph.tables(), tables)


def test_force_with_a_range_means_the_cycles_in_it_and_no_whole_table(graph: ToyGraph) -> None:
    done = graph.bring(from_cycle="2050-01-01", force=True).recomputed
    everything = graph.bring("catalog", "models", "subjects", force=True).recomputed

    assert set(done.values()) == {0}
    assert everything == {"catalog": 2, "models": 1, "subjects": 1}


def test_a_range_without_force_computes_only_what_is_new_in_it(toy: ToyContest, graph: ToyGraph) -> None:
    toy.revise(10, "S2", 0.5, NEWEST_BOARD + HOUR)
    toy.revise(20, "S2", 0.5, NEWEST_BOARD + HOUR)
    graph.bring("truth")

    first = graph.bring("scores", to_cycle=week(15).isoformat()).recomputed
    rest = graph.bring("scores").recomputed

    assert (first["scores"], rest["scores"]) == (1, 1)


def test_a_first_run_of_a_range_is_completed_by_the_next(toy: ToyContest, graph: ToyGraph, tmp_path: Path) -> None:
    fresh = ToyGraph(tmp_path / "fresh", [contract()])
    sources = ("catalog", "predictions", "truth", "factors")
    assert fresh.bring(*sources, to_cycle="2020-03-06").recomputed["predictions"] < CYCLES
    fresh.bring()
    assert_same_tables(fresh.tables(), graph.tables())
    assert set(fresh.bring().recomputed.values()) == {0}


def test_force_repairs_damaged_rows(graph: ToyGraph) -> None:
    tables = graph.tables()
    graph.execute("UPDATE competition.scores SET value = 7 WHERE cycle = ?", week(4))
    graph.execute("DELETE FROM competition.leaderboard WHERE as_of = ?", week(9))

    done = graph.bring("scores", "leaderboard", force=True)

    assert done.changed == {"scores": 1, "leaderboard": 1}
    assert_same_tables(graph.tables(), tables)


def test_small_blocks_give_the_same_rows(
    toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: ToyGraph
) -> None:
    monkeypatch.setattr("pipeline.components.blocks.fitting", lambda cells, arrays=0: 7)
    readings: list[int] = []

    def windows(metrics: pd.DataFrame, declared: Contract, newest: datetime | None) -> RollingWindows:
        readings.append(len(metrics))
        return RollingWindows(metrics, declared, newest)

    monkeypatch.setattr("pipeline.components.competition_tables.RollingWindows", windows)
    with WarehouseFiles(tmp_path / "blocks.duckdb").write("a test") as store:
        done = bring_up_to_date(store, contract())
        in_blocks = all_tables(store)

    assert done["scores"] == CYCLES
    # All blocks of snapshots share one reading of the cycles' metrics.
    assert readings == [len(in_blocks["cycle_metrics"])]
    tables = graph.tables(without=(*ENSEMBLE_TABLES, EVALUATIONS))
    assert_same_tables({name: in_blocks[name] for name in tables}, tables)


def test_a_range_reads_only_the_metrics_known_by_its_end(graph: ToyGraph) -> None:
    with graph.open() as store:
        until = known_metrics(store, contract(), week(9))
        everything = known_metrics(store, contract(), None)

    assert until["known_at"].max() == week(9)
    assert len(everything) == len(graph.table(CYCLE_METRICS))
    assert {str(everything[name].dtype) for name in ("category", "metric", "model_id", "reason")} == {"category"}


class World:
    """A contest to which things happen, and its warehouse, kept up to date without Dagster.

    Every event returns the time of knowledge of what it brought, so that boards before it must stay.
    """

    def __init__(self, toy: ToyContest, seed: int, categories: Sequence[object] = ()) -> None:
        self.toy = toy
        self.categories = categories
        self.contract = contract(categories=categories)
        self.chance = random.Random(seed)
        self.toy.models_missing.add("contrarian")

    def events(self) -> list[Callable[[], datetime]]:
        events = [self.a_week_passes, self.an_outcome_is_revised, self.an_outcome_is_withdrawn, self.nothing_happens]
        if not self.is_resolved(WITHHELD):
            events += [self.late_truth_arrives, self.truth_known_long_ago_arrives]
        if self.toy.models_missing:
            events.append(self.a_model_joins_with_its_past)
        return [*events, self.the_windows_change]

    def is_resolved(self, cycle: int) -> bool:
        return any(one.cycle == cycle for one in self.toy.vintages)

    def now(self) -> datetime:
        """A moment after all that is known."""
        return max(week(self.toy.n_cycles - 1), *(one.known_at for one in self.toy.vintages)) + HOUR

    def a_week_passes(self) -> datetime:
        self.toy.add_cycle()
        return week(self.toy.n_cycles - 1)

    def an_outcome_is_revised(self) -> datetime:
        return self._revise(self.chance.gauss(0, 0.02))

    def an_outcome_is_withdrawn(self) -> datetime:
        return self._revise(None)

    def late_truth_arrives(self) -> datetime:
        now = self.now()
        self.toy.resolve(WITHHELD, now)
        return now

    def truth_known_long_ago_arrives(self) -> datetime:
        self.toy.resolve(WITHHELD)
        return week(WITHHELD + 1)

    def a_model_joins_with_its_past(self) -> datetime:
        self.toy.models_missing.clear()
        return week(0)

    def the_windows_change(self) -> datetime:
        windows = {"recent": {"cycles": self.chance.randint(2, 20)}, "quarter": {"duration": "91d"}, "all": {}}
        self.contract = contract(windows=windows, categories=self.categories)
        return week(0)

    def nothing_happens(self) -> datetime:
        return datetime.max

    def _revise(self, value: float | None) -> datetime:
        resolved = [cycle for cycle in range(self.toy.n_cycles - 1) if self.is_resolved(cycle)]
        now = self.now()
        self.toy.revise(self.chance.choice(resolved), self.chance.choice(SUBJECTS), value, now)
        return now


def bring_up_to_date(store: Store, declared: Contract) -> dict[str, int]:
    """What a run does, without Dagster: cycles recomputed by table."""
    outcomes = {spec.name: update(store, declared, Recompute()) for spec, update, _ in assets_of(declared)}
    return {name: sum(change.cycles for change in outcome.changes) for name, outcome in outcomes.items()}


def all_tables(store: Store) -> dict[str, pd.DataFrame]:
    return {spec.name: store.read(spec, "toy") for spec, _, _ in assets_of(contract())}


PARTS = [{"by": "horizon"}, {"by": "subject", "rank_by": "quarter.hit_rate", "history": True}]


def kept(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the category that only the newest moment has."""
    return rows[rows["category"] != "horizon=1"]


@pytest.mark.parametrize("categories", [[], PARTS], ids=["whole", "in parts"])
@pytest.mark.parametrize("seed", seeds())
def test_any_sequence_of_events_ends_where_a_fresh_start_would(
    toy: ToyContest, tmp_path: Path, seed: int, categories: list[object]
) -> None:
    world = World(toy, seed, categories)
    story: list[str] = []
    with WarehouseFiles(tmp_path / "told.duckdb").write("a test") as store:
        bring_up_to_date(store, world.contract)
        for _ in range(10):
            before = {spec: store.read(spec, "toy") for spec in (SNAPSHOTS, LEADERBOARD)}
            event = world.chance.choice(world.events())
            story.append(event.__name__)
            since = event()
            done = bring_up_to_date(store, world.contract)
            if event == world.nothing_happens:
                assert set(done.values()) == {0}, story
            for spec, rows in before.items():
                assert until(kept(store.read(spec, "toy")), since).equals(until(kept(rows), since)), story
        told = all_tables(store)
        of_newest = told["leaderboard"].query("category == 'horizon=1'")["as_of"]
        assert set(of_newest) == ({told["leaderboard"]["as_of"].max()} if categories else set())
        assert set(bring_up_to_date(store, world.contract).values()) == {0}, story
    with WarehouseFiles(tmp_path / "fresh.duckdb").write("a test") as store:
        bring_up_to_date(store, world.contract)
        assert_same_tables(told, all_tables(store))


@pytest.mark.parametrize("known_at", ["target_time", "arrival"])
def test_silent_revisions_count_from_when_they_were_seen(toy: ToyContest, tmp_path: Path, known_at: str) -> None:
    declared = contract(truth={"source": "pipeline_tests.toy_contest.toy", "known_at": known_at})
    with WarehouseFiles(tmp_path / "silent.duckdb").write("a test") as store:
        bring_up_to_date(store, declared)
        first = all_tables(store)
        for value in (0.5, 0.6, 0.7):
            toy.vintages = [
                one if (one.cycle, one.subject) != (35, "S2") else type(one)(35, "S2", one.known_at, value)
                for one in toy.vintages
            ]
            done = bring_up_to_date(store, declared)
            assert (done["scores"], done["snapshots"]) == (1, 1), value
        last = all_tables(store)

    values = last["truth"].query("subject == 'S2' and target_time == @week(36)").sort_values("known_at")["value"]
    assert values.tolist()[1:] == [0.5, 0.6, 0.7]
    newest = first["leaderboard"]["as_of"].max() + timedelta(microseconds=1)
    pd.testing.assert_frame_equal(until(last["leaderboard"], newest), first["leaderboard"], check_exact=True)
