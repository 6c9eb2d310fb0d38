"""Who is who, as tables: releases, what each name means, and the names that a person may decide on."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from pipeline.rankings.identity import MODELS_DEV, OPENROUTER, Alias, Identity, Release, Status
from pipeline.rankings.identity.aliases import Method
from pipeline.rankings.identity.catalogue import untitled
from pipeline.rankings.identity.names import vendor_key
from pipeline.rankings.results import ModelName
from pipeline.rankings.stages.choosing import NO_MODEL
from pipeline.rankings.stages.frames import frame_of, frame_of_rows
from pipeline.rankings.stages.published import Published
from pipeline.tables import LLM_ALIASES, LLM_MODELS, LLM_UNMATCHED

_CATALOGUES = (OPENROUTER, MODELS_DEV)
_Names = Mapping[tuple[str, str], ModelName]


def model_rows(identity: Identity, published: Sequence[Published]) -> pd.DataFrame:
    """Rows of ``llm.models``: one per release of the catalogue.

    A release is shown as OpenRouter titles it, else as models.dev does, without the maker and the configuration; else
    as its repository or its id is called. A maker is written as most sources do, with capitals where any has.
    """
    names = _names(published)
    titles = _titles(identity, names)
    makers = _makers(names.values())
    return frame_of_rows(
        LLM_MODELS,
        [
            {
                "model": release.release_id,
                "title": titles.get(release.release_id) or _own_title(release),
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
    """By release the title of its plainest name in the first catalogue that has one."""
    found: dict[str, list[tuple[int, bool, int, str]]] = defaultdict(list)
    for alias in identity.aliases:
        title = untitled(names[alias.source, alias.raw_name].title)
        if alias.release_id and title and alias.source in _CATALOGUES and not alias.raw_name.startswith("~"):
            found[alias.release_id].append((_CATALOGUES.index(alias.source), bool(alias.config), len(title), title))
    return {release_id: min(titles)[-1] for release_id, titles in found.items()}


def _own_title(release: Release) -> str:
    return (release.hugging_face_id or release.release_id).rsplit("/", 1)[-1]


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
