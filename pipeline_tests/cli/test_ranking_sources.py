"""The sources of a ranking as commands tell of them: what is calm, what wants mending, and when each is tried next."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.cli.rankings_shown import fetching_told, sources_told
from pipeline.cli.states import SourceState, state_of
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.origin import FETCHING_OFF
from pipeline.reports.queries.ranking_sources import Age, RankingSource
from pipeline.settings import settings

NOW = datetime(2026, 11, 22, 12)
DECLARED = Rankings.model_validate(
    {
        "name": "small",
        "title": "A ranking",
        "sources": {
            "openrouter": {},
            "epoch": {"schedule": "30 6 * * 3"},
            "evalplus": {},
            "aider": {"folder": "mirror"},
        },
    }
)


def row(source: str, status: str, why: str | None) -> RankingSource:
    has = status != "missing"
    return RankingSource(
        source,
        source.title(),
        "https://arena.test",
        None,
        None,
        status,
        NOW,
        NOW - timedelta(days=3) if has else None,
        None,
        8 * has,
        8 * has,
        0,
        why,
        None,
        1,
        False,
        NOW - timedelta(days=3) if has else None,
        3.0 if has else None,
        Age.AGEING if has else Age.MISSING,
    )


OFF = [
    row("epoch", "kept", f"not fetched: {FETCHING_OFF}; shown is the last good snapshot"),
    row("aider", "bundled", f"not fetched: {FETCHING_OFF}; there is no good snapshot"),
    row("lmarena", "missing", f"not fetched: {FETCHING_OFF}; there is no good snapshot"),
    row("litellm", "missing", f"not fetched: {FETCHING_OFF}; there is no good snapshot"),
]


@pytest.fixture(params=[False, True], ids=["off", "on"])
def is_on(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PODIUM_FETCH", str(request.param).lower())
    settings.cache_clear()
    yield request.param
    settings.cache_clear()


def test_that_fetching_is_off_is_one_line_and_no_warning() -> None:
    assert fetching_told(OFF) == (
        f"No publisher was asked: {FETCHING_OFF}. Last good snapshots are used of epoch. "
        "Bundled facts are used of aider. Nothing is there of lmarena, litellm."
    )
    assert sources_told("small", OFF) == []


def test_what_is_missing_for_another_reason_is_told_of() -> None:
    broken = row("swebench", "missing", "nothing came: 503; there is no good snapshot")
    assert fetching_told([broken]) == ""
    assert sources_told("small", [*OFF, broken]) == [
        "board small: it is made without swebench: nothing came: 503; there is no good snapshot"
    ]


def test_every_declared_source_says_when_it_is_tried_next_or_why_it_is_not(is_on: bool) -> None:
    found = {one.source: one for one in state_of(None, DECLARED, NOW).sources}
    following = {source: one.next_look or one.why_not for source, one in found.items()}
    assert following == {
        "openrouter": datetime(2026, 11, 23, 5) if is_on else "fetching is off (PODIUM_FETCH)",
        "epoch": datetime(2026, 11, 25, 6, 30) if is_on else "fetching is off (PODIUM_FETCH)",
        "evalplus": "it is frozen",
        "aider": "its folder is read when it changes",
    }
    assert found["epoch"] == SourceState(
        "epoch",
        "missing",
        "missing",
        "–",
        None,
        datetime(2026, 11, 25, 6, 30) if is_on else None,
        "" if is_on else "fetching is off (PODIUM_FETCH)",
        "nothing is published of it yet",
    )
