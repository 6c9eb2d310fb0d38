"""Prices, contexts, ages and statuses of language models as people read them."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.reports.pages.figures import NOTHING, Scale
from pipeline.reports.pages.figures import reason as reason_of
from pipeline.reports.queries.ranking_sources import Age

_SECONDS_OF_AN_HOUR, _HOURS_OF_A_DAY = 3_600, 24
_K, _M = 1_000, 1_000_000
_REASONS = {
    "no_benchmarks": "no benchmark of it is published",
    "min_benchmarks": "too few benchmarks of it are published",
    "min_sources": "too few sources publish it",
    "no_score": "parts of the score that ranks are missing",
}
_SCORES = {
    "ability": "Ability",
    "coding": "Coding",
    "performance": "Performance",
    "value": "Value",
    "overall": "Overall",
}
SCORES_SAY = {
    "ability": "what explains best which benchmarks a model solves and which not, whichever of them it was tried on",
    "coding": "the weighted mean of coding benchmarks, 0 to 100",
    "performance": "throughput, time to the first token and quality together, 0 to 100",
    "value": "coding score for its price, and context, 0 to 100",
    "overall": "coding, performance and value together, 0 to 100",
}
"""What each score is, in words."""


@dataclass(frozen=True)
class Mark:
    """How an age is shown: a sign, a word and a style, so that none of them is needed alone."""

    sign: str
    word: str
    style: str


MARKS = {
    Age.FRESH: Mark("●", "up to date", "good"),
    Age.AGEING: Mark("◐", "ageing", "warn"),
    Age.OLD: Mark("○", "old", "bad"),
    Age.FROZEN: Mark("■", "frozen", "quiet"),
    Age.MISSING: Mark("✕", "no figures", "bad"),
}
"""By age."""


def usd(value: float | None) -> str:
    """A price in US dollars: cents from ten cents on, three digits below."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.3g}"


def tokens(value: float | None) -> str:
    """A number of tokens, with K for a thousand and M for a million."""
    if value is None:
        return NOTHING
    if value >= _M:
        return f"{value / _M:.3g}M"
    return f"{round(value / _K)}K" if value >= _K else f"{value:g}"


def seconds(value: float | None) -> str:
    """Seconds: two decimals below ten, one above."""
    return Scale(2 if value is not None and value < 10 else 1).text(value)


def unranked(status: str) -> str:
    """Why a model is not ranked, in words."""
    reason = status.removeprefix("unranked: ")
    return _REASONS.get(reason, reason_of(reason))


def score_name(name: str) -> str:
    """The name of a score in words."""
    return _SCORES.get(name, name)


def hours_ago(moment: datetime, now: datetime) -> str:
    """How long before now a moment was, in days or hours: pages with ages are kept for the hour."""
    hours = (now - moment).total_seconds() / _SECONDS_OF_AN_HOUR
    if hours >= 2 * _HOURS_OF_A_DAY:
        return f"{int(hours / _HOURS_OF_A_DAY):,} days ago"
    return f"{int(hours)} hours ago" if hours >= 2 else "under 2 hours ago"


def exact(moment: datetime | None) -> str:
    """A moment to the minute, with its zone."""
    return NOTHING if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def web_link(url: str | None) -> str:
    """An address that a page may link to; empty for what is not on the web, whatever a source says."""
    try:
        is_web = urlsplit(url or "").scheme in ("http", "https")
    except ValueError:
        return ""
    return url or "" if is_web else ""
