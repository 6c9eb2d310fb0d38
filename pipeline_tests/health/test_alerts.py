"""Alerts reach a hook, once; one that does not take them is asked again, and nothing else fails for it."""

import json
import logging
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.health import Alert, AlertError, Journal, after, hook_of, tell, webhook
from pipeline.health import alerts as module
from pipeline.registry import UnknownNameError
from pipeline.settings import Settings, settings
from pipeline_tests.health.test_states import at, computed, failed

TOLD: list[Alert] = []


def hook(alert: Alert) -> None:
    TOLD.append(alert)


def no_hook() -> None:
    """Takes no alert."""


@contextmanager
def listening(answer: Callable[[int], int]) -> Iterator[tuple[str, list[Any]]]:
    """An address of this machine that takes JSON, and what it took; it answers the nth request, from 1."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer(len(taken)))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?key=hidden", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    TOLD.clear()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    found = Journal(tmp_path / "health")
    found.change(partial(after, seen=failed(1)))
    return found


def alert() -> Alert:
    (one,) = failed(1).failures
    return Alert.of(one)


def test_what_is_written_is_read_again_by_its_owner_alone(journal: Journal, tmp_path: Path) -> None:
    journal.change(partial(after, seen=computed(0)))
    assert journal.read() == after(after(after(Journal(tmp_path / "none").read(), failed(1)), computed(0)), failed(1))
    assert stat.S_IMODE((tmp_path / "health" / "health.json").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_read_is_forgotten_and_said(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for content in (b"{", b"[]", b'{"assets": [{"asset": 1}], "checks": [], "jobs": [], "failures": []}', b"\xff"):
        (tmp_path / "health" / "health.json").write_bytes(content)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert journal.read().failures == {}
        assert "what it said is forgotten" in caplog.text
    assert journal.change(partial(after, seen=failed(1))).failures


def test_a_hook_is_told_of_a_failure_and_of_its_end_once_each(journal: Journal) -> None:
    assert [tell(journal, hook), tell(journal, hook)] == [1, 0]
    journal.change(partial(after, seen=computed(2)))
    assert [tell(journal, hook), tell(journal, hook)] == [1, 0]
    first, last = TOLD
    assert first == Alert("failed", "asset", "toy", "toy/scores", "ValueError", "ERROR", "run 1", "wrong", at(1))
    assert last == replace(first, state="recovered", time=at(2))
    assert journal.read().failures == {}


def test_a_hook_that_raises_is_told_again_and_the_log_says_so(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Alert) -> None:
        raise KeyError("nobody")

    assert tell(journal, broken) == 0
    assert "an alert could not be told, it is tried again: KeyError: 'nobody'" in caplog.text
    assert (tell(journal, hook), len(TOLD)) == (1, 1)


def test_while_another_process_tells_nothing_is_told_twice(journal: Journal) -> None:
    def meanwhile(one: Alert) -> None:
        assert tell(journal, hook) == 0
        hook(one)

    assert tell(journal, meanwhile) == 1
    assert len(TOLD) == 1


def test_an_address_gets_json_with_a_sentence() -> None:
    with listening(lambda _: 200) as (address, taken):
        webhook(alert(), address)
    assert taken == [
        {
            "state": "failed",
            "what": "asset",
            "board": "toy",
            "asset": "toy/scores",
            "cause": "ValueError",
            "severity": "ERROR",
            "run_id": "run 1",
            "message": "wrong",
            "time": "2026-03-02T09:01:00Z",
            "text": "Podium: failed: toy/scores: ValueError: wrong",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "tries", "why"),
    [
        pytest.param(lambda n: 503 if n < 3 else 200, 3, None, id="what passes is tried again"),
        pytest.param(lambda _: 500, 3, "status 500", id="three times at most"),
        pytest.param(lambda _: 404, 1, "status 404", id="what does not pass is not"),
        pytest.param(lambda _: 302, 1, "status 302", id="nothing is sent elsewhere"),
    ],
)
def test_an_address_is_asked_a_few_times(answer: Callable[[int], int], tries: int, why: str | None) -> None:
    with listening(answer) as (address, taken):
        if why is None:
            webhook(alert(), address)
        else:
            with pytest.raises(AlertError, match=f"PODIUM_ALERT did not take an alert: {why}$"):
                webhook(alert(), address)
    assert len(taken) == tries


def test_an_address_where_nobody_listens_is_not_named() -> None:
    with listening(lambda _: 200) as (address, _):
        pass
    with pytest.raises(AlertError, match=r"did not take an alert: ConnectError$") as raised:
        webhook(alert(), address)
    assert "hidden" not in str(raised.value)


@pytest.fixture
def _own_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline_tests"]')
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("_own_package")
def test_the_setting_names_an_address_or_a_function() -> None:
    assert hook_of(Settings()) is None
    named = hook_of(Settings(alert="pipeline_tests.health.test_alerts.hook"))
    assert named is not None
    named(alert())
    (only,) = TOLD
    assert only == alert()
    with listening(lambda _: 204) as (address, taken):
        sent = hook_of(Settings(alert=address))
        assert sent is not None
        sent(alert())
    assert len(taken) == 1
    assert "hidden" not in repr(Settings(alert=address))


@pytest.mark.usefixtures("_own_package")
def test_what_is_no_hook_is_refused() -> None:
    for path, why in (
        ("os.remove", "outside the packages"),
        ("pipeline_tests.health.test_alerts.nothing", "cannot be imported"),
        ("pipeline_tests.health.test_alerts.no_hook", "name a function of one argument"),
    ):
        with pytest.raises(UnknownNameError, match=why):
            hook_of(Settings(alert=path))
    for text in ("ftp://example.org", "https://", "one", "one two.three"):
        with pytest.raises(ValueError, match="write an address such as"):
            Settings(alert=text)
