"""OpenRouter: prices in text per token, routers, offers, aliases, indices that it repeats, pages."""

from collections import Counter
from datetime import date, datetime

import pytest

from pipeline.rankings import SourceError
from pipeline.rankings.sources.openrouter import ROUTED, OpenRouter
from pipeline_tests.rankings.sources.catalogues import fetched, figures, flags, left_out, named, packed, shared

ROUTER = {"tokenizer": "Router"}
MODELS = [
    {
        "id": "acme/rocket-2",
        "canonical_slug": "acme/rocket-2-20260301",
        "hugging_face_id": "Acme/Rocket-2",
        "name": "Acme: Rocket 2",
        "created": 1772323200,
        "context_length": 200000,
        "pricing": {
            "prompt": "0.0000006000000000000001",
            "completion": "0.0000024",
            "input_cache_read": "0.00000006",
            "overrides": [{"min_prompt_tokens": 128000, "prompt": "0.0000012"}],
        },
        "top_provider": {"context_length": 131072, "max_completion_tokens": None},
        "expiration_date": "2026-12-31",
        "benchmarks": {
            "design_arena": [{"elo": 1200}],
            "artificial_analysis": {"intelligence_index": 41.5, "coding_index": None},
        },
    },
    {
        "id": "acme/rocket-2:free",
        "canonical_slug": "acme/rocket-2-20260301",
        "hugging_face_id": "",
        "created": 1772323100,
        "context_length": 32000,
        "pricing": {"prompt": "0", "completion": "0"},
        "expiration_date": "2098-12-31",
    },
    {
        "id": "~acme/rocket-latest",
        "canonical_slug": "~acme/rocket-latest",
        "alias_target": {"slug": "acme/rocket-2", "name": "Acme: Rocket 2"},
        "architecture": ROUTER,
        "pricing": {"prompt": "0.0000006", "completion": "0.0000024"},
    },
    {
        "id": "openrouter/any",
        "architecture": ROUTER,
        "context_length": 0,
        "pricing": {"prompt": "-1", "completion": "-1"},
    },
    {"id": "acme/songs", "pricing": {"prompt": "0", "completion": "0"}},
]
LISTING = {"data": MODELS, "total_count": 5, "links": {"next": None}}


def test_prices_are_dollars_per_million_and_limits_are_tokens() -> None:
    parsed = OpenRouter().parse({"openrouter_models_001.json": packed(LISTING)})
    assert figures(parsed, "acme/rocket-2") == {
        "price.input": 0.6,
        "price.output": 2.4,
        "price.cache_read": 0.06,
        "context.context_length": 200000,
        "context.context_length, top_provider": 131072,
        "context.max_output": "not_published",
        "artificial_analysis.intelligence_index": 41.5,
        "artificial_analysis.coding_index": "not_published",
    }
    repeated = {result.channel for result in parsed.results if result.benchmark == "artificial_analysis"}
    assert repeated == {"openrouter"}
    assert parsed.updated_at == datetime(2026, 3, 1)
    assert parsed.unread == ()
    assert parsed.facts == {"models": "5", "models whose ratings of Design Arena are left out": "1"}


def test_a_tier_an_end_and_an_offer_are_flagged() -> None:
    parsed = OpenRouter().parse({"openrouter_models_001.json": packed(LISTING)})
    assert flags(parsed, "acme/rocket-2") == {("deprecated", "tiered"), ("deprecated",)}
    # An end in 2098 announces nothing.
    assert flags(parsed, "acme/rocket-2:free") == {("free_offer",)}
    assert figures(parsed, "acme/rocket-2:free")["price.input"] == 0
    assert flags(parsed, "~acme/rocket-latest") == {("alias",)}


def test_a_router_and_a_zero_have_no_price() -> None:
    parsed = OpenRouter().parse({"openrouter_models_001.json": packed(LISTING)})
    assert figures(parsed, "openrouter/any") == {
        "price.input": ROUTED,
        "price.output": ROUTED,
        "context.context_length": "zero_means_missing",
    }
    assert figures(parsed, "acme/songs") == {"price.input": "zero_means_missing", "price.output": "zero_means_missing"}


def test_names_carry_the_links_that_are_published() -> None:
    parsed = OpenRouter().parse({"openrouter_models_001.json": packed(LISTING)})
    model = named(parsed, "acme/rocket-2")
    assert (model.hugging_face_id, model.openrouter_id, model.organisation) == (
        "Acme/Rocket-2",
        "acme/rocket-2",
        "acme",
    )
    assert model.others == ("acme/rocket-2-20260301",)
    offer = named(parsed, "acme/rocket-2:free")
    assert (offer.openrouter_id, offer.config, offer.family) == ("acme/rocket-2", "free", "acme/rocket-2")
    alias = named(parsed, "~acme/rocket-latest")
    assert (alias.openrouter_id, alias.organisation, alias.is_system) == ("acme/rocket-2", "acme", False)
    assert named(parsed, "openrouter/any").is_system


def test_pages_are_followed_by_their_links_and_read_together() -> None:
    first = {"data": MODELS[:3], "total_count": 5, "links": {"next": "/api/v1/models?offset=3"}}
    second = {"data": MODELS[3:], "total_count": 5, "links": {"next": None}}
    asked = []

    def answer(wanted) -> bytes:
        asked.append(wanted.url)
        return packed(first if len(asked) == 1 else second)

    documents = fetched(OpenRouter(), answer)
    assert asked == ["https://openrouter.ai/api/v1/models", "https://openrouter.ai/api/v1/models?offset=3"]
    assert len(OpenRouter().parse(documents).names) == 5
    with pytest.raises(SourceError, match=r"openrouter_models_001.json: says total_count 5; .* hold 3 models"):
        OpenRouter().parse({"openrouter_models_001.json": documents["openrouter_models_001.json"]})


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://elsewhere.example/models", "openrouter_models_001.json: links.next is .*elsewhere"),
        ("http://openrouter.ai/api/v1/models?offset=3", "links.next is"),
        ("https://openrouter.ai/api/v1/models", "a page already read"),
        ("//[", "links.next is"),
        (7, "wanted a link under links.next, has 7"),
    ],
)
def test_a_link_elsewhere_or_back_is_an_error(link: object, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        fetched(OpenRouter(), lambda wanted: packed({"data": [], "links": {"next": link}}))


def test_a_listing_without_end_is_an_error() -> None:
    pages = iter(range(1000))
    with pytest.raises(SourceError, match="more than 3 pages"):
        fetched(OpenRouter(most_pages=3), lambda wanted: packed({"links": {"next": f"?offset={next(pages)}"}}))


def test_broken_rows_are_noted_and_the_rest_is_read() -> None:
    broken = [
        "text",
        {"name": "no id"},
        MODELS[0],
        MODELS[0],
        {"id": "acme/odd", "pricing": {"prompt": "cheap", "completion": "-0.5"}, "context_length": -1, "benchmarks": 3},
        {"id": "acme/\ud800", "pricing": {"prompt": "0.1"}},
    ]
    parsed = OpenRouter().parse({"openrouter_models_001.json": packed({"data": broken})})
    assert [name.raw_name for name in parsed.names] == ["acme/rocket-2", "acme/odd"]
    assert left_out(parsed) == {
        "model 0": "'text' is no object",
        "model 1": "'' is no name",
        "acme/rocket-2": "'acme/rocket-2' is listed already; the first counts",
        "acme/odd, pricing, prompt": "'cheap' is no number",
        "acme/odd, pricing, completion": "'-0.5' is no price",
        "acme/odd, context_length": "-1 is not from 0 to 1e+10",
        "acme/odd, benchmarks": "3 is no object",
        "acme/\\ud800, id": "'acme/\\ud800' is no name: too long, or with characters that are none",
        "acme/\\ud800": "'' is no name",
    }


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ({"other.json": b"{}"}, r"no document openrouter_models.json; there are: other.json"),
        ({"openrouter_models_001.json": b"<!doctype html>"}, "openrouter_models_001.json: not JSON"),
        ({"openrouter_models_001.json": b"[]"}, "openrouter_models_001.json: the document should be an object"),
        ({"openrouter_models_001.json": b'{"error": 1}'}, r"should have a list 'data'; it has \['error'\]"),
        ({"openrouter_models_001.json": b'{"data": []}'}, "openrouter_models_001.json: no figure of any model"),
    ],
)
def test_a_document_that_is_no_listing_is_an_error(documents: dict[str, bytes], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        OpenRouter().parse(documents)


def test_the_listing_of_august_2026_has_what_was_counted_in_it() -> None:
    parsed = OpenRouter().parse(shared("openrouter"))
    names = parsed.names
    assert len(names) == 336
    assert sum(bool(name.hugging_face_id) for name in names) == 152
    assert sum(name.raw_name.endswith(":free") for name in names) == 14
    assert sum(name.raw_name.startswith("~") for name in names) == 10
    assert {name.openrouter_id for name in names if name.raw_name.startswith("~")} <= {name.raw_name for name in names}
    inputs = [result for result in parsed.results if (result.benchmark, result.measure) == ("price", "input")]
    assert Counter(result.reason for result in inputs) == {None: 328, ROUTED: 5, "zero_means_missing": 3}
    assert Counter(result.value for result in inputs if "free_offer" in result.flags) == {0: 14}
    assert sum("tiered" in result.flags for result in inputs) == 44
    assert sum("deprecated" in result.flags for result in inputs) == 3
    indexed = {result.raw_name for result in parsed.results if result.channel == "openrouter"}
    assert len(indexed) == 117
    assert parsed.unread == ()


def test_a_model_is_of_the_day_on_which_it_was_listed_and_an_alias_of_none():
    parsed = OpenRouter().parse({"openrouter_models_001.json": packed(LISTING)})
    days = {name.raw_name: name.released_on for name in parsed.names}
    assert days["acme/rocket-2"] == date(2026, 3, 1)
    assert days["~acme/rocket-latest"] is None
    assert days["acme/songs"] is None
