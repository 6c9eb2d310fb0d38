"""Days of a real publisher, from its answers to what is said of them: fetched, kept, read, judged, chosen."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.landing.fetching import Fetcher, FetchError, Patience, Snapshot, Snapshots, Verdict, gather
from pipeline.rankings import (
    About,
    Attempt,
    Choice,
    Event,
    Figures,
    ModelName,
    Origin,
    Parsed,
    Result,
    SourceError,
    Status,
    Wanted,
    Wanting,
    choose_figures,
    judge_figures,
)
from pipeline_tests.conftest import SHARED_DATA
from pipeline_tests.landing.publisher import Answer, Publisher

PATH = "/text.json"
JSON = {"Content-Type": "application/json"}
BUNDLED = Figures(datetime(2026, 2, 1), 12)


class Arena:
    """The source as these days give it."""

    about = About("lmarena", "LMArena", "https://arena.test")

    def __init__(self, url: str) -> None:
        self._url = url

    def wanted(self) -> Wanting:
        yield Wanted("text.json", self._url)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        try:
            rows = json.loads(documents["text.json"])["models"]
        except (ValueError, KeyError) as error:
            raise SourceError("text.json has no list of models") from error
        results = [Result(row["model"], "lmarena_text", "rating", float(row["score"])) for row in rows]
        return Parsed(tuple(results), tuple(ModelName(row["model"]) for row in rows))


class Days:
    """One fetch a day."""

    def __init__(self, publisher: Publisher, folder: Path) -> None:
        self.publisher = publisher
        self.now = datetime(2026, 3, 19, 6)
        self.snapshots = Snapshots(folder, keep=5)
        self.source = Arena(publisher.url(PATH))
        self.fetcher = Fetcher(Patience(tries=1), now=lambda: self.now)

    def next(self, answer: Answer) -> Choice:
        """What is shown a day later, when the publisher has answered so."""
        self.publisher.says(PATH, answer)
        self.now += timedelta(days=1)
        attempt, live = self._attempt()
        last = self.snapshots.last_good("lmarena")
        kept = self._figures(last) if last else None
        return choose_figures(self.source.about, attempt, live, kept, BUNDLED)

    def _attempt(self) -> tuple[Attempt, Figures | None]:
        try:
            found = gather("lmarena", self.source.wanted(), self.fetcher, self.snapshots)
        except FetchError as error:
            return Attempt(Event.FAILED, self.now, str(error)), None
        if found.is_unchanged:
            return Attempt(Event.NOT_MODIFIED, self.now), None
        try:
            new = self.source.parse(found.documents)
        except SourceError as error:
            self.snapshots.judge(found.snapshot, Verdict.REFUSED, [str(error)])
            return Attempt(Event.UNREADABLE, self.now, str(error)), None
        last = self.snapshots.last_good("lmarena")
        judgement = judge_figures(new, self.source.parse(self.snapshots.read(last)) if last else None)
        if judgement.is_refused:
            self.snapshots.judge(found.snapshot, Verdict.REFUSED, judgement.reasons)
            return Attempt(Event.REFUSED, self.now, "; ".join(judgement.reasons)), None
        good = self.snapshots.judge(found.snapshot, Verdict.GOOD)
        return Attempt(Event.FETCHED, self.now), self._figures(good)

    def _figures(self, snapshot: Snapshot) -> Figures:
        return Figures(snapshot.fetched_at, len(self.source.parse(self.snapshots.read(snapshot)).results))


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Publisher() as publisher:
        yield Days(publisher, tmp_path)


def real(day: str, **headers: str) -> Answer:
    path = SHARED_DATA / "llm" / "lmarena" / f"{day}_text.json"
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return Answer(path.read_bytes(), headers=JSON | headers)


def shown(choice: Choice) -> tuple[Status, int]:
    return choice.status.status, choice.status.rows


def test_partial_answers_never_take_the_place_of_whole_ones(days: Days) -> None:
    found = [days.next(real(f"2026-{day}")) for day in ("03-19", "03-20", "03-21", "04-01", "04-02")]
    assert [shown(one) for one in found] == [
        (Status.LIVE, 30),
        (Status.KEPT, 30),
        (Status.LIVE, 30),
        (Status.LIVE, 30),
        (Status.LIVE, 50),
    ]
    refused = found[1].status
    assert refused.why is not None
    assert refused.why.startswith("what came is not used: it has 20 rows, where 30 were: 33% fewer; 11 of 30 models")
    assert refused.why.endswith("shown is the last good snapshot, fetched on 2026-03-20 06:00 UTC")
    kept = days.snapshots.all("lmarena")
    assert [one.verdict for one in kept] == [Verdict.GOOD, Verdict.REFUSED, Verdict.GOOD, Verdict.GOOD, Verdict.GOOD]


def test_whatever_a_publisher_does_something_is_shown_and_said(days: Days) -> None:
    def says(answer: Answer, status: Status, rows: int, why: str) -> None:
        choice = days.next(answer)
        assert shown(choice) == (status, rows)
        assert why in (choice.status.why or "")
        assert choice.status.checked_at == days.now

    says(Answer(status=404), Status.BUNDLED, 12, "status 404")
    says(real("2026-04-02", ETag='"1"'), Status.LIVE, 50, "")
    says(Answer(status=304, headers={}), Status.UNCHANGED, 50, "")
    says(real("2026-04-02", ETag='"2"'), Status.UNCHANGED, 50, "")
    says(Answer(status=500), Status.KEPT, 50, "status 500; try again later; shown is the last good snapshot")
    says(Answer(b"<html></html>", headers={"Content-Type": "text/html"}), Status.KEPT, 50, "it came as text/html")
    says(Answer(b'{"rows": []}', headers=JSON), Status.KEPT, 50, "cannot be read: text.json has no list of models")
    says(Answer(b'{"models": []}', headers=JSON), Status.KEPT, 50, "none of its 0 rows has a value")
    says(real("2026-03-19"), Status.KEPT, 50, "it has 30 rows, where 50 were")
    says(Answer(status=410), Status.KEPT, 50, "withdrawn it for good")
    last = days.next(real("2026-04-02"))
    assert (last.origin, last.status.status) == (Origin.KEPT, Status.UNCHANGED)
