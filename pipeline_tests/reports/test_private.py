"""Where reports are private, nothing but health is answered without a key, whatever is kept in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pipeline.reports.app import create_app
from pipeline.settings import Settings
from pipeline_tests.reports.writing import Desk

PATHS = ["/reports/competitions", "/reports/info", "/docs", "/openapi.json", "/redoc", "/", "/board/x", "/nowhere"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.publish()
    return made


@pytest.fixture
def private(desk: Desk) -> Iterator[TestClient]:
    """A private server that has pages of its operator's, too."""
    given = Settings(data_dir=desk.folder, reports_private=True, failed_keys_per_minute=1000)
    app = create_app(desk.folder / "published", given=given)
    pages = APIRouter()

    @pages.get("/", response_class=HTMLResponse)
    def page() -> str:
        return "<p>secret</p>"

    app.include_router(pages)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_nothing_is_answered_without_a_key(private: TestClient, path: str, method: str) -> None:
    answer = private.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "secret" not in answer.text


def test_an_answer_that_is_kept_is_kept_for_keys_alone(desk: Desk, private: TestClient) -> None:
    ann = desk.key("Ann")
    first = private.get("/reports/info", headers=ann)
    tag = first.headers["ETag"]
    assert private.get("/", headers=ann).text == "<p>secret</p>"
    for path in ("/reports/info", "/"):
        for headers in ({}, {"If-None-Match": tag}, {"Authorization": "Bearer podium_a_b"}):
            assert private.get(path, headers=headers).status_code == 401
    assert private.get("/reports/info", headers=ann | {"If-None-Match": tag}).status_code == 304
    desk.keys.revoke(ann["Authorization"].split("_")[1])
    assert private.get("/reports/info", headers=ann).status_code == 401


def test_health_stays_open_and_says_nothing_more(private: TestClient) -> None:
    assert private.get("/reports/healthz").json() == {"status": "ok"}
    assert private.get("/reports/healthz/").status_code == 401


def test_a_websocket_needs_a_key_too(private: TestClient) -> None:
    with pytest.raises((WebSocketDisconnect, RuntimeError)), private.websocket_connect("/anything"):
        pass


def test_public_reports_need_no_key_and_mind_no_wrong_one(desk: Desk) -> None:
    with desk.served() as public:
        assert public.get("/reports/info").status_code == 200
        assert public.get("/reports/info", headers={"Authorization": "Bearer podium_a_b"}).status_code == 200


def test_what_players_ask_is_never_kept(desk: Desk) -> None:
    ann, bert = desk.key("Ann"), desk.key("Bert")
    with desk.served() as client:
        for headers in (ann, bert, ann):
            answer = client.get("/submissions", headers=headers)
            assert "ETag" not in answer.headers
        assert client.get("/submissions").status_code == 401


def test_no_page_of_another_site_may_read_or_write(desk: Desk) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    with desk.served() as client:
        assert not any(
            name.startswith("access-control") for name in client.options("/submissions", headers=asked).headers
        )
        assert not any(name.startswith("access-control") for name in client.get("/reports/info", headers=asked).headers)
