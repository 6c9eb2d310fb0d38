"""The catalogue of releases: every model that a catalogue lists or a published link names, once, with all its names.

OpenRouter's models come first, then the base models of models.dev, then Hugging Face repositories that any source links
to, then what several sources name alike. Efforts, offers (``:free``) and quantisations are configurations of one
release; dates and variants (``-instruct``, ``-exp``, ``-0528``) make another.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from pipeline.rankings.identity.dates import NameDate
from pipeline.rankings.identity.names import Name, normalised, take_apart, vendor_key
from pipeline.rankings.identity.vocabulary import VARIANTS
from pipeline.rankings.results import ModelName

OPENROUTER, MODELS_DEV = "openrouter", "modelsdev"
"""The sources that are catalogues: their own rows state releases, and their links join them."""

NEAR_DAYS = 30
"""A snapshot carries a day up to so far from the release's: ``claude-opus-4-5-20251101``, released on 24 November."""


_PLAIN = VARIANTS | {"v1"}
"""Words that a title may lack and still mean one model: ``Gemma 3 27B`` of ``gemma-3-27b-it``."""


@dataclass(frozen=True)
class Release:
    """A model as it was released once.

    Parameters
    ----------
    release_id : str
        ``vendor/model``: OpenRouter's canonical slug (its id where the slug says something else), else models.dev's
        id, else the Hugging Face id in lower case, else a made one, ``vendor/n1``. Those of models.dev and made ones
        write the maker as OpenRouter does: ``x-ai``, not ``xai``.
    family : str
        ``vendor/family``, which releases of other dates and variants share.
    vendor : str
        The maker's key; empty if nobody says.
    names : tuple of str
        What the catalogues call it by id, sorted.
    titles : tuple of str
        What they show; weaker than names.
    hugging_face_id, openrouter_id, models_dev_id : str
        Empty where there is none.
    released_on : date or None
        In a catalogue that is being built, what its own rows say: names are told apart by it.
    open_weights : bool or None
        None where nobody says, or as many say the one as the other.
    released_evidence, weights_evidence : str
        Who states these, and who states otherwise; empty where nobody does.
    is_made : bool
        No catalogue lists it: several sources name it alike, or a person decided for it.
    """

    release_id: str
    family: str
    vendor: str
    names: tuple[str, ...]
    titles: tuple[str, ...] = ()
    hugging_face_id: str = ""
    openrouter_id: str = ""
    models_dev_id: str = ""
    released_on: date | None = None
    open_weights: bool | None = None
    released_evidence: str = ""
    weights_evidence: str = ""
    is_made: bool = False


@dataclass
class _Draft:
    """A release while it is put together."""

    release_id: str
    vendor: str
    names: set[str]
    titles: set[str] = field(default_factory=set)
    rows: list[ModelName] = field(default_factory=list)
    hugging_face_id: str = ""
    openrouter_ids: set[str] = field(default_factory=set)
    models_dev_ids: set[str] = field(default_factory=set)
    repositories: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Catalogue:
    """Releases, and where published links lead.

    Parameters
    ----------
    releases : mapping of str to Release
        By id, sorted.
    hugging_face, openrouter, models_dev : mapping of str to str
        Release ids by id there, in lower case; a link that could mean several releases is left out.
    """

    releases: Mapping[str, Release]
    hugging_face: Mapping[str, str]
    openrouter: Mapping[str, str]
    models_dev: Mapping[str, str]

    def respelled(self, release_id: str) -> str:
        """An id with its maker as OpenRouter writes it most often; as it is where that is another release's."""
        found = _respelled(release_id, _spellings(self.openrouter))
        return release_id if found in self.releases else found

    def extended(self, releases: Iterable[Release]) -> "Catalogue":
        """The same with further releases, which no link leads to; those that are there already stay as they are."""
        further = {release.release_id: release for release in releases}
        return replace(self, releases=dict(sorted({**further, **self.releases}.items())))


def build_catalogue(names: Mapping[str, Sequence[ModelName]]) -> Catalogue:
    """Build the catalogue out of what all sources say.

    Parameters
    ----------
    names : mapping of str to sequence of ModelName
        By source. Rows of ``openrouter`` have the id as raw name (or ``openrouter_id``) and the canonical slug among
        ``others``; ids that begin with ``~`` are aliases of their ``openrouter_id``. Rows of ``models_dev`` name their
        base model by ``models_dev_id``, and OpenRouter's id of it where they know one.
    """
    builder = _Builder()
    builder.add_openrouter(_sorted(names.get(OPENROUTER, ())))
    builder.add_models_dev(_sorted(names.get(MODELS_DEV, ())))
    builder.add_repositories(_sorted(row for rows in names.values() for row in rows if not row.is_system))
    return builder.catalogue()


def made_release(release_id: str, name: str, vendor: str, rows: Sequence[ModelName] = ()) -> Release:
    """A release that no catalogue lists."""
    released = [row.released_on for row in rows if row.released_on]
    return Release(
        release_id=release_id,
        family=f"{vendor or 'unknown'}/{take_apart(name).family}",
        vendor=vendor,
        names=(name,),
        released_on=min(released, default=None),
        is_made=True,
    )


def untagged(openrouter_id: str) -> str:
    """An id of OpenRouter without its offer: ``:free``, ``:thinking``."""
    return openrouter_id.lower().split(":")[0]


def untitled(title: str) -> str:
    """A title without the maker in front: ``Google: Gemma 3 27B``."""
    return title.split(": ", 1)[-1]


class _Builder:
    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}
        self._by_key: dict[str, list[_Draft]] = defaultdict(list)
        self._aliases: dict[str, str] = {}

    def add_openrouter(self, rows: Sequence[ModelName]) -> None:
        groups: dict[str, list[ModelName]] = defaultdict(list)
        for row in rows:
            if row.raw_name.startswith("~"):
                self._aliases[row.raw_name.lower()] = untagged(row.openrouter_id)
            else:
                groups[untagged(row.openrouter_id or row.raw_name)].append(row)
        # Ids without configuration first, so that those with (o3-mini-high) find theirs.
        for openrouter_id in sorted(groups, key=lambda one: (bool(take_apart(one).config), one)):
            own = groups[openrouter_id]
            canonical = _canonical(openrouter_id, own)
            draft = self._openrouter_draft(openrouter_id, canonical)
            draft.openrouter_ids.update({openrouter_id, canonical})
            draft.rows += own
            for repository in sorted({row.hugging_face_id for row in own if row.hugging_face_id}):
                self._attach(draft, repository)
            if not take_apart(openrouter_id).config:
                titles = {untitled(row.title) for row in own if row.title}
                draft.titles.update(title for title in titles if not _says_less(title, draft.names))

    def _openrouter_draft(self, openrouter_id: str, canonical: str) -> _Draft:
        if take_apart(openrouter_id).config:
            same = self._alike(openrouter_id, vendor_key(openrouter_id.split("/")[0]))
            if same is not None:
                return same
        if _says_more(openrouter_id, canonical):
            return self._new(canonical, {openrouter_id, canonical})
        return self._new(openrouter_id, {openrouter_id})

    def add_models_dev(self, rows: Sequence[ModelName]) -> None:
        groups: dict[str, list[ModelName]] = defaultdict(list)
        for row in rows:
            if row.models_dev_id:
                groups[row.models_dev_id.lower()].append(row)
        spellings = _spellings(self._drafts)
        owners = {one: draft for draft in self._drafts.values() for one in draft.openrouter_ids}
        for models_dev_id in sorted(groups):
            own = groups[models_dev_id]
            stated = {id(owners[one]): owners[one] for row in own if (one := untagged(row.openrouter_id)) in owners}
            vendor = vendor_key(models_dev_id.split("/")[0])
            alike = self._alike(models_dev_id, vendor) or self._near(models_dev_id, vendor)
            # A statement is taken where it is the only one; where several offers are called one, the name decides.
            draft = alike or (next(iter(stated.values())) if len(stated) == 1 else None)
            respelled = _respelled(models_dev_id, spellings)
            release_id = models_dev_id if respelled in self._drafts else respelled
            draft = draft or self._new(release_id, {models_dev_id})
            draft.models_dev_ids.add(models_dev_id)
            draft.rows += [row for row in own if row.raw_name.lower() == models_dev_id]
            self._name(draft, models_dev_id)

    def add_repositories(self, rows: Sequence[ModelName]) -> None:
        stated = {one.lower() for draft in self._drafts.values() for one in draft.repositories}
        linked: dict[str, list[ModelName]] = defaultdict(list)
        for row in rows:
            if row.hugging_face_id and row.hugging_face_id.lower() not in stated:
                linked[row.hugging_face_id.lower()].append(row)
        for lower, own in sorted(linked.items()):
            repository = min(row.hugging_face_id for row in own)
            alike = self._alike(repository, vendor_key(repository.split("/")[0]))
            draft = alike or self._new(lower, {repository})
            self._attach(draft, repository)
            draft.rows += own if alike is None else ()

    def catalogue(self) -> Catalogue:
        releases = {draft.release_id: _release(draft) for draft in self._drafts.values()}
        openrouter = _unique((one, draft.release_id) for draft in self._drafts.values() for one in draft.openrouter_ids)
        openrouter |= {alias: openrouter[target] for alias, target in self._aliases.items() if target in openrouter}
        return Catalogue(
            releases=dict(sorted(releases.items())),
            hugging_face=_unique(
                (one.lower(), draft.release_id) for draft in self._drafts.values() for one in draft.repositories
            ),
            openrouter=openrouter,
            models_dev=_unique(
                (one, draft.release_id) for draft in self._drafts.values() for one in draft.models_dev_ids
            ),
        )

    def _new(self, release_id: str, names: Iterable[str]) -> _Draft:
        draft = _Draft(release_id.lower(), vendor_key(release_id.split("/")[0]), set())
        self._drafts[draft.release_id] = draft
        for name in names:
            self._name(draft, name)
        return draft

    def _name(self, draft: _Draft, name: str) -> None:
        draft.names.add(name)
        key = take_apart(name).key
        if draft not in self._by_key[key]:
            self._by_key[key].append(draft)

    def _attach(self, draft: _Draft, repository: str) -> None:
        draft.repositories.add(repository)
        draft.hugging_face_id = draft.hugging_face_id or repository
        self._name(draft, repository)

    def _alike(self, text: str, vendor: str) -> _Draft | None:
        """The only release of a maker whose name has the same key and the same dates, or neither has any."""
        name = take_apart(text)
        found = [
            draft
            for draft in self._by_key.get(name.key, ())
            if draft.vendor == vendor and any(_same_dates(name, take_apart(other)) for other in draft.names)
        ]
        return found[0] if len(found) == 1 else None

    def _near(self, text: str, vendor: str) -> _Draft | None:
        """The only release of a maker and key, if it also goes by a name without date and came out near this date."""
        name = take_apart(text)
        found = [draft for draft in self._by_key.get(name.key, ()) if draft.vendor == vendor]
        if len(found) != 1 or not name.dates:
            return None
        released = min((row.released_on for row in found[0].rows if row.released_on), default=None)
        is_undated = any(other.key == name.key and not other.dates for other in map(take_apart, found[0].names))
        is_near = released is not None and all(day.days_from(released) <= NEAR_DAYS for day in name.dates)
        return found[0] if is_undated and is_near else None


def _same_dates(name: Name, other: Name) -> bool:
    if name.key != other.key or bool(name.dates) != bool(other.dates):
        return False
    return not name.dates or dates_agree(name.dates, other.dates)


def dates_agree(dates: Sequence[NameDate], others: Sequence[NameDate]) -> bool:
    """Whether some date of each is the same day, as far as they say."""
    return any(one.agrees(two) for one in dates for two in others)


def _says_more(openrouter_id: str, canonical: str) -> bool:
    """Whether a canonical slug names the same model at least as closely.

    It does not for ``z-ai/glm-4.6v``, which has ``z-ai/glm-4.6-20251208``, or where both state different days.
    """
    plain, slug = take_apart(openrouter_id), take_apart(canonical)
    both_dated = plain.dates and slug.dates
    return set(plain.stem) <= set(slug.stem) and not (both_dated and not dates_agree(plain.dates, slug.dates))


def _says_less(title: str, names: Iterable[str]) -> bool:
    """Whether a title lacks words that tell models apart: ``Granite 4.0 Micro`` of ``granite-4.0-h-micro``."""
    words = set(take_apart(title).stem)
    return all(words < set(take_apart(name).stem) - _PLAIN for name in names)


def _canonical(openrouter_id: str, rows: Sequence[ModelName]) -> str:
    slugs = [other.lower() for row in rows for other in row.others if "/" in other and " " not in other]
    return min(slugs, key=lambda slug: (slug.split("/")[0] != openrouter_id.split("/")[0], slug), default=openrouter_id)


def _release(draft: _Draft) -> Release:
    name = take_apart(min(draft.names, key=lambda one: (len(take_apart(one).stem), len(one), one)))
    released = [row.released_on for row in draft.rows if row.released_on]
    openrouter_ids = {untagged(row.openrouter_id or row.raw_name) for row in draft.rows} & draft.openrouter_ids
    return Release(
        release_id=draft.release_id,
        family=f"{draft.vendor}/{name.family}",
        vendor=draft.vendor,
        names=tuple(sorted(draft.names)),
        titles=tuple(sorted(draft.titles)),
        hugging_face_id=draft.hugging_face_id,
        openrouter_id=min(openrouter_ids, key=lambda one: (len(one), one), default=""),
        models_dev_id=min(draft.models_dev_ids, key=lambda one: (len(one), one), default=""),
        released_on=min(released, default=None),
    )


def _spellings(openrouter_ids: Iterable[str]) -> dict[str, str]:
    """How OpenRouter writes each maker, by its key: of several ways the most frequent."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in openrouter_ids:
        written = one.partition("/")[0]
        counts[vendor_key(written)][written] += 1
    return {vendor: min(found, key=lambda one: (-found[one], one)) for vendor, found in counts.items()}


def _respelled(release_id: str, spellings: Mapping[str, str]) -> str:
    written, slash, model = release_id.partition("/")
    return f"{spellings.get(vendor_key(written), written)}{slash}{model}"


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for link, release_id in pairs:
        found[link].add(release_id)
    return {link: min(releases) for link, releases in sorted(found.items()) if len(releases) == 1}


def _sorted(rows: Iterable[ModelName]) -> list[ModelName]:
    return sorted(rows, key=lambda row: (row.raw_name, normalised(row.title), row.hugging_face_id, row.models_dev_id))
