"""Which release a spelling of a name means, by what all names together say of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pipeline.rankings.identity.catalogue import NEAR_DAYS, Catalogue, Release, dates_agree
from pipeline.rankings.identity.dates import NameDate
from pipeline.rankings.identity.names import Config, Name, take_apart

UNDATED_DAYS = 120
"""A name without a date is not what was released so far from the day that its source gives."""


class Doubt(StrEnum):
    """Why no release was found."""

    NONE = "none"
    UNKNOWN = "no release has this name"
    VENDOR = "the release of this name is another maker's"
    DATES = "the releases of this name carry other dates"
    SEVERAL = "several releases have this name"
    LINE = "it is of another line of models"
    RELEASED = "the release of this name came out at another time"


@dataclass(frozen=True)
class Found:
    """What a spelling means.

    Parameters
    ----------
    release_id : str or None
        None if in doubt.
    doubt : Doubt
    config : Config
        With what the other names showed to be configuration.
    candidates : tuple of str
        Releases of the same key, in doubt.
    is_near : bool
        The dates are not the same, only near, and there is no other.
    """

    release_id: str | None
    doubt: Doubt
    config: Config
    candidates: tuple[str, ...] = ()
    is_near: bool = False


@dataclass(frozen=True)
class _Entry:
    """A name in the catalogue: ids rank 0, titles 1."""

    release_id: str
    rank: int
    dates: tuple[NameDate, ...]
    vendor: str


class Resolver:
    """Finds releases by name.

    Parameters
    ----------
    catalogue : Catalogue
    spellings : iterable of str
        Every name of every source: what shows that ``-thinking`` is a setting of a model (another name of it says
        ``non-reasoning``) and which dates a model has.
    """

    def __init__(self, catalogue: Catalogue, spellings: Iterable[str]) -> None:
        self.catalogue = catalogue
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        self._families: dict[str, set[str]] = defaultdict(set)
        for release in catalogue.releases.values():
            self._index(release)
        self._dates: dict[str, set[NameDate]] = defaultdict(set)
        self._settings: dict[tuple[str, str], set[tuple[NameDate, ...]]] = defaultdict(set)
        for spelling in {*spellings, *(name for release in catalogue.releases.values() for name in release.names)}:
            self._learn(take_apart(spelling))

    def find(self, name: Name, vendor: str = "", released_on: date | None = None) -> Found:
        """The release that a name means: by its whole key first, then without what proves to be configuration."""
        found = self._choose(name.key, name.config, name, vendor, released_on)
        if found.doubt == Doubt.UNKNOWN and self.is_setting(name):
            return self._choose(name.bare_key, _joined(name.config, name.possible), name, vendor, released_on)
        return found

    def knows(self, key: str) -> bool:
        """Whether some release has a name of this key."""
        return key in self._entries

    def family(self, name: Name, vendor: str = "") -> tuple[str, ...]:
        """Releases whose family has the same key, of the maker if it is known."""
        found = sorted(self._families.get(name.n2) or self._families.get(name.bare_n2) or ())
        return tuple(one for one in found if _one_maker(vendor, self.catalogue.releases[one].vendor))

    def _index(self, release: Release) -> None:
        for rank, texts in enumerate((release.names, release.titles)):
            for text in texts:
                name = take_apart(text)
                self._entries[name.key].append(_Entry(release.release_id, rank, name.dates, release.vendor))
                self._families[name.n2].add(release.release_id)

    def _learn(self, name: Name) -> None:
        self._dates[name.key].update(name.dates)
        for key, _ in name.config:
            self._settings[name.key, key].add(name.dates)

    def is_setting(self, name: Name) -> bool:
        """Whether the last word is configuration: another name shows that this model, of this date, has the setting."""
        if not name.possible:
            return False
        ((setting, _),) = name.possible
        keys = ("thinking", "effort") if setting == "thinking" else ("effort",)
        shown = [dates for key in keys for dates in self._settings.get((name.bare_key, key), ())]
        return any(not name.dates or dates_agree(name.dates, dates) for dates in shown)

    def _choose(self, key: str, config: Config, name: Name, vendor: str, released_on: date | None) -> Found:
        every = self._entries.get(key, ())
        if not every:
            return Found(None, Doubt.UNKNOWN, config)
        candidates = tuple(sorted({entry.release_id for entry in every}))
        entries = [entry for entry in every if _one_maker(vendor, entry.vendor)]
        if not entries:
            return Found(None, Doubt.VENDOR, config, candidates)
        hits = [entry for entry in entries if _fits(name.dates, entry.dates)]
        best = {entry.release_id for entry in hits if entry.rank == min(hit.rank for hit in hits)}
        if len(best) > 1:
            return Found(None, Doubt.SEVERAL, config, candidates)
        if not best:
            near = self._nearest(key, name, entries, released_on)
            return Found(near, Doubt.NONE if near else Doubt.DATES, config, () if near else candidates, bool(near))
        (release_id,) = best
        if not name.dates and self._is_from_another_time(release_id, released_on):
            return Found(None, Doubt.RELEASED, config, candidates)
        return Found(release_id, Doubt.NONE, config)

    def _nearest(self, key: str, name: Name, entries: Sequence[_Entry], released_on: date | None) -> str | None:
        """The only release of a key, if all dates that names carry with that key are one, near its own.

        A name with a date is that release if the catalogue also calls it by no date; one without only if its source
        says that it came out then.
        """
        ids = {entry.release_id for entry in entries}
        if len(ids) != 1:
            return None
        (release_id,) = ids
        own = self.catalogue.releases[release_id].released_on
        catalogued = {day for entry in entries for day in entry.dates}
        stated = self._dates[key] - catalogued
        if own is None or not all(one.agrees(two) for one in stated for two in stated):
            return None
        if any(day.days_from(own) > NEAR_DAYS for day in self._dates[key]):
            return None
        if name.dates:
            return release_id if any(not entry.dates for entry in entries) else None
        return release_id if released_on is not None and abs((own - released_on).days) <= NEAR_DAYS else None

    def _is_from_another_time(self, release_id: str, released_on: date | None) -> bool:
        own = self.catalogue.releases[release_id].released_on
        return own is not None and released_on is not None and abs((own - released_on).days) > UNDATED_DAYS


def _fits(dates: Sequence[NameDate], others: Sequence[NameDate]) -> bool:
    return dates_agree(dates, others) if dates and others else not dates and not others


def _one_maker(vendor: str, other: str) -> bool:
    return not vendor or not other or vendor == other


def _joined(config: Config, further: Config) -> Config:
    return tuple(sorted({**dict(further), **dict(config)}.items()))
