"""Files of pages are served whatever is published, and only those."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline_tests.reports.served import served


@pytest.fixture
def client(tmp_path: Path):
    with served(tmp_path / "published") as asked:
        yield asked


@pytest.mark.parametrize(
    ("name", "media", "holds"),
    [
        ("podium.css", "text/css", "--accent"),
        ("charts.js", "text/javascript", "vegaEmbed"),
        ("vega.js", "text/javascript", "window.vegaEmbed"),
        ("swagger-ui-bundle.js", "text/javascript", "SwaggerUIBundle"),
        ("icon.svg", "image/svg+xml", "<svg"),
    ],
)
def test_files_come_with_a_tag_of_their_own_content(client: TestClient, name: str, media: str, holds: str) -> None:
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media)
    assert holds in answer.text
    again = client.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.css", "..%2fview.py", "view.py", "%2e%2e%2fboard.py"])
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_without_anything_published_a_page_says_what_to_run(client: TestClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "Not ready yet" in answer.text
    assert "podium run" in answer.text
    assert client.get("/reports/info").json()["detail"]
