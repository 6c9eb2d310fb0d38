"""Where the figures of a source come from: fetched now, else the last good snapshot, else bundled facts.

Never silently: whatever is shown has a status and, where it is not simply live, a sentence with the reason and the age.
Figures that a publisher gave are as new as the fetch that brought them. Of files nobody knows when they were what the
publisher gives: they are as old as the source says that it was last changed, else as the files are.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.rankings.source import About


class Event(StrEnum):
    """What became of a fetch."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    NOT_TRIED = "not_tried"


FETCHING_OFF = "fetching is off: set PODIUM_FETCH=true to fetch from publishers"
"""Why nothing was tried where the operator has it so: no fault, and nothing to warn of."""

_SAID = {
    Event.NOT_MODIFIED: "nothing has changed, but the last good snapshot cannot be used",
    Event.FAILED: "nothing came",
    Event.REFUSED: "what came is not used",
    Event.UNREADABLE: "what came cannot be read",
    Event.NOT_TRIED: "not fetched",
}


@dataclass(frozen=True)
class Attempt:
    """A fetch, or the decision against one.

    Parameters
    ----------
    event : Event
    at : datetime
        UTC, without a zone.
    why : str
        What went wrong; needed wherever something did. Else what there is to be told of it, if anything.
    """

    event: Event
    at: datetime
    why: str = ""

    def __post_init__(self) -> None:
        fine = self.event in (Event.FETCHED, Event.NOT_MODIFIED)
        if not fine and not self.why.strip():
            raise ValueError(f"an attempt that is {self.event} says why; give a reason")


@dataclass(frozen=True)
class Figures:
    """What is said of figures that are there.

    Parameters
    ----------
    fetched_at : datetime
        Of the snapshot; of bundled facts, the day they were taken down. UTC, without a zone.
    rows : int
    source_updated_at : datetime or None
        When the source itself was last changed, where it says so.
    version : str
        Of an index or a release; empty where there is none.
    files_at : datetime or None
        Of files that somebody put in a folder: when these were made, as far as they tell. None where the publisher
        itself gave the figures.
    """

    fetched_at: datetime
    rows: int
    source_updated_at: datetime | None = None
    version: str = ""
    files_at: datetime | None = None

    @property
    def as_of(self) -> datetime:
        """When they are last known to have been what the source publishes."""
        if self.files_at is None:
            return self.fetched_at
        return min(self.source_updated_at or self.files_at, self.fetched_at)


class Origin(StrEnum):
    """Which figures are used."""

    LIVE = "live"
    KEPT = "kept"
    BUNDLED = "bundled"
    NONE = "none"


class Status(StrEnum):
    """What is shown of a source.

    Attributes
    ----------
    LIVE
        Fetched now.
    UNCHANGED
        Asked now; the last good snapshot is still what it publishes.
    FILES
        Taken from files, which somebody put in a folder; the publisher was not asked.
    KEPT
        The last good snapshot, because nothing better came.
    BUNDLED
        Facts that Podium brings along, because there is no good snapshot.
    MISSING
        Nothing.
    FROZEN
        Nothing is added to the source any more, and its figures are there.
    """

    LIVE = "live"
    UNCHANGED = "unchanged"
    FILES = "files"
    KEPT = "kept"
    BUNDLED = "bundled"
    MISSING = "missing"
    FROZEN = "frozen"


@dataclass(frozen=True)
class FetchStatus:
    """A row of ``llm.fetch_status``.

    Parameters
    ----------
    source : str
    status : Status
    checked_at : datetime
        When it was last tried to fetch it, with whatever result.
    fetched_at : datetime or None
        When the figures that are used were last fetched: :attr:`Figures.as_of`; None where there are none.
    source_updated_at : datetime or None
    rows : int
        Of the figures that are used.
    why : str or None
        Why it is not what was fetched now, or what is to be told of it; None where nothing is.
    version : str
    """

    source: str
    status: Status
    checked_at: datetime
    fetched_at: datetime | None
    source_updated_at: datetime | None
    rows: int
    why: str | None
    version: str


def is_unasked(why: str | None) -> bool:
    """Whether figures are not newer because fetching is off, by what is told of them."""
    return why is not None and FETCHING_OFF in why


@dataclass(frozen=True)
class Choice:
    """Which figures of a source are used, and what is said about it."""

    origin: Origin
    status: FetchStatus


def choose_figures(
    about: About,
    attempt: Attempt,
    live: Figures | None = None,
    kept: Figures | None = None,
    bundled: Figures | None = None,
) -> Choice:
    """Decide which figures of a source are used: live, else the last good snapshot, else bundled facts.

    Parameters
    ----------
    about : About
        Of the source. A frozen one whose own figures are there is ``frozen``, however the attempt ended; ``why`` tells.
    attempt : Attempt
        What happened.
    live : Figures, optional
        What was fetched now and passed the guards; needed where the attempt says so, and nowhere else.
    kept : Figures, optional
        The last good snapshot, if it can be read.
    bundled : Figures, optional
        The facts that come along.

    Raises
    ------
    ValueError
        If there are live figures and the attempt brought none, or the other way round.
    """
    if (live is not None) != (attempt.event == Event.FETCHED):
        raise ValueError(f"{about.name}: the attempt is {attempt.event}, and live figures {live or 'are not given'}")
    if live is not None:
        return _choice(about, attempt, Origin.LIVE, _status_of(live, Status.LIVE), live, _told(live, attempt.why))
    if kept is not None and attempt.event == Event.NOT_MODIFIED:
        return _choice(about, attempt, Origin.KEPT, _status_of(kept, Status.UNCHANGED), kept, _told(kept, attempt.why))
    said = ": ".join(part for part in (_SAID[attempt.event], attempt.why.strip()) if part)
    if kept is not None:
        why = f"{said}; shown is the last good snapshot, {_whence(kept)}"
        return _choice(about, attempt, Origin.KEPT, Status.KEPT, kept, why)
    if bundled is not None:
        why = f"{said}; there is no good snapshot, shown are bundled facts of {bundled.fetched_at:%Y-%m-%d}"
        return _choice(about, attempt, Origin.BUNDLED, Status.BUNDLED, bundled, why)
    return _choice(about, attempt, Origin.NONE, Status.MISSING, None, f"{said}; there is no good snapshot")


def _status_of(figures: Figures, status: Status) -> Status:
    return status if figures.files_at is None else Status.FILES


def _told(figures: Figures, why: str) -> str | None:
    """What is told of figures that are what was last given: the word on them, and of files of when they are."""
    dated = "" if figures.files_at is None else f"as of {_dated(figures)}"
    return "; ".join(part for part in (why.strip(), dated) if part) or None


def _whence(figures: Figures) -> str:
    at = f"{figures.fetched_at:%Y-%m-%d %H:%M} UTC"
    return f"fetched on {at}" if figures.files_at is None else f"taken from files on {at}, as of {_dated(figures)}"


def _dated(figures: Figures) -> str:
    """The day of files, and who says so."""
    return f"{figures.as_of:%Y-%m-%d}, by {'the files' if figures.source_updated_at is None else 'the source itself'}"


def _choice(
    about: About, attempt: Attempt, origin: Origin, status: Status, figures: Figures | None, why: str | None
) -> Choice:
    is_frozen = about.is_frozen and origin in (Origin.LIVE, Origin.KEPT)
    return Choice(
        origin,
        FetchStatus(
            about.name,
            Status.FROZEN if is_frozen else status,
            attempt.at,
            figures.as_of if figures else None,
            figures.source_updated_at if figures else None,
            figures.rows if figures else 0,
            why,
            figures.version if figures else "",
        ),
    )
