"""What waits laid over what is published is what the next publication has: nothing twice, nothing missing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.components.experiment_tables import stored_answers
from pipeline.experiments import RunConfig, configuration_of, input_of, plan, run_id
from pipeline.experiments.plan import PlannedRun
from pipeline.experiments.running import Outcome, Queue, QueuedRun, Seen
from pipeline.experiments.scorers import Answer
from pipeline.intake.results import published_answers, queued_answers
from pipeline.reports.experiments import laid_tables
from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.reports.queries.experiment_boards import board
from pipeline.reports.queries.experiment_runs import RunSelection, run, runs
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.experiments import experiment
from pipeline.reports.queries.page import page
from pipeline.settings import Settings
from pipeline.tables import EXPERIMENT_TABLES, TableSpec
from pipeline.warehouse import PublishedReader
from pipeline_tests.reports.served import files_in
from pipeline_tests.toy_experiment import NAME, Given, Made, ToyExperiment, toy_experiment

FIRST = toy_experiment()
AD_HOC = RunConfig({"system": "Be brief.", "template": "{{ input }}!"}, "tiny", {"top_p": 0.5}, "Bruges")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    FIRST.publish(folder)
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def live(folder: Path) -> Iterator[LiveExperiments]:
    with opened(folder) as found:
        yield found


@contextmanager
def opened(folder: Path) -> Iterator[LiveExperiments]:
    with PublishedReader(folder / "published") as reader:
        found = LiveExperiments(reader, Settings(data_dir=folder))
        yield found
        found.close()


def queue_of(live: LiveExperiments) -> Queue:
    return live.queues.queue(NAME)


def asked(config: RunConfig, repeat: int = 1) -> PlannedRun:
    named = input_of(config, FIRST.declared.inputs)
    configuration = configuration_of(config, FIRST.declared)
    return PlannedRun(
        run_id(NAME, config.config_hash, repeat), config.config_hash, repeat, configuration, named, config
    )


def planned() -> list[PlannedRun]:
    return plan(FIRST.declared, done={(one.config.config_hash, one.repeat) for one in FIRST.made})


def work(live: LiveExperiments) -> None:
    """Everything that may happen: planned runs end well and badly, one runs, one is cancelled, one is asked ad hoc."""
    queue = queue_of(live)
    queue.add(planned(), is_planned=True)
    queue.add([asked(AD_HOC)], asked_by="Cleo")
    ad_hoc, good, bad, _running = queue.claim(4)
    queue.finish(ad_hoc, Outcome("completed", "Belgium", 7, 8, 0.25))
    queue.finish(good, Outcome("completed", "It is Paris, I think", 5, None, None))
    queue.finish(bad, Outcome("failed", error="refused: 400", error_detail="a secret"))
    queue.cancel(queue.runs("pending")[0].run_id)
    rated = FIRST.given[0]
    rate(live, good.run_id, "Cleo", 0.75)
    rate(live, ad_hoc.run_id, "Cleo", 0.25)
    rate(live, ad_hoc.run_id, "Cleo", 0.5)
    rate(live, rated.run_id, "Dora", 0.0)


def rate(live: LiveExperiments, of: str, rater: str, value: float) -> None:
    said: dict[str, Any] = {"rater": rater, "value": value, "details": {"rating": 1 + 4 * value, "scale": [1, 5]}}
    queue_of(live).scores.give(
        of, "helpful", kind="human", version="1", score_id=live.raters.new_id(NAME, rater), **said
    )


def materialized(live: LiveExperiments) -> ToyExperiment:
    """The experiment with what the queue holds, as landing would make it."""
    queue = queue_of(live)
    made = [made_of(one) for one in queue.runs() if not (one.is_planned and one.status == "pending")]
    given = [
        Given(one.run_id, one.scorer, one.value or 0.0, one.rater or "", one.scored_at, one.score_id)
        for one in queue.scores.all()
    ]
    return FIRST.but(*made, given=given)


def made_of(one: QueuedRun) -> Made:
    times = (one.started_at, one.completed_at)
    return Made(
        *(one.config, one.repeat, one.status, one.output, one.created_at, one.error, one.cost),
        *((one.tokens_in, one.tokens_out), times),
    )


def everything(tables: ExperimentTables) -> dict[str, pd.DataFrame]:
    return {spec.name: all_of(tables, spec) for spec in EXPERIMENT_TABLES}


def all_of(tables: ExperimentTables, spec: TableSpec) -> pd.DataFrame:
    columns = [one for one in spec.column_names if one != "rater_name"]
    listed = [
        f"CAST({one.name} AS {'VARCHAR' if one.type == 'JSON' else one.type}) AS {one.name}" for one in spec.columns
    ]
    statement = f"SELECT {', '.join(listed)} FROM {{{spec.name}}} ORDER BY {', '.join(spec.key)}"
    return tables.connection.execute(tables.sql(statement)).df()[columns]


@dataclass(frozen=True)
class Landed:
    """The experiment before and after what its queue holds was published."""

    folder: Path
    queued: dict[str, Answer]
    overlaid: dict[str, pd.DataFrame]
    published: dict[str, pd.DataFrame]
    n_waiting: tuple[dict[str, int], dict[str, int]]


@pytest.fixture(scope="module")
def landed(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Landed:
    folder = tmp_path_factory.mktemp("landed")
    shutil.copytree(published, folder, symlinks=True, dirs_exist_ok=True)
    with opened(folder) as live:
        work(live)
        queued = dict(queued_answers(queue_of(live), FIRST.declared.inputs))
        with live.tables() as tables:
            overlaid, before = everything(tables), dict(tables.n_waiting)
        materialized(live).publish(folder)
        with live.tables() as tables:
            return Landed(folder, queued, overlaid, everything(tables), (before, dict(tables.n_waiting)))


def test_tables_are_those_of_the_next_publication(landed: Landed) -> None:
    before, after = landed.n_waiting
    assert (before, after.get(NAME, 0)) == ({NAME: 9}, 0)
    for name, frame in landed.published.items():
        if name not in ("stages", "prompts"):
            pd.testing.assert_frame_equal(landed.overlaid[name], frame, check_exact=False, rtol=1e-12)


def test_scorers_see_the_same_of_a_run_wherever_it_is(landed: Landed) -> None:
    of_text = run_id(NAME, AD_HOC.config_hash, 1)
    published = dict(published_answers(FIRST.declared, FIRST.declared.inputs, Settings(data_dir=landed.folder)))
    with files_in(landed.folder).read() as store:
        stored = {run: answer for run, (answer, _) in stored_answers(store, FIRST.declared).items()}

    assert published == stored
    assert {run: stored[run] for run in landed.queued} == landed.queued
    assert stored[of_text].variables == {"input": "Bruges"}
    scores = landed.overlaid["scores"].query("rater == 0")
    scorers = FIRST.declared.made_scorers
    assert set(scores["run_id"]) == set(stored)
    for of, name, identity in scores[["run_id", "scorer", "identity"]].itertuples(index=False):
        assert identity == scorers[name].identity(stored[of])


def test_what_is_forgotten_while_an_older_publication_is_held_is_seen_all_the_same(
    live: LiveExperiments, folder: Path
) -> None:
    work(live)
    live._reader.hold()
    with live.tables() as tables:
        before = everything(tables)["runs"]
    materialized(live).publish(folder)
    queue = queue_of(live)
    ended = [one for one in queue.runs() if one.has_ended]
    queue.mark_delivered(ended)
    forgotten = queue.forget({one.run_id: Seen(one.status, one.completed_at) for one in ended}, ())
    assert forgotten == len(ended) == 4
    queue.add([asked(AD_HOC, 2)])
    with live.tables() as tables:
        found = everything(tables)["runs"]
    assert set(before["run_id"]) < set(found["run_id"])
    assert len(found) == len(before) + 1


def test_a_publication_of_a_part_counts_nothing_twice(live: LiveExperiments, folder: Path) -> None:
    work(live)
    with live.tables() as tables:
        before = everything(tables)
    whole = materialized(live)
    replace(whole, made=whole.made[:-2], given=whole.given[:-1]).publish(folder)
    with live.tables() as tables:
        after = everything(tables)
        assert experiment(tables, NAME).n_waiting == 3
    for name in ("runs", "scores", "run_board"):
        assert len(after[name]) == len(before[name])
    pd.testing.assert_frame_equal(after["leaderboard"], before["leaderboard"], check_exact=False, rtol=1e-12)


def test_a_run_that_ended_waits_or_runs_no_more(live: LiveExperiments) -> None:
    ended = next(one for one in FIRST.made if one.status == "completed")
    queue_of(live).add([asked(ended.config, ended.repeat)])
    with live.tables() as tables:
        assert not tables.n_waiting.get(NAME)
        assert run(tables, ended.run_id()).status == "completed"


def test_a_failed_run_that_was_run_again_is_what_came_of_it_last(live: LiveExperiments) -> None:
    failed = next(one for one in FIRST.made if one.status == "failed")
    queue = queue_of(live)
    queue.add([asked(failed.config, failed.repeat)])
    (claimed,) = queue.claim()
    queue.finish(claimed, Outcome("completed", "Tokyo"))
    with live.tables() as tables:
        found = run(tables, failed.run_id())
        assert (found.status, found.output, found.error) == ("completed", "Tokyo", None)
        assert {one.scorer: one.value for one in found.scores} == {"exact": 1.0, "brief": 1.0}
        assert experiment(tables, NAME).statuses["failed"] == 1


def test_a_person_keeps_the_number_that_earlier_scores_have(live: LiveExperiments, folder: Path) -> None:
    of = FIRST.given[0].run_id
    rate(live, of, "Cleo", 0.0)
    materialized(live).publish(folder)
    rate(live, of, "Cleo", 1.0)
    with live.tables() as tables:
        cleo = [one for one in run(tables, of).scores if one.rater == 3]
        assert [(one.value, one.number, one.is_latest) for one in cleo] == [(0.0, 1, False), (1.0, 2, True)]
        assert len({one.rater for one in run(tables, of).scores if one.is_of_a_person}) == 3


def test_beyond_so_many_runs_grouped_boards_say_what_they_lack(
    live: LiveExperiments, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live.tables() as tables:
        before = board(tables, NAME, "model")
    monkeypatch.setattr(laid_tables, "MOST_GROUPED", 10)
    work(live)
    with live.tables() as tables:
        found = board(tables, NAME, "model")
        assert (found.rows, found.n_waiting) == (before.rows, 9)
        assert experiment(tables, NAME).statuses["completed"] == 71


def test_what_cannot_be_laid_over_one_experiment_is_nothing_to_others(
    live: LiveExperiments, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work(live)
    with live.tables() as tables:
        whole = everything(tables)["runs"]

    def broken(*_: object) -> None:
        raise ValueError("no board can be made of it")

    monkeypatch.setattr("pipeline.reports.experiments.laid_tables.waiting_run_board", broken)
    with opened(folder) as another, another.tables() as tables:
        found = everything(tables)
    assert found["runs"].equals(whole)
    assert len(found["run_board"]) < len(whole)
    assert "is not shown in its run_board" in caplog.text


def test_a_queue_that_is_moved_away_is_gone(live: LiveExperiments, folder: Path) -> None:
    work(live)
    with live.tables() as tables:
        n_before = len(page(tables.connection, runs(tables, RunSelection())).records())
    for path in (folder / "experiments").glob(f"{NAME}.sqlite*"):
        path.rename(folder / path.name)
    with live.tables() as tables:
        assert len(page(tables.connection, runs(tables, RunSelection())).records()) == n_before - 1
    queue_of(live).add([asked(replace(AD_HOC, model="other"))])
    with live.tables() as tables:
        assert len(page(tables.connection, runs(tables, RunSelection())).records()) == n_before


def test_only_what_changed_since_is_read_again(live: LiveExperiments) -> None:
    work(live)
    first = live.queues.snapshots()[0][NAME]
    assert live.queues.snapshots()[0][NAME] is first
    rate(live, FIRST.given[0].run_id, "Cleo", 1.0)
    queue = queue_of(live)
    queue.plan([], set(), "nothing any more")
    again = live.queues.snapshots()[0][NAME]
    assert list(again.runs) == queue.run_ids
    assert len(again.runs) < len(first.runs)
    assert len(again.scores) == len(first.scores) + 1


def test_times_are_of_the_run(live: LiveExperiments) -> None:
    work(live)
    with live.tables() as tables:
        newest = page(tables.connection, runs(tables, RunSelection(NAME)), 1).records()[0]
        assert newest["created_at"] - max(one.created_at for one in FIRST.made) > timedelta(days=1)
