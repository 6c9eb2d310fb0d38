"""Submissions carried forward, in whatever order they land: tables end where a fresh start with everything would."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.components import blocks, competition_tables, inbox_tables
from pipeline.components.competition import assets_of
from pipeline.components.competition_checks import of_table
from pipeline.components.inbox import Landing
from pipeline.components.recompute import Recompute
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import COMPETITION_TABLES, MODEL_VERSIONS, MODELS, PREDICTIONS, SUBJECTS
from pipeline.warehouse import Store, WarehouseFiles
from pipeline_tests.stories import seeds
from pipeline_tests.toy_contest import ToyContest, declaration
from pipeline_tests.toy_graph import assert_same_tables

NAMES = [f"s{number}" for number in range(6)]
DAYS = 7
HOUR = timedelta(hours=1)
CARRIED = {"policy": "carry_forward"}
Files = list[tuple[str, pd.DataFrame]]


def day(number: int) -> datetime:
    return datetime(2024, 3, 1) + timedelta(days=number)


def predictions(model: str, number: int, seed: int = 0, hours: float = -1, **more: Any) -> pd.DataFrame:
    """A model's submission for a cycle, received some hours after it (before it by default)."""
    chance = random.Random(f"{model} {number} {seed}")
    rows = {"model_id": model, "cycle": day(number), "subject": NAMES, "value": [chance.gauss(0, 1) for _ in NAMES]}
    received = {"horizon": 1, "received_at": day(number) + hours * HOUR}
    return pd.DataFrame(rows | received | more)


def truth(*numbers: int) -> pd.DataFrame:
    """The outcomes of some days, which serve every horizon."""
    parts = [predictions("truth", number)[["cycle", "subject", "value"]] for number in numbers]
    return pd.concat(parts).rename(columns={"cycle": "target_time"})


def declared(missing: dict[str, Any] = CARRIED, **changes: Any) -> Contract:
    """A contest of daily cycles whose files say themselves when they were received."""
    parts = {
        "predictions": {"source": "inbox", "trusted": True},
        "truth": {"source": "inbox"},
        "factors": {"source": "inbox"},
        "windows": {"recent": {"cycles": 3}, "all": {}},
        "leaderboard": {"rank_by": "all.ic", "inactive_after": 3},
        "horizon_length": "1d",
        "missing": missing,
    }
    return Contract.model_validate(declaration(**(parts | changes)))


def assert_settled(store: Store, contract: Contract) -> None:
    """Every blocking check holds, and to bring the tables up to date once more computes nothing."""
    assets = assets_of(contract)
    held = [check.run(store, contract.name) for spec, _, _ in assets for check in of_table(spec) if check.blocking]
    assert all(result.passed for result in held)
    again = {spec.name: update(store, contract, Recompute()) for spec, update, _ in assets}
    assert {name: outcome.why for name, outcome in again.items() if outcome.changes} == {}


def bring_up_to_date(store: Store, contract: Contract, **config: Any) -> dict[str, int]:
    """What a run does after landing, without Dagster: cycles whose rows changed, by table."""
    outcomes = {spec.name: update(store, contract, Recompute(**config)) for spec, update, _ in assets_of(contract)}
    return {name: sum(change.changed for change in outcome.changes) for name, outcome in outcomes.items()}


def tables(store: Store) -> dict[str, pd.DataFrame]:
    return {spec.name: store.read(spec, "toy") for spec in COMPETITION_TABLES}


@dataclass
class League:
    """A board fed by files, in a folder of its own."""

    folder: Path
    contract: Contract
    landed: int = 0

    @contextmanager
    def open(self) -> Iterator[Store]:
        with WarehouseFiles(self.folder / "podium.duckdb").write("a test") as store:
            yield store

    def run(self, files: Files, **config: Any) -> dict[str, int]:
        """Land files and bring everything up to date; cycles whose rows changed, by table."""
        for folder, rows in files:
            self.landed += 1
            place = settings().inbox_dir / "toy" / folder
            place.mkdir(parents=True, exist_ok=True)
            rows.to_csv(place / f"{self.landed:04}.csv", index=False)
        with self.open() as store:
            inbox_tables.land_inbox(store, self.contract, Landing())
            return bring_up_to_date(store, self.contract, **config)

    def tables(self) -> dict[str, pd.DataFrame]:
        with self.open() as store:
            return tables(store)

    def carried(self) -> list[tuple[str, int]]:
        """Who is carried to which cycle."""
        rows = self.tables()["predictions"]
        pairs = rows.loc[rows["is_imputed"], ["model_id", "cycle"]].drop_duplicates()
        return [(model, (cycle - day(0)).days) for model, cycle in pairs.itertuples(index=False, name=None)]


Make = Callable[..., League]


@pytest.fixture
def make(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A league of one's own: its files arrive in a folder that no other has."""
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)

    def make(name: str = "league", **changes: Any) -> League:
        monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / name))
        settings.cache_clear()
        return League(tmp_path / name, declared(**changes))

    return make


def begun() -> Files:
    """Models a and b in the first cycle, b alone in the two that follow, all resolved."""
    files = [("predictions", predictions(model, 0)) for model in "ab"]
    files += [("predictions", predictions("b", number)) for number in (1, 2)]
    return [*files, ("truth", truth(1, 2, 3))]


def test_the_last_submission_of_a_file_takes_part_in_the_cycles_left_out(make: Make) -> None:
    league = make()
    league.run(begun())
    assert league.carried() == [("a", 1), ("a", 2)]
    found = league.tables()
    of_a = found["predictions"].query("model_id == 'a'")
    assert of_a.groupby("cycle")["value"].apply(list).tolist() == [predictions("a", 0)["value"].tolist()] * 3
    assert of_a.groupby("cycle")["target_time"].first().tolist() == [day(1), day(2), day(3)]
    board = found["snapshots"].query("window_name == 'all' and metric == 'ic'").set_index(["as_of", "model_id"])
    row = board.loc[(day(3), "a")]
    assert row[["n", "n_imputed", "n_scored", "cycles_absent"]].tolist() == [1, 2, 6, 2]


def test_a_submission_in_time_takes_the_place_of_what_stood_in_and_is_carried_on(make: Make) -> None:
    league = make()
    league.run(begun())
    changed = league.run([("predictions", predictions("a", 1))])
    assert league.carried() == [("a", 2)]
    assert changed["predictions"] == changed["scores"] == 2
    rows = league.tables()["predictions"].query("model_id == 'a' and cycle == @day(2)")
    assert rows["value"].tolist() == predictions("a", 1)["value"].tolist()


def test_a_late_submission_moves_nothing_but_is_in_submissions(make: Make) -> None:
    league = make()
    league.run(begun())
    before = league.tables()
    changed = league.run([("predictions", predictions("a", 1, hours=1))])
    assert_same_tables(league.tables(), before)
    assert {table for table, cycles in changed.items() if cycles} == {"submissions"}


def test_an_old_cycle_that_lands_late_is_carried_to_the_cycles_after_it(make: Make) -> None:
    league = make()
    league.run(
        [("predictions", predictions("b", number)) for number in range(5)] + [("predictions", predictions("a", 3))]
    )
    assert league.carried() == [("a", 4)]
    changed = league.run([("predictions", predictions("a", 1))])
    assert league.carried() == [("a", 2), ("a", 4)]
    assert changed["predictions"] == 2


def test_an_older_change_that_is_carried_nowhere_moves_nothing_further_on(make: Make) -> None:
    league = make()
    league.run([("predictions", predictions(model, number)) for model in "ab" for number in range(4)])
    assert league.run([("predictions", predictions("a", 1, seed=1, hours=-0.5))])["predictions"] == 1


def test_a_model_that_stopped_is_carried_so_far_and_becomes_inactive(make: Make) -> None:
    league = make(missing=CARRIED | {"max_cycles": 2})
    files = [("predictions", predictions("a", 0)), *(("predictions", predictions("b", number)) for number in range(5))]
    league.run([*files, ("truth", truth(1, 2, 3, 4, 5))])
    assert league.carried() == [("a", 1), ("a", 2)]
    status = league.tables()["leaderboard"].query("model_id == 'a'")["status"].tolist()
    assert status == ["ranked", "ranked", "ranked", "unranked: inactive", "unranked: inactive"]


def test_registries_say_what_was_submitted_and_not_what_was_carried(make: Make) -> None:
    versions = [pd.DataFrame({"model_id": ["a"], "version": [version]}) for version in ("1", "2")]
    found = {}
    for policy in ("skip", "carry_forward"):
        league = make(policy, missing={"policy": policy}, models={"registration": "closed"})
        names = pd.DataFrame({"model_id": ["a", "b"]})
        league.run([("models", names), ("models", versions[0])])
        league.run([*begun(), ("predictions", predictions("c", 0))])
        league.run([("models", versions[1])])
        found[policy] = league.tables()
        assert {"a", "b"} == set(found[policy]["predictions"]["model_id"])
    for spec in (MODELS, SUBJECTS, MODEL_VERSIONS):
        pd.testing.assert_frame_equal(found["skip"][spec.name], found["carry_forward"][spec.name])
    assert len(found["carry_forward"]["predictions"]) == len(found["skip"]["predictions"]) + 2 * len(NAMES)


def test_another_rule_takes_back_what_was_carried(make: Make) -> None:
    league = make(missing={"policy": "skip"})
    league.run(begun())
    before = league.tables()
    league.contract = declared()
    assert league.run([])["predictions"] == 2
    assert len(league.carried()) == 2
    league.contract = declared({"policy": "worst"})
    league.run([])
    assert not league.carried()
    league.contract = declared({"policy": "skip"})
    league.run([])
    assert_same_tables(league.tables(), before)


def any_files(chance: random.Random) -> Files:
    """Submissions of four models to some of the cycles, some late, some twice, some of less than all."""
    files = []
    for number in range(DAYS):
        for model in "abcd":
            for attempt in range(chance.choice([0, 0, 1, 1, 2])):
                hours = chance.uniform(-10, 3)
                rows = [predictions(model, number, attempt, hours, horizon=horizon) for horizon in (1, 2)]
                kept = chance.choice([rows, rows, rows[:1], [part[part["subject"] > "s0"] for part in rows]])
                files.append(("predictions", pd.concat(kept)))
    resolved = chance.sample(range(1, DAYS + 2), DAYS - 1)
    return files + [("truth", truth(number)) for number in resolved]


@pytest.mark.parametrize("seed", seeds())
def test_files_in_any_order_end_where_all_at_once_would(make: Make, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    missing = CARRIED | {"max_cycles": chance.choice([None, 1, 2])}
    files = any_files(chance)
    at_once = make("at once", missing=missing)
    at_once.run(files)
    told = make("told", missing=missing)
    monkeypatch.setattr(inbox_tables, "_cycles_per_block", lambda *_: chance.randint(1, 3))
    chance.shuffle(files)
    while files:
        together = chance.randint(4, 20)
        config = {"from_cycle": day(3).isoformat()} if chance.random() < 0.3 else {}
        told.run(files[:together], **config)
        files = files[together:]
    told.run([])
    with told.open() as store:
        assert_settled(store, told.contract)
    assert told.carried()
    assert_same_tables(told.tables(), at_once.tables())


@dataclass
class Calendar:
    """A source that says nothing of having new cycles but that it has them."""

    rows: pd.DataFrame
    shown: set[datetime] = field(default_factory=set)
    asked: list[datetime] = field(default_factory=list)

    def fingerprint(self) -> str:
        return "always the same"

    def cycles(self) -> list[datetime]:
        return sorted(self.shown)

    def models(self) -> pd.DataFrame:
        columns = ["title", "player", "version", "licence", "description"]
        return pd.DataFrame({"model_id": list("abc")} | dict.fromkeys(columns, "x"))

    def subjects(self) -> pd.DataFrame:
        return pd.DataFrame({"subject": NAMES, "title": NAMES})

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        self.asked += cycles
        return self.rows[self.rows["cycle"].isin(self.shown & set(cycles))].reset_index(drop=True)

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        return pd.DataFrame({"cycle": pd.Series(dtype="datetime64[us]"), "subject": "", "factor": "", "value": 0.0})

    def truth(self) -> pd.DataFrame:
        outcomes = truth(*range(1, DAYS))
        return outcomes.assign(horizon=-1, known_at=outcomes["target_time"])


@pytest.fixture
def calendar(toy: ToyContest, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """Every model's predictions of all cycles, none of which is there yet; b predicts all of them, c is late once."""
    plays = {"a": [0, 3], "b": range(DAYS), "c": [1, 2, 4, 5]}
    rows = [predictions(model, number) for model, numbers in plays.items() for number in numbers]
    rows.append(predictions("c", 3, hours=1))
    given = pd.concat(rows, ignore_index=True)
    source = Calendar(given.assign(target_time=given["cycle"] + timedelta(days=1)))
    monkeypatch.setattr(competition_tables, "source_of", lambda path: source)
    return source


def of_source(**changes: Any) -> Contract:
    source = "pipeline_tests.toy_contest.toy"
    parts = {"predictions": {"source": source}, "truth": {"source": source, "known_at": "column"}}
    return declared(**(parts | changes))


def carried_to(store: Store) -> dict[str, list[int]]:
    rows = store.read(PREDICTIONS, "toy")
    rows = rows[rows["is_imputed"]]
    return {
        str(model): [(one - day(0)).days for one in sorted(of_model["cycle"].unique())]
        for model, of_model in rows.groupby("model_id")
    }


def test_a_sources_earlier_cycles_are_carried_without_asking_for_them_again(calendar: Calendar, tmp_path: Path) -> None:
    contract = of_source()
    with WarehouseFiles(tmp_path / "podium.duckdb").write("a test") as store:
        calendar.shown = {day(number) for number in range(3)}
        bring_up_to_date(store, contract)
        assert carried_to(store) == {"a": [1, 2]}
        calendar.asked.clear()
        calendar.shown |= {day(3), day(4)}
        bring_up_to_date(store, contract)
        assert carried_to(store) == {"a": [1, 2, 4], "c": [3]}
        assert calendar.asked == [day(3), day(4)]
        rows = store.read(PREDICTIONS, "toy", [day(4)]).query("model_id == 'a'")
        assert rows["value"].tolist() == predictions("a", 3)["value"].tolist()
        assert set(store.read(PREDICTIONS, "toy", [day(3)]).query("model_id == 'c'")["is_late"]) == {False}


def test_a_sources_new_old_cycle_is_carried_on_and_one_that_goes_is_not(calendar: Calendar, tmp_path: Path) -> None:
    contract = of_source()
    with WarehouseFiles(tmp_path / "podium.duckdb").write("a test") as store:
        calendar.shown = {day(1), day(2)}
        bring_up_to_date(store, contract)
        assert carried_to(store) == {}
        calendar.shown.add(day(0))
        assert bring_up_to_date(store, contract)["predictions"] == 3
        assert carried_to(store) == {"a": [1, 2]}
        calendar.shown.remove(day(0))
        bring_up_to_date(store, contract)
        assert carried_to(store) == {}
        assert_settled(store, contract)


@pytest.mark.parametrize("seed", seeds())
def test_a_sources_cycles_in_any_order_end_where_a_fresh_start_would(
    calendar: Calendar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    contract = of_source(missing=CARRIED | {"max_cycles": chance.choice([None, 1, 2])})
    monkeypatch.setattr(blocks, "fitting", lambda cells, arrays=0: chance.randint(1, 4))
    coming = [day(number) for number in range(DAYS)]
    chance.shuffle(coming)
    with WarehouseFiles(tmp_path / "told.duckdb").write("a test") as store:
        while coming:
            calendar.shown |= {coming.pop() for _ in range(min(len(coming), chance.randint(1, 3)))}
            limit = chance.choice([{}, {"from_cycle": day(3).isoformat()}, {"to_cycle": day(3).isoformat()}])
            bring_up_to_date(store, contract, **limit)
        calendar.shown.remove(day(chance.randrange(DAYS)))
        bring_up_to_date(store, contract)
        assert_settled(store, contract)
        told = tables(store)
    with WarehouseFiles(tmp_path / "fresh.duckdb").write("a test") as store:
        bring_up_to_date(store, contract)
        assert_same_tables(told, tables(store))
    assert len(told["leaderboard"])
