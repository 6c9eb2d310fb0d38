"""What browsers are told with every answer, and that no page needs more than that allows."""

from html.parser import HTMLParser

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from pipeline.reports.app import _PAGES, _ROUTERS

CONTEST = "toy"
PARTS = {"name": CONTEST, "board": CONTEST, "competition": CONTEST, "model_id": "good", "model": "good"}
"""What there is of parts of paths; elsewhere what there is not."""
STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Inline(HTMLParser):
    """Collects what a strict policy would stop: scripts and styles in the page, and places outside of the server."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_data = given.get("type", "") == "application/json"
        is_ours = is_data or str(given.get("src", "")).startswith("/static/")
        if tag in ("style", "object", "embed", "iframe", "base") or (tag == "script" and not is_ours):
            self.found.append(str((tag, given)))
        self.found += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self.found += [f"{tag} {value}" for value in given.values() if str(value).lower().startswith("javascript:")]


def pages() -> list[str]:
    """The paths of all routes that are asked by GET, filled in."""
    found = [one for router in (*_PAGES, *_ROUTERS) for one in router.routes]
    routes = [one for one in found if isinstance(one, APIRoute) and "GET" in one.methods]
    filled = {
        one.path_format.format(**{name: PARTS.get(name, "nothing") for name in one.param_convertors}) for one in routes
    }
    return sorted(one for one in filled if not one.startswith("/static"))


def policy(text: str) -> dict[str, str]:
    return dict(one.strip().partition(" ")[::2] for one in text.split(";"))


def test_every_answer_has_a_strict_policy_and_no_page_needs_another(client: TestClient) -> None:
    shown = set()
    for path in [*pages(), "/nowhere", "/boards/nothing", "/rankings/models/a/b"]:
        answer = client.get(path, headers={"accept": "text/html"})
        assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, path
        said = policy(answer.headers["content-security-policy"])
        if answer.headers["content-type"].startswith("text/html"):
            assert said == STRICT, path
            inline = Inline()
            inline.feed(answer.text)
            assert inline.found == [], path
            shown.add((path, answer.status_code))
        else:
            assert said["default-src"] == "'none'"
            assert said["frame-ancestors"] == "'none'"
            assert "script-src" not in said, path
    assert len(shown) > 15
    assert sum(status == 200 for _, status in shown) >= 8


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/static/podium.js"), ("POST", "/submissions"), ("GET", "/runs"), ("PUT", "/reports")]
)
def test_files_refusals_and_wrong_methods_say_so_too(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert policy(answer.headers["content-security-policy"])["default-src"] == "'none'"


def test_an_answer_from_memory_and_one_that_has_not_changed_say_so_too(client: TestClient) -> None:
    first = client.get(f"/boards/{CONTEST}", headers={"accept": "text/html"})
    again = client.get(f"/boards/{CONTEST}", headers={"accept": "text/html"})
    assert again.headers["cache-status"] == "podium; hit"
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    same = client.get(f"/boards/{CONTEST}", headers={"accept": "text/html", "if-none-match": first.headers["etag"]})
    assert (same.status_code, same.headers["x-frame-options"]) == (304, "DENY")
    assert "content-security-policy" not in same.headers  # or the page that a browser kept would get another one


@pytest.mark.parametrize("path", ["/submissions", "/runs", "/experiments/api/experiments"])
def test_what_a_key_alone_may_see_is_kept_by_nobody(client: TestClient, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"
