"""Executing with settings: from a declaration to files that land, and back from what is published to the queue."""

import json
import threading
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import pytest
from pydantic import SecretStr

from pipeline import experiments
from pipeline.experiments import Experiment, plan
from pipeline.experiments.running import Asker, Patience, QueueBusyError
from pipeline.intake import results
from pipeline.intake.executing import ceiling_of, deliver_waiting, execute_pending, pending_of
from pipeline.intake.posted import posted_path
from pipeline.intake.queueing import ask_once_more, cancel_run, cancel_runs, known_statuses, open_queue, retry_runs
from pipeline.intake.results import deliver_results, published_of
from pipeline.landing import inbox
from pipeline.settings import Settings, settings
from pipeline.tables import EXPERIMENT_FILES, EXPERIMENT_RUNS, EXPERIMENT_SCORES, EXPERIMENT_STAGES
from pipeline_tests import experiment_graph
from pipeline_tests.experiment_graph import NAME, ExperimentGraph, asked, imported
from pipeline_tests.experiments.running import endpoint as sent
from pipeline_tests.experiments.running.endpoint import Endpoint, chat, failing
from pipeline_tests.reports.served import files_in

LOCAL = {"models": {"words": {"provider": "local"}}, "baseline": None}
FREE = {"execution": {"max_cost": None}}
KEY = "s3cret-key"


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    settings.cache_clear()
    yield Settings(data_dir=tmp_path)
    settings.cache_clear()


def experiment(**changes: Any) -> Experiment:
    """The experiment of the graph, which is run without anybody's command."""
    return experiment_graph.experiment(**{"execution": {}} | changes)


def local(**changes: Any) -> Experiment:
    return experiment(**LOCAL | changes)


def asking(given: Settings, endpoint: Endpoint, **changes: Any) -> Settings:
    """Settings with the endpoint as the provider openai."""
    known = {"providers": {"openai": endpoint.address}, "secrets": {"openai": SecretStr(KEY)}}
    return given.model_copy(update=known | changes)


def impatient(queue, ceiling) -> Asker:
    return Asker(queue.ledger, ceiling, Patience(2), wait=lambda *_: None)


def rows_in(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def publish(given: Settings, declared: Experiment) -> ExperimentGraph:
    """Land what is in the inbox, make the tables and publish them."""
    graph = ExperimentGraph(given.data_dir, declared)
    graph.bring()
    assert graph.failing() == {}
    files_in(given.data_dir).publish()
    return graph


def test_a_local_experiment_runs_with_nothing_set(given) -> None:
    done = execute_pending(local(), given)
    assert (done.tally.n_completed, done.n_waiting, done.tally.why) == (3, 0, {})
    assert [path.parent for path in done.files] == [given.inbox_dir / NAME / "runs"]
    rows = rows_in(*done.files)
    assert {one["input_id"] for one in rows} == {"france", "italy", "spain"}
    assert {(one["status"], one["repeat"], one["prompt_name"], one["cost"]) for one in rows} == {
        ("completed", 1, "short", 0.0)
    }
    assert [one["stage"] for one in rows[0]["stages"]] == ["prompt", "call"]


def test_done_twice_the_second_does_nothing(given) -> None:
    execute_pending(local(), given)
    again = execute_pending(local(), given)
    assert (again.tally.n_ended, again.files) == (0, ())
    assert not pending_of(local(), given).is_worth_while
    more = execute_pending(local(repeats=2), given)
    assert more.tally.n_completed == 3


def test_results_are_named_as_the_experiment_names_its_columns(given) -> None:
    done = execute_pending(local(columns={"output": "answer", "cost": "usd"}), given)
    assert {"answer", "usd"} <= set(rows_in(*done.files)[0])
    assert not {"output", "cost"} & set(rows_in(*done.files)[0])


def test_what_was_delivered_lands_as_it_was_run(given) -> None:
    with Endpoint(lambda asked: chat(asked.prompt.upper(), usage={"prompt_tokens": 7, "cost": 0.5})) as endpoint:
        execute_pending(experiment(**FREE), asking(given, endpoint))
    with open_queue(NAME, given) as queue:
        queued = {one.run_id: one for one in queue.runs()}
    graph = publish(given, experiment(**FREE))
    files = graph.table(EXPERIMENT_FILES)
    assert (files["n_accepted"].sum(), files["n_rejected"].sum()) == (6, 0)
    runs = graph.table(EXPERIMENT_RUNS)
    assert len(runs) == 6
    for row in runs.itertuples():
        run = queued[row.run_id]
        assert (row.status, row.output, row.tokens_in, row.cost) == ("completed", run.output, 7, 0.5)
        assert (row.created_at, row.completed_at) == (run.created_at, run.completed_at)
        assert row.duration_ms == run.duration_ms
    stages = graph.table(EXPERIMENT_STAGES)
    assert list(stages["stage"]) == ["prompt", "call"] * 6
    assert published_of(NAME, given).runs == {one.run_id: (one.status, one.completed_at) for one in queued.values()}


def test_any_text_that_a_model_gives_lands(given) -> None:
    odd = '\ud83d half, \x00 nul, \u2028 line, \U0001f600, tab\t, \r\n, \x85, \x1b[0m, ,"quoted"'
    one = [{"id": "only", "variables": {"question": "Which?"}}]
    declared = experiment(**FREE, inputs=one, models=["small"], baseline=None)
    with Endpoint([sent.answered({"choices": [{"message": {"content": odd}}]}, is_ascii=True)]) as endpoint:
        execute_pending(declared, asking(given, endpoint))
    (row,) = publish(given, declared).table(EXPERIMENT_RUNS).itertuples()
    assert row.output == odd.replace("\ud83d", "\\ud83d").replace("\x00", "\\x00")


@pytest.mark.parametrize("said", ["a byte that is none: \ufffd", "long " * 1_000_000], ids=["replaced", "long"])
def test_no_answer_costs_itself_or_others_their_place(given, said) -> None:
    with Endpoint(lambda asked: chat(said if "Italy" in asked.prompt else "Paris")) as endpoint:
        execute_pending(experiment(**FREE), asking(given, endpoint))
    graph = publish(given, experiment(**FREE))
    assert graph.table(EXPERIMENT_FILES)["n_rejected"].sum() == 0
    assert sorted(graph.table(EXPERIMENT_RUNS)["output"]) == sorted([said] * 2 + ["Paris"] * 4)


def test_what_is_published_is_forgotten_and_not_run_again(given) -> None:
    with Endpoint([chat("Paris")]) as endpoint:
        known = asking(given, endpoint)
        execute_pending(experiment(**FREE), known)
        publish(given, experiment(**FREE))
        again = execute_pending(experiment(**FREE), known)
        assert again.tally.n_ended == 0
        with open_queue(NAME, given) as queue:
            assert queue.counts == {}
        more = execute_pending(experiment(**FREE, repeats=2), known)
        assert more.tally.n_completed == 6
        assert len(endpoint.asked) == 12


def imported_while_they_wait(given: Settings, known: Settings) -> list[str]:
    """Runs of one model that somebody imports, one of them as failed, after all six were planned; the completed."""
    declared = experiment(**FREE)
    assert pending_of(declared, known).n_waiting == 6
    rows = [
        asked("small", f"Capital of {country}?", input_id=country.lower(), status=status, output=output, error=error)
        for country, status, output, error in (
            ("France", "completed", "Paris", None),
            ("Italy", "completed", "Rome", None),
            ("Spain", "failed", None, "no answer"),
        )
    ]
    ExperimentGraph(given.data_dir, declared).drop(experiments.RUNS, rows)
    runs = publish(given, declared).table(EXPERIMENT_RUNS)
    return runs.loc[runs["status"] == "completed", "run_id"].tolist()


def test_what_is_imported_while_it_waits_is_not_asked_any_more(given) -> None:
    with Endpoint([chat("Lima")]) as endpoint:
        known = asking(given, endpoint)
        completed = imported_while_they_wait(given, known)
        assert len(completed) == 2
        done = execute_pending(experiment(**FREE), known)
        assert (done.tally.n_completed, done.n_waiting, len(endpoint.asked)) == (4, 0, 4)
    outputs = publish(given, experiment(**FREE)).table(EXPERIMENT_RUNS).set_index("run_id")["output"]
    assert set(outputs[completed]) == {"Paris", "Rome"}
    assert set(outputs.drop(completed)) == {"Lima"}


def test_what_is_imported_while_it_waits_is_counted_as_it_ended_and_cannot_be_cancelled(given) -> None:
    first, second = imported_while_they_wait(given, given)
    assert cancel_run(experiment(**FREE), given, first) is None
    assert pending_of(experiment(**FREE), given).n_waiting == 4
    assert known_statuses(NAME, given) == {"completed": 2, "pending": 4}
    assert cancel_runs(experiment(**FREE), given) == 4
    deliver_waiting(experiment(**FREE), given)
    statuses = publish(given, experiment(**FREE)).table(EXPERIMENT_RUNS).set_index("run_id")["status"]
    assert statuses[[first, second]].tolist() == ["completed"] * 2
    assert set(statuses.drop([first, second])) == {"cancelled"}


def test_one_that_was_asked_for_by_itself_is_answered_by_an_import_too(given) -> None:
    one = local(execution={"automatic": False})
    with open_queue(NAME, given) as queue:
        queue.add(plan(one)[:1], asked_by="Ann")
    (run,) = plan(one)[:1]
    row = asked("words", "Capital of France?", input_id="france", status="completed", output="Paris")
    ExperimentGraph(given.data_dir, one).drop(experiments.RUNS, [row])
    assert publish(given, one).table(EXPERIMENT_RUNS)["run_id"].tolist().count(run.run_id) == 1
    pending_of(one, given)
    with open_queue(NAME, given) as queue:
        assert queue.run(run.run_id) is None


def test_what_is_delivered_twice_counts_once(given) -> None:
    execute_pending(local(), given)
    before = publish(given, local()).table(EXPERIMENT_RUNS)
    with open_queue(NAME, given) as queue, queue._file.transaction() as cursor:
        cursor.execute("UPDATE runs SET delivered = 0")  # as if killed before it was marked
    assert pending_of(local(), given).n_undelivered == 3
    assert len(execute_pending(local(), given).files) <= 1
    after = publish(given, local()).table(EXPERIMENT_RUNS)
    pd.testing.assert_frame_equal(before, after)


def test_results_come_in_files_of_bounded_size(given, monkeypatch) -> None:
    monkeypatch.setattr(results, "_ROWS_PER_FILE", 2)
    done = execute_pending(local(), given)
    assert [len(rows_in(path)) for path in done.files] == [2, 1]


def test_two_never_deliver_at_once(given, monkeypatch) -> None:
    monkeypatch.setattr(results, "_LOCK_SECONDS", 0.0)
    with open_queue(NAME, given) as queue:
        with (
            filelock.FileLock(queue.path.with_name(f".{NAME}.delivery.lock")),
            pytest.raises(QueueBusyError, match="another process has been delivering"),
        ):
            deliver_results(local(), queue, given)
        assert deliver_results(local(), queue, given) == []


def test_scores_of_judges_land_with_their_runs(given) -> None:
    judged = experiment(
        scorers={"judge": {"options": {"criteria": "right?", "model": "judging"}}},
        execution={"max_cost": None, "models": {"judging": {}}},
    )

    def answer(asked: sent.Request) -> sent.Answer:
        return chat('{"score": 4, "reason": "nearly"}') if asked.body["model"] == "judging" else chat(asked.prompt)

    with Endpoint(answer) as endpoint:
        known = asking(given, endpoint)
        done = execute_pending(judged, known)
        assert (done.tally.n_completed, done.tally.n_scores) == (6, 6)
        assert [path.parent.name for path in done.files] == ["runs", "scores"]
        graph = publish(given, judged)
        asked = len(endpoint.asked)
        assert execute_pending(judged, known).tally.n_scores == 0
        assert len(endpoint.asked) == asked
    scores = graph.table(EXPERIMENT_SCORES)
    assert (graph.table(EXPERIMENT_FILES)["n_rejected"] == 0).all()
    assert list(scores["value"]) == [0.75] * 6
    assert set(scores["kind"]) == {"judge"}


def test_published_runs_are_scored_by_a_judge_that_is_declared_later(given) -> None:
    with Endpoint([chat('{"score": 5}')]) as endpoint:
        known = asking(given, endpoint)
        execute_pending(experiment(**FREE), known)
        publish(given, experiment(**FREE))
        judged = experiment(**FREE, scorers={"judge": {"options": {"criteria": "right?", "model": "judging"}}})
        assert pending_of(judged, known).n_scores_ready == 6
        assert execute_pending(judged, known).tally.n_scores == 6
        assert pending_of(judged, known).n_scores_ready == 0


def test_an_unreadable_verdict_lands_and_is_not_asked_for_again(given) -> None:
    judged = experiment(**FREE, scorers={"judge": {"options": {"criteria": "right?", "model": "judging"}}})
    with Endpoint([chat("I like it.")]) as endpoint:
        execute_pending(judged, asking(given, endpoint))
        graph = publish(given, judged)
        assert pending_of(judged, asking(given, endpoint)).n_scores_ready == 0
    scores = graph.table(EXPERIMENT_SCORES)
    assert set(scores["reason"]) == {"unreadable_verdict"}
    assert scores["value"].isna().all()


def test_without_an_address_runs_wait_and_it_is_said_what_to_set(given) -> None:
    pending = pending_of(experiment(), given)
    assert (pending.n_waiting, pending.n_ready, pending.is_worth_while) == (6, 0, False)
    said = (
        "provider 'openai' has no address; set PODIUM_PROVIDERS_OPENAI, and PODIUM_SECRETS_OPENAI where it wants a key"
    )
    assert pending.why == (said,)
    done = execute_pending(experiment(), given)
    assert (done.n_waiting, list(done.tally.why)) == (6, [said])


def test_what_waits_is_told_by_what_can_be_run(given) -> None:
    models = {"words": {"provider": "local"}, "small": {}}
    mixed = experiment(models=models, baseline=None)
    pending = pending_of(mixed, given.model_copy(update={"providers": {"openai": "http://127.0.0.1:9"}}))
    assert (pending.n_waiting, pending.n_ready) == (6, 3)
    assert pending.is_worth_while
    assert "its price is not known" in pending.why[0]


def test_when_the_money_is_spent_nothing_is_ready(given) -> None:
    priced = {"input_price": 0.0, "output_price": 1000.0, "max_output_tokens": 100}
    declared = experiment(models={"small": priced}, execution={"max_cost": 0.25, "concurrency": 1}, baseline=None)
    with Endpoint([chat("Paris", usage={"prompt_tokens": 1, "completion_tokens": 100})]) as endpoint:
        known = asking(given, endpoint)
        assert pending_of(declared, known).n_ready == 3
        execute_pending(declared, known)
        pending = pending_of(declared, known)
        assert (pending.n_waiting, pending.n_ready, len(endpoint.asked)) == (1, 0, 2)
        assert pending.money.spent == pytest.approx(0.2)
        assert "0.2 of 0.25 USD are spent" in pending.why[0]
        assert execute_pending(declared, known, max_cost=1.0).n_waiting == 0


def test_a_plan_that_cannot_be_made_is_told(given) -> None:
    declared = local(inputs=[], inputs_file="nowhere.jsonl", scorers=["exact"], min_scorers=None)
    pending = pending_of(declared, given)
    assert not pending.is_worth_while
    assert "nowhere.jsonl" in pending.why[0]


def test_a_file_of_inputs_that_changes_changes_the_plan(given) -> None:
    path = given.data_dir / "inputs.jsonl"
    path.write_text('{"question": "Who?"}\n')
    declared = local(inputs=[], inputs_file="inputs.jsonl")
    assert pending_of(declared, given).n_waiting == 1
    path.write_text('{"question": "Who?"}\n{"question": "What?"}\n')
    assert pending_of(declared, given).n_waiting == 2


def test_equal_marks_say_that_nothing_changed(given) -> None:
    first = pending_of(experiment(), given)
    assert pending_of(experiment(), given).mark == first.mark
    assert pending_of(experiment(repeats=2), given).mark != first.mark


@pytest.mark.parametrize(
    ("declared", "posted", "allowed", "ceiling"),
    [
        (1.0, False, 0.0, 1.0),
        (None, False, 0.0, None),
        (1.0, True, 0.0, 0.0),
        (1.0, True, 0.5, 0.5),
        (None, True, 2, 2),
    ],
)
def test_what_was_posted_costs_no_more_than_the_settings_allow(given, declared, posted, allowed, ceiling) -> None:
    if posted:
        post(given)
    known = given.model_copy(update={"posted_cost": allowed})
    assert ceiling_of(experiment(execution={"max_cost": declared}), known) == ceiling


def post(given: Settings) -> None:
    path = posted_path(NAME, given)
    path.parent.mkdir(parents=True)
    path.write_text("{}")


def test_what_was_posted_asks_nobody_outside_by_default(given) -> None:
    post(given)
    free = {"input_price": 0, "output_price": 0}
    declared = experiment(models={"words": {"provider": "local"}, "small": free}, baseline=None)
    with Endpoint([chat("Paris")]) as endpoint:
        done = execute_pending(declared, asking(given, endpoint))
    assert (done.tally.n_completed, endpoint.asked) == (3, [])
    assert next(iter(done.tally.why)).endswith("PODIUM_POSTED_COST allows others to cost")


def test_a_declared_run_is_cancelled_before_it_ever_ran(given) -> None:
    (first, *_) = pending_runs(given)
    assert cancel_run(local(), given, first).status == "cancelled"
    assert cancel_run(local(), given, "unknown") is None
    done = execute_pending(local(), given)
    assert done.tally.n_completed == 2
    assert {one["status"] for one in rows_in(*done.files)} == {"completed", "cancelled"}


def pending_runs(given: Settings) -> list[str]:
    pending_of(local(), given)
    with open_queue(NAME, given) as queue:
        return queue.run_ids


def test_everything_is_cancelled_at_once(given) -> None:
    assert cancel_runs(local(), given) == 3
    assert execute_pending(local(), given).tally.n_ended == 0


def test_failed_runs_are_asked_again_published_or_not(given) -> None:
    with Endpoint([failing(401)]) as endpoint:
        execute_pending(experiment(**FREE), asking(given, endpoint))
    assert retry_runs(experiment(**FREE), given) == 6
    with Endpoint([failing(401)]) as endpoint:
        execute_pending(experiment(**FREE), asking(given, endpoint))
        publish(given, experiment(**FREE))
        execute_pending(experiment(**FREE), asking(given, endpoint))
    assert retry_runs(experiment(**FREE), given) == 6
    with Endpoint([chat("Paris")]) as endpoint:
        done = execute_pending(experiment(**FREE), asking(given, endpoint))
    assert done.tally.n_completed == 6
    graph = publish(given, experiment(**FREE))
    assert set(graph.table(EXPERIMENT_RUNS)["status"]) == {"completed"}


def test_once_more_is_one_more_repeat_of_each(given) -> None:
    execute_pending(local(), given)
    assert ask_once_more(local(), given) == 3
    assert execute_pending(local(), given).tally.n_completed == 3
    publish(given, local())
    execute_pending(local(), given)
    assert ask_once_more(local(), given) == 3
    done = execute_pending(local(), given)
    assert {one["repeat"] for one in rows_in(*done.files)} == {3}


def test_a_limit_is_kept_and_the_rest_waits(given) -> None:
    done = execute_pending(local(), given, limit=1)
    assert (done.tally.n_completed, done.n_waiting) == (1, 2)


def test_who_is_told_to_stop_delivers_what_is_done(given) -> None:
    stop = threading.Event()
    one = local(execution={"concurrency": 1})
    done = execute_pending(one, given, stop=stop, progress=lambda _: stop.set())
    assert (done.tally.n_completed, done.n_waiting, len(rows_in(*done.files))) == (1, 2, 1)


def test_a_key_is_in_no_file(given) -> None:
    with Endpoint(lambda asked: failing(400, f"bad key {KEY}")) as endpoint:
        execute_pending(experiment(**FREE), asking(given, endpoint), asker=impatient)
    publish(given, experiment(**FREE))
    assert endpoint.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    for path in given.data_dir.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_an_experiment_of_imports_needs_no_queue(given) -> None:
    declared = imported()
    assert not pending_of(declared, given).is_worth_while
    assert execute_pending(declared, given).files == ()
    assert not given.experiments_dir.exists()


def test_where_runs_wait_for_a_command_what_people_gave_is_delivered_all_the_same(given) -> None:
    declared = local(execution={"automatic": False})
    assert not pending_of(declared, given).is_worth_while
    assert deliver_waiting(declared, given) == []
    execute_pending(declared, given)
    with open_queue(NAME, given) as queue:
        run_id = queue.run_ids[0]
        queue.scores.give(run_id, "stars", kind="human", version="1", rater="ann", value=0.5)
    assert pending_of(declared, given).is_worth_while
    (path,) = deliver_waiting(declared, given)
    assert [(one["run_id"], one["rater"], one["value"]) for one in rows_in(path)] == [(run_id, "ann", 0.5)]
    assert not pending_of(declared, given).is_worth_while


def test_without_a_queue_there_is_nothing_to_deliver_and_none_is_made(given) -> None:
    assert deliver_waiting(local(), given) == []
    assert not given.experiments_dir.exists()
