"""Which figures of each source of a ranking are used: by the log of who looked, the snapshots, and bundled facts.

Nothing is fetched here. What a snapshot says is read once in a process, however many tables are made of it.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.clock import utc_now
from pipeline.fingerprint import digest
from pipeline.intake.sources import ACCEPTED, Archive, read, why_not_fetched
from pipeline.landing.fetching import Look, Snapshot, SnapshotError, Snapshots, Verdict
from pipeline.rankings import (
    About,
    Attempt,
    Choice,
    Event,
    FetchStatus,
    Figures,
    Origin,
    Parsed,
    Source,
    SourceError,
    Status,
    choose_figures,
)
from pipeline.rankings.benchmarks import Area
from pipeline.rankings.bundled import Bundled, bundled_facts, bundled_hash
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.finding import is_own, kept_as, make_source
from pipeline.rankings.rolling import rolling_medians
from pipeline.rankings.sources.reading import day_in, midnight
from pipeline.rankings.stages import Break, Published
from pipeline.rankings.vocabulary import vocabulary
from pipeline.settings import settings

_NOTHING = Parsed((), ())
_CURRENT = (Event.FETCHED, ACCEPTED)
"""Events by which the snapshot that the log names is what the source publishes."""


class FiguresGoneError(RuntimeError):
    """Figures that a table rests on are not kept any more; the message says what to do."""


def published_now(rankings: Rankings, archive: Archive) -> list[Published]:
    """Every source of a ranking with the figures of it that are used now, in the order of the declaration."""
    return [_published(rankings, name, archive) for name in rankings.sources]


def published_now_of(rankings: Rankings, name: str, archive: Archive) -> Published:
    """The same of one source."""
    return _published(rankings, name, archive)


def published_before(rankings: Rankings, archive: Archive, stored: pd.DataFrame) -> list[Published]:
    """Every source with the figures that rows of ``llm.fetch_status`` speak of, whatever was fetched since.

    Parameters
    ----------
    rankings : Rankings
    archive : Archive
    stored : pandas.DataFrame
        Rows of that table.

    Raises
    ------
    FiguresGoneError
        If a snapshot that they speak of is not there any more, or cannot be read.
    """
    rows = stored.set_index("source").to_dict("index")
    return [_as_stored(rankings, name, archive, rows[name]) for name in rankings.sources if name in rows]


def note_unlooked(rankings: Rankings, archive: Archive) -> None:
    """Note of every source that nobody looked at that this is so: tables may be made without a run of its own asset."""
    for name in rankings.sources:
        source = rankings.source(name)
        if archive.log.newest(kept_as(source)) is None:
            why = why_not_fetched(source) or "nobody has looked yet: run the board"
            archive.log.append(kept_as(source), Look(utc_now(), Event.NOT_TRIED, why), unless_repeated=True)


def state_of(rankings: Rankings, archive: Archive) -> str:
    """A digest that is another one when anything changed that the figures rest on; no document is read for it."""
    return digest(*_states(rankings, archive))


def figures_code(rankings: Rankings) -> str:
    """Hash of the bundled facts, where they are used: part of the code of what is made of figures."""
    return bundled_hash() if rankings.bundled else ""


def breaks_of(rankings: Rankings, archive: Archive) -> Iterator[Break]:
    """From when on figures of its sources are on another scale, as their logs have it."""
    for name in rankings.sources:
        for one in archive.log.all(kept_as(rankings.source(name))):
            if one.event in _CURRENT:
                for note in one.notes:
                    at = datetime.fromisoformat(note["fetched_at"])
                    yield Break(name, at, note["benchmark"], note["measure"], note["sentence"])


def _states(rankings: Rankings, archive: Archive) -> Iterator[str]:
    for name in rankings.sources:
        folder = kept_as(rankings.source(name))
        good = archive.snapshots.last_good(folder)
        made_at = None if good is None else _files_at(good)
        yield repr((name, archive.log.all(folder), good and (good.name, good.sha256), made_at))


def _published(rankings: Rankings, name: str, archive: Archive) -> Published:
    made = _Made.of(rankings, name)
    source = made.source()
    looked = archive.log.newest(kept_as(source))
    if looked is None:
        raise FiguresGoneError(f"the log of {name} was removed meanwhile; run `podium run {rankings.name}` again")
    good = archive.snapshots.last_good(kept_as(source))
    kept, why_unread = _read(made, good)
    bundled = bundled_facts(name) if rankings.bundled and is_own(source) else None
    attempt = _attempt(looked, good, why_unread)
    figures = _figures_of(source.about, good, kept)
    is_live = attempt.event == Event.FETCHED
    choice = choose_figures(source.about, attempt, figures if is_live else None, figures, _figures_of_bundled(bundled))
    rolled = None if good is None or kept is None else _rolled(rankings, made, archive, good, kept)
    return _made_published(source, choice, good, rolled, bundled)


def _rolled(rankings: Rankings, made: "_Made", archive: Archive, good: Snapshot, parsed: Parsed) -> Parsed:
    """What a snapshot says, with speeds as medians over the days that are kept of the ranking's window."""
    source = made.source()
    every = vocabulary([getattr(source, "benchmarks", {})])
    speeds = {key for key, one in every.items() if one.area == Area.SPEED}
    if rankings.speed_days == 1 or not any(one.benchmark in speeds for one in parsed.results):
        return parsed
    earlier: dict[date, Parsed] = {}
    for one in archive.snapshots.all(kept_as(source)):  # the oldest first: of a day the last one counts
        if one.verdict == Verdict.GOOD and _day_of(good) - timedelta(rankings.speed_days) < _day_of(one) < _day_of(
            good
        ):
            found, _ = _read(made, one)
            earlier |= {} if found is None else {_day_of(one): found}
    return rolling_medians(parsed, _day_of(good), earlier, speeds, rankings.speed_days)


def _day_of(snapshot: Snapshot) -> date:
    """The day that the figures of a snapshot are of."""
    return (_files_at(snapshot) or snapshot.fetched_at).date()


def _made_published(
    source: Source,
    choice: Choice,
    good: Snapshot | None,
    kept: Parsed | None,
    bundled: Bundled | None,
) -> Published:
    benchmarks = getattr(source, "benchmarks", {})
    if choice.origin in (Origin.LIVE, Origin.KEPT) and good is not None and kept is not None:
        return Published(source.about, kept, choice.status, good.sha256, benchmarks)
    parsed = bundled.parsed if choice.origin == Origin.BUNDLED and bundled is not None else _NOTHING
    return Published(source.about, parsed, choice.status, None, benchmarks)


def _attempt(looked: Look, good: Snapshot | None, why_unread: str) -> Attempt:
    """What the log's last line means for the figures that are there."""
    if looked.event not in _CURRENT:
        return Attempt(Event(looked.event), looked.at, looked.why)
    if good is None or why_unread:
        return Attempt(Event.UNREADABLE, looked.at, why_unread or "its snapshot is not there any more")
    if looked.event == ACCEPTED:
        return Attempt(Event.FETCHED, good.checked_at, f"accepted by a person: {looked.why}")
    return Attempt(Event.FETCHED, looked.at, looked.why)


def _read(made: "_Made", good: Snapshot | None) -> tuple[Parsed | None, str]:
    """What a snapshot says; None without one, or with why it cannot be read."""
    if good is None:
        return None, ""
    try:
        return _parsed(made, settings().fetched_dir, good.name, good.sha256), ""
    except (SnapshotError, SourceError) as error:
        return None, str(error)


def _figures_of(about: About, good: Snapshot | None, parsed: Parsed | None) -> Figures | None:
    if good is None or parsed is None:
        return None
    changed_at = parsed.updated_at or midnight(about.changed_on)
    return Figures(good.fetched_at, len(parsed.results), changed_at, parsed.version, _files_at(good))


def _files_at(snapshot: Snapshot) -> datetime | None:
    """When files were made: the newest day in their names, else the last change of one; None if they were fetched."""
    if not snapshot.is_of_files:
        return None
    days = [day for one in snapshot.bodies if (day := day_in(one.name))]
    changed = [one.modified_at for one in snapshot.bodies if one.modified_at]
    return midnight(max(days, default=None)) or max(changed, default=snapshot.fetched_at)


def _figures_of_bundled(bundled: Bundled | None) -> Figures | None:
    return None if bundled is None else bundled.figures


def _as_stored(rankings: Rankings, name: str, archive: Archive, row: Mapping[Any, Any]) -> Published:
    made = _Made.of(rankings, name)
    source = made.source()
    sha256, parsed = _text(row["sha256"]), _NOTHING
    if sha256:
        kept = archive.snapshots.all(kept_as(source))
        same = [one for one in kept if one.sha256 == sha256 and one.verdict == Verdict.GOOD]
        found, why = _read(made, same[-1] if same else None)
        if found is None:
            raise FiguresGoneError(
                f"figures of {name} that {rankings.name} rests on cannot be read: {why or 'they were removed'}; run "
                f"`podium run {rankings.name}` to look at the source again"
            )
        parsed = _rolled(rankings, made, archive, same[-1], found)
    elif _moment(row["fetched_at"]) is not None:
        bundled = bundled_facts(name)
        parsed = bundled.parsed if bundled is not None else _NOTHING
    return Published(source.about, parsed, _stored_status(name, row), sha256, getattr(source, "benchmarks", {}))


def _stored_status(name: str, row: Mapping[Any, Any]) -> FetchStatus:
    checked_at = _moment(row["checked_at"])
    if checked_at is None:
        raise ValueError(f"{name}: a row of llm.fetch_status says not when it was looked at")
    return FetchStatus(
        name,
        Status(str(row["status"])),
        checked_at,
        _moment(row["fetched_at"]),
        _moment(row["source_updated_at"]),
        int(str(row["n_results"])),
        _text(row["why"]),
        _text(row["version"]) or "",
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _moment(value: object) -> datetime | None:
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else None


@dataclass(frozen=True)
class _Made:
    """What a source is made of: a key for what was read by it; options as they are, told apart by how they read."""

    name: str
    path: str | None
    told: str
    options: Mapping[str, Any] = field(compare=False)

    @classmethod
    def of(cls, rankings: Rankings, name: str) -> "_Made":
        """That of a declared source."""
        declared = rankings.sources[name]
        told = json.dumps(declared.options, sort_keys=True, default=repr)
        return cls(name, declared.source, told, declared.options)

    def source(self) -> Source:
        """The source, ready to use."""
        return make_source(self.name, self.path, dict(self.options))


@functools.lru_cache(maxsize=64)
def _parsed(made: _Made, folder: Path, name: str, sha256: str) -> Parsed:  # noqa: ARG001 - the hash is part of the key
    snapshots, source = Snapshots(folder, 1), made.source()
    found = next((one for one in snapshots.all(kept_as(source)) if one.name == name), None)
    if found is None:
        raise SnapshotError(f"snapshot {name} of {made.name} was removed; fetch it again")
    return read(source, snapshots.read(found))
