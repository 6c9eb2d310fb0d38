"""``POST /experiments``: a whole declaration, kept whole or not at all, and nothing that reaches beyond it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.experiments import Experiment
from pipeline.reports.experiments.declaring import PostedExperiment
from pipeline_tests.reports.experiments.asked import Bench, said
from pipeline_tests.toy_experiment import NAME, toy_experiment

DECLARED: dict[str, Any] = {
    "name": "sums",
    "title": "Sums",
    "prompts": {"plain": "What is {{ sum }}?", "polite": {"version": "2", "template": "Please: {{ sum }}"}},
    "models": ["local"],
    "parameters": {"grid": {"temperature": [0, 1]}},
    "inputs": [{"id": "easy", "variables": {"sum": "1 + 1"}, "reference": "2"}],
    "scorers": {"exact": {"weight": 2}, "brief": {"scorer": "format", "options": {"length": {"most": 3}}}},
}


def post(client: TestClient, **changes: Any) -> Any:
    return client.post("/experiments", json=DECLARED | changes)


def test_a_posted_experiment_is_there_at_once_with_its_runs(zoe: TestClient) -> None:
    made = said(post(zoe), 201)
    assert (made["name"], made["is_published"], made["runs"]["pending"]) == ("sums", False, 4)
    listed = said(zoe.get("/experiments/api/experiments"))["rows"]
    assert [one["name"] for one in listed] == [NAME, "sums"]
    runs = said(zoe.get("/runs", params={"experiment_id": "sums"}))
    assert (runs["total"], {run["status"] for run in runs["items"]}) == (4, {"pending"})
    detail = said(zoe.get("/experiments/api/experiments/sums"))
    assert len(detail["configurations"]) == 4
    assert (
        Experiment.model_validate(detail["declaration"]).configurations == PostedExperiment(**DECLARED).configurations
    )
    board = said(zoe.get("/runs/leaderboard/sums", params={"group_by": "configuration"}))
    assert [one["unranked_reason"] for one in board["entries"]] == ["no_scored_runs"] * 4


def test_its_runs_are_told_before_it_is_published_and_scored_once_there_are_answers(zoe: TestClient) -> None:
    said(post(zoe), 201)
    run = said(zoe.get("/runs", params={"experiment_id": "sums"}))["items"][0]
    early = zoe.post(f"/runs/{run['id']}/score", json={"scorer_name": "exact", "value": 1})
    assert "has no answer to score: it is pending" in said(early, 409)["detail"]
    asked = said(zoe.post("/runs", json={"experiment_id": "sums", "config": run["config"]}), 200)
    assert asked["id"] == run["id"]
    assert said(zoe.get(f"/runs/{run['id']}"))["scores"] == []
    assert said(zoe.get("/runs", params={"experiment_id": "sums"}))["total"] == 4


def test_once_it_is_published_nothing_is_there_twice(zoe: TestClient, bench: Bench) -> None:
    said(post(zoe), 201)
    before = said(zoe.get("/runs", params={"experiment_id": "sums"}))
    toy = toy_experiment()
    type(toy)(Experiment.model_validate(DECLARED), (), ()).publish(bench.folder)
    assert said(zoe.get("/runs", params={"experiment_id": "sums"})) == before
    assert said(zoe.get("/experiments/api/experiments/sums"))["is_published"]
    assert said(post(zoe), 200)["is_published"]


def test_the_same_content_again_changes_nothing_and_other_content_is_refused(zoe: TestClient, bench: Bench) -> None:
    said(post(zoe), 201)
    path = bench.folder / "experiments" / "declared" / "sums.json"
    kept = path.read_bytes()
    assert said(post(zoe), 200)["name"] == "sums"
    reordered = json.dumps(dict(reversed(DECLARED.items())), indent=3)
    again = zoe.post("/experiments", content=reordered, headers={"Content-Type": "application/json"})
    assert again.status_code == 200
    assert "with other content" in said(post(zoe, title="Other"), 409)["detail"]
    assert path.read_bytes() == kept
    assert [one.name for one in path.parent.iterdir()] == ["sums.json"]


@pytest.mark.parametrize("name", [NAME, "sp500", "llm"])
def test_names_of_boards_are_taken(zoe: TestClient, bench: Bench, name: str) -> None:
    told = said(post(zoe, name=name), 409 if name != "llm" else 422)["detail"]
    assert name in json.dumps(told)
    assert not (bench.folder / "experiments" / "declared").exists()


def test_names_in_the_operators_own_folder_are_taken(bench: Bench) -> None:
    own = bench.folder / "defs" / "group" / "sums"
    own.mkdir(parents=True)
    (own / "defs.yaml").write_text("type: pipeline.components.Experiment\n", encoding="utf-8")
    with bench.served(defs_dir=bench.folder / "defs") as client:
        client.headers.update(bench.key())
        assert "that its operator declares" in said(post(client), 409)["detail"]


def test_of_many_at_once_one_is_kept(zoe: TestClient) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda at: post(zoe, title=f"Sums {at}"), range(6)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 5
    title = next(one.json()["title"] for one in answers if one.status_code == 201)
    assert said(zoe.get("/experiments/api/experiments/sums"))["title"] == title


def scorer(**said: Any) -> dict[str, Any]:
    return {"scorers": {"mine": said}}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Sums"}, "is no name"),
        ({"surprise": 1}, "unknown field 'surprise'"),
        ({"inputs_file": "/etc/passwd", "inputs": []}, "inputs_file cannot be posted"),
        ({"schedule": "0 0 * * *"}, "schedule cannot be posted"),
        (scorer(scorer="pipeline.experiments.scorers.ExactMatch"), "is no scorer of Podium's own"),
        (scorer(scorer="os.system"), "known: embedding, exact"),
        (scorer(scorer=["exact"]), "is no scorer of Podium's own"),
        ({"scorers": ["exact", "pipeline.cli.app.main"]}, "'pipeline.cli.app.main' is no scorer of Podium's own"),
        (scorer(scorer="exact", weight=1e308), "should be less than or equal to 1000000"),
        (scorer(scorer="embedding", options={"embedder": "pipeline.experiments.scorers.plain"}), "cannot be posted"),
        (scorer(scorer="format", options={"pattern": "(a+)+$"}), "regular expressions cannot be posted"),
        (
            scorer(scorer="format", options={"json_schema": {"properties": {"a": {"pattern": "(a+)+$"}}}}),
            "regular expressions cannot be posted",
        ),
        (
            scorer(
                scorer="format", options={"json_schema": {"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}] * 2}}
            ),
            "$ref in json_schema cannot be posted, as it can take for ever",
        ),
        (scorer(scorer="format", options={"json_schema": {"uniqueItems": True}}), "uniqueItems in json_schema cannot"),
        (scorer(scorer="format", options={"json_schema": nested(30)}), "depth in json_schema cannot be posted"),
        (scorer(scorer="exact", options={"surprise": 1}), "unknown field 'surprise'"),
        ({"prompts": {"loop": "{% for i in range(9) %}{{ sum }}{% endfor %}"}}, "prompts.loop: line 1: call is not"),
        (
            scorer(scorer="judge", options={"criteria": "x", "template": "{{ output }}{{ range(9) }}"}),
            "scorers.mine: line 1: call is not taken from everybody",
        ),
        ({"prompts": {"lacks": "{{ city }}"}}, "input 'easy' has no city"),
        ({"repeats": 10_001}, "asks for 40,004 runs"),
        ({"prompts": {f"p{n}": f"{n} {{{{ sum }}}}" for n in range(101)}}, "101 prompts"),
        ({"models": [f"m{n}" for n in range(101)]}, "101 models"),
        ({"inputs": [{"variables": {"sum": n}} for n in range(10_001)]}, "10,001 inputs"),
        ({"parameters": {"grid": {f"p{n}": list(range(10)) for n in range(50)}}}, "configurations; a posted"),
        ({"parameters": {"random": {"t": {"uniform": [0, 1]}}, "budget": 5000}}, "a budget of 5,000"),
        ({"parameters": {"random": {"t": {"uniform": [0, 1]}}, "budget": "1001"}}, "budget of '1001'; write a whole"),
        ({"parameters": {"random": {"t": {"uniform": [0, 1]}}, "budget": 1001.0}}, "budget of 1001.0; write a whole"),
        ({"parameters": {"grid": {"t": [2**60, 1]}}}, "beyond 2^53"),
        ({"scorers": {"exact": {"weight": 0}}}, "no scorer has a weight above 0"),
    ],
)
def test_what_may_not_be_posted_is_refused_and_nothing_is_kept(
    zoe: TestClient, bench: Bench, changes: dict[str, Any], told: str
) -> None:
    assert told in json.dumps(said(post(zoe, **changes), 422)["detail"], ensure_ascii=False)
    assert not (bench.folder / "experiments" / "declared").exists()


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"x"', b"null", b'{"name": NaN}', b'{"parameters": {"grid": 3}}'])
def test_bodies_that_declare_nothing_are_told(zoe: TestClient, body: bytes) -> None:
    answer = zoe.post("/experiments", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_what_cannot_be_written_is_told_and_nothing_is_kept(zoe: TestClient, bench: Bench) -> None:
    (bench.folder / "experiments").write_text("a file in the place of the folder", encoding="utf-8")
    detail = said(post(zoe), 503)["detail"]
    assert "nothing was stored" in detail
    assert str(bench.folder) not in detail


def test_without_a_key_nothing_is_kept(bench: Bench) -> None:
    with bench.served() as client:
        assert post(client).status_code == 401
    assert not (bench.folder / "experiments").exists()


@pytest.mark.parametrize("text", ['{"na', "[]", "{}"])
def test_a_damaged_declaration_is_no_trouble_to_others(zoe: TestClient, bench: Bench, text: str) -> None:
    path = bench.folder / "experiments" / "declared" / "torn.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert zoe.get("/experiments/api/experiments").status_code == 200
    assert zoe.get("/experiments").status_code == 200
    assert zoe.get("/experiments/api/experiments/torn").status_code == 404
