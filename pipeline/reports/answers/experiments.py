"""What the API of experiments answers."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from pipeline.reports.answers.base import Answer, Moment


def _read(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


_RUN = "ac0368bd-4385-50f0-94a0-d605bcf19370"
_HASH = "dda293b4d5644ea8eebce195f1bd49a8d16ae5b10d38e51688a67a1de04ff353"
_CONFIG = {
    "prompt": "Capital of {{ country }}?",
    "model": "small",
    "params": {"temperature": 0},
    "input_data": {"country": "France"},
}
Share = Annotated[float | None, Field(description="0 (worst) to 1 (best).", examples=[0.83])]
Cost = Annotated[float | None, Field(description="US dollars; null where unknown, which is not 0.", examples=[0.0004])]
Json = Annotated[Any, BeforeValidator(_read)]
Config = Annotated[
    dict[str, Any], BeforeValidator(_read), Field(description="prompt, model, params, input_data.", examples=[_CONFIG])
]


class RunResponse(Answer):
    """A run: a configuration asked one input once."""

    id: str = Field(examples=[_RUN])
    experiment_id: str = Field(description="Name of the experiment.", examples=["capitals"])
    config_hash: str = Field(description="sha256 of the config's canonical JSON (RFC 8785).", examples=[_HASH])
    config: Config
    status: str = Field(description="pending, running, completed, failed or cancelled.", examples=["completed"])
    started_at: Moment | None
    completed_at: Moment | None
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost_estimate: Cost
    created_at: Moment | None = Field(description="When it was asked for; null where it is only declared.")
    repeat: int = Field(description="Which asking of the same, from 1.", examples=[1])
    configuration: str = Field(description="The contestant: a hash of prompt, model and params.")
    title: str | None = Field(description="What the configuration is called.", examples=["terse@1 · small"])
    input_id: str = Field(examples=["france"])
    error: str | None
    weighted_score: Share
    rank: int | None = Field(description="Among all runs of the experiment; null: unranked.")


class RunListResponse(Answer):
    """Some runs, the newest first."""

    items: list[RunResponse]
    total: int = Field(description="Runs there are without limit and offset.")


class StageResultResponse(Answer):
    """A stage of a run, such as one call of a model."""

    number: int = Field(examples=[1])
    stage_name: str = Field(examples=["answer"])
    status: str
    started_at: Moment | None
    completed_at: Moment | None
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost_estimate: Cost
    input: str | None = Field(description="What was sent.")
    output: str | None
    error: str | None


class ScoreResponse(Answer):
    """A score of a run."""

    id: str | None = Field(description="Of a score that was given through Podium.")
    run_id: str
    scorer_name: str = Field(examples=["helpful"])
    value: Share
    rating: float | None = Field(description="On the scorer's own scale, where it was given so.", examples=[4])
    metadata: Any = Field(description="What was sent with it; of a machine's what it is made of.")
    created_at: Moment
    kind: str = Field(description="auto (computed), judge (a model's verdict) or human.", examples=["human"])
    scorer_version: str
    reason: str | None = Field(description="Why there is no value.")
    rater: int = Field(description="Number of the person who gave it, from 1; 0 for a machine. Names are not told.")
    is_own: bool = Field(description="Whether whoever asks gave it.")
    is_latest: bool = Field(description="Whether it is the newest by this scorer and rater: the one that counts.")


class RunStanding(Answer):
    """What the weighted score of a run rests on."""

    rank: int | None
    score: Share
    coverage: float = Field(description="Share of the weights whose scorers it has.")
    n_scorers: int
    weighting: str | None = Field(description="declared, or equal: none that it has is weighted.")
    missing_scorers: list[str]
    unweighted_scorers: list[str]
    mean_of_scorers: Share
    status: str = Field(description="ranked, or unranked and why.")


class RunDetailResponse(RunResponse):
    """A run with everything that is known of it."""

    stage_results: list[StageResultResponse]
    scores: list[ScoreResponse] = Field(description="All of them: what was given is never overwritten.")
    output: str | None
    reference: Any = Field(description="What should have come: a text, a list of texts, or null.")
    standing: RunStanding | None
    can_cancel: bool = Field(description="Whether whoever asks may cancel it: their own, and not ended.")


class LeaderboardEntry(Answer):
    """A run on the board of runs."""

    run_id: str = Field(examples=[_RUN])
    config_hash: str = Field(examples=[_HASH])
    config: Config
    status: str = Field(examples=["completed"])
    weighted_score: Share
    scores: dict[str, float] = Field(description="By scorer.", examples=[{"exact": 1.0, "helpful": 0.75}])
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost_estimate: Cost
    rank: int | None = Field(description="Ties share it; null: unranked.", examples=[1])
    coverage: float = Field(description="Share of the weights whose scorers it has, 0 to 1.", examples=[1.0])
    unranked_reason: str | None = Field(description="Why it has no rank.", examples=["missing_scorers"])
    missing_scorers: list[str] = Field(description="Weighted scorers that it lacks.", examples=[["helpful"]])
    unweighted_scorers: list[str] = Field(description="Scorers that it has and that have no weight.")


class GroupEntry(Answer):
    """A configuration, a model or a prompt on its board."""

    contestant: str
    title: str
    rank: int | None = Field(description="Ties share it; null: unranked.", examples=[1])
    rank_lo: int | None = Field(description="Best rank it could have, at 95 % for all together.")
    rank_hi: int | None = Field(description="Worst rank it could have.")
    weighted_score: Share = Field(description="Mean score of its runs.")
    sd: float | None
    ci_low: float | None = Field(description="Of the 95 % interval of the mean.")
    ci_high: float | None
    ci_method: str = Field(description="over_inputs, over_repeats, or why there is no interval.")
    median: float | None
    scores: dict[str, float | None] = Field(description="Mean by scorer.")
    n_scored: int = Field(description="Runs that its score rests on.")
    n_runs: int
    n_failed: int
    n_cancelled: int
    n_unfinished: int
    n_zero: int
    n_full: int
    n_inputs: int
    n_inputs_missing: int
    coverage: float
    unranked_reason: str | None
    cost: Cost = Field(description="Mean of known costs.")
    total_cost: Cost
    n_cost: int = Field(description="Runs of known cost.")
    duration_ms: float | None
    tokens_in: float | None
    tokens_out: float | None


class LeaderboardResponse(Answer):
    """The best runs of an experiment."""

    experiment_id: str
    entries: list[LeaderboardEntry]
    total: int = Field(description="Completed runs that any scorer scored, whatever top_n is.", examples=[69])
    n_ranked: int = Field(description="Of these, ranked ones.")
    group_by: str = Field(examples=["run"])
    weights: dict[str, float] = Field(description="Weights above 0 by scorer; empty: all scorers count alike.")


class GroupedLeaderboardResponse(Answer):
    """The best configurations, models or prompts of an experiment."""

    experiment_id: str
    entries: list[GroupEntry]
    total: int = Field(description="Contestants, whatever top_n is.")
    n_ranked: int = Field(description="Of these, ranked ones.")
    group_by: str = Field(examples=["configuration"])
    weights: dict[str, float]
    n_waiting: int = Field(description="Runs and scores that the entries lack until the next publication.")


class ScorerAnswer(Answer):
    """A scorer of an experiment."""

    name: str
    scorer: str
    kind: str
    weight: float
    options: dict[str, Any]


class ExperimentAnswer(Answer):
    """An experiment: what it tries, and how far it is."""

    name: str = Field(examples=["capitals"])
    title: str
    description: str
    is_published: bool = Field(description="False of one that was posted and that no run has brought up to date yet.")
    runs: dict[str, int] = Field(description="By status.")
    n_runs: int
    n_configurations: int
    n_inputs: int
    scorers: list[ScorerAnswer]
    cost: Cost = Field(description="Sum of known costs.")
    n_cost: int
    first_at: Moment | None
    last_at: Moment | None
    group_by: str
    n_waiting: int = Field(description="Runs and scores that are not published yet.")


class ConfigurationAnswer(Answer):
    """A configuration of an experiment."""

    configuration: str
    title: str
    prompt: str
    prompt_version: str
    model: str
    parameters: dict[str, Any]
    is_baseline: bool
    is_declared: bool


class ExperimentDetail(ExperimentAnswer):
    """An experiment with its configurations, and as it was declared."""

    configurations: list[ConfigurationAnswer]
    declaration: dict[str, Any]


class ComparisonRow(Answer):
    """A configuration against the baseline, on the inputs that both have."""

    configuration: str
    title: str | None
    baseline: str
    baseline_title: str | None
    n_inputs: int
    n_left_out: int = Field(description="Inputs that one of them has only: what is missing is no 0.")
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    wins: int
    ties: int
    losses: int
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    verdict: str = Field(examples=["undecided"])
    test: str
    correction: str
    reason: str | None


class PairedRunAnswer(Answer):
    """A run of one of two configurations."""

    run_id: str
    repeat: int
    status: str
    score: Share
    output: str | None
    error: str | None


class PairedInputAnswer(Answer):
    """An input with what both configurations made of it."""

    input_id: str
    first: list[PairedRunAnswer]
    second: list[PairedRunAnswer]
    first_score: Share
    second_score: Share
    difference: float | None = Field(description="Null unless both have scores.")
    outcome: str | None = Field(description="Of the first: win, tie or loss.")


class PairAnswer(Answer):
    """Two configurations input by input."""

    experiment: str
    first: str
    first_title: str
    second: str
    second_title: str
    n_inputs: int
    n_left_out: int
    n_unscored: int
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    wins: int
    ties: int
    losses: int
    statistic: float | None
    p: float | None
    verdict: str
    test: str
    reason: str | None
    inputs: list[PairedInputAnswer]


class DistributionAnswer(Answer):
    """How the scores of a contestant's runs spread."""

    contestant: str
    n: int
    mean: float
    sd: float | None
    minimum: float
    quartile_1: float
    median: float
    quartile_3: float
    maximum: float
    counts: list[int] = Field(description="Runs by equal parts of 0 to 1.")


class AgreementAnswer(Answer):
    """How far people agree who rate by a scorer."""

    scorer: str
    coefficient: str
    level: str
    value: float | None
    n_raters: int
    n_runs: int
    reason: str | None


class ToRateAnswer(Answer):
    """The run that whoever asks should rate next, and how much there is to do."""

    experiment: str
    scorer: str
    question: str
    scale: list[float] = Field(description="The worst and the best rating.", examples=[[1, 5]])
    step: float | None
    raters: int = Field(description="People that should rate each run.")
    run_id: str | None = Field(description="Null when nothing is left.")
    n_left: int
    n_own: int
    n_rated: int
    n_runs: int
