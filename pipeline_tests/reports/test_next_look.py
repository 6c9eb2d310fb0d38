"""When sources of rankings are looked at next, by their own schedules: in the API and on pages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.rankings.declaration import SourceSpec
from pipeline.reports.app import create_app
from pipeline.settings import settings
from pipeline.tables import BOARDS, WHOLE
from pipeline.warehouse import Dirty
from pipeline_tests.reports.made_up_ranking import NAME, TITLE, publish_ranking
from pipeline_tests.reports.pages.parsed import opened
from pipeline_tests.reports.served import files_in

AT = datetime(2026, 11, 23, 5)
TICKS = {"0 5 * * *": AT, "0 5 * * 1": AT + timedelta(days=7)}
DAILY, WEEKLY = TICKS


def tick(cron: str, now: datetime) -> datetime:
    return TICKS[cron]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("looks")
    publish_ranking(made)
    return made


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    given = settings().model_copy(update={"fetch": True})
    with TestClient(create_app(folder / "published", given=given, next_tick=tick)) as asked:
        yield asked


@pytest.mark.parametrize(
    ("spec", "days", "is_frozen", "expected"),
    [
        (SourceSpec(), 1, False, DAILY),
        (SourceSpec(), 2, False, DAILY),
        (SourceSpec(), 3, False, WEEKLY),
        (SourceSpec(), 365, True, None),
        (SourceSpec(schedule="7 7 * * *"), 365, True, "7 7 * * *"),
        (SourceSpec(folder="here"), 1, False, None),
        (SourceSpec(folder="here", schedule="7 7 * * *"), 1, False, "7 7 * * *"),
    ],
)
def test_a_source_is_looked_at_as_declared_else_as_often_as_it_changes(
    spec: SourceSpec, days: int, is_frozen: bool, expected: str | None
) -> None:
    assert spec.looked_at_by(days, is_frozen=is_frozen) == expected


def test_the_api_tells_of_every_source_when_it_is_looked_at_next_or_why_not(client: TestClient) -> None:
    rows = {row["source"]: row for row in client.get("/rankings/status").json()["rows"]}
    assert {name: (row["schedule"], row["next_look_at"], row["no_look"]) for name, row in rows.items()} == {
        "openrouter": (DAILY, "2026-11-23T05:00:00Z", None),
        "modelsdev": (DAILY, "2026-11-23T05:00:00Z", None),
        "artificialanalysis": (WEEKLY, "2026-11-30T05:00:00Z", None),
        "lmarena": (WEEKLY, "2026-11-30T05:00:00Z", None),
        "livebench": (WEEKLY, "2026-11-30T05:00:00Z", None),
        "aider": (WEEKLY, "2026-11-30T05:00:00Z", None),
        "evalplus": (None, None, "it is frozen"),
    }


def test_the_page_of_status_has_every_source_with_its_state_by_its_own_pace(client: TestClient) -> None:
    page = opened(client, "/status")
    rows = page.rows(f"Sources of {TITLE}")
    assert {name: (row[0], row[2], row[4]) for name, row in rows.items()} == {
        "OpenRouter": ("◐ ageing kept", "every day", "2026-11-23 05:00 UTC"),
        "models.dev": ("○ old bundled", "every day", "2026-11-23 05:00 UTC"),
        "Artificial Analysis": ("● up to date live", "every 7 days", "2026-11-30 05:00 UTC"),
        "LMArena": ("● up to date unchanged", "every 7 days", "2026-11-30 05:00 UTC"),
        "LiveBench": ("✕ no figures missing", "every 30 days", "2026-11-30 05:00 UTC"),
        "Aider": ("◐ ageing files", "every 30 days", "2026-11-30 05:00 UTC"),
        "EvalPlus": ("■ frozen frozen", "not any more", "none: it is frozen"),
    }
    assert all(row[3] == "under 2 hours ago" for row in rows.values())
    assert "● 2 up to date ◐ 2 ageing ○ 1 old ■ 1 frozen ✕ 1 no figures" in page.text(
        "//table[contains(caption, 'every board')]"
    )


def test_the_page_of_the_ranking_tells_of_looks_too(client: TestClient) -> None:
    rows = opened(client, "/rankings").rows("Sources, and how old their figures are")
    (open_router,) = (row for name, row in rows.items() if name.startswith("OpenRouter"))
    assert open_router[3] == "under 2 hours ago next: 2026-11-23 05:00 UTC"


def test_while_nothing_is_fetched_nobody_looks_and_without_a_clock_the_schedule_is_told(folder: Path) -> None:
    for is_fetching, told in ((False, "none: fetching is off (PODIUM_FETCH)"), (True, f"by {DAILY} UTC")):
        given = settings().model_copy(update={"fetch": is_fetching})
        with TestClient(create_app(folder / "published", given=given)) as asked:
            assert opened(asked, "/status").rows(f"Sources of {TITLE}")["OpenRouter"][4] == told


def test_a_ranking_of_another_version_has_its_sources_without_looks(tmp_path: Path) -> None:
    publish_ranking(tmp_path)
    files = files_in(tmp_path)
    with files.write("another version") as store:
        rows = store.read(BOARDS, NAME).assign(contract='{"future": 1}')
        store.replace(BOARDS, NAME, [Dirty(WHOLE, 0)], rows.drop(columns=BOARDS.board, errors="ignore"), "v2")
    files.publish()
    with TestClient(create_app(tmp_path / "published")) as asked:
        page = opened(asked, "/status")
        assert page.rows("Sources of made_up")["OpenRouter"][4] == "–"
        assert "ranking 'made_up' cannot be read" in page.text()
