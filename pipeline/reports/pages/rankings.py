"""``/rankings``: language models in order, how sure that is, what they cost, and how old the figures are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from pipeline.charts import cost_chart
from pipeline.clock import utc_now
from pipeline.rankings.identity import vendor_key
from pipeline.reports.inputs import Published
from pipeline.reports.pages.address import Address, address_of
from pipeline.reports.pages.asked import number_up_to, share, yes_or_no
from pipeline.reports.pages.links import FORMATS, Links, downloads
from pipeline.reports.pages.ranking_figures import MARKS, SCORES_SAY, score_name
from pipeline.reports.pages.ranking_rows import Best, best_of, label_of, rare_scores, table_of
from pipeline.reports.pages.view import show
from pipeline.reports.queries import kind_of
from pipeline.reports.queries.ranking_lists import (
    TIERS,
    Filters,
    Tier,
    blended_price,
    in_order,
    listed,
    organisations,
    statistics_of,
)
from pipeline.reports.queries.ranking_partial import MissingParts, scored_by
from pipeline.reports.queries.ranking_sources import OLD_AFTER, breaks_of, ranking_sources, unmatched_of, unread_of
from pipeline.reports.queries.ranking_weights import SCORE_PARTS, top_models
from pipeline.reports.queries.rankings import RankedModel, Ranking, ranking, ranking_names
from pipeline.reports.ranking_inputs import next_look_of
from pipeline.reports.wrong import WrongInputError

router = APIRouter(include_in_schema=False)

_MOST_ROWS = 500
_MOST = 1e12
_FEW, _FIRST = 12, 10
_MOST_WEIGHT = 1000.0
_HEIGHT = 380
_ALIKE = (
    *("ranking", "search", "tier", "max_price", "min_context", "providers", "free", "open_weights"),
    *("min_composite", "min_quality", "has_benchmarks", "ranked", "renormalise", "min_coverage", "sort"),
)
"""What addresses of this page and of the API have in common."""
_SHARES = (0.5, 0.25, 0.1)
"""Of the weights, that scores of the parts that are there may rest on."""
_CONTEXTS = (32_000, 128_000, 200_000, 1_000_000)


@dataclass(frozen=True)
class Asked:
    """What an address asks of a ranking; empty texts, as forms send them, are not there."""

    ranking: str = ""
    search: str = ""
    tier: str = ""
    max_price: str = ""
    min_context: str = ""
    providers: Annotated[list[str] | None, Query()] = None
    free: str = ""
    open_weights: str = ""
    min_composite: str = ""
    min_quality: str = ""
    has_benchmarks: Annotated[list[str] | None, Query()] = None
    ranked: str = ""
    sort: str = ""
    columns: str = ""
    coding: str = ""
    performance: str = ""
    value: str = ""
    renormalise: str = ""
    min_coverage: str = ""
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0

    @property
    def filters(self) -> Filters:
        """Which models are listed.

        Raises
        ------
        WrongInputError
            If something is not what it should be.
        """
        return Filters(
            max_price=number_up_to(self.max_price, "max_price", _MOST),
            min_context=number_up_to(self.min_context, "min_context", _MOST),
            providers=_some(self.providers),
            free=yes_or_no(self.free, "free"),
            open_weights=yes_or_no(self.open_weights, "open_weights"),
            min_composite=number_up_to(self.min_composite, "min_composite", 100),
            min_quality=number_up_to(self.min_quality, "min_quality", 100),
            tier=_tier(self.tier),
            has_benchmarks=_some(self.has_benchmarks),
            search=self.search,
            ranked=yes_or_no(self.ranked, "ranked"),
        )

    @property
    def missing(self) -> MissingParts:
        """What becomes of models that lack parts of weighted scores.

        Raises
        ------
        WrongInputError
            If something is not what it should be.
        """
        least = share(self.min_coverage, "min_coverage")
        if least == 0:
            raise WrongInputError("min_coverage 0 is no share of parts that are there; write one above 0, such as 0.5")
        return MissingParts(yes_or_no(self.renormalise, "renormalise"), least)

    def weights(self, declared: Mapping[str, float]) -> dict[str, float]:
        """The weights of scores that the address gives; those of the overall score where it gives none above 0.

        Raises
        ------
        WrongInputError
            If one is not what it should be.
        """
        given = {name: number_up_to(getattr(self, name), name, _MOST_WEIGHT) for name in SCORE_PARTS}
        return {name: weight for name, weight in given.items() if weight} or dict(declared)


@router.get("/rankings", response_class=HTMLResponse)
def rankings(request: Request, reading: Published, asked: Annotated[Asked, Depends()]) -> Any:
    """A ranking of language models; the first by name unless one is asked for."""
    connection = reading.connection
    names = ranking_names(connection)
    if not names and not asked.ranking:
        return show(request, "ranking_to_come.html")
    of = scored_by(ranking(connection, reading.memory, asked.ranking or names[0]), reading.memory, asked.missing)
    filters, moment = asked.filters, utc_now()
    found = listed(of, filters)
    shown = in_order(of, found, asked.sort)[asked.offset : asked.offset + asked.limit]
    counted = statistics_of(of, found)
    best = best_of(of, found)
    here = address_of(request)
    return show(
        request,
        "ranking.html",
        of=of,
        asked=asked,
        filters=filters,
        counted=counted,
        now=moment,
        best=best,
        others=[(one, kind_of(connection, one)[1]) for one in names] if len(names) > 1 else [],
        table=table_of(of, shown, counted, asked.sort, everything=asked.columns == "all"),
        told_apart=_told_apart(of),
        said=SCORES_SAY,
        label_of=label_of,
        rare=rare_scores(of),
        shares=_SHARES,
        unmeasured=[label_of(of, name) for name in of.parts if name not in of.benchmarks],
        chart=_chart(of, found, best),
        n_free=sum(blended_price(row) == 0 and row.rank is not None for row in found),
        height=_HEIGHT,
        downloads=_files(here.of("/rankings/export", _ALIKE)),
        **_to_choose(of, filters),
        **_by_weights(of, found, asked, here),
        **_about_sources(request, connection, of, moment),
    )


def _to_choose(of: Ranking, filters: Filters) -> dict[str, Any]:
    """What filters offer; a maker is ticked however the address writes it, and what has no box is kept."""
    makers = {one: vendor_key(one) for one in organisations(of)}
    wanted = {one: vendor_key(one) for one in filters.providers}
    measured = _measured(of)
    return {
        "organisations": list(makers),
        "ticked": [one for one, key in makers.items() if key in wanted.values()],
        "other_makers": [one for one, key in wanted.items() if key not in makers.values()],
        "measured": measured,
        "other_measures": [one for one in filters.has_benchmarks if one not in dict(measured)],
        "contexts": _CONTEXTS,
        "tiers": TIERS,
    }


def _by_weights(of: Ranking, rows: Sequence[RankedModel], asked: Asked, here: Address) -> dict[str, Any]:
    """The first models by the weights of the address, and the same order in the API."""
    weights = asked.weights(of.declared.composite.overall)
    renormalise, least = asked.missing.renormalise is True, of.declared.min_coverage
    found = top_models(of, rows, weights, renormalise=renormalise, min_coverage=least)
    written = ",".join(f"{name}:{weight:g}" for name, weight in weights.items())
    endpoint = here.of("/rankings/api/top-models", [one for one in _ALIKE if one != "sort"])
    return {
        "weights": weights,
        "by_weights": found[:_FIRST],
        "n_by_weights": len(found),
        "weights_as": downloads(endpoint.but(weights=written)),
    }


def _about_sources(
    request: Request, connection: duckdb.DuckDBPyConnection, of: Ranking, moment: datetime
) -> dict[str, Any]:
    """How old the figures of sources are, when these are looked at, and what of them could not be used."""
    sources = ranking_sources(connection, of.name, moment)
    return {
        "sources": sources,
        "looks": {one.source: next_look_of(request, of.declared, one, moment) for one in sources},
        "breaks": breaks_of(connection, of.name),
        "unread": unread_of(connection, of.name)[:_FEW],
        "unmatched": unmatched_of(connection, of.name),
        "status_as": downloads(address_of(request).of("/rankings/status", ["ranking"])),
        "marks": MARKS,
        "old_after": OLD_AFTER,
        "few": _FEW,
    }


@dataclass(frozen=True)
class ToldApart:
    """How many pairs of ranked models there are, and of how many it is sure who is better."""

    pairs: int
    apart: int


def _told_apart(of: Ranking) -> ToldApart:
    bounded = [row.rank_lo for row in of.rows if row.rank_lo is not None]
    return ToldApart(len(bounded) * (len(bounded) - 1) // 2, sum(best - 1 for best in bounded))


def _measured(of: Ranking) -> list[tuple[str, str]]:
    """Benchmarks that models have values of, each with its title."""
    found = {one.benchmark: one.title for one in of.benchmarks.values() if not one.is_fact}
    return sorted(found.items(), key=lambda item: item[1].casefold())


def _chart(of: Ranking, rows: Sequence[RankedModel], best: Sequence[Best]) -> str:
    """The specification of the chart of price and score; empty where fewer than two models have both."""
    score = of.declared.rank_by
    front = {one.model.model for one in best}
    points = []
    for row in rows:
        price, value = blended_price(row), getattr(row, score)
        if row.rank is None or not price or value is None:
            continue
        bounds = (row.ability_low, row.ability_high) if score == "ability" else (None, None)
        low, high = bounds if None not in bounds else (None, None)
        about = {"label": row.title, "price": price, "value": value, "low": low, "high": high}
        points.append(about | {"is_best": row.model in front})
    if len(points) < 2:
        return ""
    return json.dumps(cost_chart(points, "USD per million tokens, 3 in : 1 out", score_name(score)))


def _files(endpoint: Address) -> Links:
    return [(name, str(endpoint.but(format=name.lower()))) for name in FORMATS]


def _some(given: Sequence[str] | None) -> tuple[str, ...]:
    names = (name.strip() for text in given or () for name in text.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _tier(text: str) -> Tier | None:
    if not text:
        return None
    if text not in list(Tier):
        raise WrongInputError(f"no tier {text!r}; known: {', '.join(f'{one} ({said})' for one, said in TIERS.items())}")
    return Tier(text)
