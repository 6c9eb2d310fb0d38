"""What reports answer about competitions and publications: one class for each kind of row."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from pipeline.reports.answers.base import Answer, Moment, Page
from pipeline.reports.queries.standings import Measured


def _mapping(pairs: Any) -> Any:
    """Pairs as Arrow gives maps, as a mapping."""
    return dict(pairs) if isinstance(pairs, list) else pairs


Scores = Annotated[
    dict[str, float | None], BeforeValidator(_mapping), Field(examples=[{"recent": 0.031, "anchor": 0.012}])
]


class LeaderboardRow(Answer):
    """A model on a board."""

    position: int = Field(description="Place in the order of display.", examples=[1])
    rank: int | None = Field(description="Among real models; ties share it. Null: unranked or virtual.", examples=[1])
    rank_with_ensembles: int | None = Field(examples=[1])
    rank_change: int | None = Field(description="Places gained (+) since the board a day or more before.", examples=[2])
    rank_change_24h: int | None = Field(description="The same, by its other name.", examples=[2])
    rank_lo: int | None = Field(description="Best rank that it could have.", examples=[1])
    rank_hi: int | None = Field(description="Worst rank that it could have.", examples=[5])
    tie_group: int | None = Field(examples=[1])
    rank_method: str = Field(description="How the ranks that it could have were found, or why not.")
    n_cycles: int | None = Field(examples=[260])
    n_effective: float | None = Field(description="How many independent cycles these count as.", examples=[260.0])
    model_id: str = Field(examples=["reversal_1w"])
    model_name: str = Field(examples=["Reversal, 1 week"])
    player_name: str = Field(examples=["Podium baselines"])
    is_ensemble: bool = Field(examples=[False])
    status: str = Field(description="ranked, or unranked and why.", examples=["ranked"])
    coverage: float | None = Field(examples=[1.0])
    n: int = Field(description="What the value ranked by rests on.", examples=[260])
    combined_score: float | None = Field(description="The value that ranks are by, weighted where declared so.")
    score_recent: float | None = Field(description="The primary metric over the window recent, where there is one.")
    score_steady: float | None = Field(description="The same over steady.")
    score_anchor: float | None = Field(description="The same over anchor.")
    scores: dict[str, Measured] = Field(description="The primary metric over every window.")
    metrics: dict[str, Measured] = Field(description="Every metric over the window asked for.")


class BoardAnswer(Page[LeaderboardRow]):
    """A board at one moment."""

    competition: str = Field(examples=["sp500"])
    title: str
    category: str = Field(examples=["overall"])
    as_of: Moment
    window: str = Field(description="Whose metrics are in metrics.", examples=["anchor"])
    primary: str = Field(description="The metric that the contest is about.", examples=["ic"])
    rank_by: str = Field(examples=["anchor.ic"])
    keys: list[str] = Field(description="What ranks are by, and what breaks ties.")
    is_declared_order: bool = Field(description="False when the request asked for another order or limit.")


class Model(Answer):
    """A model that takes part."""

    model_id: str = Field(examples=["reversal_1w"])
    model_name: str
    player_name: str
    kind: str = Field(description="real, or ensemble.", examples=["real"])
    designated: bool = Field(description="Whether its player entered it for ranking.")
    version: str
    licence: str | None
    description: str | None
    first_seen: Moment | None
    rank: int | None
    rank_with_ensembles: int | None
    rank_lo: int | None
    rank_hi: int | None
    rank_key: float | None
    coverage: float | None
    n: int | None
    status: str = Field(description="On the newest board.", examples=["ranked"])


class ModelScore(Answer):
    """A metric of a model over every window, as known at a moment."""

    as_of: Moment
    category: str = Field(description="overall, or a part of the contest.", examples=["overall"])
    model_id: str
    model_name: str
    player_name: str
    metric: str = Field(description="The contest's primary one; of a part that which it is ranked by.", examples=["ic"])
    score_recent: float | None
    score_steady: float | None
    score_anchor: float | None
    scores: Scores


class ModelSummary(Answer):
    """Every metric of a model over every window, by window.metric."""

    as_of: Moment
    model_id: str
    model_name: str
    player_name: str
    rank: int | None
    rank_with_ensembles: int | None
    status: str
    metrics: Annotated[dict[str, float | None], BeforeValidator(_mapping), Field(examples=[{"anchor.ic": 0.031}])]


class ModelHistoryRow(Answer):
    """Where a model stood on one board."""

    as_of: Moment
    category: str
    model_id: str
    rank: int | None
    rank_with_ensembles: int | None
    rank_change: int | None
    rank_lo: int | None
    rank_hi: int | None
    rank_key: float | None
    coverage: float | None
    n: int
    status: str
    score_recent: float | None
    score_steady: float | None
    score_anchor: float | None
    scores: Scores


class SubjectScore(Answer):
    """How the predictions of one subject were scored."""

    subject: str
    n_scored: int
    n_failed: int
    mean_score: float | None
    failed_reason: str | None = Field(description="The most frequent one.")


class ModelStats(Answer):
    """What a model handed in, and how single predictions were scored."""

    competition: str
    model_id: str
    model_name: str
    player_name: str
    total_predictions: int = Field(description="A distribution counts as one, however many numbers it has.")
    successful_predictions: int = Field(description="Those with a score.")
    failed_predictions: int = Field(description="Those whose outcome is known and that have no score.")
    late_predictions: int
    imputed_predictions: int
    average_score: float | None = Field(description="Mean of the scoring rule over single predictions.")
    best_subject: str | None
    worst_subject: str | None
    first_cycle: Moment | None
    last_cycle: Moment | None
    subjects: list[SubjectScore]
    windows: dict[str, dict[str, Measured]] = Field(description="By window and metric, on the newest board.")


class ModelCorrelation(Answer):
    """A model beside another real one: the mean Spearman correlation of their signals over a window."""

    model_id: str = Field(description="The other model.", examples=["reversal_1w"])
    model_name: str
    correlation: float | None = Field(
        description="Over the subjects that both predicted and whose outcome is known; of distributions by their "
        "points. Null without a cross-section of enough subjects.",
        examples=[0.42],
    )
    n_sections: int = Field(description="Cross-sections, each a cycle and horizon, that it rests on.", examples=[260])


class Prediction(Answer):
    """A prediction, with its outcome and score as known now."""

    model_id: str
    cycle: Moment
    horizon: int
    subject: str
    target_time: Moment
    output_type: str
    output_type_id: str
    value: float
    received_at: Moment
    is_late: bool
    is_imputed: bool
    outcome: float | None
    score: float | None
    success: bool | None
    failed_reason: str | None
    scored_at: Moment | None


class Snapshot(Answer):
    """A metric of a model over a window, as known at a moment."""

    as_of: Moment
    model_id: str
    category: str
    window_name: str
    metric: str
    value: float | None
    n: int
    n_imputed: int
    n_scored: int
    cycles_absent: int
    coverage: float | None
    coverage_since_first: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    reason: str | None
    is_final: bool


class EnsembleWeight(Answer):
    """The share of a member in an ensemble, for one cycle and horizon."""

    cycle: Moment
    horizon: int
    ensemble: str
    model_id: str
    model_name: str
    weight: float
    n_history: int = Field(description="Cycles that the weight rests on.")
    fallback: str | None = Field(description="Why the weight is not the strategy's own.")


class EnsembleHistoryRow(Answer):
    """Where an ensemble stood on one board, beside the ranked real models."""

    as_of: Moment
    model_id: str
    model_name: str
    rank_with_ensembles: int | None
    rank_key: float | None
    coverage: float | None
    n: int
    n_ranked: int | None
    best_member: float | None = Field(description="The value ranked by of the best real model.")
    median_member: float | None


class CompetitionAnswer(Answer):
    """A published board of any kind."""

    name: str = Field(examples=["sp500"])
    kind: str = Field(description="competition, judging, llm or experiments.", examples=["competition"])
    title: str
    state: str = Field("", description="fresh, late, frozen or empty; of competitions.", examples=["frozen"])
    late_from: Moment | None = None
    newest_cycle: Moment | None = None
    newest_board: Moment | None = None
    metrics: list[str] = Field([])
    windows: list[str] = Field([])
    categories: list[str] = Field([])


class Info(Answer):
    """Which Podium, and which publication."""

    version: str
    seq: int
    published_at: Moment
    withheld_until: Moment | None = Field(description="When rows that are under embargo now will be published.")
    boards: list[str]


class ColumnAnswer(Answer):
    """A column of a table."""

    name: str
    type: str
    comment: str
    nullable: bool


class TableAnswer(Answer):
    """A table of the published file."""

    name: str = Field(examples=["competition.leaderboard"])
    comment: str
    key: list[str]
    columns: list[ColumnAnswer]
