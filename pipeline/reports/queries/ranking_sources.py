"""The sources of a ranking: which of their figures are used, and whether these are older than usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import duckdb

from pipeline.rankings.declaration import SourceSpec
from pipeline.rankings.origin import Status
from pipeline.reports.runs import NextTick

_SOURCES = """
    SELECT source, title, home, licence, attribution, status, checked_at, fetched_at, source_updated_at,
           n_results, n_models, n_unread, why, version, days, is_frozen
    FROM llm.fetch_status WHERE ranking = ? ORDER BY title, source
"""
_UNREAD = """
    SELECT source, document, place, reason FROM llm.unread WHERE ranking = ? ORDER BY source, number
"""
_BREAKS = """
    SELECT source, "at", benchmark, measure, sentence FROM llm.breaks WHERE ranking = ?
    ORDER BY "at" DESC, source, benchmark, measure
"""
_UNMATCHED = """
    SELECT u.source, u.raw_name, nullif(nullif(a.title, ''), u.raw_name), u.status, u.why, u.candidates, u.n_results
    FROM llm.unmatched AS u LEFT JOIN llm.aliases AS a USING (ranking, source, raw_name)
    WHERE u.ranking = ? ORDER BY u.n_results DESC, u.source, u.raw_name
"""

OLD_AFTER = 3
"""Times the days after which a source usually changes: from then on its figures are old."""
_SECONDS_OF_A_DAY = 86_400


class Age(StrEnum):
    """How old figures are, judged by how often their own source changes.

    Attributes
    ----------
    FRESH
        Not older than it usually takes the source to change.
    AGEING
        Older than that.
    OLD
        More than three times as old.
    FROZEN
        Nothing is added to the source any more: age is no fault.
    MISSING
        There are none.
    """

    FRESH = "fresh"
    AGEING = "ageing"
    OLD = "old"
    FROZEN = "frozen"
    MISSING = "missing"


@dataclass(frozen=True)
class RankingSource:
    """A row of ``llm.fetch_status``, and its age at a moment.

    Parameters
    ----------
    confirmed_at : datetime or None
        When the figures were last known to be what the source publishes; None without figures.
    age_days : float or None
        How long ago that was.
    state : Age
    """

    source: str
    title: str
    home: str
    licence: str | None
    attribution: str | None
    status: str
    checked_at: datetime
    fetched_at: datetime | None
    source_updated_at: datetime | None
    n_results: int
    n_models: int
    n_unread: int
    why: str | None
    version: str | None
    days: int
    is_frozen: bool
    confirmed_at: datetime | None
    age_days: float | None
    state: Age


@dataclass(frozen=True)
class Break:
    """From when on figures of a source are on another scale; ``benchmark`` and ``measure`` are empty for all."""

    source: str
    at: datetime
    benchmark: str
    measure: str
    sentence: str


@dataclass(frozen=True)
class UnreadPart:
    """A part of a document of a source that could not be read."""

    source: str
    document: str
    place: str
    reason: str


@dataclass(frozen=True)
class Unmatched:
    """A name of a model that means no release yet: its figures rank nobody.

    ``title`` is what the source shows, where that is not the name.
    """

    source: str
    raw_name: str
    title: str | None
    status: str
    why: str | None
    candidates: str | None
    n_results: int


def ranking_sources(connection: duckdb.DuckDBPyConnection, name: str, now: datetime) -> tuple[RankingSource, ...]:
    """The sources of a published ranking, by title.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the ranking.
    now : datetime
        UTC, without a zone: what ages are counted to.
    """
    return tuple(_source(row, now) for row in connection.execute(_SOURCES, [name]).fetchall())


def age_of(status: str, age_days: float | None, days: int, *, is_frozen: bool) -> Age:
    """How old figures are.

    Parameters
    ----------
    status : str
        Of ``llm.fetch_status``.
    age_days : float or None
    days : int
        How often the source changes as a rule.
    is_frozen : bool
        Whether it does not change any more.
    """
    if age_days is None or status == Status.MISSING:
        return Age.MISSING
    if is_frozen:
        return Age.FROZEN
    return Age.FRESH if age_days <= days else Age.AGEING if age_days <= OLD_AFTER * days else Age.OLD


@dataclass(frozen=True)
class NextLook:
    """When a source is looked at next.

    Parameters
    ----------
    schedule : str or None
        The cron line (UTC) by which that is; None where nobody looks at it by itself.
    at : datetime or None
        None where that is not known, or not going to be.
    why_not : str or None
        Why nobody is going to look; None where somebody is.
    """

    schedule: str | None
    at: datetime | None
    why_not: str | None


def next_look(
    spec: SourceSpec | None, days: int, now: datetime, tick: NextTick, *, is_frozen: bool, is_fetching: bool
) -> NextLook:
    """When a source is looked at next, by its own schedule.

    Parameters
    ----------
    spec : SourceSpec or None
        As it is declared; None where it is not any more.
    days : int
        How often it changes as a rule.
    now : datetime
        UTC, without a zone.
    tick : function
        From a cron line and the time to when that is due.
    is_frozen : bool
        Whether nothing is added to it any more.
    is_fetching : bool
        Whether publishers are asked at all.
    """
    if spec is None:
        return NextLook(None, None, "it is not declared any more")
    schedule = spec.looked_at_by(days, is_frozen=is_frozen)
    why_never = spec.why_never(is_frozen=is_frozen, is_fetching=is_fetching)
    return NextLook(schedule, None if why_never or schedule is None else tick(schedule, now), why_never)


def days_between(earlier: datetime | None, later: datetime) -> float | None:
    """Days from one moment to another, at least 0; None where the first is not known."""
    return None if earlier is None else max(0.0, (later - earlier).total_seconds() / _SECONDS_OF_A_DAY)


def breaks_of(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Break, ...]:
    """The breaks in the figures of a published ranking, the newest first."""
    return tuple(Break(*row) for row in connection.execute(_BREAKS, [name]).fetchall())


def unread_of(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[UnreadPart, ...]:
    """What could not be read of the sources of a published ranking."""
    return tuple(UnreadPart(*row) for row in connection.execute(_UNREAD, [name]).fetchall())


def unmatched_of(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Unmatched, ...]:
    """The names that mean no model of a published ranking, those with most figures first."""
    return tuple(Unmatched(*row) for row in connection.execute(_UNMATCHED, [name]).fetchall())


def _source(row: Sequence[Any], now: datetime) -> RankingSource:
    status, checked_at, fetched_at, days = row[5], row[6], row[7], row[14]
    confirmed_at = checked_at if status == Status.UNCHANGED and fetched_at is not None else fetched_at
    age = days_between(confirmed_at, now)
    return RankingSource(*[*row, confirmed_at, age, age_of(status, age, days, is_frozen=row[15])])
