"""What is written through the API is in the next answer, wherever that comes from, and nothing is made up of it."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.experiments import Experiment, RunConfig, plan, run_id
from pipeline.experiments.running import Outcome, Seen
from pipeline.reports.experiments import posting
from pipeline_tests.reports.experiments.asked import CONFIG, Bench, asked, said
from pipeline_tests.reports.experiments.test_declaring import DECLARED
from pipeline_tests.reports.experiments.test_overlay import made_of
from pipeline_tests.toy_experiment import NAME, Given, toy_experiment

TOY = toy_experiment()
RATED = TOY.given[0].run_id
"""A completed run that others rated."""


def board_of(client: TestClient, **asked_for: Any) -> dict[str, Any]:
    found = said(client.get(f"/runs/leaderboard/{NAME}", params={"top_n": 100} | asked_for))
    return {entry.get("run_id", entry.get("contestant")): entry for entry in found["entries"]} | {"": found}


def test_a_run_is_asked_for_executed_scored_and_ranked_without_a_materialization(bench: Bench, zoe: TestClient) -> None:
    made = said(zoe.post("/runs", json=asked()), 201)
    assert (made["status"], made["config"], made["experiment_id"]) == ("pending", CONFIG, NAME)
    assert made["config_hash"] == RunConfig.of(CONFIG).config_hash
    assert said(zoe.get("/runs", params={"status": "pending"}))["items"][0]["id"] == made["id"]
    with bench.queue() as queue:
        (claimed,) = queue.claim()
        assert said(zoe.get(f"/runs/{made['id']}"))["status"] == "running"
        stage = {"stage": "answer", "status": "completed", "sent": "Capital of Malta?", "output": "Valletta"}
        queue.finish(claimed, Outcome("completed", "Valletta", 9, 2, 0.5, stages=(stage,)))
    found = said(zoe.get(f"/runs/{made['id']}"))
    assert (found["status"], found["output"], found["cost_estimate"]) == ("completed", "Valletta", 0.5)
    assert [(one["stage_name"], one["input"]) for one in found["stage_results"]] == [("answer", "Capital of Malta?")]
    assert {one["scorer_name"]: one["value"] for one in found["scores"]} == {"brief": 1.0, "exact": None}
    before = board_of(zoe)
    assert (before[made["id"]]["rank"], before[""]["total"]) == (None, 70)
    given = said(zoe.post(f"/runs/{made['id']}/score", json={"scorer_name": "helpful", "rating": 5}), 201)
    assert (given["value"], given["rating"], given["is_own"]) == (1.0, 5.0, True)
    after = board_of(zoe)
    assert (after[made["id"]]["rank"], after[made["id"]]["weighted_score"]) == (1, 1.0)
    assert after[""]["n_ranked"] == before[""]["n_ranked"] + 1
    listed = said(zoe.get("/runs", params={"min_score": 1, "limit": 500}))["items"]
    assert made["id"] in {item["id"] for item in listed}
    by_model = board_of(zoe, group_by="model")
    assert (by_model["tiny"]["weighted_score"], by_model["tiny"]["n_scored"]) == (1.0, 1)


def test_the_name_of_a_declared_prompt_stands_for_its_text(zoe: TestClient) -> None:
    name, declared = next(iter(TOY.declared.prompts.items()))
    variables = TOY.declared.inputs[0].variables
    config = {"prompt": name, "model": "tiny", "params": {}, "input_data": variables}
    made = said(zoe.post("/runs", json={"experiment_id": NAME, "config": config}), 201)
    assert made["config"]["prompt"] == declared.text
    again = said(zoe.post("/runs", json={"experiment_id": NAME, "config": config | {"prompt": declared.text}}), 200)
    assert again["id"] == made["id"]


def test_a_declared_prompt_may_say_what_is_not_taken_from_everybody(bench: Bench, zoe: TestClient) -> None:
    text = "What is {{ sum.strip() }}?"
    declared = Experiment.model_validate(DECLARED | {"prompts": {"plain": text}})
    type(TOY)(declared, (), ()).publish(bench.folder)

    def ask(prompt: str, status: int) -> Any:
        config = {"prompt": prompt, "model": "local", "params": {}, "input_data": {"sum": " 2 + 2 "}}
        return said(zoe.post("/runs", json={"experiment_id": "sums", "config": config}), status)

    assert ask("plain", 201)["id"] == ask(text, 200)["id"]
    assert "call is not taken from everybody" in ask(f"{text}!", 422)["detail"]


def test_a_materialization_in_between_changes_nothing(bench: Bench, zoe: TestClient) -> None:
    made = said(zoe.post("/runs", json=asked()), 201)["id"]
    with bench.queue() as queue:
        (claimed,) = queue.claim()
        queue.finish(claimed, Outcome("completed", "Valletta", 9, 2, 0.5))
    said(zoe.post(f"/runs/{made}/score", json={"scorer_name": "helpful", "value": 0.5}), 201)
    said(zoe.post(f"/runs/{RATED}/score", json={"scorer_name": "helpful", "value": 0.25}), 201)
    paths = (f"/runs/{made}", f"/runs/{RATED}", f"/runs/leaderboard/{NAME}?top_n=100", "/runs?limit=500")
    before = [without_rater(said(zoe.get(path))) for path in paths]
    with bench.queue() as queue:
        runs, scores = queue.runs(), queue.scores.all()
        given = [Given(o.run_id, o.scorer, o.value or 0, o.rater or "", o.scored_at, o.score_id) for o in scores]
        landed = TOY.but(*map(made_of, runs), given=given)
        landed.publish(bench.folder)
        assert [without_rater(said(zoe.get(path))) for path in paths] == before
        queue.mark_delivered(runs)
        queue.scores.mark_delivered(scores)
        seen = {one.run_id: Seen(one.status, one.completed_at) for one in runs}
        assert queue.forget(seen, [one.score_id for one in scores]) == 3
    assert [without_rater(said(zoe.get(path))) for path in paths] == before
    own = [one for one in said(zoe.get(f"/runs/{RATED}"))["scores"] if one["is_own"]]
    assert [(one["value"], one["is_latest"]) for one in own] == [(0.25, True)]


def without_rater(answer: dict[str, Any]) -> str:
    """An answer but for what the toy's materialization does otherwise: its stages, details, and times of a run."""
    left_out = ("stage_results", "metadata", "rating", "can_cancel")
    return json.dumps(_without(answer, left_out), sort_keys=True)


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(one, names) for one in value]
    return round(value, 9) if isinstance(value, float) else value


def test_the_same_run_again_is_the_same(zoe: TestClient, bench: Bench) -> None:
    first = said(zoe.post("/runs", json=asked()), 201)
    again = said(zoe.post("/runs/", json=asked(input_data={"country": "Malta"})), 200)
    assert again == first
    other = said(zoe.post("/runs", json=asked() | {"repeat": 2}), 201)
    assert (other["config_hash"], other["repeat"]) == (first["config_hash"], 2)
    assert said(zoe.get("/runs", params={"search": "malta"}))["total"] == 2


def test_a_run_that_was_made_is_answered_from_what_there_is(zoe: TestClient, bench: Bench) -> None:
    done = next(one for one in TOY.made if one.status == "completed")
    found = said(zoe.post("/runs", json={"experiment_id": NAME, "config": done.config.as_json}), 200)
    assert (found["id"], found["status"]) == (done.run_id(), "completed")
    with bench.queue() as queue:
        assert queue.runs() == []


def test_a_run_that_only_the_declaration_asks_for_is_put_into_the_queue(zoe: TestClient, bench: Bench) -> None:
    waiting = plan(TOY.declared, done={(one.config.config_hash, one.repeat) for one in TOY.made})[0]
    body = {"experiment_id": NAME, "config": waiting.config.as_json, "repeat": waiting.repeat}
    assert said(zoe.post("/runs", json=body), 200)["id"] == waiting.run_id
    with bench.queue() as queue:
        assert [one.run_id for one in queue.runs()] == [waiting.run_id]


def test_many_at_once_make_one_run(bench: Bench, zoe: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: zoe.post("/runs", json=asked()), range(16)))
    assert sorted(one.status_code for one in answers) == [200] * 15 + [201]
    assert len({one.json()["id"] for one in answers}) == 1


def test_texts_may_be_inputs_and_prompts_may_have_a_system_message(zoe: TestClient) -> None:
    prompt = {"system": "Answer in a word.", "template": "{{ input }}"}
    made = said(zoe.post("/runs", json=asked(prompt=prompt, input_data="Malta?")), 201)
    assert made["config"]["prompt"] == prompt
    assert made["id"] == run_id(NAME, RunConfig(prompt, "tiny", {"temperature": 0}, "Malta?").config_hash, 1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prompt": ""}, "neither a text nor"),
        ({"prompt": {"text": "x"}}, "neither a text nor"),
        ({"prompt": "{{ country"}, "the prompt's template: line 1"),
        ({"prompt": "{{ city }}"}, "takes city, which input_data does not have; it has: country"),
        ({"prompt": "{% for i in range(9) %}{% endfor %}"}, "call is not taken from everybody"),
        ({"prompt": "x" * 100_001}, "prompt has 100,003 characters"),
        ({"params": {"stop": "x" * 10_001}}, "params has 10,012 characters"),
        ({"input_data": {"country": "x" * 1_000_001}}, "input_data has 1,000,015 characters"),
        ({"params": {"seed": 2**60}}, "beyond 2^53"),
        ({"model": ""}, "at least 1 character"),
        ({"model": "a\u202eb"}, "has a character that is not shown"),
        ({"provider": "mine"}, "Extra inputs are not permitted"),
        ({"params": None}, "valid dictionary"),
    ],
)
def test_what_cannot_be_run_is_refused(zoe: TestClient, changes: dict[str, Any], told: str) -> None:
    assert told in json.dumps(said(zoe.post("/runs", json=asked(**changes)), 422)["detail"], ensure_ascii=False)


def test_an_unknown_experiment_takes_no_runs(zoe: TestClient) -> None:
    assert "known: capitals" in said(zoe.post("/runs", json=asked() | {"experiment_id": "no"}), 404)["detail"]
    for repeat in (0, 1001, "x", "2", True):
        assert zoe.post("/runs", json=asked() | {"repeat": repeat}).status_code == 422


def test_only_so_many_wait(zoe: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MOST_ASKED", 2)
    for repeat in (1, 2):
        said(zoe.post("/runs", json=asked() | {"repeat": repeat}), 201)
    assert "2 runs that were asked for wait" in said(zoe.post("/runs", json=asked() | {"repeat": 3}), 409)["detail"]
    assert zoe.post("/runs", json=asked()).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b"\xff\xfe", 422),
        (b'{"experiment_id": "capitals", "config": {"prompt": "a", "model": "b", "params": {"t": NaN}}}', 422),
        (b'{"experiment_id": "capitals", "config": {"prompt": "a", "model": "b", "params": {"t": 1e999}}}', 422),
        (b'{"experiment_id": "capitals", "config": {"prompt": "\\ud800", "model": "b"}}', 422),
        (b'{"experiment_id": "\\ud800", "config": {"prompt": "a", "model": "b"}}', 422),
        (b'{"\\ud800": 1}', 422),
        (b"[" * 100_000, 400),
        (b" " * 5_000_001, 413),
    ],
)
def test_bodies_that_are_none_are_told_and_break_nothing(zoe: TestClient, body: bytes, status: int) -> None:
    answer = zoe.post("/runs", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, "detail" in answer.json()) == (status, True)


def test_a_body_that_hides_its_size_is_refused_while_it_arrives(zoe: TestClient) -> None:
    pieces = (b" " * 1_000_000 for _ in range(7))
    assert zoe.post("/runs", content=pieces, headers={"Content-Type": "application/json"}).status_code == 413


def test_scores_of_several_people_count_by_their_mean_and_the_newest_of_each(bench: Bench) -> None:
    run = TOY.made[-1].run_id()
    with bench.served() as client:
        cleo, dora = bench.key("Cleo"), bench.key("Dora")
        for headers, value in ((cleo, 0.0), (dora, 1.0), (cleo, 0.5)):
            body = {"scorer_name": "helpful", "value": value, "metadata": {"why": [value]}}
            given = said(client.post(f"/runs/{run}/score", json=body, headers=headers), 201)
            assert (given["metadata"], given["kind"]) == ({"why": [value]}, "human")
        found = said(client.get(f"/runs/{run}", headers=cleo))
        own = [(one["value"], one["is_latest"]) for one in found["scores"] if one["is_own"]]
        assert own == [(0.0, False), (0.5, True)]
        assert found["weighted_score"] == 0.75
        text = client.get(f"/runs/{run}", headers=dora).text
        assert "Cleo" not in text
        assert "Dora" not in text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"scorer_name": "unknown", "value": 1}, "no scorer 'unknown'; known: exact, brief, helpful"),
        ({"scorer_name": "helpful"}, "one of the two"),
        ({"scorer_name": "helpful", "value": 1, "rating": 5}, "one of the two"),
        ({"scorer_name": "helpful", "value": 1.5}, "less than or equal to 1"),
        ({"scorer_name": "helpful", "value": -0.1}, "greater than or equal to 0"),
        ({"scorer_name": "helpful", "rating": 6}, "not on the scale; give a number from 1 to 5"),
        ({"scorer_name": "helpful", "rating": 2.5}, "between two steps of 1"),
        ({"scorer_name": "exact", "rating": 2}, "0 (worst) to 1 (best)"),
        ({"scorer_name": "helpful", "rating": True}, "should be a valid number"),
        ({"scorer_name": "helpful", "rating": "4"}, "should be a valid number"),
        ({"scorer_name": "exact", "value": "0.5"}, "should be a valid number"),
        ({"scorer_name": "exact", "value": True}, "should be a valid number"),
        ({"scorer_name": "helpful", "value": 1, "metadata": {"a": "x" * 10_001}}, "metadata has 10,"),
        ({"scorer_name": "helpful", "value": 1, "rater": "Bert"}, "Extra inputs"),
        ({"value": 1}, "Field required"),
    ],
)
def test_scores_that_mean_nothing_are_refused(zoe: TestClient, body: dict[str, Any], told: str) -> None:
    assert told in json.dumps(said(zoe.post(f"/runs/{RATED}/score", json=body), 422)["detail"])


@pytest.mark.parametrize("field", ["value", "rating"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_no_score_is_not_a_number(zoe: TestClient, field: str, number: str) -> None:
    body = f'{{"scorer_name": "helpful", "{field}": {number}}}'
    answer = zoe.post(f"/runs/{RATED}/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert not math.isnan(said(zoe.get(f"/runs/{RATED}"))["weighted_score"])


def test_a_run_that_there_is_not_is_not_scored(zoe: TestClient) -> None:
    body = {"scorer_name": "helpful", "value": 1}
    assert "there is no run 'x'" in said(zoe.post("/runs/x/score", json=body), 404)["detail"]
    assert zoe.post("/runs/x/cancel").status_code == 404


def test_who_asked_for_a_run_cancels_it_and_nobody_else(bench: Bench, zoe: TestClient) -> None:
    made = said(zoe.post("/runs", json=asked()), 201)["id"]
    others = bench.key("Bert")
    refused = zoe.post(f"/runs/{made}/cancel", headers=others)
    assert "who asked for it may cancel it" in said(refused, 403)["detail"]
    assert not said(zoe.get(f"/runs/{made}", headers=others))["can_cancel"]
    assert said(zoe.get(f"/runs/{made}"))["can_cancel"]
    assert said(zoe.post(f"/runs/{made}/cancel"))["status"] == "cancelled"
    assert said(zoe.get(f"/runs/{made}"))["status"] == "cancelled"
    assert "has ended: it is cancelled" in said(zoe.post(f"/runs/{made}/cancel"), 409)["detail"]
    assert zoe.post(f"/runs/{RATED}/cancel").status_code == 409


def test_a_run_that_ended_meanwhile_is_told_as_it_is(zoe: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = said(zoe.post("/runs", json=asked()), 201)["id"]
    monkeypatch.setattr(posting, "run", lambda *_: SimpleNamespace(experiment=NAME, status="pending"))
    said(zoe.post(f"/runs/{made}/cancel"))
    assert "has ended: it is cancelled" in said(zoe.post(f"/runs/{made}/cancel"), 409)["detail"]


def test_a_run_that_is_published_as_failed_and_waits_again_is_cancelled(
    zoe: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = said(zoe.post("/runs", json=asked()), 201)["id"]
    monkeypatch.setattr(posting, "run", lambda *_: SimpleNamespace(experiment=NAME, status="failed"))
    assert said(zoe.get(f"/runs/{made}"))["can_cancel"]
    assert said(zoe.post(f"/runs/{made}/cancel"))["status"] == "cancelled"


def test_what_the_declaration_asks_for_is_not_cancelled_by_a_key(bench: Bench, zoe: TestClient) -> None:
    waiting = said(zoe.get("/runs", params={"status": "pending"}))["items"][0]["id"]
    assert "podium experiments cancel capitals" in said(zoe.post(f"/runs/{waiting}/cancel"), 403)["detail"]


def test_the_next_run_to_rate_is_another_once_it_is_rated(zoe: TestClient) -> None:
    path = f"/experiments/api/experiments/{NAME}/next"
    first = said(zoe.get(path, params={"scorer": "helpful"}))
    skipped = said(zoe.get(path, params={"scorer": "helpful", "skipped": [first["run_id"]]}))
    assert skipped["run_id"] != first["run_id"]
    said(zoe.post(f"/runs/{first['run_id']}/score", json={"scorer_name": "helpful", "rating": 3}), 201)
    then = said(zoe.get(path, params={"scorer": "helpful"}))
    assert then["run_id"] not in (None, first["run_id"])
    assert then["n_own"] == first["n_own"] + 1
    assert said(zoe.get(path, params={"scorer": "exact"}), 422)["detail"].endswith("they rate by: helpful")


def test_a_queue_that_cannot_be_read_is_told_without_its_place(bench: Bench, zoe: TestClient) -> None:
    (bench.folder / "experiments").mkdir(exist_ok=True)
    (bench.folder / "experiments" / f"{NAME}.sqlite").write_bytes(b"no queue" * 1000)
    for answer in (zoe.get("/runs"), zoe.post("/runs", json=asked())):
        detail = said(answer, 503)["detail"]
        assert "cannot be used now" in detail
        assert str(bench.folder) not in detail


def test_a_queue_that_cannot_be_read_is_nothing_to_other_experiments(bench: Bench, zoe: TestClient) -> None:
    said(zoe.post("/experiments", json=DECLARED), 201)
    made = said(zoe.post("/runs", json=asked()), 201)["id"]
    (bench.folder / "experiments" / "sums.sqlite").write_bytes(b"no queue" * 1000)
    pages = [f"/experiments/{NAME}", f"/experiments/{NAME}/runs", f"/runs/leaderboard/{NAME}"]
    for path in (*pages, f"/runs?experiment_id={NAME}", f"/experiments/api/experiments/{NAME}"):
        assert zoe.get(path).status_code == 200
    assert said(zoe.get("/runs", params={"experiment_id": NAME, "status": "pending"}))["items"][0]["id"] == made
    said(zoe.post(f"/runs/{RATED}/score", json={"scorer_name": "helpful", "value": 0.5}), 201)
    assert said(zoe.post(f"/runs/{made}/cancel"))["status"] == "cancelled"
    for path in (
        "/runs/nothing",
        "/experiments/api/experiments",
        "/experiments/sums",
        "/runs/leaderboard/sums",
        "/runs?experiment_id=sums",
        "/runs",
        "/experiments",
    ):
        assert zoe.get(path).status_code == 503


def test_a_file_beside_queues_that_is_none_is_nothing_to_anybody(bench: Bench, zoe: TestClient) -> None:
    made = said(zoe.post("/runs", json=asked()), 201)["id"]
    queue = bench.folder / "experiments" / f"{NAME}.sqlite"
    queue.with_name(f"{NAME}-damaged.sqlite").write_bytes(queue.read_bytes())
    for path in ("/runs", f"/runs/{made}", "/experiments", f"/experiments/{NAME}"):
        assert zoe.get(path).status_code == 200
