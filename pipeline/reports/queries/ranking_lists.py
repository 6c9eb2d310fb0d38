"""Which models of a ranking are listed, in which order, and what is said of all of them together: pure functions."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from math import inf
from statistics import median
from typing import Any

from pipeline.rankings.identity import vendor_key
from pipeline.reports.queries.rankings import RankedModel, Ranking
from pipeline.reports.wrong import WrongInputError

FAST_BELOW, MEDIUM_BELOW = 1.0, 5.0
"""Seconds to the first token, the median: the ends of the tiers."""


class Tier(StrEnum):
    """How soon a model begins to answer; one whose time is not known is of no tier."""

    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"


TIERS: Mapping[Tier, str] = {
    Tier.FAST: f"below {FAST_BELOW:g} s",
    Tier.MEDIUM: f"{FAST_BELOW:g} to {MEDIUM_BELOW:g} s",
    Tier.SLOW: f"{MEDIUM_BELOW:g} s or more",
}
"""What the tiers are, in words: the median time to the first token."""

SORTS = (
    *("rank", "model", "title", "organisation", "released_on"),
    *("ability", "coding", "performance", "value", "overall"),
    *("ttft", "throughput", "quality", "price_input", "price_output", "price_blended", "context"),
    *("coverage", "n_benchmarks", "n_sources", "benchmarks_at", "performance_at", "prices_at"),
)
"""What lists are sorted by, besides every ``benchmark.measure`` that they show."""

MEDIANS = (
    *("ability", "coding", "performance", "value", "overall"),
    *("ttft", "throughput", "quality", "price_input", "price_output", "context"),
)
"""What the median of is told."""

_INPUT_TOKENS = 3
"""To one of output, in the blended price."""

Value = Any
"""Of a column, whatever its type; None sorts last."""


def tier_of(ttft: float | None) -> Tier | None:
    """The tier of a median time to the first token in seconds; None where it is not known."""
    if ttft is None:
        return None
    return Tier.FAST if ttft < FAST_BELOW else Tier.MEDIUM if ttft < MEDIUM_BELOW else Tier.SLOW


def blended_price(row: RankedModel) -> float | None:
    """US dollars per million tokens, three of input to one of output; None where either price is not known."""
    if row.price_input is None or row.price_output is None:
        return None
    return (_INPUT_TOKENS * row.price_input + row.price_output) / (_INPUT_TOKENS + 1)


@dataclass(frozen=True)
class Filters:
    """Which models are listed; None and empty let all through. What is not known of a model passes no filter on it.

    Parameters
    ----------
    max_price : float or None
        US dollars per million tokens of input.
    min_context : float or None
        Tokens.
    providers : sequence of str
        Makers, however they are written: as organisations, or as the part of ids before the slash (``deepseek-ai``).
    free, open_weights, ranked : bool or None
    min_composite : float or None
        Of the coding score.
    min_quality : float or None
    tier : Tier or None
    has_benchmarks : sequence of str
        Benchmarks, or ``benchmark.measure``, of all of which there are values.
    search : str
        In the id, the title or the organisation, whatever its case.
    """

    max_price: float | None = None
    min_context: float | None = None
    providers: Sequence[str] = ()
    free: bool | None = None
    open_weights: bool | None = None
    min_composite: float | None = None
    min_quality: float | None = None
    tier: Tier | None = None
    has_benchmarks: Sequence[str] = ()
    search: str = ""
    ranked: bool | None = None

    @property
    def are_any(self) -> bool:
        """Whether they may leave a model out."""
        return any(getattr(self, field.name) not in (None, "", (), []) for field in fields(self))


def listed(of: Ranking, filters: Filters) -> list[RankedModel]:
    """The models that pass all filters, in the order of display.

    Raises
    ------
    WrongInputError
        If nobody of the ranking is of a provider that is named, or no model has a benchmark that is named.
    """
    tests = [*_tests(filters), *_of_providers(of, filters.providers), *_of_benchmarks(of, filters.has_benchmarks)]
    return [row for row in of.rows if all(passes(row) for passes in tests)]


Test = Callable[[RankedModel], bool]


def plain(text: str) -> str:
    """Letters and digits of a name, for comparison: people who type ``gpt 5`` or ``gpt5`` mean ``GPT-5``."""
    return re.sub(r"[\W_]+", "", text.casefold())


def _tests(filters: Filters) -> Iterable[Test]:
    """The tests of what a row alone says."""
    wanted = plain(filters.search)
    if filters.max_price is not None:
        most = filters.max_price
        yield lambda row: row.price_input is not None and row.price_input <= most
    for name, least in (
        ("context", filters.min_context),
        ("coding", filters.min_composite),
        ("quality", filters.min_quality),
    ):
        if least is not None:
            yield _at_least(name, least)
    if filters.free is not None:
        yield lambda row: row.is_free is filters.free
    if filters.open_weights is not None:
        yield lambda row: row.open_weights is filters.open_weights
    if filters.tier is not None:
        yield lambda row: tier_of(row.ttft) == filters.tier
    if filters.ranked is not None:
        yield lambda row: (row.rank is not None) == filters.ranked
    if wanted:
        yield lambda row: any(wanted in plain(said) for said in (row.model, row.title, row.organisation or ""))


def _at_least(name: str, least: float) -> Test:
    def passes(row: RankedModel) -> bool:
        value = getattr(row, name)
        return value is not None and value >= least

    return passes


def _of_providers(of: Ranking, providers: Sequence[str]) -> Iterable[Test]:
    if not providers:
        return
    known = {name for row in of.rows for name in _makers(row)}
    wanted = {one: vendor_key(one) for one in providers}
    _must_be_known(wanted, known, "provider", organisations(of))
    yield lambda row: not _makers(row).isdisjoint(wanted.values())


def _makers(row: RankedModel) -> set[str]:
    return {vendor_key(name) for name in (row.model.partition("/")[0], row.organisation) if name}


def organisations(of: Ranking) -> list[str]:
    """The makers of the models of a ranking, sorted."""
    return sorted({row.organisation for row in of.rows if row.organisation}, key=str.casefold)


def _of_benchmarks(of: Ranking, names: Sequence[str]) -> Iterable[Test]:
    if not names:
        return
    measured = [one for one in of.benchmarks.values() if not one.is_fact]
    by_name = {one.name: {one.name} for one in measured}
    for one in measured:
        by_name.setdefault(one.benchmark, set()).add(one.name)
    _must_be_known({one: one for one in names}, by_name, "benchmark", sorted(by_name))
    for name in dict.fromkeys(names):
        yield _has_any(of, by_name[name])


def _has_any(of: Ranking, measures: Collection[str]) -> Test:
    return lambda row: any(name in of.values.get(row.model, {}) for name in measures)


def _must_be_known(asked: Mapping[str, str], known: Collection[str], what: str, told: Sequence[str]) -> None:
    unknown = [repr(one) for one, meant in asked.items() if meant not in known]
    if unknown:
        raise WrongInputError(f"no model has {what} {', '.join(unknown)}; known: {', '.join(told) or 'none'}")


def sort_keys(of: Ranking) -> list[str]:
    """What a list of a ranking can be sorted by."""
    return [*SORTS, *of.headlines]


def in_order(of: Ranking, rows: Sequence[RankedModel], sort: str = "") -> list[RankedModel]:
    """Rows by a column, upwards, or with ``-`` before it downwards; those without a value are last both ways.

    Rows with the same value stay in the order of display.

    Raises
    ------
    WrongInputError
        If they cannot be sorted so.
    """
    if not sort:
        return list(rows)
    is_down, key = sort.startswith("-"), sort.removeprefix("-")
    if key not in sort_keys(of):
        known = ", ".join(sort_keys(of))
        raise WrongInputError(f"cannot sort by {key!r}; sort by one of {known}; with - before it downwards")
    value = _value_of(of, key)
    known_rows = [row for row in rows if value(row) is not None]
    known_rows.sort(key=value, reverse=is_down)
    return [*known_rows, *(row for row in rows if value(row) is None)]


def _value_of(of: Ranking, key: str) -> Callable[[RankedModel], Value]:
    if key == "price_blended":
        return blended_price
    if key in of.headlines:
        return lambda row: of.values.get(row.model, {}).get(key)
    if key in ("model", "title", "organisation"):
        return lambda row: None if getattr(row, key) is None else getattr(row, key).casefold()
    return lambda row: getattr(row, key)


@dataclass(frozen=True)
class Statistics:
    """What is said of several models together.

    Parameters
    ----------
    n_models, n_ranked, n_unranked, n_partial, n_free, n_open_weights, n_organisations : int
    unranked : mapping of str to int
        By reason, models that are not ranked.
    medians : mapping of str to float or None
        Of scores, facts and ``benchmark.measure``; None where no model has one.
    coverage : mapping of str to float
        By score, fact or ``benchmark.measure``, the share of models that have a value, 0 to 1; empty without models.
    """

    n_models: int
    n_ranked: int
    n_unranked: int
    n_partial: int
    n_free: int
    n_open_weights: int
    n_organisations: int
    unranked: Mapping[str, int]
    medians: Mapping[str, float | None]
    coverage: Mapping[str, float]


def statistics_of(of: Ranking, rows: Sequence[RankedModel]) -> Statistics:
    """Counts, medians and coverage of some models of a ranking."""
    columns = {name: [value for row in rows if (value := getattr(row, name)) is not None] for name in MEDIANS}
    measured = [of.values.get(row.model, {}) for row in rows]
    columns |= {name: [values[name] for values in measured if name in values] for name in of.headlines}
    unranked: dict[str, int] = {}
    for row in rows:
        if row.rank is None:
            unranked[row.status] = unranked.get(row.status, 0) + 1
    return Statistics(
        n_models=len(rows),
        n_ranked=sum(row.rank is not None for row in rows),
        n_unranked=sum(unranked.values()),
        n_partial=sum(row.is_partial for row in rows),
        n_free=sum(row.is_free is True for row in rows),
        n_open_weights=sum(row.open_weights is True for row in rows),
        n_organisations=len({row.organisation for row in rows if row.organisation}),
        unranked=dict(sorted(unranked.items(), key=lambda item: -item[1])),
        medians={name: float(median(values)) if values else None for name, values in columns.items()},
        coverage={name: len(values) / len(rows) for name, values in columns.items()} if rows else {},
    )


def pareto(rows: Sequence[RankedModel], score: str) -> list[RankedModel]:
    """The models that no other beats: none is as cheap and better, or cheaper and as good; the cheapest first.

    Parameters
    ----------
    rows : sequence of RankedModel
        Those without a rank, a price of input and of output, or the score, are left out.
    score : str
        The name of a score, of which more is better.
    """
    priced = [(price, getattr(row, score), row) for row in rows if (price := blended_price(row)) is not None]
    known = [one for one in priced if one[1] is not None and one[2].rank is not None]
    best, best_price, front = -inf, inf, []
    for price, value, row in sorted(known, key=lambda one: (one[0], -one[1], one[2].position)):
        if value > best or (value == best and price == best_price):
            front.append(row)
            best, best_price = value, price
    return front
