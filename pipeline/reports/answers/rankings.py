"""What reports answer about rankings of language models."""

from datetime import date
from typing import Annotated

from pydantic import Field

from pipeline.reports.answers.base import Answer, Moment, Page

_RANK_BY = "The score that ranks: ability, coding, performance, value or overall."
_SCORE = Field(description="0 to 100.", examples=[78.06])
Score = Annotated[float | None, _SCORE]
Days = Annotated[float | None, Field(description="How old they are, in days, to the hour.", examples=[1.5])]


class RankingRow(Answer):
    """A model of a ranking: its rank, its scores, the facts that people choose by, and what was measured of it."""

    position: int = Field(description="Place in the order of display; unranked models are last.", examples=[1])
    rank: int | None = Field(description="Ties share it; null: unranked.", examples=[4])
    rank_lo: int | None = Field(description="Best rank that it could have, at 95 %.", examples=[3])
    rank_hi: int | None = Field(description="Worst rank that it could have.", examples=[9])
    loo_rank_lo: int | None = Field(description="Best rank when any one source is left out.", examples=[3])
    loo_rank_hi: int | None = Field(description="Worst rank then.", examples=[6])
    tie_group: int | None = Field(description="Models that share it have as many above that are surely better.")
    status: str = Field(description="ranked, or unranked and why.", examples=["ranked"])
    model: str = Field(description="The release, vendor/model.", examples=["openai/gpt-4o-2024-08-06"])
    title: str = Field(examples=["GPT-5"])
    organisation: str | None = Field(examples=["OpenAI"])
    released_on: date | None
    open_weights: bool | None = Field(description="Null where nobody says.")
    ability: float | None = Field(description="Latent ability over all benchmarks, on its own scale.")
    ability_low: float | None = Field(description="Lower end of its 95 % interval.")
    ability_high: float | None
    coding: Score
    performance: Score
    value: Score
    overall: Score
    quality: float | None = Field(description="The quality index of the performance score, 0 to 100.")
    ttft: float | None = Field(description="Median seconds to the first token.", examples=[0.42])
    tier: str | None = Field(description="fast, medium or slow, by the time to the first token.", examples=["fast"])
    throughput: float | None = Field(description="Median tokens a second.", examples=[95.0])
    price_input: float | None = Field(description="USD per million tokens of input.", examples=[1.25])
    price_output: float | None = Field(description="USD per million tokens of output.", examples=[10.0])
    price_blended: float | None = Field(description="Three tokens of input to one of output.", examples=[3.44])
    is_free: bool | None = Field(description="Whether it is offered for nothing, if only for trying.")
    context: int | None = Field(description="Tokens.", examples=[400_000])
    coverage: float = Field(description="Share of the parts of the score that ranks, 0 to 1.", examples=[0.8])
    n_benchmarks: int = Field(description="Benchmarks that the score that ranks rests on.")
    n_sources: int = Field(description="Sources that it rests on.")
    is_partial: bool = Field(description="Whether it is made of the parts that are there.")
    partial_scores: list[str] = Field(
        description="All its scores that are made of the parts that are there.", examples=[["coding", "overall"]]
    )
    benchmarks_at: Moment | None = Field(description="When the newest of its benchmark figures was fetched.")
    performance_at: Moment | None = Field(description="When the newest of its speeds was fetched.")
    prices_at: Moment | None = Field(description="When the newest of its prices was fetched.")
    benchmarks_age_days: Days
    performance_age_days: Days
    prices_age_days: Days


class RankingModelRow(RankingRow):
    """A model of a ranking with its values of benchmarks."""

    benchmarks: dict[str, float | None] = Field(
        description="By benchmark.measure: the parts of the coding score, and what other benchmarks are known by.",
        examples=[{"humaneval_plus.pass_at_1": 88.4, "livebench.coding": None}],
    )


class RankingStatistics(Answer):
    """What is said of all models that pass the filters together."""

    n_models: int
    n_ranked: int
    n_unranked: int
    n_partial: int = Field(description="Models whose score is made of the parts that are there.")
    n_free: int
    n_open_weights: int
    n_organisations: int
    unranked: dict[str, int] = Field(description="By reason.", examples=[{"unranked: min_benchmarks": 12}])
    medians: dict[str, float | None] = Field(
        description="Of scores, facts and benchmarks, over the models that have them."
    )
    coverage: dict[str, float] = Field(description="Share of the models that have a value, 0 to 1.")


class RankingAnswer(Page[RankingModelRow]):
    """A ranking of language models: those that pass the filters, sorted as asked."""

    ranking: str = Field(examples=["coding_models"])
    title: str
    rank_by: str = Field(description=_RANK_BY, examples=["ability"])
    is_converged: bool | None = Field(
        description="Whether the fit of abilities came to rest; if not, they are a guess without intervals."
    )
    renormalise: bool = Field(description="Whether weighted scores of models that lack parts are made of the others.")
    min_coverage: float = Field(description="The least share of the weights that these rest on.", examples=[0.5])
    sort: str = Field(description="What rows are sorted by; empty for ranks.", examples=["-ttft"])
    statistics: RankingStatistics


class WeighedRow(Answer):
    """A model by the weights of whoever asked."""

    position: int
    rank: int = Field(description="Among the models with a score by these weights; ties share it.", examples=[1])
    score: float = Field(description="0 to 100.", examples=[81.3])
    coverage: float = Field(description="Share of the weights whose parts are there, 0 to 1.", examples=[1.0])
    is_partial: bool = Field(
        description="It, or a part, is made of the parts that are there, whose weights are raised to sum to 1."
    )
    missing: list[str] = Field(description="Parts that are not there.")
    partial_parts: list[str] = Field(description="Parts that are made of the parts that are there themselves.")
    parts: dict[str, float | None] = Field(examples=[{"coding": 84.1, "value": 40.0}])
    model: str = Field(examples=["openai/gpt-4o-2024-08-06"])
    title: str
    organisation: str | None
    board_rank: int | None = Field(description="Its rank in the ranking itself.")
    rank_lo: int | None = Field(description="Best rank there that it could have.")
    rank_hi: int | None = Field(description="Worst rank there.")


class TopModelsAnswer(Page[WeighedRow]):
    """The best models by weights; ``total`` is how many have a score by them."""

    ranking: str
    weights: dict[str, float] = Field(description="As asked, made to sum to 1.", examples=[{"coding": 1.0}])
    renormalise: bool
    n_without: int = Field(description="Models that pass the filters and have no score, because they lack parts.")


class RankingSourceRow(Answer):
    """A source of a ranking: which of its figures are used, and how old these are."""

    source: str = Field(examples=["evalplus"])
    title: str = Field(examples=["EvalPlus"])
    status: str = Field(description="live, unchanged, files, kept, bundled, missing or frozen.", examples=["live"])
    state: str = Field(
        description="fresh (not older than it usually changes), ageing, old (more than three times as old), frozen "
        "(nothing is added any more) or missing.",
        examples=["fresh"],
    )
    is_frozen: bool
    days: int = Field(description="How often it changes as a rule.", examples=[7])
    age_days: float | None = Field(description="Days since its figures were last known to be its newest.")
    confirmed_at: Moment | None = Field(description="When that was.")
    checked_at: Moment = Field(description="When it was last tried to fetch it, with whatever result.")
    schedule: str | None = Field(
        description="Cron line (UTC) by which it is looked at; null where it is not.", examples=["0 5 * * 1"]
    )
    next_look_at: Moment | None = Field(description="When that is due next, as far as the server can tell.")
    no_look: str | None = Field(description="Why nobody is going to look at it; null where somebody is.")
    fetched_at: Moment | None = Field(description="When the figures that are used were fetched.")
    source_updated_at: Moment | None = Field(description="When the source was changed, where it says so.")
    why: str | None = Field(description="Why it is not what was fetched now.")
    version: str | None = Field(description="Of an index or a release.")
    n_results: int = Field(description="Figures that are used.")
    n_models: int = Field(description="Names of models in them.")
    n_unread: int = Field(description="Parts that could not be read.")
    n_unmatched: int = Field(description="Names of models that mean no release yet.")
    home: str = Field(description="The page that people read.")
    licence: str | None = Field(description="Of its data, as far as it states one.")
    attribution: str | None = Field(description="What has to be written where its figures are shown.")


class RankingScore(Answer):
    """A score of a model."""

    score: str = Field(examples=["coding"])
    value: float | None
    ci_low: float | None = Field(description="Of the 95 % interval, of ability.")
    ci_high: float | None
    coverage: float = Field(description="Share of the weights whose parts are there, 0 to 1.")
    is_partial: bool
    missing: str | None = Field(description="The parts that are not there, with commas between.")
    n_benchmarks: int
    n_sources: int
    reason: str | None = Field(description="Why it is undefined.")
    is_converged: bool | None = Field(
        description="Whether the fit came to rest, of ability; without it there is no interval."
    )


class RankingFigure(Answer):
    """A published figure of a model, and whether scores rest on it."""

    source: str
    source_title: str
    raw_name: str = Field(description="The model, as the source writes it.")
    benchmark: str
    measure: str
    title: str = Field(description="Of the benchmark.")
    measure_title: str
    area: str
    value: float | None
    reason: str | None = Field(description="Why there is no value.")
    unit: str
    n: int | None = Field(description="Items or votes that it rests on.")
    se: float | None = Field(description="Its standard error.")
    config: str = Field(description="How it was measured; empty for the source's default.")
    channel: str = Field(description="By which way it came, where that is not the source itself.")
    measured_on: date | None
    source_updated_at: Moment | None
    fetched_at: Moment
    url: str = Field(description="The page of this figure, or of the source.")
    flags: str = Field(description="What is said against it, with commas between.")
    is_used: bool
    left_out: str | None = Field(description="Why not.")


class RankingName(Answer):
    """A name by which a source calls a model, and how that was decided."""

    source: str
    raw_name: str
    title: str | None
    config: str | None
    method: str
    evidence: str | None
    decided_at: Moment | None = Field(description="When a person decided; null for what was computed.")
    is_system: bool
    url: str | None


class RankingModelAnswer(Answer):
    """Everything that is published of a model."""

    ranking: str
    model: str
    title: str
    organisation: str | None
    family: str
    released_on: date | None
    released_evidence: str | None = Field(
        description="Who states that day, and who another one.", examples=["openrouter; but epoch 2024-08-08"]
    )
    open_weights: bool | None
    weights_evidence: str | None = Field(
        description="Who states that of its weights, and who otherwise.", examples=["lmarena, modelsdev"]
    )
    hugging_face_id: str | None
    openrouter_id: str | None
    models_dev_id: str | None
    is_made: bool = Field(description="No catalogue lists it.")
    board: RankingModelRow | None = Field(description="Its row of the ranking; null where it has none.")
    scores: list[RankingScore]
    results: list[RankingFigure]
    names: list[RankingName]


class HistoryRow(Answer):
    """Where a model stood on a day."""

    day: Moment
    model: str
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    loo_rank_lo: int | None
    loo_rank_hi: int | None
    coverage: float
    n_benchmarks: int
    n_sources: int
    is_partial: bool
    status: str
    ability: float | None
    coding: Score
    performance: Score
    value: Score
    overall: Score


class BreakRow(Answer):
    """From when on figures of a source are on another scale: history is not compared across."""

    source: str
    at: Moment
    benchmark: str = Field(description="Empty for all of the source.")
    measure: str
    sentence: str


class HistoryAnswer(Page[HistoryRow]):
    """Where models stood by day, and the breaks of that time."""

    ranking: str
    rank_by: str = Field(description=_RANK_BY)
    breaks: list[BreakRow]
