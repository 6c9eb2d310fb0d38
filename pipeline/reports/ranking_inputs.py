"""What requests may say about rankings of language models: which ranking, which models, by which weights."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from pipeline.rankings.declaration import Rankings
from pipeline.reports.inputs import Connection, Remembered, names_given, only_board
from pipeline.reports.queries.ranking_lists import SORTS, TIERS, Filters, Tier
from pipeline.reports.queries.ranking_partial import MissingParts, scored_by
from pipeline.reports.queries.ranking_sources import NextLook, RankingSource, next_look
from pipeline.reports.queries.ranking_weights import parse_weights
from pipeline.reports.queries.rankings import Ranking, ranking
from pipeline.tables import LLM_LEADERBOARD

_MOST = 1e12


def asked_ranking(
    connection: Connection,
    memory: Remembered,
    name: Annotated[
        str | None,
        Query(alias="ranking", description="Name of the ranking; the only one there is when left out."),
    ] = None,
) -> Ranking:
    """The ranking that is asked about.

    Raises
    ------
    WrongInputError
        If none is named and there are several.
    UnknownBoardError
        If there is no such board, or it is of another kind.
    """
    meant = name if name is not None else only_board(connection, memory, LLM_LEADERBOARD.schema, "ranking")
    return ranking(connection, memory, meant)


AskedRanking = Annotated[Ranking, Depends(asked_ranking)]


def next_look_of(request: Request, declared: Rankings, one: RankingSource, now: datetime) -> NextLook:
    """When a source is looked at next, as far as the server can tell."""
    state, spec = request.app.state, declared.sources.get(one.source)
    is_fetching = state.settings.fetch
    return next_look(spec, one.days, now, state.next_tick, is_frozen=one.is_frozen, is_fetching=is_fetching)


async def missing_parts(
    renormalise: Annotated[
        bool | None,
        Query(
            description="Whether a model that lacks parts of a weighted score gets the mean of the others, and is "
            "marked as partial. As the ranking declares when left out; its ranks stay as they are."
        ),
    ] = None,
    min_coverage: Annotated[
        float | None,
        Query(gt=0, le=1, description="The least share of the weights that such a mean may rest on; else as declared."),
    ] = None,
) -> MissingParts:
    """What becomes of models that lack parts of weighted scores."""
    return MissingParts(renormalise, min_coverage)


Missing = Annotated[MissingParts, Depends(missing_parts)]


def asked_scores(of: AskedRanking, memory: Remembered, missing: Missing) -> Ranking:
    """The ranking that is asked about, with its weighted scores as the reader wants missing parts to count."""
    return scored_by(of, memory, missing)


AskedScores = Annotated[Ranking, Depends(asked_scores)]

_TIERS = "; ".join(f"{tier} is {said}" for tier, said in TIERS.items())
_Providers = Annotated[
    list[str] | None,
    Depends(names_given("providers", "Only models of these makers, however written: meta, Meta or meta-llama.")),
]
_HasBenchmarks = Annotated[
    list[str] | None,
    Depends(names_given("has_benchmarks", "Only models with values of all of these: livebench, or livebench.coding.")),
]


async def filters(
    providers: _Providers,
    has_benchmarks: _HasBenchmarks,
    max_price: Annotated[
        float | None, Query(ge=0, le=_MOST, description="USD per million tokens of input.", examples=[2.5])
    ] = None,
    min_context: Annotated[float | None, Query(ge=0, le=_MOST, description="Tokens.", examples=[128_000])] = None,
    free: Annotated[bool | None, Query(description="Offered for nothing, if only for trying; or not.")] = None,
    open_weights: Annotated[bool | None, Query(description="With open weights, or without.")] = None,
    min_composite: Annotated[float | None, Query(ge=0, le=100, description="Of the coding score.")] = None,
    min_quality: Annotated[float | None, Query(ge=0, le=100, description="Of the quality index.")] = None,
    tier: Annotated[Tier | None, Query(description=f"By the median time to the first token: {_TIERS}.")] = None,
    search: Annotated[str, Query(description="In id, title or organisation, whatever its case.")] = "",
    ranked: Annotated[bool | None, Query(description="With a rank, or without.")] = None,
) -> Filters:
    """Which models are listed; of what is not known of a model it passes no filter."""
    return Filters(
        max_price=max_price,
        min_context=min_context,
        providers=providers or (),
        free=free,
        open_weights=open_weights,
        min_composite=min_composite,
        min_quality=min_quality,
        tier=tier,
        has_benchmarks=has_benchmarks or (),
        search=search,
        ranked=ranked,
    )


Filtered = Annotated[Filters, Depends(filters)]

Sort = Annotated[
    str,
    Query(
        description="A column, upwards, or with - before it downwards; models without a value are last both ways. "
        f"In the order of ranks when left out. Columns: {', '.join(SORTS)}, and every benchmark.measure of rows.",
        examples=["-ttft"],
    ),
]


def weights(
    given: Annotated[
        list[str] | None,
        Query(
            alias="weights",
            description="name:weight, repeated or with commas: of coding, performance, value, or of any "
            "benchmark.measure from 0 to 100. Weights need not sum to 1. Those of the overall score when left out.",
            examples=["coding:0.5,performance:0.3,value:0.2"],
        ),
    ] = None,
) -> dict[str, float]:
    """The weights of whoever asks."""
    return parse_weights(given or ())


Weights = Annotated[dict[str, float], Depends(weights)]
