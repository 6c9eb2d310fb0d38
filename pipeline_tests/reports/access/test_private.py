"""Where reports are private, nothing but health is answered without a key, whatever is kept in memory."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pipeline.reports.app import create_app
from pipeline.settings import Settings
from pipeline_tests.reports.writing import Desk

PATHS = ["/reports/competitions", "/reports/info", "/docs", "/openapi.json", "/", "/boards/x", "/nowhere"]


@pytest.fixture
def private(desk: Desk) -> Iterator[TestClient]:
    given = Settings(data_dir=desk.folder, reports_private=True, failed_keys_per_minute=1000)
    app = create_app(desk.folder / "published", given=given)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_nothing_is_answered_without_a_key(private: TestClient, path: str, method: str) -> None:
    answer = private.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert method == "HEAD" or answer.json().keys() == {"detail"}


def test_an_answer_that_is_kept_is_kept_for_keys_alone(desk: Desk, private: TestClient) -> None:
    ann = desk.key("Ann")
    first = private.get("/reports/info", headers=ann)
    tag = first.headers["ETag"]
    assert "<h1>Boards</h1>" in private.get("/", headers=ann).text
    for path in ("/reports/info", "/"):
        for headers in ({}, {"If-None-Match": tag}, {"Authorization": "Bearer podium_a_b"}):
            assert private.get(path, headers=headers).status_code == 401
    assert private.get("/reports/info", headers=ann | {"If-None-Match": tag}).status_code == 304
    desk.keys.revoke(ann["Authorization"].split("_")[1])
    assert private.get("/reports/info", headers=ann).status_code == 401


def test_a_browser_asks_the_person_and_sends_the_key_as_the_password(desk: Desk, private: TestClient) -> None:
    page = {"Accept": "text/html"}
    asked = private.get("/", headers=page)
    assert (asked.status_code, asked.headers["WWW-Authenticate"].partition(" ")[0]) == (401, "Basic")
    key = desk.key("Ann")["Authorization"].partition(" ")[2]
    assert private.get("/", headers=page, auth=("anybody", key)).status_code == 200
    assert private.get("/", headers=page, auth=("anybody", f"{key}x")).status_code == 401
    assert private.get("/", headers=page | {"Authorization": "Basic !"}).status_code == 401
    assert private.get("/submissions", auth=("anybody", key)).status_code == 401
    assert private.post("/submissions", auth=("anybody", key), json={"rows": []}).status_code == 401


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
