"""One look at a source after another: what is kept, judged, logged, and which figures are used because of it."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.intake import sources as looking
from pipeline.intake.figures import FiguresGoneError, note_unlooked, published_before, published_now
from pipeline.intake.sources import Archive, FilesError, accept, look, take
from pipeline.landing.fetching import Fetcher, Look, Patience, Verdict
from pipeline.rankings import Event, Status
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.finding import kept_as
from pipeline.rankings.stages import Published, fetch_status_rows
from pipeline.settings import settings
from pipeline_tests.landing.publisher import Answer, Publisher
from pipeline_tests.rankings_graph import MODELS, ranking, source
from pipeline_tests.toy_sources import JSON, Listed, listed

PARTIAL = dict(list(MODELS.items())[:3])


class Days:
    """A source that is looked at once a day."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.now = datetime(2026, 3, 1, 6)
        self.declared: Rankings = ranking({"arena": source(publisher, "arena")})
        self.archive = Archive.of_settings()
        self.fetcher = Fetcher(Patience(tries=1), now=lambda: self.now)

    @property
    def source(self) -> Listed:
        return Listed("arena", url=self.publisher.url("/arena.json"))

    def next(self, answer: Answer) -> Look:
        """What became of a look a day later, when the publisher has answered so."""
        self.publisher.says("/arena.json", answer)
        self.now += timedelta(days=1)
        return look(self.source, self.archive, fetcher=self.fetcher)

    def looks(self) -> list[Look]:
        """What the log says, oldest first."""
        return self.archive.log.all(kept_as(self.source))

    def shown(self) -> Published:
        (one,) = published_now(self.declared, self.archive)
        return one


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
    monkeypatch.setenv("PODIUM_FETCH", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.cache_clear()
    with Publisher() as publisher:
        yield Days(publisher)
    settings.cache_clear()


def good(**headers: str) -> Answer:
    return Answer(listed(MODELS), headers=JSON | headers)


def test_every_look_is_logged_and_figures_that_were_good_stay_until_better_ones_come(days: Days) -> None:
    answers = [
        (Answer(status=404), Event.FAILED, Status.MISSING, 0),
        (good(ETag='"1"'), Event.FETCHED, Status.LIVE, 8),
        (Answer(status=304, headers={}), Event.NOT_MODIFIED, Status.UNCHANGED, 8),
        (Answer(listed(PARTIAL), headers=JSON), Event.REFUSED, Status.KEPT, 8),
        (Answer(b"{}", headers=JSON), Event.UNREADABLE, Status.KEPT, 8),
        (Answer(status=500), Event.FAILED, Status.KEPT, 8),
        (Answer(listed(MODELS | {"acme/model-i": 60.0}), headers=JSON), Event.FETCHED, Status.LIVE, 9),
    ]
    for answer, event, status, n_results in answers:
        assert days.next(answer).event == event
        shown = days.shown()
        assert (shown.status.status, len(shown.parsed.results)) == (status, n_results)
        assert shown.status.checked_at == days.looks()[-1].at
    assert [one.event for one in days.looks()] == [event for _, event, _, _ in answers]


def test_what_tables_rest_on_is_what_the_status_spoke_of_whatever_came_since(days: Days) -> None:
    days.next(good())
    stored = fetch_status_rows([days.shown()])
    days.next(Answer(listed(MODELS | {"acme/model-i": 60.0}), headers=JSON))

    (before,) = published_before(days.declared, days.archive, stored)

    assert len(before.parsed.results) == 8
    assert len(days.shown().parsed.results) == 9
    pruned = replace(days.archive.snapshots.all(kept_as(days.source))[0], verdict=Verdict.REFUSED, reasons=("x",))
    days.archive.snapshots.judge(pruned, Verdict.REFUSED, ["x"])
    with pytest.raises(FiguresGoneError, match="figures of arena that small rests on cannot be read: they were remov"):
        published_before(days.declared, days.archive, stored)


def test_only_what_was_refused_can_be_accepted(days: Days) -> None:
    with pytest.raises(FilesError, match="has nothing to accept: nothing is kept of it"):
        accept(days.source, days.archive, "because")
    days.next(good())
    with pytest.raises(FilesError, match=r"has nothing to accept: its newest snapshot, .*, is good"):
        accept(days.source, days.archive, "because")
    days.next(Answer(b"{}", headers=JSON))
    with pytest.raises(FilesError, match=r"cannot be accepted, as it cannot be read: list\.json has no list of models"):
        accept(days.source, days.archive, "because")
    days.next(Answer(listed(PARTIAL), headers=JSON))
    accept(days.source, days.archive, "it was cut")
    shown = days.shown()
    assert (shown.status.status, shown.status.why) == (Status.LIVE, "accepted by a person: it was cut")
    assert len(shown.parsed.results) == 3


def test_what_the_publisher_took_back_itself_cannot_be_accepted(days: Days) -> None:
    for answer in (good(), Answer(listed(PARTIAL), headers=JSON), good()):
        days.next(answer)
    assert days.shown().status.status == Status.UNCHANGED
    with pytest.raises(FilesError, match="its publisher gave the good one again, last on 2026-03-04 06:00 UTC"):
        accept(days.source, days.archive, "because")


def test_a_snapshot_that_is_damaged_is_not_shown_as_if_it_were_there(days: Days, tmp_path: Path) -> None:
    days.next(good())
    for body in (tmp_path / "archive" / "llm" / kept_as(days.source) / "bodies").iterdir():
        body.write_bytes(b"other")
    shown = days.shown()
    assert shown.status.status == Status.MISSING
    assert "list.json is not what was fetched: its hash differs" in str(shown.status.why)


def test_files_taken_again_change_nothing_and_others_are_judged_like_what_is_fetched(
    days: Days, tmp_path: Path
) -> None:
    folder = tmp_path / "mirror" / "arena"
    folder.mkdir(parents=True)
    (folder / ".hidden").write_text("no file of the publisher's", encoding="utf-8")
    (folder / "list.json").write_bytes(listed(MODELS))
    assert take(days.source, days.archive, folder).event == Event.FETCHED
    assert take(days.source, days.archive, folder).event == Event.NOT_MODIFIED
    (folder / "list.json").write_bytes(listed(PARTIAL))
    assert take(days.source, days.archive, folder).event == Event.REFUSED
    assert take(days.source, days.archive, folder).event == Event.REFUSED
    (folder / "list.json").write_bytes(b"{}")
    assert take(days.source, days.archive, folder).event == Event.UNREADABLE
    said = [(one.event, one.why.partition(":")[0]) for one in days.looks()]
    files = "files in mirror/arena"
    assert said == [(Event.FETCHED, f"taken from {files}"), (Event.REFUSED, files), (Event.UNREADABLE, files)]


@pytest.mark.parametrize(
    ("name", "updated_at", "as_of"),
    [
        ("list.json", "", datetime(2026, 2, 3, 4, 5, 6)),
        ("list_2026-01-15.json", "", datetime(2026, 1, 15)),
        ("list_2026-01-15.json", "2025-12-24T18:00:00", datetime(2025, 12, 24, 18)),
    ],
)
def test_files_are_as_old_as_their_source_says_else_as_their_names_else_as_their_last_change(
    days: Days, tmp_path: Path, name: str, updated_at: str, as_of: datetime
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for each in ("list.json", name):
        path = folder / each
        path.write_bytes(listed(MODELS, updated_at=updated_at))
        os.utime(path, (datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp(),) * 2)
    take(days.source, days.archive, folder)

    status = days.shown().status

    assert (status.status, status.fetched_at) == (Status.FILES, as_of)
    who = "the source itself" if updated_at else "the files"
    assert status.why == f"taken from files in files; as of {as_of:%Y-%m-%d}, by {who}"
    days.now = datetime.now(UTC).replace(tzinfo=None)
    days.next(good())
    assert (days.shown().status.status, days.shown().status.fetched_at) == (Status.LIVE, days.now)


def test_files_of_a_frozen_source_are_as_old_as_its_last_change(days: Days, tmp_path: Path) -> None:
    options: dict[str, Any] = {"is_frozen": True, "changed_on": date(2025, 4, 17)}
    days.declared = ranking({"arena": source(days.publisher, "arena", **options)})
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "list.json").write_bytes(listed(MODELS))
    take(replace(days.source, **options), days.archive, tmp_path / "files")

    status = days.shown().status

    assert (status.status, status.fetched_at) == (Status.FROZEN, datetime(2025, 4, 17))


def test_a_snapshot_of_files_of_an_older_archive_is_as_old_as_when_it_was_taken_in(days: Days, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "list.json").write_bytes(listed(MODELS))
    take(days.source, days.archive, tmp_path / "files")
    (path,) = (tmp_path / "archive" / "llm" / kept_as(days.source) / "snapshots").glob("*.json")
    said = json.loads(path.read_text(encoding="utf-8"))
    for body in said["bodies"]:
        del body["modified_at"]
    path.write_text(json.dumps(said), encoding="utf-8")

    status = days.shown().status

    assert status.status == Status.FILES
    assert status.fetched_at == datetime.fromisoformat(said["fetched_at"])


def test_a_folder_without_files_is_told_of(days: Days, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        "there are no files in empty; put there what the publisher gives"
        in take(days.source, days.archive, tmp_path / "empty").why
    )
    assert (
        "the folder nowhere cannot be read: No such file" in take(days.source, days.archive, tmp_path / "nowhere").why
    )
    assert days.shown().status.status == Status.MISSING


def test_a_key_in_a_file_of_a_folder_is_no_reason_to_ask_the_publisher_less(days: Days, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "list.json").write_bytes(listed(MODELS))
    take(days.source, days.archive, tmp_path / "files")

    days.next(good())

    assert "If-None-Match" not in days.publisher.asked[-1].headers


def test_while_fetching_is_off_nobody_is_asked_and_that_is_noted_once(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", "false")
    settings.cache_clear()
    for _ in range(3):
        days.next(good())
    assert days.publisher.asked == []
    (noted,) = days.looks()
    assert noted.why == "fetching is off: set PODIUM_FETCH=true to fetch from publishers"


def test_a_key_that_is_not_set_is_asked_for_by_its_variable(days: Days) -> None:
    assert looking.why_not_fetched(days.source) == ""
    assert looking.why_not_fetched(replace(days.source, needs="arena")) == (
        "it needs a key, which https://arena.test gives: set PODIUM_SECRETS_ARENA"
    )


def test_a_class_of_one_s_own_shares_nothing_with_podium_s_own_of_that_name(days: Days, tmp_path: Path) -> None:
    """Neither what was fetched nor what is bundled; what was kept of Podium's own before stays its."""
    (tmp_path / "real").mkdir()
    real = {"acme/model-a": {"link": "", "pass@1": {"humaneval": 50.0, "humaneval+": 40.0}, "prompted": True}}
    (tmp_path / "real" / "results.json").write_text(json.dumps(real), encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "list.json").write_bytes(listed(MODELS))
    theirs = ranking({"evalplus": {}})
    own = ranking({"evalplus": {"source": "pipeline_tests.toy_sources.Listed", "options": {"name": "evalplus"}}})
    take(theirs.source("evalplus"), days.archive, tmp_path / "real")
    note_unlooked(own, days.archive)
    (before,) = published_now(own, days.archive)
    take(own.source("evalplus"), days.archive, tmp_path / "own")

    (first,), (second,) = published_now(theirs, days.archive), published_now(own, days.archive)

    assert (before.status.status, len(before.parsed.results)) == (Status.MISSING, 0)
    assert {one.raw_name for one in first.parsed.results} == {"acme/model-a"}
    assert {one.raw_name for one in second.parsed.results} == set(MODELS)
    assert (tmp_path / "archive" / "llm" / "evalplus" / "fetches.jsonl").exists()


def test_speeds_are_medians_over_the_days_that_are_kept_and_tables_rest_on_the_same(days: Days, tmp_path: Path) -> None:
    def shown(declared: Rankings) -> Published:
        (one,) = published_now(declared, days.archive)
        return one

    declared = ranking({"artificialanalysis": {}})
    folder = tmp_path / "dump"
    folder.mkdir()
    for day, throughput in (("2026-06-01", 10.0), ("2026-07-01", 60.0), ("2026-07-03", 100.0), ("2026-07-05", 90.0)):
        for old in folder.iterdir():
            old.unlink()
        models = {f"anvil-{n}": {"speed": throughput, "ttft": 1.0, "intelligence": 50.0} for n in range(8)}
        (folder / f"aa_models_legacy_api_{day}.json").write_text(json.dumps(models), encoding="utf-8")
        assert take(declared.source("artificialanalysis"), days.archive, folder).event == Event.FETCHED

    now = shown(declared)
    (before,) = published_before(declared, days.archive, fetch_status_rows([now]))

    speeds = {(one.measure, one.value, one.n, one.config) for one in now.parsed.results if one.benchmark == "speed"}
    window = "median of 3 days, 2026-07-01..2026-07-05"
    assert speeds == {("throughput_median", 90.0, 3, window), ("ttft_median", 1.0, 3, window)}
    assert before.parsed == now.parsed
    (one_day,) = {
        (one.value, one.n, one.config)
        for one in shown(ranking({"artificialanalysis": {}}, speed_days=1)).parsed.results
        if one.measure == "throughput_median"
    }
    assert one_day == (90.0, None, "")
    two = shown(ranking({"artificialanalysis": {}}, speed_days=3))
    assert {one.value for one in two.parsed.results if one.measure == "throughput_median"} == {95.0}
