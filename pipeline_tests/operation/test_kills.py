"""Killed by SIGKILL at any moment, the next run ends where an undisturbed one would, and readers notice nothing."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import BOARD_TABLES, FILES, LEADERBOARD, PREDICTION_ROWS, QUARANTINE, SUBMISSIONS
from pipeline.warehouse import WarehouseFiles, compose, open_published
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.components.inbox_contest import InboxContest, predictions, truth
from pipeline_tests.operation.contest import DAYS, bring, rebuilt
from pipeline_tests.patience import PATIENCE
from pipeline_tests.stories import KILLS
from pipeline_tests.toy_contest import ToyContest
from pipeline_tests.toy_graph import FILE, ToyGraph

OF_DBT = 8
"""Every so many kills, the one that dies is building marts."""
_PROCESSES = multiprocessing.get_context("forkserver")


def work(folder: str, environment: dict[str, str], kind: str, began: "multiprocessing.synchronize.Event") -> None:
    """Land, materialize and publish, or build marts and publish, again and again; told by whoever kills this."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.environ.update(environment)
    settings.cache_clear()
    inbox.SETTLED_SECONDS = 0.0
    contest = InboxContest(Path(folder))
    began.set()
    if kind == "marts":
        ToyGraph(Path(folder), [contest.contract], with_marts=True).run_marts()
    else:
        bring(contest)
        WarehouseFiles(lock_timeout=PATIENCE).publish()


@dataclass
class Watch:
    """A reader that looks at the published file all the time."""

    published_dir: Path
    looks: int = 0
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        rows = 0
        while not self._over.is_set() and not self.wrong:
            try:
                with open_published(self.published_dir) as connection:
                    found = self._rows(connection)
            except Exception as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
                return
            if found < max(1, rows):
                self.wrong.append(f"{found} rows of the board after {rows}")
            rows, self.looks = found, self.looks + 1
            self._over.wait(0.02)

    def _rows(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Rows of the board, every value of which is read."""
        (found,) = connection.execute("SELECT count(*), sum(hash(l)) FROM toy.leaderboard AS l").fetchall()
        (files,) = connection.execute("SELECT count(*) FROM toy.files WHERE status = 'accepted'").fetchall()
        assert files[0] >= 1
        return int(found[0])


@dataclass
class Killing:
    """A contest whose work is killed at random moments.

    Parameters
    ----------
    contest : InboxContest
    chance : random.Random
    """

    contest: InboxContest
    chance: random.Random
    names: list[str] = field(default_factory=list)
    seconds: float = 1.0

    def drop(self, number: int) -> None:
        """Several files to land: some good, one again, one that nobody can use."""
        model = f"m{number}"
        dropped = {
            "p": ("predictions", predictions(model, *DAYS, seed=number)),
            "again": ("predictions", predictions(model, DAYS[1], seed=number + 1000)),
            "t": ("truth", truth(DAYS[number % len(DAYS)], seed=number)),
            "x": ("predictions", f"model_id,cycle,subject,value\n{model},never,01,1\n"),
        }
        for name, (folder, content) in dropped.items():
            self.contest.drop(folder, content, f"{number:03}-{name}.csv")
            self.names.append(f"{number:03}-{name}.csv")

    def kill(self, kind: str) -> bool:
        """Let a process work, and kill it; whether it was still at work."""
        began = _PROCESSES.Event()
        environment = {name: value for name, value in os.environ.items() if name.startswith(("PODIUM_", "DAGSTER_"))}
        process = _PROCESSES.Process(target=work, args=(str(self.contest.folder), environment, kind, began))
        process.start()
        assert began.wait(PATIENCE)
        process.join(self.chance.uniform(0, 12 * self.seconds if kind == "marts" else 1.2 * self.seconds))
        process.kill()  # which may find it done: how it ended is asked afterwards, never before
        process.join()
        assert process.exitcode in {0, -signal.SIGKILL}
        return process.exitcode == -signal.SIGKILL

    def go_on(self) -> None:
        """What the next run does, which is timed."""
        started = time.monotonic()
        bring(self.contest)
        WarehouseFiles(lock_timeout=PATIENCE).publish()
        self.seconds = time.monotonic() - started

    def check(self) -> None:
        """Nothing accepted is lost, nothing is doubled, nothing is left to do."""
        assert not [path for path in (self.contest.folder / "inbox").rglob("*") if path.is_file()]
        with self.contest.graph.open() as store:
            assert sorted(store.read(FILES, "toy")["name"]) == sorted(self.names)
            for spec in BOARD_TABLES:
                doubled = compose(
                    "SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1", key=spec.key, table=spec
                )
                assert store.query(doubled).empty, spec.qualified_name
            files = store.read(FILES, "toy").set_index("file_number")
            for spec, column in ((PREDICTION_ROWS, "n_accepted"), (QUARANTINE, "n_rejected")):
                counted = store.read(spec, "toy").groupby("file_number").size()
                kinds = files if spec is QUARANTINE else files[files["kind"] == "predictions"]
                assert counted.reindex(kinds.index, fill_value=0).tolist() == kinds[column].tolist()
            assert len(store.read(SUBMISSIONS, "toy")) == (len(DAYS) + 1) * len(self.names) // 4
            seq = store.max_seq()
        bring(self.contest)
        with self.contest.graph.open() as store:
            assert store.max_seq() == seq


@pytest.fixture
def killing(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Killing]:
    """A contest with a first board that is published."""
    _PROCESSES.set_forkserver_preload([__name__])
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(ToyGraph, "warehouse", property(_patient))

    def begun(seed: int) -> Killing:
        made = Killing(InboxContest(tmp_path), random.Random(seed))
        made.drop(0)
        made.drop(1)
        made.go_on()
        made.drop(2)
        made.go_on()
        return made

    return begun


def _patient(graph: ToyGraph) -> Warehouse:
    return Warehouse(database=str(graph.folder / FILE), lock_timeout=PATIENCE)


@pytest.mark.slow
def test_killed_at_random_moments_the_next_run_ends_where_an_undisturbed_one_would(
    killing: Callable[[int], Killing], capfd: pytest.CaptureFixture[str]
) -> None:
    made = killing(KILLS)
    watch = Watch(made.contest.folder / "published")
    died = tries = 0
    with watch.going_on():
        while died < KILLS:
            made.drop(3 + tries)
            died += made.kill("marts" if died % OF_DBT == OF_DBT - 1 else "board")
            tries += 1
            made.go_on()
            made.check()
            assert watch.wrong == []
            assert tries <= 4 * KILLS  # most die at work; the others were done by then
    with capfd.disabled():
        print(f"{died} processes killed at work, {tries - died} done before; {watch.looks} looks of a reader meanwhile")
    assert watch.looks > KILLS
    graph = ToyGraph(made.contest.folder, [made.contest.contract], with_marts=True)
    assert graph.run_marts().success
    board = made.contest.table(LEADERBOARD)
    with open_published(made.contest.folder / "published") as connection:
        shown = connection.execute(
            "SELECT count(*) FROM marts.leaderboard_history WHERE competition = 'toy'"
        ).fetchone()
        published = connection.execute("SELECT count(*) FROM toy.leaderboard").fetchone()
    assert published == (len(board),)
    assert shown is not None
    assert shown[0] > 0
    report = rebuilt(made.contest)
    assert [one for one in report.differing if not one.table.startswith("marts.")] == []
