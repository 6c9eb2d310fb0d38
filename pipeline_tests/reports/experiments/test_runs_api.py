"""``/runs``: the shapes and answers of its specification, out of what is published."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.experiments import RunConfig, run_id
from pipeline_tests.reports.experiments.asked import Bench, asked, said
from pipeline_tests.toy_experiment import NAME, toy_experiment

TOY = toy_experiment()
ROWS = {spec.name: frame for spec, frame in TOY.tables().items()}
BOARD = ROWS["run_board"].set_index("run_id")
OF_A_RUN = (
    *("id", "experiment_id", "config_hash", "config", "status", "started_at", "completed_at", "duration_ms"),
    *("tokens_in", "tokens_out", "cost_estimate"),
)
"""Fields of a run in the specification."""


@pytest.fixture(scope="module")
def folder(published_bench: Path) -> Path:
    return published_bench


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with Bench(folder).served(runs_per_minute=10_000, failed_keys_per_minute=10_000) as asked_of:
        yield asked_of


@pytest.fixture(scope="module")
def headers(folder: Path) -> dict[str, str]:
    return Bench(folder).key("Reader")


def test_runs_are_listed_as_specified(client: TestClient, headers: dict[str, str]) -> None:
    found = said(client.get("/runs", headers=headers))
    assert found.keys() == {"items", "total"}
    assert (len(found["items"]), found["total"]) == (50, len(ROWS["runs"]))
    for item in found["items"]:
        assert set(OF_A_RUN) <= item.keys()
        assert item["config"].keys() == {"prompt", "model", "params", "input_data"}
    begun = [item["created_at"] for item in found["items"]]
    assert all(newer >= older for newer, older in pairwise(begun))


def test_runs_are_filtered_by_their_weighted_score(client: TestClient, headers: dict[str, str]) -> None:
    asked_for = {"experiment_id": NAME, "status": "completed", "min_score": 0.5, "max_score": 0.9, "limit": 500}
    found = said(client.get("/runs", params=asked_for, headers=headers))
    completed = BOARD.loc[ROWS["runs"].loc[ROWS["runs"]["status"] == "completed", "run_id"]]
    expected = set(completed.index[completed["score"].between(0.5, 0.9)])
    assert {item["id"] for item in found["items"]} == expected
    assert all(0.5 <= item["weighted_score"] <= 0.9 for item in found["items"])


@pytest.mark.parametrize("path", ["/runs", "/runs/"])
def test_a_page_of_runs_knows_the_total(client: TestClient, headers: dict[str, str], path: str) -> None:
    first = said(client.get(path, params={"limit": 3, "offset": 79}, headers=headers))
    assert (len(first["items"]), first["total"]) == (2, 81)


@pytest.mark.parametrize(
    "params",
    [
        *({"limit": 0}, {"limit": 501}, {"offset": -1}, {"status": "done"}, {"min_score": 1.1}, {"max_score": -1}),
        *({"min_score": "nan"}, {"limit": "many"}),
    ],
)
def test_what_cannot_be_meant_is_refused(client: TestClient, headers: dict[str, str], params: dict[str, str]) -> None:
    assert client.get("/runs", params=params, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        *("/runs?experiment_id=nothing", "/runs/nothing", "/runs/leaderboard/nothing"),
        *("/runs/leaderboard/nothing?group_by=model", "/experiments/api/experiments/nothing"),
        *(f"/experiments/api/experiments/nothing/{one}" for one in ("comparisons", "distributions", "agreement")),
        "/experiments/api/experiments/nothing/compare?a=x&b=y",
        "/experiments/api/experiments/nothing/next?scorer=x",
    ],
)
def test_what_there_is_not_is_404(client: TestClient, headers: dict[str, str], path: str) -> None:
    assert "nothing" in said(client.get(path, headers=headers), 404)["detail"]


def test_a_run_has_stages_and_every_score(client: TestClient, headers: dict[str, str]) -> None:
    again = ROWS["scores"].set_index("score_id").loc["ann-again", "run_id"]
    found = said(client.get(f"/runs/{again}", headers=headers))
    assert {*OF_A_RUN, "stage_results", "scores"} <= found.keys()
    assert [one["stage_name"] for one in found["stage_results"]] == ["answer"]
    helpful = [(one["id"], one["value"], one["is_latest"]) for one in found["scores"] if one["rater"] == 1]
    assert helpful == [("ann-0", 0.0, False), ("ann-again", 1.0, True)]
    assert not any(one["is_own"] or "rater_name" in one for one in found["scores"])
    assert (found["experiment_id"], found["reference"]) == (NAME, found["reference"])
    assert found["standing"]["score"] == BOARD.loc[again, "score"]
    assert found["config_hash"] == RunConfig.of(found["config"]).config_hash
    assert found["id"] == run_id(NAME, found["config_hash"], found["repeat"])


def test_the_leaderboard_counts_all_and_ranks_ties_alike(client: TestClient, headers: dict[str, str]) -> None:
    found = said(client.get(f"/runs/leaderboard/{NAME}", params={"top_n": 100}, headers=headers))
    assert {"experiment_id", "entries", "total"} <= found.keys()
    assert (found["total"], found["n_ranked"], len(found["entries"])) == (69, 68, 69)
    cut = said(client.get(f"/runs/leaderboard/{NAME}", headers=headers))
    assert (cut["total"], cut["entries"]) == (69, found["entries"][:10])
    fields = {"run_id", "config_hash", "config", "status", "weighted_score", "scores"}
    for entry in found["entries"]:
        assert fields | {"duration_ms", "tokens_in", "tokens_out"} <= entry.keys()
        stored = BOARD.loc[entry["run_id"]]
        assert (entry["weighted_score"], entry["coverage"]) == (stored["score"], stored["coverage"])
    ranks = [entry["rank"] for entry in found["entries"][:-1]]
    scores = [entry["weighted_score"] for entry in found["entries"][:-1]]
    assert ranks == [1 + sum(other > score for other in scores) for score in scores]
    last = found["entries"][-1]
    assert (last["rank"], last["unranked_reason"]) == (None, "missing_scorers")
    assert found["weights"] == {"exact": 2.0, "helpful": 1.0}


def test_what_a_run_lacks_is_told(client: TestClient, headers: dict[str, str]) -> None:
    found = said(client.get(f"/runs/leaderboard/{NAME}", params={"top_n": 100}, headers=headers))["entries"]
    for entry in found:
        lacking = {"exact", "helpful"} - set(entry["scores"])
        assert set(entry["missing_scorers"]) == lacking
        assert entry["unweighted_scorers"] == ["brief"]
        has = {name: {"exact": 2, "helpful": 1}[name] for name in entry["scores"] if name != "brief"}
        if has:
            expected = sum(weight * entry["scores"][name] for name, weight in has.items()) / sum(has.values())
            assert entry["weighted_score"] == pytest.approx(expected)


@pytest.mark.parametrize("group_by", ["configuration", "model", "prompt"])
def test_runs_are_grouped(client: TestClient, headers: dict[str, str], group_by: str) -> None:
    found = said(client.get(f"/runs/leaderboard/{NAME}", params={"group_by": group_by}, headers=headers))
    stored = ROWS["leaderboard"][ROWS["leaderboard"]["grouping"] == group_by].sort_values("position")
    assert [entry["contestant"] for entry in found["entries"]] == stored["contestant"].tolist()
    assert (found["total"], found["n_ranked"]) == (len(stored), stored["rank"].count())
    assert found["entries"][0]["ci_low"] < found["entries"][0]["weighted_score"] < found["entries"][0]["ci_high"]


@pytest.mark.parametrize("params", [{"top_n": 0}, {"top_n": 101}, {"group_by": "author"}])
def test_no_other_cut_or_group_is_taken(client: TestClient, headers: dict[str, str], params: dict[str, str]) -> None:
    assert client.get(f"/runs/leaderboard/{NAME}", params=params, headers=headers).status_code == 422


def test_everything_else_of_an_experiment_is_told(client: TestClient, headers: dict[str, str]) -> None:
    base = f"/experiments/api/experiments/{NAME}"
    detail = said(client.get(base, headers=headers))
    assert detail["declaration"]["name"] == NAME
    first, second = (one["configuration"] for one in detail["configurations"][:2])
    pair = said(client.get(f"{base}/compare", params={"a": first, "b": second}, headers=headers))
    assert pair["n_inputs"] == pair["wins"] + pair["ties"] + pair["losses"] > 0
    rows = said(client.get(f"{base}/comparisons", headers=headers))["rows"]
    assert {row["configuration"] for row in rows} == set(ROWS["comparisons"]["configuration"])
    csv = client.get(f"{base}/comparisons", params={"format": "csv"}, headers=headers)
    assert csv.text.count("\n") == len(rows) + 1
    spread = said(client.get(f"{base}/distributions", params={"group_by": "model", "bins": 5}, headers=headers))
    assert all(sum(row["counts"]) == row["n"] and len(row["counts"]) == 5 for row in spread["rows"])
    assert said(client.get(f"{base}/agreement", headers=headers))["total"] == 4
    assert [one["name"] for one in said(client.get("/experiments/api/experiments", headers=headers))["rows"]] == [NAME]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", one) for one in ("/runs", "/runs/", "/runs/x", f"/runs/leaderboard/{NAME}")),
        *(("POST", one) for one in ("/runs", "/runs/", "/runs/x/score", "/runs/x/cancel", "/experiments")),
        *(("GET", one) for one in ("/experiments/api/experiments", f"/experiments/api/experiments/{NAME}/next")),
        *(("PUT", "/experiments"), ("POST", f"/experiments/{NAME}/rate"), ("DELETE", "/experiments/x")),
    ],
)
def test_a_key_is_needed(client: TestClient, headers: dict[str, str], method: str, path: str) -> None:
    key = headers["Authorization"].removeprefix("Bearer ")
    assert client.request(method, path).status_code == 401
    assert client.request(method, path, headers={"Authorization": "Bearer podium_a_b"}).status_code == 401
    assert client.request(method, path, auth=("anybody", key)).status_code == 401
    assert client.request(method, path, headers=headers).status_code != 401


def test_pages_of_experiments_need_no_key(client: TestClient) -> None:
    assert client.get("/experiments/whatever/there/may/be").status_code != 401
    assert client.head("/experiments").status_code != 401


def test_answers_of_runs_are_never_kept(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/runs", f"/runs/leaderboard/{NAME}", "/experiments/api/experiments"):
        assert "ETag" not in client.get(path, headers=headers).headers


def test_a_key_has_its_limit_of_runs_apart_from_submissions(bench: Bench) -> None:
    with bench.served(runs_per_minute=3, submissions_per_minute=1) as client:
        headers = bench.key()
        answers = [client.get("/runs", headers=headers).status_code for _ in range(5)]
        assert answers == [200, 200, 200, 429, 429]
        assert client.get("/submissions", headers=headers).status_code != 429
        assert client.get("/runs", headers=bench.key()).status_code == 200


def test_before_anything_is_published_it_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.served() as client:
        for answer in (
            client.get("/runs", headers=bench.key()),
            client.post("/runs", json=asked(), headers=bench.key()),
        ):
            assert said(answer, 503)["detail"]
