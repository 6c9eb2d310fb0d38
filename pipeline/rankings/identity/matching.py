"""What each name of each source means: decisions of people first, published links, then names; the rest is proposed.

Only these accept: a decision, a link, the same name. The same family or a likeness of spelling proposes, for a person
to decide. A person's rejection wins over everything, for ever.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from pipeline.rankings.identity.aliases import Alias, Candidate, Decision, Method, Status
from pipeline.rankings.identity.catalogue import (
    MODELS_DEV,
    OPENROUTER,
    Catalogue,
    Release,
    build_catalogue,
    dates_agree,
    made_release,
    untagged,
    untitled,
)
from pipeline.rankings.identity.names import Config, Name, normalised, take_apart, vendor_key
from pipeline.rankings.identity.resolving import Doubt, Found, Resolver
from pipeline.rankings.identity.stated import with_statements
from pipeline.rankings.identity.vocabulary import FAMILY_VENDORS
from pipeline.rankings.results import ModelName

SOURCES_TO_MAKE = 2
"""Sources that have to name a model alike for it to be a release that no catalogue lists."""

FUZZY_FROM = 85.0
CANDIDATES = 5


@dataclass(frozen=True)
class Identity:
    """Who is who.

    Parameters
    ----------
    catalogue : Catalogue
    aliases : tuple of Alias
        One for every source and raw name, sorted by them.
    """

    catalogue: Catalogue
    aliases: tuple[Alias, ...]


@dataclass(frozen=True)
class _Guess:
    """A release that one way of looking gives."""

    release_id: str
    method: Method
    evidence: str


def identify(names: Mapping[str, Sequence[ModelName]], decisions: Iterable[Decision] = ()) -> Identity:
    """Decide for every name of every source which release it means.

    Parameters
    ----------
    names : mapping of str to sequence of ModelName
        By source; those of catalogues as :func:`~pipeline.rankings.identity.catalogue.build_catalogue` says.
    decisions : iterable of Decision
        All that people ever decided. A rejected pair stays rejected whatever else is decided; of several acceptances
        of one name the latest counts.

    Returns
    -------
    Identity
        Independent of the order of sources and names.

    Raises
    ------
    ValueError
        If a source has a raw name twice; the message lists them.
    """
    _refuse_twice(names)
    given = list(decisions)
    spellings = sorted({text for rows in names.values() for row in rows if not row.is_system for text in _texts(row)})
    catalogue = build_catalogue(names)
    known = [_of_listed_release(one, catalogue) for one in given]
    resolver = Resolver(catalogue, spellings)
    catalogue = catalogue.extended(_made(names, resolver)).extended(_decided(known))
    matcher = _Matcher(Resolver(catalogue, spellings), known)
    found = {(source, row.raw_name): (row, matcher.match(source, row)) for source in names for row in names[source]}
    accepted = _without_borrowed_links({pair: found[pair] for pair in sorted(found)}, catalogue)
    aliases = tuple(matcher.with_likeness(accepted))
    return Identity(with_statements(catalogue, names, aliases), aliases)


class _Matcher:
    def __init__(self, resolver: Resolver, decisions: Iterable[Decision]) -> None:
        self._resolver = resolver
        self._catalogue = resolver.catalogue
        self._accepted: dict[tuple[str, str], Decision] = {}
        self._rejected: dict[tuple[str, str], dict[str, Decision]] = defaultdict(dict)
        for one in sorted(decisions, key=lambda one: (one.decided_at, one.release_id)):
            if one.status == Status.ACCEPTED:
                self._accepted[one.source, one.raw_name] = one
            else:
                self._rejected[one.source, one.raw_name][one.release_id] = one

    def match(self, source: str, row: ModelName) -> Alias:
        """The alias of a name, without what likeness of spelling proposes."""
        name = take_apart(row.raw_name)
        blank = Alias(source, row.raw_name, None, "", _config(name.config, row), Method.NONE, "", Status.UNMATCHED)
        if row.is_system or name.is_several:
            return replace(blank, method=Method.SYSTEM, evidence="not one model: a system, or several together")
        rejected = self._rejected.get((source, row.raw_name), {})
        accepted = self._accepted.get((source, row.raw_name))
        if "" in rejected:
            return _turned_down(blank, rejected[""])
        if accepted is not None and accepted.release_id not in rejected:
            return self._as_decided(blank, accepted)
        alias = self._computed(blank, row, name, frozenset(rejected))
        if rejected and alias.status != Status.ACCEPTED and not alias.candidates:
            return _turned_down(alias, max(rejected.values(), key=lambda one: one.decided_at))
        return alias

    def _computed(self, blank: Alias, row: ModelName, name: Name, rejected: frozenset[str]) -> Alias:
        vendor = _vendor(row)
        by_name, found = self._by_name(row, vendor)
        blank = replace(blank, config=_config(found.config, row))
        guesses = [one for one in (*self._links(row), *by_name) if one.release_id not in rejected]
        meant = sorted({one.release_id for one in guesses})
        if len(meant) == 1:
            first = guesses[0]
            return self._known(replace(blank, method=first.method, evidence=first.evidence), first.release_id)
        if meant:
            told = "; ".join(f"{one.evidence} ({one.release_id})" for one in guesses)
            return _pending(blank, guesses[0].method, f"they disagree: {told}", meant, 100.0)
        return self._of_family(blank, name, vendor, found, rejected)

    def _links(self, row: ModelName) -> list[_Guess]:
        tables = (
            (
                Method.HUGGING_FACE,
                self._catalogue.hugging_face,
                row.hugging_face_id.lower(),
                "https://huggingface.co/{}",
            ),
            (Method.OPENROUTER, self._catalogue.openrouter, row.openrouter_id.lower(), "https://openrouter.ai/{}"),
            (Method.MODELS_DEV, self._catalogue.models_dev, row.models_dev_id.lower(), "models.dev: base model {}"),
        )
        return [
            _Guess(release_id, method, evidence.format(link))
            for method, table, link, evidence in tables
            if (release_id := table.get(link) or table.get(untagged(link)))
        ]

    def _by_name(self, row: ModelName, vendor: str) -> tuple[list[_Guess], Found]:
        """What the raw name means, else what the source's other names for it mean, with the raw name's reading.

        Where the raw name has no date and another spelling of the same key has one, that one says more.
        """
        name = take_apart(row.raw_name)
        found = self._resolver.find(name, vendor, row.released_on)
        if row.raw_name.startswith("~"):  # an alias of OpenRouter, which says itself what it means
            return [], found
        others = [take_apart(text) for text in _texts(row)[1:]]
        dated = [other for other in others if other.dates and other.key in (name.key, name.bare_key)]
        if not name.dates and dated:
            others = dated
        elif found.release_id is not None:
            method = Method.NAME if not found.config else Method.CONFIGURED_NAME
            method = Method.NEAR_DATE if found.is_near else method
            return [_Guess(found.release_id, method, self._same_name(name, found))], found
        elif found.doubt in (Doubt.VENDOR, Doubt.RELEASED):
            return [], found
        return self._by_others(name, others, vendor, row), found

    def _by_others(self, name: Name, others: Sequence[Name], vendor: str, row: ModelName) -> list[_Guess]:
        lines = {one.stem[:1] for one in map(take_apart, _texts(row)) if one.dates}
        readings = [(other, self._by_other(name, other, lines, vendor, row)) for other in others]
        return [
            _Guess(reading.release_id, Method.OWN_ALIAS, f"the source also calls it {other.raw!r}")
            for other, reading in readings
            if reading.release_id is not None
        ]

    def _by_other(self, name: Name, other: Name, lines: Set[tuple[str, ...]], vendor: str, row: ModelName) -> Found:
        """What another name means: of the date of the raw name, where that says the same and more, if there is one.

        A name without a date stands in for a dated one only where some dated name of the source is of its line of
        models: a title may tell the version of a snapshot (``mistral-medium-2508`` is ``Mistral Medium 3.1``), and
        ``Qwen Max`` is no title of ``qvq-max-2025-03-25``. The key of a run names no line.
        """
        if name.dates and not other.dates and not name.is_run:
            if set(other.stem) <= set(name.stem):
                dated = self._resolver.find(replace(other, dates=name.dates), vendor, row.released_on)
                if dated.release_id is not None:
                    return dated
            elif other.stem[:1] not in lines:
                return Found(None, Doubt.LINE, ())
        return self._resolver.find(other, vendor, row.released_on)

    def _same_name(self, name: Name, found: Found) -> str:
        release = self._catalogue.releases[found.release_id or ""]
        if found.is_near:
            return f"the only release of this name, of {release.released_on}; no name carries another date"
        return f"{name.raw!r} is {release.openrouter_id or release.hugging_face_id or release.names[0]!r} by name"

    def _known(self, alias: Alias, release_id: str) -> Alias:
        family = self._catalogue.releases[release_id].family
        return replace(alias, release_id=release_id, family=family, status=Status.ACCEPTED)

    def _as_decided(self, blank: Alias, decision: Decision) -> Alias:
        decided = replace(blank, method=Method.DECISION, evidence=decision.evidence, decided_at=decision.decided_at)
        return self._known(decided, decision.release_id)

    def _of_family(self, blank: Alias, name: Name, vendor: str, found: Found, rejected: frozenset[str]) -> Alias:
        relatives = sorted({*found.candidates, *self._resolver.family(name, vendor)} - rejected)
        if not relatives:
            return blank
        families = {self._catalogue.releases[one].family for one in relatives}
        why = found.doubt if found.doubt != Doubt.UNKNOWN else "the same family; variant or date differ"
        alias = _pending(blank, Method.FAMILY, str(why), relatives, 100.0)
        return replace(alias, family=families.pop() if len(families) == 1 else "")

    def with_likeness(self, aliases: Iterable[Alias]) -> Iterable[Alias]:
        """Propose releases of a like spelling for what is unmatched."""
        texts: dict[str, set[str]] = defaultdict(set)
        for release in self._catalogue.releases.values():
            for name in release.names:
                texts[normalised(name)].add(release.release_id)
        choices = sorted(texts)
        for alias in aliases:
            if alias.status != Status.UNMATCHED or alias.method == Method.SYSTEM:
                yield alias
                continue
            likely = process.extract(
                normalised(alias.raw_name), choices, scorer=fuzz.ratio, score_cutoff=FUZZY_FROM, limit=CANDIDATES
            )
            rejected = self._rejected.get((alias.source, alias.raw_name), {})
            scores = {one: score for text, score, _ in reversed(likely) for one in texts[text] if one not in rejected}
            yield _proposed(alias, scores) if scores else alias


def _proposed(alias: Alias, scores: Mapping[str, float]) -> Alias:
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    candidates = tuple(Candidate(release_id, round(score, 1)) for release_id, score in ranked)
    evidence = f"spelled like {candidates[0].release_id} ({candidates[0].score} of 100)"
    return replace(alias, method=Method.FUZZY, evidence=evidence, status=Status.PENDING, candidates=candidates)


def _pending(alias: Alias, method: Method, why: str, release_ids: Sequence[str], score: float) -> Alias:
    candidates = tuple(Candidate(release_id, score) for release_id in release_ids)
    return replace(alias, method=method, evidence=why, status=Status.PENDING, candidates=candidates)


def _turned_down(alias: Alias, decision: Decision) -> Alias:
    return replace(
        alias,
        method=Method.DECISION,
        evidence=decision.evidence,
        status=Status.REJECTED,
        decided_at=decision.decided_at,
    )


def _without_borrowed_links(
    found: Mapping[tuple[str, str], tuple[ModelName, Alias]], catalogue: Catalogue
) -> Iterable[Alias]:
    """Leave a repository to the names of its own family where a source links it for another, too (Phi-3, Phi-3.1)."""
    own: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (source, _), (row, alias) in found.items():
        if alias.release_id and _is_own(row, catalogue.releases[alias.release_id]):
            own[source, alias.release_id].add(row.raw_name)
    for (source, raw_name), (_, alias) in found.items():
        owners = own.get((source, alias.release_id or ""), set())
        if alias.method == Method.HUGGING_FACE and alias.release_id and owners and raw_name not in owners:
            why = f"{alias.evidence} is also linked for {min(owners)!r}, whose name it has"
            release_ids, pending = [alias.release_id], replace(alias, release_id=None)
            yield _pending(pending, Method.HUGGING_FACE, why, release_ids, 100.0)
        else:
            yield alias


def _is_own(row: ModelName, release: Release) -> bool:
    own = take_apart(row.raw_name)
    others = [other for other in map(take_apart, release.names) if other.n2 == own.n2]
    return any(
        bool(own.dates) == bool(other.dates) and (not own.dates or dates_agree(own.dates, other.dates))
        for other in others
    )


def _made(names: Mapping[str, Sequence[ModelName]], resolver: Resolver) -> list[Release]:
    """Releases that several sources name alike and no catalogue lists."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[str, ModelName]]] = defaultdict(list)
    for source, rows in names.items():
        for row in rows if source not in (OPENROUTER, MODELS_DEV) else ():
            name = take_apart(row.raw_name)
            if _is_unheard_of(row, name, resolver):
                key = name.bare_key if resolver.is_setting(name) else name.key
                groups[key, tuple(sorted(day.text for day in name.dates))].append((source, row))
    made = []
    for _, group in sorted(groups.items()):
        rows = sorted((row for _, row in group), key=lambda row: row.raw_name)
        makers = {_vendor(row) for row in rows} - {""}
        if len({source for source, _ in group}) >= SOURCES_TO_MAKE and len(makers) <= 1:
            made.append(_release_of(rows, min(makers, default=""), resolver))
    return made


def _is_unheard_of(row: ModelName, name: Name, resolver: Resolver) -> bool:
    """Whether neither links nor names lead anywhere, and the name is not a known one with a word more."""
    if row.hugging_face_id or row.openrouter_id or row.models_dev_id or row.is_system or name.is_several:
        return False
    found = resolver.find(name, _vendor(row), row.released_on)
    is_variant = bool(name.possible) and resolver.knows(name.bare_key)
    return found.release_id is None and not is_variant and found.doubt in (Doubt.UNKNOWN, Doubt.DATES)


def _release_of(rows: Sequence[ModelName], maker: str, resolver: Resolver) -> Release:
    """A release with the plainest of its names: n1, without configuration."""
    names = [take_apart(row.raw_name) for row in rows]
    plain = [name.n1 for name in names if not name.config and not resolver.is_setting(name)]
    first = names[0]
    words = first.stem[:-1] if resolver.is_setting(first) else first.stem
    text = min(plain or [normalised("-".join((*words, *(day.text for day in first.dates))))])
    vendor = maker or FAMILY_VENDORS.get(words[0], "")
    release_id = resolver.catalogue.respelled(f"{vendor or 'unknown'}/{text}")
    return made_release(release_id, text, vendor, rows)


def _vendor(row: ModelName) -> str:
    return vendor_key(row.organisation) if row.organisation else take_apart(row.raw_name).vendor


def _of_listed_release(decision: Decision, catalogue: Catalogue) -> Decision:
    """A decision on the release that its id leads to, where a catalogue has come to list or write it otherwise."""
    if decision.release_id in catalogue.releases:
        return decision
    links = (catalogue.openrouter, catalogue.models_dev, catalogue.hugging_face)
    known_as = decision.release_id.lower()
    meant = {table[known_as] for table in links if known_as in table}
    if len(meant) == 1:
        return replace(decision, release_id=meant.pop())
    return replace(decision, release_id=catalogue.respelled(decision.release_id)) if decision.release_id else decision


def _decided(decisions: Iterable[Decision]) -> list[Release]:
    accepted = sorted({one.release_id for one in decisions if one.status == Status.ACCEPTED})
    return [made_release(one, one, vendor_key(one.split("/")[0]) if "/" in one else "") for one in accepted]


def _texts(row: ModelName) -> list[str]:
    """What a source calls a model: its key first."""
    return [row.raw_name, *sorted(row.others), *([untitled(row.title)] if row.title else [])]


def _config(config: Config, row: ModelName) -> str:
    """Settings that the name states, then those of its title that the name leaves out, then the source's own words."""
    title = take_apart(untitled(row.title))
    shown = dict(title.config) if title.n2 == take_apart(row.raw_name).n2 else {}
    settings = [f"{key}={value}" for key, value in sorted({**shown, **dict(config)}.items())]
    return ", ".join([*settings, *([row.config] if row.config else [])])


def _refuse_twice(names: Mapping[str, Sequence[ModelName]]) -> None:
    twice = [
        f"{source}: {raw_name!r}"
        for source, rows in sorted(names.items())
        for raw_name, n in sorted(_counts(row.raw_name for row in rows).items())
        if n > 1
    ]
    if twice:
        raise ValueError(f"raw names that a source lists twice: {'; '.join(twice)}; a parser lists each once")


def _counts(texts: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for text in texts:
        counts[text] += 1
    return counts
