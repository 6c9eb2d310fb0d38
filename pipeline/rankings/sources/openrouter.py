"""OpenRouter: prices and context of the models that it routes to, and indices of Artificial Analysis that it repeats.

One listing, in pages that link to the next. A price is text in US dollars per token; ``-1`` is what a router costs,
whose model is chosen later. ``:free`` is a rate-limited offer of a model and not its price. An alias such as
``~x/y-latest`` is today's name of another row. A model's day is that on which it was listed.
Ratings of Design Arena are left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, SourceError, Wanted, Wanting, edition_of
from pipeline.rankings.sources.catalogue import Catalogue, Fields, Figure, pages, per_million, read_object
from pipeline.rankings.sources.gathering import ZERO_MEANS_MISSING
from pipeline.rankings.sources.reading import document_facts, hugging_face_id, list_of, newest, shown

ROUTED = "routed"
"""Why a router has no price: the model that answers is chosen with each question."""

_STEM = "openrouter_models"
_PRICES = {"input": "prompt", "output": "completion", "cache_read": "input_cache_read"}
_INDICES = ("intelligence_index", "coding_index", "agentic_index")
_DEAREST = 1.0
_LONGEST = 1e10
# After the newest row: some expire in 2098, which announces nothing.
_ANNOUNCED = timedelta(days=3 * 365)


@dataclass(frozen=True)
class OpenRouter:
    """The public listing of models.

    Parameters
    ----------
    url : str
    most_pages : int
        More than these are an error: a listing that never ends.
    """

    url: str = "https://openrouter.ai/api/v1/models"
    most_pages: int = 50

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="openrouter",
            title="OpenRouter",
            home="https://openrouter.ai/models",
            attribution="Prices and context: OpenRouter",
            days=1,
            edition=edition_of(self, "url"),
        )

    def wanted(self) -> Wanting:
        """The first page, and the next for as long as one is linked, on the same host.

        Raises
        ------
        SourceError
            If a page is no listing, or links elsewhere, back or without end.
        """
        url, seen = self.url, set[str]()
        for number in range(1, self.most_pages + 1):
            seen.add(url)
            name = f"{_STEM}_{number:03}.json"
            body = yield Wanted(name, url, content_types=("application/json",))
            link = _next_link(name, read_object(name, body))
            if not link:
                return
            try:
                following = urljoin(url, link)
                same = urlsplit(following)[:2] == urlsplit(self.url)[:2]
            except ValueError:
                same = False
            if not same or following in seen:
                raise SourceError(f"{name}: links.next is {shown(link)}, which is elsewhere or a page already read")
            url = following
        raise SourceError(f"{self.url}: more than {self.most_pages} pages of models")

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read all pages of one listing, or the newest listing in one document.

        Raises
        ------
        SourceError
            If there is none, one is no listing, or they hold fewer or more models than the listing says it has.
        """
        read = pages(documents, _STEM) or (newest(documents, _STEM, "json"),)
        listings = {name: read_object(name, documents[name]) for name in read}
        listed = [(name, each) for name, page in listings.items() for each in list_of(name, page, "data")]
        for name, page in listings.items():
            total = page.get("total_count")
            if total is not None and total != len(listed):
                raise SourceError(
                    f"{name}: says total_count {shown(total)}; {', '.join(read)} hold {len(listed)} models"
                )
        catalogue = Catalogue()
        rows = [row for number, (name, each) in enumerate(listed) if (row := _row(catalogue, name, number, each))]
        created = [_created(row) for row in rows]
        last = max((at for at in created if at), default=None)
        for row, at in zip(rows, created, strict=True):
            _gather(catalogue, row, at, last)
        left = sum(_has_ratings(row) for row in rows)
        facts = {"models": str(len(rows)), "models whose ratings of Design Arena are left out": str(left)}
        if read[0] not in pages(documents, _STEM):
            facts |= document_facts(documents, "json", _STEM)
        return catalogue.parsed(read, updated_at=last, facts=facts)


def _next_link(document: str, page: Mapping[str, object]) -> str:
    links = page.get("links")
    link = links.get("next") if isinstance(links, Mapping) else None
    if link is not None and not isinstance(link, str):
        raise SourceError(f"{document}: wanted a link under links.next, has {shown(link)}")
    return link or ""


def _row(catalogue: Catalogue, document: str, number: int, each: object) -> Fields | None:
    model_id = each.get("id") if isinstance(each, Mapping) else None
    return catalogue.row(document, model_id if isinstance(model_id, str) else f"model {number}", each)


def _has_ratings(row: Fields) -> bool:
    benchmarks = row.values.get("benchmarks")
    return isinstance(benchmarks, Mapping) and bool(benchmarks.get("design_arena"))


def _created(row: Fields) -> datetime | None:
    seconds = row.number("created", least=0, most=4e9)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _gather(catalogue: Catalogue, row: Fields, created: datetime | None, last: datetime | None) -> None:
    name = _name(row, created)
    if not catalogue.add_name(row, name):
        return
    flags = tuple(_flags(row, name, last.date() if last else None))
    prices = row.inner("pricing")
    tiered = (*flags, "tiered") if prices.values.get("overrides") else flags
    for measure, key in _PRICES.items():
        price = _price(prices, key, is_offer=name.config == "free")
        catalogue.add(row, name.raw_name, "price", measure, price, flags=tiered)
    top = row.inner("top_provider")
    for fields, key, measure, config in (
        (row, "context_length", "context_length", ""),
        (top, "context_length", "context_length", "top_provider"),
        (top, "max_completion_tokens", "max_output", ""),
    ):
        tokens = fields.figure(key, most=_LONGEST, zero_is_missing=True)
        catalogue.add(row, name.raw_name, "context", measure, tokens, config=config, flags=flags)
    indices = row.inner("benchmarks").inner("artificial_analysis")
    for index in _INDICES:
        figure = indices.figure(index, most=1000)
        catalogue.add(row, name.raw_name, "artificial_analysis", index, figure, channel="openrouter", flags=flags)


def _name(row: Fields, created: datetime | None) -> ModelName:
    raw_name, canonical = row.text("id"), row.text("canonical_slug")
    model, _, variant = raw_name.partition(":")
    target = row.inner("alias_target").text("slug")
    return ModelName(
        raw_name,
        title=row.text("name"),
        organisation=model.lstrip("~").partition("/")[0],
        hugging_face_id=hugging_face_id(row.values.get("hugging_face_id")),
        openrouter_id=target or model,
        others=tuple(dict.fromkeys(other for other in (canonical, target) if other not in ("", raw_name))),
        config=variant,
        family=model if variant else "",
        released_on=created.date() if created and not target else None,
        is_system=not target and row.inner("architecture").text("tokenizer") == "Router",
        url=f"https://openrouter.ai/{model}",
    )


def _flags(row: Fields, name: ModelName, last: date | None) -> Iterator[str]:
    expires = row.day("expiration_date")
    if expires and last and expires - last <= _ANNOUNCED:
        yield "deprecated"
    if name.config == "free":
        yield "free_offer"
    if name.raw_name.startswith("~") or row.values.get("alias_target"):
        yield "alias"


def _price(prices: Fields, key: str, is_offer: bool) -> Figure | None:
    price = prices.figure(key, least=-1, most=_DEAREST)
    if price is None or price[0] is None:
        return price
    if price[0] == -1:
        return None, ROUTED
    if price[0] < 0:
        prices.refuse(key, f"{shown(prices.values[key])} is no price")
        return None
    if price[0] == 0 and not is_offer:
        return None, ZERO_MEANS_MISSING
    return per_million(price[0]), None
