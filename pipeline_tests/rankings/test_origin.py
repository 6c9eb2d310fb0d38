"""Live, else kept, else bundled, else nothing; and every step down says why."""

from dataclasses import replace
from datetime import datetime

import pytest

from pipeline.rankings import About
from pipeline.rankings.origin import Attempt, Choice, Event, FetchStatus, Figures, Origin, Status, choose_figures

NOW = datetime(2026, 4, 2, 6, 3, 43)
ARENA = About("lmarena", "LMArena", "https://arena.test")
EVALPLUS = About("evalplus", "EvalPlus", "https://evalplus.test", is_frozen=True)
LIVE = Figures(NOW, 50, datetime(2026, 3, 31), "4.0")
KEPT = Figures(datetime(2026, 4, 1, 7, 6, 25), 30, datetime(2026, 3, 20), "3.0")
BUNDLED = Figures(datetime(2026, 2, 1), 12)
WRONG = [
    (Event.FAILED, "arena.test/text: it was answered with status 500; try again later", "nothing came: arena.test"),
    (Event.REFUSED, "it has 20 rows, where 30 were: 33% fewer", "what came is not used: it has 20 rows"),
    (Event.UNREADABLE, "text.json: no list of models", "what came cannot be read: text.json"),
    (Event.NOT_TRIED, "the secret 'artificialanalysis' is not set", "not fetched: the secret 'artificialanalysis'"),
]


def failed(why: str = "no network") -> Attempt:
    return Attempt(Event.FAILED, NOW, why)


def test_what_was_fetched_is_used() -> None:
    assert choose_figures(ARENA, Attempt(Event.FETCHED, NOW), LIVE, KEPT, BUNDLED) == Choice(
        Origin.LIVE,
        FetchStatus("lmarena", Status.LIVE, NOW, NOW, datetime(2026, 3, 31), 50, None, "4.0"),
    )


def test_what_has_not_changed_is_the_last_good_snapshot() -> None:
    assert choose_figures(ARENA, Attempt(Event.NOT_MODIFIED, NOW), None, KEPT, BUNDLED) == Choice(
        Origin.KEPT,
        FetchStatus("lmarena", Status.UNCHANGED, NOW, KEPT.fetched_at, datetime(2026, 3, 20), 30, None, "3.0"),
    )


@pytest.mark.parametrize(("event", "why", "says"), WRONG)
def test_whatever_went_wrong_the_last_good_snapshot_is_used_and_said_to_be(event: Event, why: str, says: str) -> None:
    found = choose_figures(ARENA, Attempt(event, NOW, why), None, KEPT, BUNDLED)
    assert found.origin == Origin.KEPT
    assert (found.status.status, found.status.fetched_at, found.status.checked_at) == (
        Status.KEPT,
        KEPT.fetched_at,
        NOW,
    )
    assert (found.status.rows, found.status.version) == (30, "3.0")
    assert found.status.why is not None
    assert found.status.why.startswith(says)
    assert found.status.why.endswith(f"{why}; shown is the last good snapshot, fetched on 2026-04-01 07:06 UTC")


@pytest.mark.parametrize(("event", "why", "says"), WRONG)
def test_without_a_snapshot_bundled_facts_are_used_and_said_to_be(event: Event, why: str, says: str) -> None:
    found = choose_figures(ARENA, Attempt(event, NOW, why), None, None, BUNDLED)
    assert found.origin == Origin.BUNDLED
    assert found.status == FetchStatus(
        "lmarena",
        Status.BUNDLED,
        NOW,
        datetime(2026, 2, 1),
        None,
        12,
        f"{says.partition(':')[0]}: {why}; there is no good snapshot, shown are bundled facts of 2026-02-01",
        "",
    )


@pytest.mark.parametrize(("event", "why", "says"), WRONG)
def test_without_anything_the_source_is_missing(event: Event, why: str, says: str) -> None:
    found = choose_figures(ARENA, Attempt(event, NOW, why))
    assert found.origin == Origin.NONE
    assert found.status == FetchStatus(
        "lmarena", Status.MISSING, NOW, None, None, 0, f"{says.partition(':')[0]}: {why}; there is no good snapshot", ""
    )


@pytest.mark.parametrize(
    ("files", "as_of", "who"),
    [
        (
            Figures(NOW, 50, datetime(2026, 3, 31), files_at=datetime(2026, 4, 1)),
            datetime(2026, 3, 31),
            "the source itself",
        ),
        (Figures(NOW, 50, None, files_at=datetime(2026, 2, 1)), datetime(2026, 2, 1), "the files"),
        (Figures(NOW, 50, datetime(2027, 1, 1), files_at=datetime(2026, 2, 1)), NOW, "the source itself"),
    ],
)
def test_files_are_as_old_as_they_say_and_are_not_called_live(files: Figures, as_of: datetime, who: str) -> None:
    said = f"taken from files in llm/arena; as of {as_of:%Y-%m-%d}, by {who}"
    taken = Attempt(Event.FETCHED, NOW, "taken from files in llm/arena")
    again = Attempt(Event.NOT_MODIFIED, NOW, "taken from files in llm/arena")
    for found in (choose_figures(ARENA, taken, files), choose_figures(ARENA, again, None, files)):
        assert (found.status.status, found.status.fetched_at, found.status.why) == (Status.FILES, as_of, said)
    kept = choose_figures(ARENA, failed(), None, files).status
    assert (kept.status, kept.fetched_at) == (Status.KEPT, as_of)
    assert str(kept.why).endswith(f"taken from files on 2026-04-02 06:03 UTC, as of {as_of:%Y-%m-%d}, by {who}")
    frozen = choose_figures(EVALPLUS, taken, files).status
    assert (frozen.status, frozen.why) == (Status.FROZEN, said)


def test_unchanged_is_no_help_where_nothing_was_kept() -> None:
    found = choose_figures(ARENA, Attempt(Event.NOT_MODIFIED, NOW), None, None, BUNDLED)
    assert (found.origin, found.status.status) == (Origin.BUNDLED, Status.BUNDLED)
    assert found.status.why is not None
    assert found.status.why.startswith("nothing has changed, but the last good snapshot cannot be used; there is no")


@pytest.mark.parametrize(
    ("attempt", "live", "origin"),
    [
        (Attempt(Event.FETCHED, NOW), LIVE, Origin.LIVE),
        (Attempt(Event.NOT_MODIFIED, NOW), None, Origin.KEPT),
        (failed(), None, Origin.KEPT),
    ],
)
def test_a_frozen_source_is_frozen_and_no_error(attempt: Attempt, live: Figures | None, origin: Origin) -> None:
    found = choose_figures(EVALPLUS, attempt, live, KEPT, BUNDLED)
    assert (found.origin, found.status.status) == (origin, Status.FROZEN)
    assert bool(found.status.why) == (attempt.event == Event.FAILED)


@pytest.mark.parametrize(("bundled", "status"), [(BUNDLED, Status.BUNDLED), (None, Status.MISSING)])
def test_a_frozen_source_of_which_nothing_was_ever_fetched_is_not_called_frozen(
    bundled: Figures | None, status: Status
) -> None:
    assert choose_figures(EVALPLUS, failed(), None, None, bundled).status.status == status


@pytest.mark.parametrize(
    ("attempt", "live"),
    [(Attempt(Event.FETCHED, NOW), None), (failed(), LIVE), (Attempt(Event.NOT_MODIFIED, NOW), LIVE)],
)
def test_an_attempt_that_brought_figures_has_them_and_no_other(attempt: Attempt, live: Figures | None) -> None:
    with pytest.raises(ValueError, match=f"lmarena: the attempt is {attempt.event}, and live figures"):
        choose_figures(ARENA, attempt, live, KEPT)


@pytest.mark.parametrize("event", [Event.FAILED, Event.REFUSED, Event.UNREADABLE, Event.NOT_TRIED])
def test_nothing_goes_wrong_without_a_reason(event: Event) -> None:
    with pytest.raises(ValueError, match=f"an attempt that is {event} says why"):
        Attempt(event, NOW, " ")


def test_the_rows_of_the_figures_used_are_counted() -> None:
    assert choose_figures(ARENA, failed(), None, replace(KEPT, rows=7), BUNDLED).status.rows == 7
