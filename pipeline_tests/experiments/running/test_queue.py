"""The queue: nobody has the same run, nothing is lost, and what is not published stays."""

import dataclasses
import shutil
import sqlite3
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.experiments import plan
from pipeline.experiments.running import (
    LEASE,
    MOST_LOSSES,
    WORKER_LOST,
    Kind,
    Outcome,
    Queue,
    QueueDamagedError,
    QueueError,
    QueueVersionError,
    Seen,
)
from pipeline.processes import Process
from pipeline_tests.experiments.declared import experiment
from pipeline_tests.experiments.running.workers import PROCESSES, die_at_work, finish_all

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901)
DONE = Outcome("completed", output="Paris", tokens_in=5, tokens_out=1, cost=0.25)
PLANNED = plan(experiment())
ELSEWHERE = Process("another-machine", 1, "1")


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "experiments" / "capitals.sqlite"


@pytest.fixture
def queue(path: Path, clock: Clock):
    with Queue(path, "capitals", now=clock) as opened:
        yield opened


def test_what_is_put_in_comes_out_as_it_was_planned(queue) -> None:
    assert queue.add(PLANNED, is_planned=True) == [one.run_id for one in PLANNED]
    rows = queue.runs()
    assert [(one.run_id, one.key, one.config, one.input_id) for one in rows] == [
        (one.run_id, one.key, one.config, one.input_id) for one in PLANNED
    ]
    assert {(one.status, one.created_at, one.started_at) for one in rows} == {("pending", NOW, None)}
    assert (rows[0].prompt, rows[0].prompt_version, rows[-1].prompt_version) == ("terse", "1", "2")


def test_a_run_is_put_in_once(queue) -> None:
    queue.add(PLANNED[:2])
    assert queue.add(PLANNED[:3]) == [PLANNED[2].run_id]
    assert queue.counts == {"pending": 3}


def test_runs_are_claimed_in_order_and_what_somebody_asked_for_comes_first(queue) -> None:
    queue.add(PLANNED[:4], is_planned=True)
    queue.add(PLANNED[4:5])
    wanted = [PLANNED[4], *PLANNED[:2]]
    assert [one.run_id for one in queue.claim(3)] == [one.run_id for one in wanted]


def test_only_runs_of_the_kinds_that_are_asked_for_are_claimed(queue) -> None:
    declared = experiment(models=["small", 'the "large" – é'], parameters={"grid": {"temperature": [0, 0.5]}})
    queue.add(plan(declared))
    kinds = [
        Kind(model, params) for model in declared.models for params in ('{"temperature":0}', '{"temperature":0.5}')
    ]
    assert queue.waiting == dict.fromkeys(kinds, 4)
    claimed = queue.claim(8, kinds[3:])
    assert [(one.config.model, one.config.params) for one in claimed] == [('the "large" – é', {"temperature": 0.5})] * 4
    assert queue.waiting == dict.fromkeys(kinds[:3], 4)
    assert queue.claim(8, kinds[3:]) == []
    assert queue.claim(8, []) == []


def test_a_run_ends_once_with_what_came_of_it(queue, clock) -> None:
    queue.add(PLANNED[:1])
    (claimed,) = queue.claim()
    assert (claimed.status, claimed.started_at) == ("running", NOW)
    clock.now += timedelta(seconds=2)
    stages = ({"stage": "call", "status": "completed"},)
    assert queue.finish(claimed, dataclasses.replace(DONE, stages=stages))
    assert not queue.finish(claimed, Outcome("failed"))
    row = queue.run(claimed.run_id)
    assert (row.status, row.output, row.tokens_in, row.tokens_out, row.cost) == ("completed", "Paris", 5, 1, 0.25)
    assert (row.started_at, row.completed_at, row.duration_ms, row.stages) == (NOW, clock.now, 2000.0, stages)


def test_a_run_that_is_given_back_waits_as_before(queue) -> None:
    queue.add(PLANNED[:1])
    (claimed,) = queue.claim()
    queue.give_back(claimed)
    assert queue.counts == {"pending": 1}
    (again,) = queue.claim()
    queue.give_back(claimed)  # no longer its own to give
    assert queue.is_mine(again)
    assert not queue.is_mine(claimed)


def test_threads_never_claim_the_same_run(queue) -> None:
    declared = experiment(repeats=10)
    queue.add(plan(declared))
    had: list[str] = []

    def work() -> None:
        while claimed := queue.claim(2):
            had.extend(one.run_id for one in claimed)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(had) == sorted(one.run_id for one in plan(declared))


def test_processes_never_claim_the_same_run(queue, path) -> None:
    declared = experiment(repeats=20)
    queue.add(plan(declared))
    talks = [(PROCESSES.Pipe(), PROCESSES.Pipe()) for _ in range(4)]
    processes = [PROCESSES.Process(target=finish_all, args=(path, ready, answer)) for (_, ready), (_, answer) in talks]
    for process in processes:
        process.start()
    for (ready, _), _ in talks:
        ready.recv()
    for _, (answer, _) in talks:
        answer.send("go")
    had = [answer.recv() for _, (answer, _) in talks]
    for process in processes:
        process.join()
    assert sorted(run_id for its in had for run_id in its) == sorted(one.run_id for one in plan(declared))
    assert queue.counts == {"completed": 160}
    assert {one.run_id: one.output for one in queue.runs()} == {
        run_id: str(process.pid) for process, its in zip(processes, had, strict=True) for run_id in its
    }


def test_runs_of_a_process_that_is_killed_wait_again(queue, path) -> None:
    queue.add(PLANNED)
    (mine,) = queue.claim()
    lost = die_at_work(path, 3)
    assert queue.counts == {"running": 4, "pending": 4}
    assert queue.recover() == 3
    assert {one.run_id for one in queue.runs("pending")} >= set(lost)
    assert queue.is_mine(mine)


def test_claiming_takes_back_what_the_dead_had(queue, path) -> None:
    queue.add(PLANNED[:1])
    lost = die_at_work(path)
    assert [one.run_id for one in queue.claim()] == lost


def test_a_run_that_processes_die_of_has_failed_in_the_end(queue, path) -> None:
    queue.add(PLANNED[:1])
    for _ in range(MOST_LOSSES):
        assert die_at_work(path) == [PLANNED[0].run_id]
    assert queue.claim() == []
    (row,) = queue.runs()
    assert (row.status, row.completed_at) == ("failed", NOW)
    assert row.error.startswith(WORKER_LOST)


def test_a_worker_of_another_machine_is_gone_only_after_its_lease(queue, path, clock) -> None:
    queue.add(PLANNED[:1])
    with Queue(path, "capitals", worker=ELSEWHERE, now=clock) as other:
        other.claim()
        clock.now += LEASE
        assert queue.recover() == 0
        other.beat()
        clock.now += LEASE
        assert queue.recover() == 0
        clock.now += timedelta(seconds=1)
        assert queue.recover() == 1


def test_who_was_taken_for_lost_may_still_end_a_run_that_waits_again_but_not_one_that_another_has(
    queue, path, clock
) -> None:
    queue.add(PLANNED[:2])
    with Queue(path, "capitals", worker=ELSEWHERE, now=clock) as other:
        first, second = other.claim(2)
        clock.now += 2 * LEASE
        assert [one.run_id for one in queue.claim()] == [first.run_id]
        assert not other.finish(first, DONE)
        assert other.finish(second, DONE)
    assert queue.run(second.run_id).status == "completed"
    assert queue.claim(2) == []


def test_a_waiting_run_is_cancelled_and_nobody_gets_it(queue) -> None:
    queue.add(PLANNED[:1])
    assert queue.cancel(PLANNED[0].run_id).status == "cancelled"
    assert queue.claim() == []
    assert queue.run(PLANNED[0].run_id).completed_at == NOW


def test_a_running_run_is_cancelled_at_once_and_what_it_cost_is_kept(queue, clock) -> None:
    queue.add(PLANNED[:1])
    (claimed,) = queue.claim()
    queue.cancel(claimed.run_id)
    assert not queue.is_mine(claimed)
    clock.now += timedelta(seconds=1)
    assert not queue.finish(claimed, DONE)
    row = queue.run(claimed.run_id)
    assert (row.status, row.output, row.cost, row.completed_at) == ("cancelled", None, 0.25, NOW)


def test_what_has_ended_is_not_cancelled(queue) -> None:
    queue.add(PLANNED[:2])
    (claimed,) = queue.claim()
    queue.finish(claimed, DONE)
    assert queue.cancel(claimed.run_id).status == "completed"
    assert queue.cancel("unknown") is None
    assert queue.cancel_all() == 1
    assert queue.counts == {"completed": 1, "cancelled": 1}


def test_failed_runs_wait_again_when_told_so(queue) -> None:
    queue.add(PLANNED[:2])
    for claimed, status in zip(queue.claim(2), ("failed", "completed"), strict=True):
        queue.finish(claimed, Outcome(status, error="no", cost=0.5, stages=({"stage": "call"},)))
    assert queue.retry(["failed", "running"]) == 1
    (row,) = queue.runs("pending")
    assert (row.run_id, row.error, row.cost, row.completed_at, row.stages) == (PLANNED[0].run_id, None, None, None, ())


def test_another_plan_takes_the_place_of_the_one_before(queue) -> None:
    first, second = PLANNED[:4], PLANNED[2:6]
    assert queue.planned == ""
    assert queue.plan(first, [], "a") == 4
    (claimed,) = queue.claim()
    queue.add(PLANNED[7:])
    assert queue.plan(second, {PLANNED[5].key}, "b") == 1
    assert {one.run_id for one in queue.runs()} == {
        claimed.run_id,
        PLANNED[7].run_id,
        *(one.run_id for one in PLANNED[2:5]),
    }
    assert queue.planned == "b"


def test_what_was_delivered_as_it_is_goes_once_it_is_seen_published(queue) -> None:
    queue.add(PLANNED[:3])
    for claimed in queue.claim(2):
        queue.finish(claimed, DONE)
    published = {one.run_id: Seen("completed", NOW) for one in PLANNED}
    assert queue.forget(published, []) == 0
    (first, second) = queue.undelivered(5)
    queue.mark_delivered([first])
    assert [one.run_id for one in queue.undelivered(5)] == [second.run_id]
    assert queue.forget(published | {first.run_id: Seen("completed", NOW - timedelta(1))}, []) == 0
    assert queue.forget(published, []) == 1
    assert queue.run(first.run_id) is None
    assert queue.run(second.run_id) is not None


def test_what_changed_after_it_was_read_is_delivered_again(queue) -> None:
    queue.add(PLANNED[:1])
    (claimed,) = queue.claim()
    queue.cancel(claimed.run_id)
    read = queue.undelivered(5)
    queue.finish(claimed, DONE)
    queue.mark_delivered(read)
    assert [one.cost for one in queue.undelivered(5)] == [0.25]


def test_readers_are_told_what_the_published_file_does_not_have(queue) -> None:
    queue.add(PLANNED[:3])
    (claimed,) = queue.claim()
    queue.finish(claimed, DONE)
    older = {claimed.run_id: Seen("pending", None), PLANNED[1].run_id: Seen("pending", None)}
    assert [one.run_id for one in queue.unpublished(older)] == [claimed.run_id, PLANNED[2].run_id]
    assert claimed.run_id not in [one.run_id for one in queue.unpublished({claimed.run_id: Seen("completed", NOW)})]


def test_the_count_of_changes_tells_what_is_new(queue) -> None:
    queue.add(PLANNED[:3])
    before = queue.change
    assert queue.runs(since=before) == []
    queue.cancel(PLANNED[1].run_id)
    assert [one.run_id for one in queue.runs(since=before)] == [PLANNED[1].run_id]
    after = queue.change
    queue.scores.give(PLANNED[0].run_id, "human", kind="human", version="1", rater="ann", value=1.0)
    assert queue.change > after


def test_scores_are_kept_until_they_are_seen_published(queue, clock) -> None:
    first = queue.scores.give("r1", "human", kind="human", version="1", rater="ann", value=0.5, details={"rating": 3})
    clock.now += timedelta(seconds=1)
    second = queue.scores.give("r1", "judge", kind="judge", version="1", reason="unreadable_verdict", identity="i")
    assert queue.scores.all("r1") == [first, second]
    assert (first.scored_at, first.details) == (NOW, {"rating": 3})
    assert queue.scores.all("r2") == []
    assert queue.scores.unpublished([first.score_id]) == [second]
    queue.scores.mark_delivered([first])
    assert queue.scores.undelivered(5) == [second]
    assert queue.forget({}, [first.score_id, second.score_id]) == 1
    assert queue.scores.all() == [second]


def test_a_score_is_delivered_after_its_run(queue) -> None:
    queue.add(PLANNED[:1])
    score = queue.scores.give(PLANNED[0].run_id, "human", kind="human", version="1", rater="ann", value=1.0)
    assert queue.scores.undelivered(5) == []
    (claimed,) = queue.claim()
    queue.finish(claimed, DONE)
    assert queue.scores.undelivered(5) == []
    queue.mark_delivered(queue.undelivered(5))
    assert queue.scores.undelivered(5) == [score]
    assert queue.n_undelivered == 1


def test_verdicts_and_money_outlive_the_process_and_the_runs(path) -> None:
    with Queue(path, "capitals") as queue:
        queue.verdicts["question"] = "Score: 4"
        queue.ledger.settle(queue.ledger.hold(0.5, 1.0), 0.25)
    with Queue(path, "capitals") as queue:
        assert dict(queue.verdicts) == {"question": "Score: 4"}
        assert queue.ledger.money.spent == 0.25
        del queue.verdicts["question"]
        with pytest.raises(KeyError):
            queue.verdicts["question"]


def test_there_is_no_queue_before_one_is_made(path) -> None:
    with pytest.raises(FileNotFoundError):
        Queue(path, "capitals", make=False)
    assert not path.parent.exists()


def test_many_may_make_the_same_queue_at_once(path) -> None:
    queues: list[Queue] = []
    threads = [threading.Thread(target=lambda: queues.append(Queue(path, "capitals"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one.add(PLANNED)) for one in queues] == [8, 0, 0, 0, 0, 0, 0, 0]
    for one in queues:
        one.close()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"not a database at all", b"", b"SQLite format 3\0" + b"x" * 2000])
def test_a_file_that_is_no_queue_is_named_with_a_remedy(path, content) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(QueueDamagedError, match=r"capitals\.sqlite is no queue.*move it elsewhere"):
        Queue(path, "capitals")
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_left_alone(path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (x)")
    connection.close()
    with pytest.raises(QueueDamagedError, match=r"capitals\.sqlite is no queue of Podium; move it elsewhere"):
        Queue(path, "capitals")


def test_a_damaged_queue_is_named_with_a_remedy(path) -> None:
    with Queue(path, "capitals") as queue:
        queue.add(plan(experiment(repeats=50)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with (
        pytest.raises(QueueDamagedError, match=r"capitals\.sqlite is no queue, or a damaged one .*move it elsewhere"),
        Queue(path, "capitals") as queue,
    ):
        queue.runs()


def test_a_queue_of_another_version_is_refused(path) -> None:
    Queue(path, "capitals").close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(
        QueueVersionError, match=r"capitals\.sqlite is a queue of version 99, this Podium has version 1"
    ):
        Queue(path, "capitals")


def test_the_queue_of_another_experiment_is_refused(path, tmp_path) -> None:
    Queue(path, "capitals").close()
    shutil.copy(path, tmp_path / "rivers.sqlite")
    with pytest.raises(QueueError, match="is the queue of experiment 'capitals', not of 'rivers'"):
        Queue(tmp_path / "rivers.sqlite", "rivers")


def test_only_an_end_ends_a_run() -> None:
    with pytest.raises(ValueError, match="status 'running' ends no run; known: completed, failed, cancelled"):
        Outcome("running")


def test_planned_runs_that_wait_are_withdrawn_and_no_others(queue) -> None:
    first, second, third, *_ = PLANNED
    queue.plan(PLANNED, (), "plan")
    queue.claim(1)
    running = next(one for one in queue.runs() if one.status == "running")
    waiting = [one for one in (first, second, third) if one.run_id != running.run_id]
    n = len(queue.runs())
    assert queue.withdraw([(running.config_hash, running.repeat), *(one.key for one in waiting[:1])]) == 1
    assert len(queue.runs()) == n - 1
    assert queue.run(waiting[0].run_id) is None
    assert queue.run(running.run_id) is not None
