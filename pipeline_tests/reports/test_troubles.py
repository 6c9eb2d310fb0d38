"""What fails is on the page of status: since when, and no row that may be under embargo, nor a folder."""

from datetime import datetime
from functools import partial
from pathlib import Path

from starlette.testclient import TestClient

from pipeline.health import CheckState, Failure, Health, JobState, Journal, Seen, after
from pipeline.reports.app import create_app
from pipeline.reports.troubles import troubles
from pipeline.settings import Settings

FIRST, LATER = datetime(2026, 3, 2, 9), datetime(2026, 3, 3, 9)
SECRET = "3 violations, the first: {'value': 0.123}"


def seen(at: datetime) -> Seen:
    run_id = f"run of {at:%d}"
    return Seen(
        checks=(
            CheckState("league/scores", "no_late_prediction_is_scored", False, "ERROR", at, run_id, SECRET, 3),
            CheckState("llm/sources/one", "uses_current_figures", False, "WARN", at, run_id, "kept: <b>503</b>"),
            CheckState("league/scores", "keys_are_unique", True, "ERROR", at, run_id),
        ),
        failures=(Failure("league/board", "OSError", "asset", "ERROR", at, run_id, "/srv/secret is full"),),
        job=JobState("league", False, at, run_id),
    )


def known() -> Health:
    return after(after(Health(), seen(FIRST)), seen(LATER))


def test_errors_come_first_with_the_time_since_which_they_last() -> None:
    assert [(one.asset, one.cause, one.what, one.severity, one.at, one.said) for one in troubles(known())] == [
        ("league/board", "OSError", "asset", "ERROR", FIRST, "the operator's `podium status` says more"),
        ("league/scores", "no_late_prediction_is_scored", "check", "ERROR", FIRST, "3 rows"),
        ("llm/sources/one", "uses_current_figures", "check", "WARN", FIRST, "kept: <b>503</b>"),
    ]
    assert troubles(Health()) == ()


def test_the_page_of_status_shows_them_escaped(published_desk: Path, tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path)
    with TestClient(create_app(published_desk / "published", given=given)) as client:
        assert "What fails" not in client.get("/status").text
        Journal(given.health_dir).change(partial(after, seen=seen(FIRST)))
        page = client.get("/status").text
    assert "What fails" in page
    assert "<code>no_late_prediction_is_scored</code>" in page
    assert "3 rows" in page
    assert "kept: &lt;b&gt;503&lt;/b&gt;" in page
    assert "keys_are_unique" not in page
    assert "0.123" not in page
    assert "/srv/secret" not in page
