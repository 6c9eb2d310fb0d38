"""LiteLLM's price file: what models cost and take at each provider, entered by hand and without dates.

The key is the model with its provider before it, so that one model has many rows. Dollars are per token. Where a price
depends on the length of the prompt, the price of the shortest is read and flagged. Rows of other modes than chat, such
as embedding, are left out; so is ``sample_spec``, which explains the others.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, Wanted, Wanting, edition_of
from pipeline.rankings.sources.catalogue import Catalogue, Fields, Figure, per_million, read_object
from pipeline.rankings.sources.reading import document_facts, newest

_STEM = "model_prices_and_context_window"
_MODES = ("chat", "completion", "responses")
_PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
}
_LIMITS = {"context_length": "max_input_tokens", "max_output": "max_output_tokens"}
_DEAREST = 1.0
_LONGEST = 1e10


@dataclass(frozen=True)
class LiteLLM:
    """The price file.

    Parameters
    ----------
    url : str
    """

    url: str = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="litellm",
            title="LiteLLM's price file",
            home="https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json",
            licence="MIT",
            attribution="Prices: BerriAI/litellm, MIT",
            days=2,
            edition=edition_of(self, "url"),
        )

    def wanted(self) -> Wanting:
        """The one file."""
        yield Wanted(f"{_STEM}.json", self.url)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read it; of several the newest.

        Raises
        ------
        SourceError
            If there is none, or it holds no price of any model.
        """
        document = newest(documents, _STEM, "json")
        catalogue, modes = Catalogue(), Counter[str]()
        for key, each in read_object(document, documents[document]).items():
            if key == "sample_spec":
                continue
            row = catalogue.row(document, key, each)
            if row is None:
                continue
            mode = row.text("mode") or "chat"
            modes[mode] += 1
            if mode in _MODES:
                _gather(catalogue, row, key)
        by_mode = ", ".join(f"{mode} {n}" for mode, n in sorted(modes.items()))
        return catalogue.parsed([document], facts={"rows by mode": by_mode} | document_facts(documents, "json", _STEM))


def _gather(catalogue: Catalogue, row: Fields, key: str) -> None:
    *prefix, model = key.split("/")
    name = ModelName(
        key,
        openrouter_id=key.removeprefix("openrouter/") if key.startswith("openrouter/") else "",
        others=(model,) if prefix and model else (),
    )
    if not catalogue.add_name(row, name):
        return
    flags = tuple(_flags(row))
    tier = _base_tier(row)
    for measure, field in _PRICES.items():
        price = _price(tier if tier.holds(field) and not row.holds(field) else row, field)
        catalogue.add(row, key, "price", measure, price, flags=flags)
    for measure, field in _LIMITS.items():
        tokens = row.figure(field, most=_LONGEST, zero_is_missing=True)
        catalogue.add(row, key, "context", measure, tokens, flags=flags)


def _flags(row: Fields) -> Iterator[str]:
    if row.holds("deprecation_date"):
        yield "deprecated"
    if row.holds("tiered_pricing") or any("_above_" in key and key.endswith("_tokens") for key in row.values):
        yield "tiered"


def _base_tier(row: Fields) -> Fields:
    """The tier of the shortest prompts; an empty one where there are no tiers."""
    tiers = [(_shortest(tier), number, tier) for number, tier in enumerate(row.rows("tiered_pricing"))]
    return min(tiers, key=lambda each: each[:2])[2] if tiers else replace(row, values={})


def _shortest(tier: Fields) -> float:
    span = tier.values.get("range")
    least = span[0] if isinstance(span, list) and span else None
    return float(least) if isinstance(least, int | float) and abs(least) < _LONGEST else _LONGEST


def _price(row: Fields, field: str) -> Figure | None:
    price = row.figure(field, most=_DEAREST, zero_is_missing=True)
    if price is None or price[0] is None:
        return price
    return per_million(price[0]), None
