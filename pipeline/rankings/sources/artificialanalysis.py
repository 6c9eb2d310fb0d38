"""Artificial Analysis: its intelligence, coding and agentic indices, medians of speed, and prices.

The API is paged and wants a key. Indices of two versions are on different scales. Every effort of a model is a row of
its own. A speed, a latency or a price of zero says that there is none. A dump of the API as it was before, of which
public copies exist, is read too and told apart by its channel: ``{slug: {speed, ttft, intelligence, coding}}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, SourceError, Wanted, Wanting, edition_of
from pipeline.rankings.sources.catalogue import Catalogue, no_document, pages, read_object
from pipeline.rankings.sources.reading import UnusableError, list_of, shown, text, versions

LEGACY = "legacy_api"
"""The channel of figures out of a dump of the API as it was until 2026."""

_STEM = "artificialanalysis"
_DUMP = "aa_models_legacy_api"
_INDICES = {
    "intelligence_index": "artificial_analysis_intelligence_index",
    "coding_index": "artificial_analysis_coding_index",
    "agentic_index": "artificial_analysis_agentic_index",
}
_SPEEDS = {
    "throughput_median": "median_output_tokens_per_second",
    "ttft_median": "median_time_to_first_token_seconds",
    "answer_ttft_median": "median_time_to_first_answer_token_seconds",
    "total_latency_median": "median_end_to_end_response_time_seconds",
}
_PRICES = {"input": "price_1m_input_tokens", "output": "price_1m_output_tokens"}
_LEGACY_FIELDS = {
    "intelligence": ("artificial_analysis", "intelligence_index"),
    "coding": ("artificial_analysis", "coding_index"),
    "speed": ("speed", "throughput_median"),
    "ttft": ("speed", "ttft_median"),
}
_HIGHEST_INDEX = 1000
_DEAREST = 1e6


@dataclass(frozen=True)
class ArtificialAnalysis:
    """The API of language models.

    Parameters
    ----------
    url : str
        The free endpoint; that of a paid key has the same pages.
    secret : str
        The name of the secret that the key is kept under.
    most_pages : int
        More than these are an error: a listing that never ends.
    """

    url: str = "https://artificialanalysis.ai/api/v2/language/models/free"
    secret: str = "artificialanalysis"  # noqa: S105 - a name, not a key
    most_pages: int = 50

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="artificialanalysis",
            title="Artificial Analysis",
            home="https://artificialanalysis.ai",
            licence="attribution on every tier; further redistribution by agreement",
            attribution="Indices and speeds: Artificial Analysis, https://artificialanalysis.ai",
            days=1,
            needs=self.secret,
            edition=edition_of(self, "url"),
        )

    def wanted(self) -> Wanting:
        """Page after page, for as long as there are more.

        Raises
        ------
        SourceError
            If a page is none, or there is no end of them.
        """
        for number in range(1, self.most_pages + 1):
            name = f"{_STEM}_{number:03}.json"
            body = yield Wanted(
                name,
                f"{self.url}?page={number}",
                content_types=("application/json",),
                header_settings={"x-api-key": self.secret},
            )
            if not _pagination(name, read_object(name, body), number)["has_more"]:
                return
        raise SourceError(f"{self.url}: more than {self.most_pages} pages of models")

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read all pages, the newest dump of the API as it was before, or both.

        Raises
        ------
        SourceError
            If there is neither, one is not what it should be, or a page is missing or of another version.
        """
        read, dumps = pages(documents, _STEM), versions(documents, _DUMP, "json")
        if not read and not dumps:
            raise no_document(f"{_STEM}_001.json or {_DUMP}.json", documents)
        catalogue, version = Catalogue(), ""
        for number, name in enumerate(read, start=1):
            page = read_object(name, documents[name])
            version = _checked_version(name, page, number, len(read), version)
            for place, each in enumerate(list_of(name, page, "data")):
                _gather(catalogue, name, f"model {place}", each)
        facts = {"models of the API": str(len(catalogue.names))}
        for name in dumps[-1:]:
            for slug, each in read_object(name, documents[name]).items():
                _gather_legacy(catalogue, name, slug, each)
            facts["dump"] = name
        return catalogue.parsed([*read, *dumps[-1:]], version=version, facts=facts)


def _pagination(document: str, page: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    found = page.get("pagination")
    if not isinstance(found, Mapping) or not isinstance(found.get("has_more"), bool):
        raise SourceError(
            f"{document}: wanted pagination with has_more, has {shown(found)}; the document has {shown(sorted(page))}"
        )
    if found.get("page") != number:
        raise SourceError(f"{document}: wanted page {number}, is page {shown(found.get('page'))}")
    return found


def _checked_version(document: str, page: Mapping[str, Any], number: int, pages: int, before: str) -> str:
    if _pagination(document, page, number)["has_more"] != (number < pages):
        raise SourceError(f"{document}: page {number} of {pages} that are there says has_more {number >= pages}")
    stated = page.get("intelligence_index_version")
    try:
        version = text(str(stated) if isinstance(stated, int | float) and not isinstance(stated, bool) else stated)
    except UnusableError as error:
        raise SourceError(f"{document}: no intelligence_index_version: {error}") from None
    if number > 1 and version != before:
        raise SourceError(f"{document}: is of version {version!r} of the index, the page before of {before!r}")
    return version


def _gather(catalogue: Catalogue, document: str, place: str, each: object) -> None:
    row = catalogue.row(document, place, each)
    if row is None:
        return
    slug, identifier = row.text("slug"), row.text("id")
    name = ModelName(
        slug,
        title=row.text("name"),
        organisation=row.inner("model_creator").text("name"),
        others=(identifier,) if identifier else (),
        released_on=row.day("release_date"),
        open_weights=row.inner("licensing").boolean("is_open_weights"),
        url=f"https://artificialanalysis.ai/models/{slug}",
    )
    if not catalogue.add_name(row, name):
        return
    evaluations, speeds, prices = row.inner("evaluations"), row.inner("performance"), row.inner("pricing")
    for measure, key in _INDICES.items():
        catalogue.add(
            row, slug, "artificial_analysis", measure, evaluations.figure(key, most=_HIGHEST_INDEX), url=name.url
        )
    for measure, key in _SPEEDS.items():
        catalogue.add(row, slug, "speed", measure, speeds.figure(key, zero_is_missing=True), url=name.url)
    for measure, key in _PRICES.items():
        figure = prices.figure(key, most=_DEAREST, zero_is_missing=True)
        catalogue.add(row, slug, "price", measure, figure, url=name.url)


def _gather_legacy(catalogue: Catalogue, document: str, slug: str, each: object) -> None:
    row = catalogue.row(document, slug, each)
    if row is None:
        return
    if set(row.values).isdisjoint(_LEGACY_FIELDS):
        row.refuse("", f"has none of {', '.join(_LEGACY_FIELDS)}; has {shown(sorted(row.values))}")
        return
    if not catalogue.takes(row, ModelName(slug)):
        return
    for key, (benchmark, measure) in _LEGACY_FIELDS.items():
        figure = row.figure(key, zero_is_missing=benchmark == "speed")
        catalogue.add(row, slug, benchmark, measure, figure, channel=LEGACY, flags=("legacy",))
