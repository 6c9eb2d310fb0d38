"""When releases came out and whether their weights are open: what sources state of the names that mean them.

A catalogue's word comes first, then what boards state. Whoever says otherwise is named in the evidence. None of
this decides what a name means: that is done before.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from pipeline.rankings.identity.aliases import Alias, Status
from pipeline.rankings.identity.catalogue import MODELS_DEV, NEAR_DAYS, OPENROUTER, Catalogue, Release
from pipeline.rankings.identity.dates import NameDate
from pipeline.rankings.identity.names import take_apart
from pipeline.rankings.results import ModelName

NAME = "its name"
"""The evidence of a day that only the name of a release tells."""

_Said = TypeVar("_Said", date, bool)
_Statements = Sequence[tuple[str, ModelName]]


def with_statements(
    catalogue: Catalogue, names: Mapping[str, Sequence[ModelName]], aliases: Iterable[Alias]
) -> Catalogue:
    """The catalogue with the day and the weights of every release, as far as anybody states them.

    The day is OpenRouter's, else that of the base model of models.dev, else the middle one of what sources state, of
    two the earlier, with one day of each: that which it states most often. A day that is far from the one in the
    release's own name is passed over where another is near. Where nobody states one it is a whole day in the name.

    Weights are open or closed by the base model of models.dev, else by what most sources state; they are not known
    where as many say the one as the other. Where nobody says, a repository at Hugging Face has them.

    Parameters
    ----------
    catalogue : Catalogue
    names : mapping of str to sequence of ModelName
        By source.
    aliases : iterable of Alias
        What each of these names means.
    """
    rows = {(source, row.raw_name): row for source, of in names.items() for row in of}
    stated: dict[str, list[tuple[str, ModelName]]] = defaultdict(list)
    for alias in aliases:
        if alias.release_id is not None and alias.status == Status.ACCEPTED:
            stated[alias.release_id].append((alias.source, rows[alias.source, alias.raw_name]))
    releases = {one: _stated(release, stated.get(one, ())) for one, release in catalogue.releases.items()}
    return replace(catalogue, releases=releases)


def _stated(release: Release, statements: _Statements) -> Release:
    released_on, released_by = _released(release, statements)
    open_weights, weights_by = _weights(release, statements)
    return replace(
        release,
        released_on=released_on,
        released_evidence=released_by,
        open_weights=open_weights,
        weights_evidence=weights_by,
    )


def _released(release: Release, statements: _Statements) -> tuple[date | None, str]:
    in_name = [day for name in release.names for day in take_apart(name).dates]
    said = {source: one for source, one in _words(release, statements, lambda row: row.released_on).items() if one}
    fitting = {source: one for source, one in said.items() if _is_near(one, in_name)} or said
    if not fitting:
        named = [day for day in map(_whole_day, in_name) if day]
        return (min(named), NAME) if named else (release.released_on, "")
    catalogued = [one for source in (OPENROUTER, _BASE) if (one := fitting.get(source))]
    ordered = sorted(fitting.values())
    day = catalogued[0] if catalogued else ordered[(len(ordered) - 1) // 2]
    return day, _evidence(said, day, str)


def _weights(release: Release, statements: _Statements) -> tuple[bool | None, str]:
    said = _words(release, statements, lambda row: row.open_weights)
    repository = f"huggingface.co/{release.hugging_face_id}" if release.hugging_face_id else ""
    if not said:
        return (True, repository) if repository else (None, "")
    counts = Counter(said.values())
    is_open = said.get(_BASE, None if counts[True] == counts[False] else counts[True] > counts[False])
    evidence = _evidence(said, is_open, lambda one: "open" if one else "closed")
    return is_open, f"{evidence}; yet there is {repository}" if repository and is_open is False else evidence


_BASE = f"{MODELS_DEV} (base model)"


def _words(release: Release, statements: _Statements, of: Callable[[ModelName], _Said | None]) -> dict[str, _Said]:
    """What each source states: what it states most often, of several the least; the base model speaks for itself."""
    every: dict[str, Counter[_Said]] = defaultdict(Counter)
    for source, row in statements:
        word = of(row)
        if word is not None:
            is_base = source == MODELS_DEV and row.raw_name.lower() == release.models_dev_id
            every[_BASE if is_base else source][word] += 1
    return {source: min(counts, key=lambda one: (-counts[one], one)) for source, counts in sorted(every.items())}


def _evidence(said: Mapping[str, _Said], chosen: _Said | None, written: Callable[[_Said], str]) -> str:
    """Who states what was chosen, then who states otherwise, and what."""
    agreeing = ", ".join(source for source, one in said.items() if one == chosen)
    others = ", ".join(f"{source} {written(one)}" for source, one in said.items() if one != chosen)
    if not agreeing:
        return f"they disagree: {others}"
    return f"{agreeing}; but {others}" if others else agreeing


def _is_near(day: date, in_name: Sequence[NameDate]) -> bool:
    """Whether a day is near one of those in a name, as a snapshot's is near that of its release; or it has none."""
    return not in_name or any(one.days_from(day) <= NEAR_DAYS for one in in_name)


def _whole_day(named: NameDate) -> date | None:
    """The day that a name tells, where it tells the year, too."""
    (first, *others) = named.readings
    if others or first.year is None or first.day is None:
        return None
    return date(first.year, first.month, first.day)
