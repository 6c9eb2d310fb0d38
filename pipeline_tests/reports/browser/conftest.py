"""A report server on loopback and a headless Chromium in front of it; tests are skipped where there is no Chromium."""

import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from pipeline.reports.access.keys import KeyStore
from pipeline.reports.app import create_app
from pipeline.settings import Settings
from pipeline_tests.components.test_evaluation_tables import RECENT, WHOLE
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.judged import publish_track
from pipeline_tests.reports.made_up_ranking import publish_ranking
from pipeline_tests.reports.served import declared, publish
from pipeline_tests.toy_experiment import toy_experiment

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 30_000.0
"""Milliseconds for a page to come to what is expected of it, on a machine that is busy with other tests."""
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
QUIET += ["--disable-component-update", "--no-first-run"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the server."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="session")
def site(folder: Path, dbt_dir: Path) -> Iterator[str]:
    """The address of a server over the toy contest with its evaluation sets, a track, a ranking and an experiment."""
    with toy_environment(folder, dbt_dir):
        publish(folder, declared(evaluations=[WHOLE, RECENT]))
        publish_track(folder)
    publish_ranking(folder, 4)
    toy_experiment().publish(folder)
    app = create_app(folder / "published", given=Settings(data_dir=folder))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def key(folder: Path) -> str:
    """The key of a person who has rated nothing yet."""
    return KeyStore(folder / "keys").add(f"rater {uuid.uuid4()}")[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; it goes with its module, for its event loop would be in the way of other tests."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `make browser` installs Debian's")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page of a browser that must have nothing to complain about."""
    with_scripts = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    yield from _watched(with_scripts)


@pytest.fixture
def plain(browser: Browser, site: str) -> Iterator[Page]:
    """A page of a browser without JavaScript."""
    yield from _watched(browser.new_context(base_url=site, java_script_enabled=False))


@pytest.fixture
def loud(browser: Browser, site: str) -> Iterator[Page]:
    """A page of a browser that complains of answers that are errors, as it is meant to."""
    context = browser.new_context(base_url=site)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def _watched(context: BrowserContext) -> Iterator[Page]:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    opened.on("console", note)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []
