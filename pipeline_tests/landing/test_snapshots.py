"""What was fetched is kept whole or not at all, once, and the last good of it is found again."""

import contextlib
import itertools
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import filelock
import pytest

from pipeline.landing import archive
from pipeline.landing.fetching import Body, Snapshot, SnapshotError, Snapshots, Validators, Verdict, folders, snapshots

START = datetime(2026, 4, 1, 7, 6, 25)


@pytest.fixture
def kept(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "fetched", keep=3)


def body(content: str, day: int = 0, name: str = "text.json", etag: str = "") -> Body:
    at = START + timedelta(days=day)
    return Body(name, "arena.test/text", "0" * 64, content.encode(), 200, "application/json", Validators(etag), at)


def good(kept: Snapshots, content: str, day: int = 0) -> Snapshot:
    return kept.judge(kept.keep("arena", [body(content, day)]), Verdict.GOOD)


def refused(kept: Snapshots, content: str, day: int = 0) -> Snapshot:
    return kept.judge(kept.keep("arena", [body(content, day)]), Verdict.REFUSED, ["20 rows, where 30 were"])


def files(kept: Snapshots) -> tuple[int, int]:
    """How many snapshots and bodies are there."""
    folder = kept._folder / "arena"
    return len(list((folder / "snapshots").iterdir())), len(list((folder / "bodies").iterdir()))


def test_a_snapshot_is_all_documents_of_a_fetch(kept: Snapshots) -> None:
    found = kept.keep("arena", [body("b", name="b.json", day=1), body("a", name="a.json", etag='"1"')])

    assert kept.newest("arena") == found
    assert found.verdict == Verdict.UNJUDGED
    assert found.fetched_at == found.checked_at == START + timedelta(days=1)
    assert [(one.name, one.size_bytes, one.etag) for one in found.bodies] == [("a.json", 1, '"1"'), ("b.json", 1, "")]
    assert kept.read(found) == {"a.json": b"a", "b.json": b"b"}


def test_its_file_tells_people_what_it_is(kept: Snapshots) -> None:
    found = good(kept, "a")
    said = json.loads((kept._folder / "arena" / "snapshots" / f"{found.name}.json").read_text())
    assert said["sha256"] == found.sha256
    assert (said["source"], said["verdict"], said["fetched_at"]) == ("arena", "good", "2026-04-01T07:06:25")
    assert said["bodies"][0]["place"] == "arena.test/text"
    assert said["bodies"][0]["sha256"] == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_nothing_is_kept_of_a_source_that_was_never_fetched(kept: Snapshots) -> None:
    assert kept.all("arena") == []
    assert kept.newest("arena") is None
    assert kept.last_good("arena") is None


def test_the_last_good_is_found_past_refused_and_unjudged_ones(kept: Snapshots) -> None:
    first = good(kept, "30 rows")
    second = refused(kept, "20 rows", day=1)
    third = kept.keep("arena", [body("50 rows", day=2)])

    assert kept.last_good("arena") == first
    assert kept.newest("arena") == third
    assert kept.all("arena") == [first, second, third]
    assert second.reasons == ("20 rows, where 30 were",)
    assert kept.read(second) == {"text.json": b"20 rows"}


def test_a_person_may_say_that_a_refused_one_is_good(kept: Snapshots) -> None:
    good(kept, "30 rows")
    accepted = kept.judge(refused(kept, "20 rows", day=1), Verdict.GOOD)
    assert kept.last_good("arena") == accepted
    assert accepted.reasons == ()


def test_the_same_as_the_last_good_is_checked_and_not_kept_twice(kept: Snapshots) -> None:
    first = good(kept, "a")
    refused(kept, "b", day=1)
    again = kept.keep("arena", [body("a", day=2, etag='"new"')])

    assert (again.name, again.verdict, again.fetched_at) == (first.name, Verdict.GOOD, first.fetched_at)
    assert again.checked_at == START + timedelta(days=2)
    assert kept.last_good("arena") == again
    assert again.bodies[0].etag == '"new"'
    assert files(kept) == (2, 2)


def test_the_same_as_the_newest_refused_one_is_not_kept_twice_either(kept: Snapshots) -> None:
    good(kept, "a")
    second = refused(kept, "b", day=1)
    again = kept.keep("arena", [body("b", day=2)])
    assert (again.name, again.reasons) == (second.name, second.reasons)
    assert files(kept) == (2, 2)


def test_a_document_that_two_snapshots_have_is_stored_once(kept: Snapshots) -> None:
    kept.keep("arena", [body("same", name="models.json"), body("1", name="text.json")])
    kept.keep("arena", [body("same", name="models.json", day=1), body("2", name="text.json", day=1)])
    assert files(kept) == (2, 3)


def test_equal_contents_under_other_names_are_another_snapshot(kept: Snapshots) -> None:
    first = kept.keep("arena", [body("a", name="a.json")])
    second = kept.keep("arena", [body("a", name="b.json", day=1)])
    assert first.name != second.name
    assert files(kept) == (2, 1)


def test_the_newest_stay_and_the_last_good(kept: Snapshots) -> None:
    older = good(kept, "older", day=0)
    last = good(kept, "last", day=1)
    bad = [refused(kept, f"bad {day}", day) for day in range(2, 7)]

    assert kept.all("arena") == [last, *bad[-3:]]
    assert kept.read(last) == {"text.json": b"last"}
    assert files(kept) == (4, 4)
    with pytest.raises(SnapshotError, match=r"text\.json cannot be read"):
        kept.read(older)


def test_a_new_good_one_takes_the_place_of_the_last(kept: Snapshots) -> None:
    good(kept, "old")
    for day in range(1, 4):
        refused(kept, f"bad {day}", day)
    new = good(kept, "new", day=4)
    assert kept.last_good("arena") == new
    assert [one.verdict for one in kept.all("arena")] == [Verdict.REFUSED, Verdict.REFUSED, Verdict.GOOD]


def test_sources_are_apart(kept: Snapshots) -> None:
    good(kept, "a")
    kept.judge(kept.keep("aider", [body("a")]), Verdict.GOOD)
    assert [one.source for one in kept.all("aider")] == ["aider"]
    assert files(kept) == (1, 1)


@pytest.mark.parametrize("at", ["body", "snapshot"])
def test_a_kill_half_way_leaves_what_was_good(kept: Snapshots, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    first = good(kept, "a")
    whole = archive.write_whole

    def killed(target: Path, content: object) -> None:
        if (target.suffix == ".json") == (at == "snapshot"):
            target.with_name(f".{target.name}.part").write_bytes(b"hal")
            raise KeyboardInterrupt
        whole(target, content)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "write_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            kept.keep("arena", [body("b", day=1)])
    assert kept.all("arena") == [first]
    assert kept.last_good("arena") == first

    second = good(kept, "c", day=2)
    assert kept.all("arena") == [first, second]
    assert files(kept) == (2, 2)


class Killed(BaseException):
    """As a kill, it is caught by nobody."""


def kill_at(step: int, patch: pytest.MonkeyPatch) -> None:
    """Die instead of the n-th change of a folder."""
    changes = itertools.count()

    def dying(whole: Callable[..., object]) -> Callable[..., object]:
        def change(*given: object, **named: object) -> object:
            if next(changes) == step:
                raise Killed
            return whole(*given, **named)

        return change

    for name in ("replace", "unlink"):
        patch.setattr(Path, name, dying(getattr(Path, name)))


def test_a_kill_at_any_step_leaves_whole_snapshots_and_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # what is on disk is the same before and after
    for step in itertools.count():
        kept = Snapshots(tmp_path / str(step), keep=1)
        good(kept, "a")
        refused(kept, "b", day=1)
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            kill_at(step, patch)
            good(kept, "c", day=2)
            break
        found = kept.last_good("arena")
        assert found is not None
        assert kept.read(found) in ({"text.json": b"a"}, {"text.json": b"c"})
        assert all(kept.read(one) for one in kept.all("arena"))
        assert kept.read(good(kept, "d", day=3)) == {"text.json": b"d"}
        assert files(kept) == (1, 1)
    assert step > 5


def test_a_body_that_was_damaged_on_disk_is_noticed_and_mended(kept: Snapshots) -> None:
    first = good(kept, "a")
    path = kept._folder / "arena" / "bodies" / first.bodies[0].sha256
    path.write_text("x")
    with pytest.raises(SnapshotError, match=r"text\.json is not what was fetched: its hash differs; remove "):
        kept.read(first)

    path.unlink()
    assert kept.last_good("arena") is None
    second = good(kept, "a", day=1)
    assert kept.read(second) == {"text.json": b"a"}


def test_a_snapshot_s_file_that_is_damaged_is_passed_over_and_its_bodies_stay(
    kept: Snapshots, caplog: pytest.LogCaptureFixture
) -> None:
    first = good(kept, "a")
    second = good(kept, "b", day=1)
    path = kept._folder / "arena" / "snapshots" / f"{second.name}.json"
    text = path.read_text()
    path.write_text(text[:40])

    assert kept.last_good("arena") == first
    assert f"{second.name}.json is no snapshot that can be read" in caplog.text
    kept.keep("arena", [body("c", day=2)])
    path.write_text(text)
    assert kept.read(second) == {"text.json": b"b"}


def test_judging_leaves_what_another_process_noted(kept: Snapshots) -> None:
    old = kept.keep("arena", [body("a")])
    kept.keep("arena", [body("a", day=1)])
    assert kept.judge(old, Verdict.GOOD).checked_at == START + timedelta(days=1)


def test_what_was_removed_cannot_be_judged(kept: Snapshots) -> None:
    found = kept.keep("arena", [body("a")])
    (kept._folder / "arena" / "snapshots" / f"{found.name}.json").unlink()
    with pytest.raises(SnapshotError, match="was removed; fetch arena again"):
        kept.judge(found, Verdict.GOOD)


@pytest.mark.parametrize(
    ("verdict", "reasons"), [(Verdict.REFUSED, []), (Verdict.GOOD, ["why"]), (Verdict.UNJUDGED, ["why"])]
)
def test_a_refusal_has_reasons_and_nothing_else_has(kept: Snapshots, verdict: Verdict, reasons: list[str]) -> None:
    with pytest.raises(ValueError, match="refused with reasons"):
        kept.judge(kept.keep("arena", [body("a")]), verdict, reasons)


@pytest.mark.parametrize("names", [[], ["a.json", "a.json"]])
def test_documents_have_names_of_their_own(kept: Snapshots, names: list[str]) -> None:
    with pytest.raises(ValueError, match="one or more documents, each with its own name"):
        kept.keep("arena", [body("a", name=name) for name in names])


@pytest.mark.parametrize("source", ["", "..", "../arena", "a/b", ".arena", "Arena"])
def test_a_source_s_name_is_the_name_of_a_folder(kept: Snapshots, source: str) -> None:
    with pytest.raises(ValueError, match="is no name of a source"):
        kept.keep(source, [body("a")])


def test_names_of_documents_are_not_names_of_files(kept: Snapshots, tmp_path: Path) -> None:
    found = kept.keep("arena", [body("a", name="../../../evil.json")])
    assert kept.read(found) == {"../../../evil.json": b"a"}
    assert not list(tmp_path.rglob("evil*"))


def test_one_process_at_a_time_writes_a_source(kept: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    found = good(kept, "a")
    monkeypatch.setattr(folders, "_LOCK_SECONDS", 0.01)
    with (
        filelock.FileLock(kept._folder / "arena" / ".lock"),
        pytest.raises(SnapshotError, match="written by another process"),
    ):
        kept.keep("arena", [body("b", day=1)])
    assert kept.last_good("arena") == found
