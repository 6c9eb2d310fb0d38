"""``/metrics``: what requests and boards come to in the format of Prometheus, for whom settings let it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.testclient import TestClient

from pipeline.health import AssetState, CheckState, Failure, JobState, Journal, Seen, after
from pipeline.reports.app import create_app
from pipeline.reports.metrics.requests import Templates
from pipeline.settings import Settings

START = datetime(2026, 3, 2, 9)
HERE, ELSEWHERE = ("127.0.0.1", 50000), ("192.0.2.7", 50000)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@contextmanager
def server(folder: Path, client: tuple[str, int] = HERE, **given: Any) -> Iterator[TestClient]:
    made = Settings(data_dir=folder, **given)
    app = create_app(folder / "published", given=made)
    with TestClient(app, client=client, raise_server_exceptions=False) as asked:
        yield asked


def scraped(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def of(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def labelled(samples: Samples, name: str, label: str) -> set[str]:
    return {dict(labels)[label] for found, labels in samples if found == name}


@pytest.fixture(scope="module")
def folder(published_desk: Path) -> Path:
    return published_desk


def test_requests_are_counted_and_timed_by_the_template_of_their_route(folder: Path) -> None:
    with server(folder) as client:
        for path in ("/boards/league", "/boards/league", "/boards/none", "/nowhere/at/all?key=hidden", "/reports/info"):
            client.get(path)
        client.post("/reports/info")
        client.request("BREW", "/status")
        samples = scraped(client)
    told = partial(of, samples, "podium_http_requests_total")
    assert told(method="GET", route="/boards/{name}", status="200") == 2
    assert told(method="GET", route="/boards/{name}", status="404") == 1
    assert told(method="GET", route="unmatched", status="404") == 1
    assert told(method="GET", route="/reports/info", status="200") == 1
    assert told(method="POST", route="/reports/info", status="405") == 1
    assert told(method="other", route="/status", status="405") == 1
    timed = partial(of, samples, method="GET", route="/boards/{name}")
    assert timed("podium_http_request_duration_seconds_count") == 3
    assert 0 < (timed("podium_http_request_duration_seconds_sum") or 0) < 60


def test_a_refusal_counts_and_an_answer_from_memory_has_its_template(folder: Path) -> None:
    with server(folder, reports_private=True) as client:
        assert client.get("/boards/league").status_code == 401
        samples = scraped(client)
    assert of(samples, "podium_http_requests_total", method="GET", route="/boards/{name}", status="401") == 1


def test_labels_are_as_many_as_routes_whatever_is_asked(folder: Path) -> None:
    with server(folder) as client:
        for number in range(50):
            client.get(f"/boards/{number}")
            client.get(f"/{number}")
        routes = labelled(scraped(client), "podium_http_requests_total", "route")
    assert routes == {"/boards/{name}", "unmatched"}


def test_remembered_paths_are_bounded() -> None:
    templates = Templates([])
    for number in range(10_000):
        assert templates.of({"type": "http", "method": "GET", "path": f"/{number}"}) == "unmatched"
    assert len(templates._known) <= 4096


def test_boards_have_their_rows_version_and_age(folder: Path) -> None:
    with server(folder) as client:
        samples = scraped(client)
        publication = client.app.state.reader.publication  # type: ignore[attr-defined]
        tables = client.app.state.reader.query("SELECT count(*) AS n FROM competition.files")  # type: ignore[attr-defined]
    (board,) = publication.boards
    assert of(samples, "podium_published") == 1
    assert of(samples, "podium_publication_version") == publication.seq
    assert 0 <= (of(samples, "podium_publication_age_seconds") or -1) < 3600
    assert 0 < (of(samples, "podium_board_version", board=board) or 0) <= publication.seq
    assert of(samples, "podium_quarantined_rows", board=board) is not None
    assert of(samples, "podium_quarantined_files", board=board) is not None
    n = int(tables["n"].iloc[0])
    assert (of(samples, "podium_board_rows", board=board, table="competition.files") or 0) == n
    assert of(samples, "podium_board_rows", board=board, table="catalog.boards") is None


def test_before_anything_is_published_there_are_metrics(tmp_path: Path) -> None:
    with server(tmp_path) as client:
        samples = scraped(client)
    assert of(samples, "podium_published") == 0
    assert labelled(samples, "podium_board_rows", "board") == set()


def test_runs_and_checks_are_told(tmp_path: Path) -> None:
    seen = Seen(
        assets=(AssetState("toy/scores", START, "one", 1.5, 10),),
        checks=(
            CheckState("toy/scores", "small", False, "WARN", START, "one", "3 violations", 3),
            CheckState("toy/scores", "well", True, "ERROR", START, "one"),
        ),
        failures=(Failure("toy/board", "KeyError", "asset", "ERROR", START, "one", "wrong"),),
        job=JobState("toy", False, START + timedelta(seconds=2), "one", 2.5),
    )
    Journal(tmp_path / "health").change(partial(after, seen=seen))
    with server(tmp_path) as client:
        samples = scraped(client)
    at = 1772442000.0
    assert of(samples, "podium_asset_last_success_timestamp_seconds", asset="toy/scores") == at
    assert of(samples, "podium_asset_last_duration_seconds", asset="toy/scores") == 1.5
    assert of(samples, "podium_asset_failed", asset="toy/board") == 1
    assert of(samples, "podium_asset_failed", asset="toy/scores") == 0
    assert of(samples, "podium_checks_failing", board="toy", severity="WARN") == 1
    assert of(samples, "podium_checks_failing", board="toy", severity="ERROR") == 0
    assert of(samples, "podium_job_last_success", job_name="toy") == 0
    assert of(samples, "podium_job_last_end_timestamp_seconds", job_name="toy") == at + 2
    assert of(samples, "podium_job_last_duration_seconds", job_name="toy") == 2.5


def test_each_server_counts_by_itself(folder: Path) -> None:
    with server(folder) as one, server(folder) as other:
        one.get("/reports/info")
        assert "/reports/info" not in labelled(scraped(other), "podium_http_requests_total", "route")


BEARER = {"Authorization": "Bearer the token"}


@pytest.mark.parametrize(
    ("client", "headers", "given", "status"),
    [
        pytest.param(HERE, {}, {}, 200, id="this machine"),
        pytest.param(("::1", 1), {}, {}, 200, id="this machine by its other address"),
        pytest.param(("::ffff:127.0.0.1", 1), {}, {}, 200, id="by its old address in a new one"),
        pytest.param(ELSEWHERE, {}, {}, 403, id="another machine"),
        pytest.param(("no address", 1), {}, {}, 403, id="nobody knows who"),
        pytest.param(HERE, {"X-Forwarded-For": "127.0.0.1"}, {}, 403, id="passed on by a proxy"),
        pytest.param(ELSEWHERE, {}, {"metrics": "open"}, 200, id="open"),
        pytest.param(HERE, {}, {"metrics": "off"}, 404, id="off"),
        pytest.param(ELSEWHERE, BEARER, {}, 403, id="no token is known"),
        pytest.param(ELSEWHERE, BEARER, {"secrets": {"metrics": SecretStr("the token")}}, 200, id="the token"),
        pytest.param(ELSEWHERE, BEARER, {"secrets": {"metrics": SecretStr("another")}}, 403, id="another token"),
        pytest.param(ELSEWHERE, {}, {"secrets": {"metrics": SecretStr("the token")}}, 403, id="no token"),
        pytest.param(HERE, {}, {"reports_private": True}, 200, id="where reports need a key"),
        pytest.param(ELSEWHERE, {}, {"reports_private": True}, 403, id="elsewhere, where reports need a key"),
    ],
)
def test_who_may_read_them(
    tmp_path: Path, client: tuple[str, int], headers: dict[str, str], given: dict[str, Any], status: int
) -> None:
    with server(tmp_path, client, **given) as asked:
        answer = asked.get("/metrics", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert "PODIUM_SECRETS_METRICS" in answer.json()["detail"]
