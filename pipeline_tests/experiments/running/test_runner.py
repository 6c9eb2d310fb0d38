"""The runner against an endpoint on this machine: every run once, within the ceiling, and nothing lost when stopped."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from pipeline.experiments import Experiment, plan
from pipeline.experiments.running import (
    Asker,
    LocalProvider,
    OpenAIClient,
    Patience,
    Providers,
    Queue,
    Runner,
    Tally,
)
from pipeline.experiments.scorers import Answer
from pipeline_tests.experiments.declared import experiment
from pipeline_tests.experiments.running import endpoint as sent
from pipeline_tests.experiments.running.endpoint import Endpoint, chat, failing
from pipeline_tests.experiments.running.workers import PROCESSES, run_until_killed
from pipeline_tests.patience import PATIENCE

USAGE = {"prompt_tokens": 100, "completion_tokens": 50}
PRICED = {"input_price": 1000.0, "output_price": 2000.0, "parameters": {"max_tokens": 100}}
"""A call of USAGE costs 0.2 USD."""
JUDGED = {
    "prompts": {"terse": "{{ country }}?"},
    "models": ["small"],
    "scorers": {"judge": {"options": {"criteria": "right?", "model": "judging"}}},
}


@pytest.fixture
def queue(tmp_path: Path):
    with Queue(tmp_path / "capitals.sqlite", "capitals") as opened:
        yield opened


class Waits(list[float]):
    """Seconds that were waited, which take no time."""

    def __call__(self, seconds: float, stop: threading.Event) -> None:
        self.append(seconds)


def free(**changes) -> Experiment:
    return experiment(**{"execution": {"max_cost": None}} | changes)


def priced(max_cost: float, **changes) -> Experiment:
    models = {"small": PRICED, "large": PRICED}
    return experiment(models=models, execution={"max_cost": max_cost, "concurrency": 8}, **changes)


def runner(
    declared: Experiment, queue: Queue, endpoint: Endpoint | None, waits: Waits | None = None, **options
) -> Runner:
    made = {"local": LocalProvider()} | ({} if endpoint is None else {"openai": OpenAIClient(endpoint.address)})
    providers = Providers(made, {"openai": "provider 'openai' has no address"})
    ceiling = declared.execution.max_cost
    patience = Patience(declared.execution.tries)
    asker = Asker(queue.ledger, ceiling, patience, wait=waits if waits is not None else Waits(), jitter=lambda: 1.0)
    return Runner(declared, queue, providers, ceiling, asker=asker, **options)


def run(declared: Experiment, queue: Queue, answer, waits: Waits | None = None, **options) -> tuple[Tally, Endpoint]:
    queue.plan(plan(declared), (), "plan")
    with Endpoint(answer) as endpoint:
        return runner(declared, queue, endpoint, waits, **options).run(threading.Event()), endpoint


def test_every_run_is_asked_once_and_its_answer_kept(queue) -> None:
    declared = free(repeats=3)
    tally, endpoint = run(declared, queue, lambda asked: chat(f"{asked.body['model']}: {asked.prompt}", usage=USAGE))
    assert (tally.n_completed, tally.n_failed, tally.why) == (24, 0, {})
    assert Counter((one.body["model"], one.prompt) for one in endpoint.asked) == {
        (model, prompt): 3
        for model in ("small", "large")
        for country in ("France", "Italy")
        for prompt in (f"Capital of {country}?", f"Please: {country}?")
    }
    rows = queue.runs("completed")
    assert len(rows) == 24
    assert {one.output for one in rows} == {f"{one.body['model']}: {one.prompt}" for one in endpoint.asked}
    assert {(one.tokens_in, one.tokens_out, one.cost) for one in rows} == {(100, 50, None)}


def test_stages_tell_what_was_sent_and_each_try(queue) -> None:
    declared = free(prompts={"p": {"system": "Be brief.", "template": "{{ country }}?"}}, models=["small"])
    answers = [failing(500, "overloaded"), chat("Paris", usage=USAGE)]
    waits = Waits()
    run(declared.model_copy(update={"inputs": declared.inputs[:1]}), queue, answers, waits)
    (row,) = queue.runs()
    assert [(one["stage"], one["status"]) for one in row.stages] == [
        ("prompt", "completed"),
        ("call", "failed"),
        ("call", "completed"),
    ]
    assert row.stages[0]["sent"] == "Be brief.\n\nFrance?"
    assert row.stages[1]["error"] == "server_error: it answered with status 500; try again later"
    assert row.stages[1]["error_detail"] == "overloaded"
    assert (row.stages[2]["tokens_in"], row.stages[2]["output"], row.error) == (100, "Paris", None)
    assert waits == [1.0]


def test_waits_grow_and_what_an_endpoint_asks_for_is_waited(queue) -> None:
    declared = free(models=["small"], prompts={"p": "{{ country }}?"}, execution={"max_cost": None, "concurrency": 1})
    answers = [failing(429), failing(503), failing(429, retry_after="7"), chat("Paris")]
    waits = Waits()
    run(declared.model_copy(update={"inputs": declared.inputs[:1]}), queue, answers, waits)
    assert waits == [1.0, 2.0, 7.0]
    assert queue.counts == {"completed": 1}


def test_what_fails_as_often_as_is_tried_has_failed(queue) -> None:
    tally, endpoint = run(free(execution={"max_cost": None, "tries": 3}), queue, [failing(500)])
    assert (tally.n_failed, len(endpoint.asked)) == (8, 24)
    assert {one.error for one in queue.runs("failed")} == {"server_error: it answered with status 500; try again later"}


def test_what_is_refused_for_good_is_not_asked_again(queue) -> None:
    tally, endpoint = run(free(), queue, [failing(401, "no such key")])
    assert (tally.n_failed, len(endpoint.asked)) == (8, 8)
    (detail,) = {one.error_detail for one in queue.runs("failed")}
    assert detail == "no such key"


def test_an_endpoint_that_asks_to_wait_long_keeps_its_runs_waiting(queue) -> None:
    tally, endpoint = run(free(models=["small"]), queue, [failing(429, retry_after="3600")])
    assert queue.counts == {"pending": 4}
    assert len(endpoint.asked) <= 4
    (why,) = tally.why
    assert why.endswith("and asks to wait 3,600 s")


def test_an_answer_that_was_cut_off_is_kept_and_says_so(queue) -> None:
    run(free(models=["small"]), queue, [chat("Par", "length")])
    assert {(one.status, one.output, one.error) for one in queue.runs()} == {
        ("completed", "Par", "cut_off: the answer ended at its length limit")
    }


def test_a_prompt_that_cannot_be_filled_in_fails_its_run_alone(queue) -> None:
    declared = free(prompts={"bad": "{{ country.name.first }}", "good": "{{ country }}?"}, models=["small"])
    tally, endpoint = run(declared, queue, [chat("Paris")])
    assert (tally.n_completed, tally.n_failed, len(endpoint.asked)) == (2, 2, 2)
    (row, _) = queue.runs("failed")
    assert row.error.startswith("bad_prompt: it cannot be filled in")
    assert row.cost == 0.0


def test_a_provider_that_raises_anything_fails_its_run_alone(queue) -> None:
    class Broken(LocalProvider):
        def complete(self, call, stop):
            if "France" in call.messages[0]["content"]:
                raise ZeroDivisionError("by nothing")
            return super().complete(call, stop)

    declared = experiment(models={"small": {"provider": "local"}})
    queue.add(plan(declared))
    tally = Runner(declared, queue, Providers({"local": Broken()}, {}), 1.0).run(threading.Event())
    assert (tally.n_completed, tally.n_failed) == (2, 2)
    assert {one.error for one in queue.runs("failed")} == {"execution_failed: ZeroDivisionError: by nothing"}


def test_no_more_calls_run_at_once_than_declared(queue) -> None:
    declared = free(repeats=4, execution={"max_cost": None, "concurrency": 3})
    together = threading.Barrier(3, timeout=PATIENCE)

    def answer(asked: sent.Request) -> sent.Answer:
        if len(endpoint.asked) <= 3:
            together.wait()
        return chat("Paris")

    queue.add(plan(declared))
    with Endpoint(answer) as endpoint:
        runner(declared, queue, endpoint).run(threading.Event())
    assert endpoint.most_at_once == 3
    assert queue.counts == {"completed": 32}


def test_a_limit_is_kept(queue) -> None:
    tally, endpoint = run(free(), queue, [chat("Paris")], limit=3)
    assert (tally.n_completed, len(endpoint.asked)) == (3, 3)
    assert queue.counts == {"completed": 3, "pending": 5}


def test_without_a_provider_runs_wait_and_the_reason_is_told(queue) -> None:
    declared = experiment(models={"small": {}, "words": {"provider": "local"}})
    queue.add(plan(declared))
    tally = runner(declared, queue, None).run(threading.Event())
    assert queue.counts == {"completed": 4, "pending": 4}
    assert list(tally.why) == ["provider 'openai' has no address"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "its price is not known; give input_price and output_price, or execution.max_cost: null"),
        ({"input_price": 1.0}, "its price is not known; give input_price and output_price, or"),
        (
            {"input_price": 1.0, "output_price": 1.0},
            "nothing limits its answers; give max_tokens, or max_output_tokens",
        ),
    ],
)
def test_with_a_ceiling_nothing_is_run_whose_cost_nobody_can_tell(queue, spec, said) -> None:
    tally, endpoint = run(experiment(models={"small": spec}), queue, [chat("Paris")])
    assert endpoint.asked == []
    (why,) = tally.why
    assert said in why


def test_costs_are_what_the_provider_says_else_by_declared_prices(queue) -> None:
    declared = priced(100.0, prompts={"p": "{{ country }}?"})

    def answer(asked: sent.Request) -> sent.Answer:
        its_own = {"cost": 0.125} if asked.body["model"] == "large" else {}
        return chat("Paris", usage=USAGE | its_own)

    run(declared, queue, answer)
    assert {(one.config.model, one.cost) for one in queue.runs()} == {("small", 0.2), ("large", 0.125)}
    assert queue.ledger.money.spent == pytest.approx(2 * 0.2 + 2 * 0.125)


def test_what_a_failed_try_cost_counts_where_it_is_known(queue) -> None:
    declared = priced(100.0, prompts={"p": "{{ country }}?"}, inputs=[{"variables": {"country": "France"}}])
    declared = declared.model_copy(update={"models": {"small": declared.models["small"]}})
    refusal = sent.answered({"choices": [], "usage": {"cost": 0.5}})
    queue.add(plan(declared)[:1])
    with Endpoint([refusal]) as endpoint:
        runner(declared, queue, endpoint).run(threading.Event())
    (row,) = queue.runs()
    assert (row.status, row.cost, queue.ledger.money.spent) == ("failed", 0.5, 0.5)


@pytest.mark.parametrize("max_cost", [0.5, 1.0, 2.5])
def test_workers_together_never_spend_more_than_the_ceiling(queue, max_cost) -> None:
    declared = priced(max_cost, repeats=5)
    most: list[float] = []

    def answer(asked: sent.Request) -> sent.Answer:
        most.append(queue.ledger.money.at_most)
        return chat("Paris", usage=USAGE)

    tally, endpoint = run(declared, queue, answer)
    assert max(most) <= max_cost
    assert queue.ledger.money.spent == pytest.approx(0.2 * len(endpoint.asked))
    assert queue.ledger.money.held == 0.0
    # The most that a call can cost is less than 0.3 USD here: so much may be left over.
    assert max_cost - 0.3 < queue.ledger.money.spent <= max_cost
    assert len(endpoint.asked) == tally.n_completed
    assert queue.counts == {"completed": tally.n_completed, "pending": 40 - tally.n_completed}
    assert all("has no room for another call" in why for why in tally.why)
    assert tally.why


def test_what_costs_nothing_goes_on_when_the_money_is_spent(queue) -> None:
    declared = experiment(models={"small": PRICED, "words": {"provider": "local"}}, execution={"max_cost": 0.0})
    tally, endpoint = run(declared, queue, [chat("Paris")])
    assert (tally.n_completed, endpoint.asked) == (4, [])


def test_a_cancelled_run_is_broken_off(queue) -> None:
    declared = free(models=["small"], prompts={"p": "{{ country }}?"}, execution={"max_cost": None, "concurrency": 2})
    gate, asked = threading.Event(), threading.Event()

    def answer(request: sent.Request) -> sent.Answer:
        asked.set()
        return sent.Answer(chat("Paris").body, gate=gate)

    queue.add(plan(declared)[:1])
    with Endpoint(answer) as endpoint:
        threading.Thread(target=lambda: asked.wait() and queue.cancel(plan(declared)[0].run_id)).start()
        runner(declared, queue, endpoint).run(threading.Event())
        gate.set()
    assert queue.counts == {"cancelled": 1}


def test_when_told_to_stop_what_runs_is_finished_and_nothing_else_begun(queue) -> None:
    declared = free(execution={"max_cost": None, "concurrency": 2})
    stop = threading.Event()

    def answer(asked: sent.Request) -> sent.Answer:
        stop.set()
        return chat("Paris")

    queue.add(plan(declared))
    with Endpoint(answer) as endpoint:
        tally = runner(declared, queue, endpoint).run(stop)
    assert 1 <= tally.n_completed <= 2
    assert queue.counts == {"completed": tally.n_completed, "pending": 8 - tally.n_completed}


def test_what_does_not_end_in_time_after_a_stop_is_given_back(queue) -> None:
    declared = free(execution={"max_cost": None, "concurrency": 2})
    stop, gate = threading.Event(), threading.Event()
    seconds = iter(range(0, 10_000, 5))

    def answer(asked: sent.Request) -> sent.Answer:
        stop.set()
        return sent.Answer(chat("Paris").body, gate=gate)

    queue.add(plan(declared))
    with Endpoint(answer) as endpoint:
        tally = runner(declared, queue, endpoint, clock=lambda: float(next(seconds))).run(stop)
        gate.set()
    assert queue.counts == {"pending": 8}
    assert tally.n_given_back >= 1


def test_what_interrupts_is_raised_once_nothing_runs(queue) -> None:
    def interrupt(_: Tally) -> None:
        raise KeyboardInterrupt

    queue.add(plan(free()))
    with Endpoint([chat("Paris")]) as endpoint, pytest.raises(KeyboardInterrupt):
        runner(free(), queue, endpoint, progress=interrupt).run(threading.Event())
    counts = queue.counts
    assert "running" not in counts
    assert counts["completed"] + counts.get("pending", 0) == 8


def test_runs_of_a_killed_process_are_asked_again_and_no_others(queue) -> None:
    declared = free(repeats=5)
    queue.plan(plan(declared), (), "plan")
    gate, is_dead = threading.Event(), threading.Event()

    def answer(asked: sent.Request) -> sent.Answer:
        return sent.Answer(chat("Paris").body, gate=gate if len(endpoint.asked) > 10 and not is_dead.is_set() else None)

    with Endpoint(answer) as endpoint:
        process = PROCESSES.Process(target=run_until_killed, args=(queue.path, endpoint.address, 5))
        process.start()
        while len(endpoint.asked) < 14 and process.is_alive():
            threading.Event().wait(0.01)
        process.kill()
        process.join()
        finished = queue.counts["completed"]
        begun = len(endpoint.asked)
        is_dead.set()
        gate.set()
        assert (finished, begun) == (10, 14)
        assert queue.counts["running"] == 4
        tally = runner(declared, queue, endpoint).run(threading.Event())
    assert tally.n_completed == 30
    assert queue.counts == {"completed": 40}
    assert len(endpoint.asked) == 10 + 4 + 30


def test_what_has_ended_is_delivered_in_between(queue) -> None:
    seconds = iter(range(0, 100_000, 20))
    delivered: list[int] = []
    declared = free(execution={"max_cost": None, "concurrency": 1})
    options = {"deliver": lambda: delivered.append(queue.n_undelivered), "clock": lambda: float(next(seconds))}
    run(declared, queue, [chat("Paris")], **options)
    assert delivered
    assert delivered[0] < 8


def judge(declared: Experiment, queue: Queue, answers, known=(), answer=None) -> tuple[Tally, Endpoint]:
    with Endpoint(answer or [chat('{"score": 5, "reason": "right"}', usage=USAGE)]) as endpoint:
        return runner(declared, queue, endpoint).score(answers, known, threading.Event()), endpoint


ANSWERS = [
    ("r1", Answer("Paris", "Paris", {"country": "France"})),
    ("r2", Answer("Rome", "Rome", {"country": "Italy"})),
]


def test_judges_are_asked_for_scores_that_are_missing_and_no_others(queue) -> None:
    declared = free(**JUDGED)
    identity = declared.made_scorers["judge"].identity(ANSWERS[0][1])
    tally, endpoint = judge(declared, queue, ANSWERS, [("r1", "judge", identity)])
    assert (tally.n_scores, len(endpoint.asked), tally.why) == (1, 1, {})
    (score,) = queue.scores.all()
    assert (score.run_id, score.scorer, score.kind, score.value) == ("r2", "judge", "judge", 1.0)
    assert score.identity == declared.made_scorers["judge"].identity(ANSWERS[1][1])
    assert score.details["why"] == "right"


def test_the_same_question_is_paid_for_once(queue) -> None:
    declared = free(**JUDGED)
    same = [(f"r{number}", ANSWERS[0][1]) for number in range(3)]
    judge(declared, queue, same[:1])
    tally, endpoint = judge(declared, queue, same[1:])
    assert (tally.n_scores, endpoint.asked) == (2, [])
    assert [one.value for one in queue.scores.all()] == [1.0, 1.0, 1.0]


def test_a_verdict_that_cannot_be_read_is_final_and_a_judge_that_fails_is_not(queue) -> None:
    declared = free(**JUDGED)
    judge(declared, queue, ANSWERS[:1], answer=[chat("I like it.")])
    (score,) = queue.scores.all()
    assert (score.value, score.reason) == (None, "unreadable_verdict")
    assert score.identity is not None
    tally, _ = judge(declared, queue, ANSWERS[1:], answer=[failing(401)])
    assert tally.n_scores == 0
    assert list(tally.why) == ["scorer 'judge': denied: it answered with status 401; check its key"]
    assert len(queue.scores.all()) == 1


@pytest.mark.parametrize("reply", ['{"score": 5}', "no verdict"])
def test_the_same_question_is_asked_once_by_all_who_ask_it_at_once(queue, reply) -> None:
    declared = free(**JUDGED)
    same = [(f"r{number}", Answer("the same answer")) for number in range(8)]
    tally, endpoint = judge(declared, queue, same, answer=[chat(reply, usage=USAGE)])
    assert len(endpoint.asked) == 1
    assert tally.n_scores == 8


def test_judges_spend_from_the_same_ceiling(queue) -> None:
    models = {"judging": PRICED | {"max_output_tokens": 100}}
    declared = experiment(**JUDGED, execution={"max_cost": 1.5, "models": models})
    many = [(f"r{number}", Answer(f"answer {number}")) for number in range(20)]
    tally, endpoint = judge(declared, queue, many)
    assert 1 <= tally.n_scores == len(endpoint.asked) < 20
    assert queue.ledger.money.at_most <= 1.5
    assert any("has no room for a call that may cost" in why for why in tally.why)


@pytest.mark.parametrize(
    ("options", "execution", "said"),
    [
        ({"criteria": "c"}, {}, "scorer 'judge' names no model to ask; give its option model"),
        (
            {"criteria": "c", "model": "m"},
            {"models": {"m": {"provider": "local"}}},
            "the local provider, which cannot judge",
        ),
        ({"criteria": "c", "model": "m"}, {"max_cost": 1.0}, "its price is not known"),
        ({"criteria": "c", "model": "m"}, {"models": {"m": {"provider": "other"}}}, "provider 'other' is not known"),
    ],
)
def test_a_judge_that_cannot_be_asked_is_told_of(queue, options, execution, said) -> None:
    declared = free(scorers={"judge": {"options": options}}, execution={"max_cost": None} | execution)
    tally, endpoint = judge(declared, queue, ANSWERS)
    assert endpoint.asked == []
    (why,) = tally.why
    assert said in why


def test_embeddings_are_asked_for(queue) -> None:
    declared = free(scorers={"embedding": {"options": {"model": "vectors-1"}}})

    def answer(asked: sent.Request) -> sent.Answer:
        vectors = [[1.0, 0.0], [0.6, 0.8]]
        return sent.answered({"data": [{"index": n, "embedding": one} for n, one in enumerate(vectors)]})

    tally, endpoint = judge(declared, queue, ANSWERS[:1], answer=answer)
    assert tally.n_scores == 1
    assert (endpoint.asked[0].path, endpoint.asked[0].body["model"]) == ("/v1/embeddings", "vectors-1")
    assert queue.scores.all()[0].value == pytest.approx(0.6)
