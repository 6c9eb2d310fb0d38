"""Looking at a source of a ranking: fetched or taken from files, kept, read, judged, and noted in its log.

Wires the sources and guards of :mod:`pipeline.rankings` to what fetches and keeps, which knows neither. What became of
a look is in the log; which figures are used because of it is worked out in :mod:`pipeline.intake.figures`.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.clock import utc_now
from pipeline.landing import is_left_alone
from pipeline.landing.fetching import (
    A_FILE,
    Body,
    Fetcher,
    FetchError,
    FetchLog,
    Look,
    Patience,
    Snapshot,
    SnapshotError,
    Snapshots,
    Validators,
    Verdict,
    gather,
)
from pipeline.rankings import Benchmark, Event, Finding, Judgement, Parsed, Source, SourceError, judge_figures
from pipeline.rankings.finding import kept_as
from pipeline.rankings.origin import FETCHING_OFF
from pipeline.rankings.soundness import require_sound
from pipeline.rankings.vocabulary import vocabulary
from pipeline.settings import secret_variable, settings
from pipeline.texts import on_one_line, shortened

ACCEPTED = "accepted"
"""The event of a person who said that a refused snapshot is good."""
_MOST_BYTES = 256 * 2**20
_LONGEST = 1000


class FilesError(ValueError):
    """Files of a source that cannot be taken in; the message says which and what to do."""


@dataclass(frozen=True)
class Archive:
    """What is kept of all sources: snapshots, and the logs of who looked when."""

    snapshots: Snapshots
    log: FetchLog

    @classmethod
    def of_settings(cls) -> "Archive":
        """The one that the settings name."""
        folder = settings().fetched_dir
        return cls(Snapshots(folder, settings().keep_fetched), FetchLog(folder))


def fetcher_of_settings() -> Fetcher:
    """What fetches, as patient as the settings say, with the keys that they have."""
    return Fetcher(Patience.of(settings()), settings().secrets)


def look(source: Source, archive: Archive, folder: Path | None = None, fetcher: Fetcher | None = None) -> Look:
    """Look at a source: at its declared folder, else at its publisher where fetching is on.

    Parameters
    ----------
    source : Source
    archive : Archive
    folder : Path, optional
        Files that are read in place of fetching.
    fetcher : Fetcher, optional
        By default that of the settings.

    Returns
    -------
    Look
        What became of it, noted in the log unless nothing did that was not noted before.
    """
    if folder is not None:
        return take(source, archive, folder)
    reason = why_not_fetched(source)
    if reason:
        return _noted(source, archive, Look(utc_now(), Event.NOT_TRIED, reason), unless_repeated=True)
    return _noted(source, archive, _fetched(source, archive, fetcher or fetcher_of_settings()))


def take(source: Source, archive: Archive, folder: Path, called: str = "") -> Look:
    """Take in the files of a source in a folder, as its publisher gives them; taken again, they change nothing.

    Parameters
    ----------
    source : Source
    archive : Archive
    folder : Path
    called : str
        What the folder is called where people read it; by default its path from the data folder, or its name.
    """
    files = f"files in {called or shown_folder(folder)}"
    said = f"taken from {files}"
    try:
        bodies = _bodies(folder)
        snapshot = archive.snapshots.last_good(kept_as(source))
        kept = archive.snapshots.keep(kept_as(source), bodies)
    except (FilesError, SnapshotError) as error:
        return _noted(source, archive, Look(utc_now(), Event.FAILED, str(error)), unless_repeated=True)
    if snapshot is not None and kept.name == snapshot.name:
        return _taken_again(source, archive, Look(utc_now(), Event.NOT_MODIFIED, said, kept.name))
    documents = {one.name: one.content for one in bodies}
    found = _judged(source, archive, kept, documents)
    found = replace(found, why=said if found.event == Event.FETCHED else f"{files}: {found.why}")
    return _noted(source, archive, found, unless_repeated=found.event != Event.FETCHED)


def accept(source: Source, archive: Archive, why: str) -> Look:
    """Take a person's word that the newest snapshot, which was refused, is good.

    Raises
    ------
    FilesError
        If the newest snapshot was not refused, or cannot be read at all.
    SnapshotError
        If it is damaged, or another process writes there.
    """
    name = source.about.name
    newest = _refused(source, archive)
    try:
        new = read(source, archive.snapshots.read(newest))
    except SourceError as error:
        raise FilesError(f"source {name!r}: {newest.name} cannot be accepted, as it cannot be read: {error}") from error
    breaks = _judgement(source, archive, new).breaks
    archive.snapshots.judge(newest, Verdict.GOOD)
    return _noted(source, archive, Look(utc_now(), ACCEPTED, why, newest.name, _notes(newest, breaks)))


def _refused(source: Source, archive: Archive) -> Snapshot:
    """The newest snapshot of a source, refused, and not taken back by the publisher since."""
    name, folder = source.about.name, kept_as(source)
    newest, good = archive.snapshots.newest(folder), archive.snapshots.last_good(folder)
    if newest is None:
        state = "nothing is kept of it"
    elif newest.verdict != Verdict.REFUSED:
        state = f"its newest snapshot, {newest.name}, is {newest.verdict}"
    elif good is not None and good.checked_at > newest.checked_at:
        again = f"{good.checked_at:%Y-%m-%d %H:%M} UTC"
        state = f"since {newest.name} its publisher gave the good one again, last on {again}"
    else:
        return newest
    raise FilesError(f"source {name!r} has nothing to accept: {state}; only what the guards refused can be")


def why_not_fetched(source: Source) -> str:
    """Why a source is not fetched, with the remedy; empty where it is."""
    needed = source.about.needs
    if not settings().fetch:
        return FETCHING_OFF
    secret = settings().secrets.get(needed) if needed else None
    if needed and (secret is None or not secret.get_secret_value().strip()):
        return f"it needs a key, which {source.about.home} gives: set {secret_variable(needed)}"
    return ""


def read(source: Source, documents: Mapping[str, bytes]) -> Parsed:
    """What the documents of a source say.

    Raises
    ------
    SourceError
        If they cannot be read, whatever the source's own code raises.
    """
    try:
        parsed = source.parse(documents)
        require_sound(parsed, _vocabulary(source))
        return parsed
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(_said(error)) from error


def shown_folder(folder: Path) -> str:
    """The path from the data folder; elsewhere the name of the folder and of what it is in, since tables are public."""
    data = settings().data_dir.resolve()
    path = folder.resolve()
    return path.relative_to(data).as_posix() if path.is_relative_to(data) else f"{path.parent.name}/{path.name}"


def _fetched(source: Source, archive: Archive, fetcher: Fetcher) -> Look:
    try:
        found = gather(kept_as(source), source.wanted(), fetcher, archive.snapshots)
    except (FetchError, SnapshotError) as error:
        return Look(utc_now(), Event.FAILED, str(error))
    except Exception as error:  # of the source's own code
        return Look(utc_now(), Event.UNREADABLE, _said(error))
    if found.is_unchanged:
        return Look(found.snapshot.checked_at, Event.NOT_MODIFIED, "", found.snapshot.name)
    return _judged(source, archive, found.snapshot, found.documents)


def _judged(source: Source, archive: Archive, snapshot: Snapshot, documents: Mapping[str, bytes]) -> Look:
    """What the guards say of a snapshot that is kept already."""
    at = snapshot.checked_at
    try:
        new = read(source, documents)
    except SourceError as error:
        archive.snapshots.judge(snapshot, Verdict.REFUSED, [str(error)])
        return Look(at, Event.UNREADABLE, str(error), snapshot.name)
    judgement = _judgement(source, archive, new)
    if judgement.is_refused:
        archive.snapshots.judge(snapshot, Verdict.REFUSED, judgement.reasons)
        return Look(at, Event.REFUSED, "; ".join(judgement.reasons), snapshot.name)
    archive.snapshots.judge(snapshot, Verdict.GOOD)
    return Look(at, Event.FETCHED, "", snapshot.name, _notes(snapshot, judgement.breaks))


def _judgement(source: Source, archive: Archive, new: Parsed) -> Judgement:
    """The guards' word on new figures, by the last good ones as far as these can still be read."""
    last = archive.snapshots.last_good(kept_as(source))
    previous = None
    if last is not None:
        with suppress(SnapshotError, SourceError):
            previous = read(source, archive.snapshots.read(last))
    return judge_figures(new, previous, benchmarks=_vocabulary(source))


def _vocabulary(source: Source) -> Mapping[str, Benchmark]:
    """All benchmarks, with those that a source of one's own adds."""
    return vocabulary([getattr(source, "benchmarks", {})])


def _notes(snapshot: Snapshot, breaks: tuple[Finding, ...]) -> tuple[Mapping[str, str], ...]:
    """Where figures are on another scale from now on, as the log keeps it."""
    fetched_at = snapshot.fetched_at.isoformat()
    return tuple(
        {
            "benchmark": one.benchmark,
            "measure": one.measure,
            "sentence": one.sentence,
            "fetched_at": fetched_at,
        }
        for one in breaks
    )


def _noted(source: Source, archive: Archive, found: Look, *, unless_repeated: bool = False) -> Look:
    archive.log.append(kept_as(source), found, unless_repeated=unless_repeated)
    return found


def _taken_again(source: Source, archive: Archive, found: Look) -> Look:
    """Note that files are still what they were, where the log's last line says anything else."""
    last = archive.log.newest(kept_as(source))
    is_said = last is not None and last.event in (Event.FETCHED, Event.NOT_MODIFIED) and last.why == found.why
    return found if is_said else _noted(source, archive, found)


def _bodies(folder: Path) -> list[Body]:
    """The files of a folder as documents, by their names; hidden ones and folders in it are left alone."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not is_left_alone(path.name))
        too_large = [path.name for path in paths if path.stat().st_size > _MOST_BYTES]
        if too_large:
            raise FilesError(
                f"{too_large[0]} in {shown_folder(folder)} has more than {_MOST_BYTES:,} bytes; take it out"
            )
        bodies = [_body(path, utc_now()) for path in paths]
    except OSError as error:
        why = error.strerror or str(error)
        raise FilesError(f"the folder {shown_folder(folder)} cannot be read: {why}; put the files there") from error
    if not bodies:
        raise FilesError(f"there are no files in {shown_folder(folder)}; put there what the publisher gives")
    return bodies


def _body(path: Path, now: datetime) -> Body:
    modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
    url_hash = hashlib.sha256(b"file").hexdigest()  # of no publisher: nothing is asked of one by what is known of it
    return Body(path.name, A_FILE, url_hash, path.read_bytes(), 200, "", Validators(), now, modified_at)


def _said(error: Exception) -> str:
    text = on_one_line(str(error)) or type(error).__name__
    text = text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"
    return shortened(text, _LONGEST)
