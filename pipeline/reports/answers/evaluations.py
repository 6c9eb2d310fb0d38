"""What reports answer about evaluation sets."""

from pydantic import Field

from pipeline.reports.answers.base import Answer


class EvaluationSet(Answer):
    """An evaluation set of a competition: a choice of tasks with a board of its own."""

    evaluation: str = Field(examples=["season 2024-25, states"])
    rank_by: str | None = Field(description="The metric that ranks.", examples=["wis_scaled_relative_skill"])
    metrics: list[str]
    breakdowns: list[str] = Field(description="What divides it: subject, cycle, horizon, target_time.")
    n_tasks: int = Field(description="Tasks that any model submitted.")
    n_models: int = Field(description="Models with a value, virtual ones among them.")
    n_excluded: int = Field(description="Models that submitted too little.")


class EvaluationRow(Answer):
    """One metric of one model on one part of an evaluation set."""

    evaluation: str
    by: str = Field(description="overall, or what divides the set.", examples=["horizon"])
    part: str = Field(description="overall, or the subject, cycle, horizon or target time.", examples=["1"])
    model_id: str
    model_name: str
    is_ensemble: bool
    metric: str
    value: float | None
    ci_low: float | None = Field(description="Of the 95 % interval.")
    ci_high: float | None
    ci_method: str = Field(description="How the interval was made, or why there is none; excluded: takes no part.")
    reason: str | None = Field(description="Why there is no value, or why the model is excluded.")
    n: int = Field(description="Tasks that the value rests on.")
    n_submitted: int
    n_tasks: int = Field(description="Tasks of the part.")
    rank: int | None = Field(description="Of the metric that ranks: among real models.")
    rank_with_ensembles: int | None
    rank_lo: int | None = Field(description="Best rank that it could have.")
    rank_hi: int | None = Field(description="Worst rank that it could have.")
    tie_group: int | None
