"""Who is who, as tables: releases, what each name means, and the names that a person may decide on."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from pipeline.rankings.identity import MODELS_DEV, OPENROUTER, Alias, Identity, Release, Status
from pipeline.rankings.identity.aliases import Method
from pipeline.rankings.identity.catalogue import dates_agree, untitled
from pipeline.rankings.identity.names import Name, take_apart, vendor_key
from pipeline.rankings.results import ModelName
from pipeline.rankings.stages.choosing import NO_MODEL
from pipeline.rankings.stages.frames import frame_of, frame_of_rows
from pipeline.rankings.stages.published import Published
from pipeline.tables import LLM_ALIASES, LLM_MODELS, LLM_UNMATCHED

_CATALOGUES = (OPENROUTER, MODELS_DEV)
_Names = Mapping[tuple[str, str], ModelName]


def model_rows(identity: Identity, published: Sequence[Published]) -> pd.DataFrame:
    """Rows of ``llm.models``: one per release of the catalogue.

    A release is shown as OpenRouter titles it, else as models.dev does, without the maker and the configuration. Else
    it is shown as its repository is called, where that has capitals, else as a board writes the same name with
    capitals, else as its id says. A maker is written as most sources do, with capitals where any has.
    """
    names = _names(published)
    titles, written = _titles(identity, names), _written(identity, names)
    makers = _makers(names.values())
    return frame_of_rows(
        LLM_MODELS,
        [
            {
                "model": release.release_id,
                "title": titles.get(release.release_id) or _own_title(release, written[release.release_id]),
                "organisation": makers.get(release.vendor, release.vendor),
                "family": release.family,
                "released_on": release.released_on,
                "open_weights": release.open_weights,
                "released_evidence": release.released_evidence,
                "weights_evidence": release.weights_evidence,
                "hugging_face_id": release.hugging_face_id,
                "openrouter_id": release.openrouter_id,
                "models_dev_id": release.models_dev_id,
                "is_made": release.is_made,
            }
            for release in identity.catalogue.releases.values()
        ],
    )


def alias_rows(identity: Identity, published: Sequence[Published]) -> pd.DataFrame:
    """Rows of ``llm.aliases``: one per source and name of a model."""
    names = _names(published)
    return frame_of_rows(
        LLM_ALIASES, [_alias_row(alias, names[alias.source, alias.raw_name]) for alias in identity.aliases]
    )


def unmatched_rows(aliases: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``llm.unmatched``: names of single models that mean no release yet, those of most figures first.

    Parameters
    ----------
    aliases, results : pandas.DataFrame
        Rows of those tables.
    """
    open_names = aliases[(aliases["status"] != Status.ACCEPTED.value) & ~aliases["is_system"].astype(bool)]
    idle = results[results["left_out"].str.startswith(NO_MODEL).fillna(False).astype(bool)]
    counts = idle.groupby(["source", "raw_name"]).size()
    n_results = [int(counts.get((one.source, one.raw_name), 0)) for one in open_names.itertuples()]
    rows = open_names.assign(why=open_names["evidence"], n_results=n_results)
    rows = rows.sort_values(["n_results", "source", "raw_name"], ascending=[False, True, True], ignore_index=True)
    return frame_of(LLM_UNMATCHED, rows)


def _names(published: Iterable[Published]) -> _Names:
    return {(one.about.name, name.raw_name): name for one in published for name in one.parsed.names}


def _alias_row(alias: Alias, name: ModelName) -> dict[str, object]:
    return {
        "source": alias.source,
        "raw_name": alias.raw_name,
        "title": name.title,
        "organisation": name.organisation,
        "model": alias.release_id,
        "family": alias.family,
        "config": alias.config,
        "method": alias.method.value,
        "status": alias.status.value,
        "evidence": alias.evidence,
        "candidates": ", ".join(one.release_id for one in alias.candidates),
        "decided_at": alias.decided_at,
        "is_system": name.is_system or alias.method == Method.SYSTEM,
        "url": name.url,
    }


def _titles(identity: Identity, names: _Names) -> dict[str, str]:
    """By release the title of its plainest name in the first catalogue that has one; one that says it all, if any does.

    ``Gemini 3 Pro`` says less than ``gemini-3-pro-preview``, and is the title of another release.
    """
    keys = {release.release_id: _keys(release) for release in identity.catalogue.releases.values()}
    found: dict[str, list[tuple[int, bool, bool, int, str]]] = defaultdict(list)
    for alias in identity.aliases:
        title = untitled(names[alias.source, alias.raw_name].title)
        if alias.release_id and title and alias.source in _CATALOGUES and not alias.raw_name.startswith("~"):
            says_less = take_apart(title).key not in keys[alias.release_id] or title == title.lower()
            place = _CATALOGUES.index(alias.source)
            found[alias.release_id].append((place, bool(alias.config), says_less, len(title), title))
    return {release_id: min(titles)[-1] for release_id, titles in found.items()}


def _keys(release: Release) -> set[str]:
    return {take_apart(name).key for name in release.names}


def _written(identity: Identity, names: _Names) -> dict[str, list[str]]:
    """By release how sources write names that mean it, as they title them and as they list them."""
    found: dict[str, list[str]] = defaultdict(list)
    for alias in identity.aliases:
        if alias.release_id and not alias.raw_name.startswith("~"):
            found[alias.release_id] += [untitled(names[alias.source, alias.raw_name].title), alias.raw_name]
    return found


def _own_title(release: Release, written: Iterable[str]) -> str:
    """The name of a release that no catalogue titles: with capitals where its repository or anybody has them.

    Of the ways to write the same name, with the same date and no configuration, those in words come first.
    """
    own = (release.hugging_face_id or release.release_id).rsplit("/", 1)[-1]
    if own != own.lower():
        return own
    name = take_apart(own)
    same = [text for text in written if text != text.lower() and "/" not in text and _is_same(take_apart(text), name)]
    return min(same, key=lambda text: (" " not in text, len(text), text), default=own)


def _is_same(name: Name, other: Name) -> bool:
    """Whether a name says what another says, no more and no less."""
    if name.key != other.key or name.config or bool(name.dates) != bool(other.dates):
        return False
    return not name.dates or dates_agree(name.dates, other.dates)


def _makers(names: Iterable[ModelName]) -> dict[str, str]:
    """How to write a maker, by its key: as sources do, else as titles do, else as its repositories are owned."""
    spellings: dict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
    for name in names:
        in_title = name.title.partition(": ")[0] if ": " in name.title else ""
        said = (name.organisation, in_title, name.hugging_face_id.partition("/")[0])
        for place, text in enumerate(said):
            if text:
                spellings[vendor_key(text)][(2 if text == text.lower() else 0) + place, text] += 1
    return {
        vendor: min(counts, key=lambda one: (one[0], -counts[one], one[1]))[1] for vendor, counts in spellings.items()
    }
