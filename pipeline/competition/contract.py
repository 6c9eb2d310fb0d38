"""The contract of a competition: everything that its ``defs.yaml`` may declare, and what makes it invalid.

Every name is checked when the contract is read, so that a mistake shows at load with the known names, not in
the middle of a run. Add a field here when an operator must be able to decide it per competition.
"""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.competition.durations import Duration, format_duration
from pipeline.competition.metrics import METRICS, Metric
from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey
from pipeline.registry import UnknownNameError
from pipeline.tables import ALL_TABLES

_RESERVED = {spec.schema for spec in ALL_TABLES} | {
    *("experiments", "judging", "llm", "marts", "quarantine"),
    *("information_schema", "main", "pg_catalog", "podium", "system", "temp"),
}
"""Schemas of the warehouse and of DuckDB; a board has a schema of its own in the published file."""


def _name(name: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise ValueError(f"{name!r} is no name; use lower-case letters, digits and _, a letter first")
    return name


def _not_reserved(name: str) -> str:
    if name in _RESERVED:
        raise ValueError(f"{name!r} is the name of a schema, so no board can have it: {', '.join(sorted(_RESERVED))}")
    return name


Name = Annotated[str, AfterValidator(_name)]
"""A name that is good for a folder, a schema and a part of a key: no dots, no spaces, no capitals."""


class _Declaration(BaseModel):
    """A part of a contract: unknown fields and infinite numbers are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _fields_are_known(cls, declared: object) -> object:
        unknown = [str(name) for name in declared if name not in cls.model_fields] if isinstance(declared, dict) else []
        if unknown:
            raise ValueError(f"unknown field {', '.join(map(repr, unknown))}; known: {', '.join(cls.model_fields)}")
        return declared


class PredictionsSpec(_Declaration):
    """Where predictions come from and until when they count."""

    source: str = Field(description="Dotted path of the source.", examples=["pipeline.baselines.sp500"])
    output_type: Literal["value"] = Field(default="value", description="Kind of prediction.")
    deadline: Duration = Field(
        default=timedelta(0),
        description="Predictions received later than cycle + deadline are kept, flagged and not scored.",
        examples=["0h", "-12h"],
    )


class TruthSpec(_Declaration):
    """Where outcomes come from and when they became known."""

    source: str = Field(description="Dotted path of the source.", examples=["pipeline.baselines.sp500"])
    known_at: Literal["target_time", "column", "arrival"] = Field(
        default="target_time",
        description="target_time (+ delay): known at the end of the period; column: the source says; "
        "arrival: when Podium first saw it.",
    )
    delay: Duration = Field(default=timedelta(0), description="With known_at: target_time, how much later.")


class ScoringSpec(_Declaration):
    """How one prediction is scored, and which metric is the contest's own."""

    rule: str = Field(description="Scoring rule: built-in name or dotted path.", examples=["rank_product"])
    primary: str = Field(description="The metric that the contest is about.", examples=["ic"])


class WindowSpec(_Declaration):
    """The last ``cycles`` cycles, or those less than ``duration`` older than the newest; neither means all."""

    cycles: int | None = Field(default=None, ge=1, description="Number of cycles of the competition.")
    duration: Duration | None = Field(default=None, description="Cycle time, counted back from the newest cycle.")

    @model_validator(mode="after")
    def _one_length_above_zero(self) -> "WindowSpec":
        if self.cycles is not None and self.duration is not None:
            raise ValueError("a window has cycles or duration, not both")
        if self.duration is not None and self.duration <= timedelta(0):
            raise ValueError(f"a window's duration is {format_duration(self.duration)}; give one above 0, such as 90d")
        return self


class LeaderboardSpec(_Declaration):
    """What the board is ranked by and who is eligible."""

    rank_by: str | dict[str, float] = Field(
        description="window.metric, or weights over several: {anchor.ic: 0.5, steady.ic: 0.3, recent.ic: 0.2}.",
        examples=["anchor.ic"],
    )
    tie_breakers: tuple[str, ...] = Field(default=(), description="window.metric, each used when the ones before tie.")
    min_coverage: float = Field(default=0.0, ge=0, le=1, description="Below it a model is listed but unranked.")
    min_predictions: int = Field(default=0, ge=0, description="Fewer scored predictions leave a model unranked.")

    @property
    def weights(self) -> dict[str, float]:
        """``rank_by`` as weights; a single key has weight 1."""
        return {self.rank_by: 1.0} if isinstance(self.rank_by, str) else dict(self.rank_by)


class Contract(_Declaration):
    """One competition, as declared in ``defs/<name>/defs.yaml``."""

    name: Annotated[Name, AfterValidator(_not_reserved)] = Field(
        description="Name of the board: its defs folder, asset prefix and schema in the published file."
    )
    title: str = Field(description="Title to show.")
    description: str = Field(default="", description="What is predicted and what the board does not say.")
    schedule: str | None = Field(default=None, description="Cron line (UTC) of the scheduled run.")
    predictions: PredictionsSpec
    truth: TruthSpec
    scoring: ScoringSpec
    metrics: tuple[str, ...] = Field(min_length=1, description="Metrics to compute; only these are.")
    windows: dict[Name, WindowSpec] = Field(min_length=1, description="Rolling windows by name.")
    leaderboard: LeaderboardSpec
    min_subjects: int | None = Field(
        default=None, ge=2, description="Fewest pairs for a cross-sectional metric; default max(5, half the outcomes)."
    )
    center: float = Field(default=0.0, description="The neutral prediction, for signs.")
    horizon_cycles: float = Field(
        default=1.0, gt=0, description="How many cycles one horizon step lasts; overlapping returns are divided by it."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> "Contract":
        problems = _unknown_names(self) or [*_metric_problems(self), *_key_problems(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def metric(self, name: str) -> Metric:
        """The metric of that name, built in or custom; one named by its dotted path is called so in every table."""
        return replace(METRICS.get(name), name=name)

    def direction(self, name: str) -> Direction:
        """Which way the metric is better; a metric without its own direction has that of the scoring rule."""
        return self.metric(name).direction or RULES.get(self.scoring.rule).direction

    def rank_by(self) -> RankBy:
        """What the board is ranked by, for the kernel.

        Raises
        ------
        ValueError
            If a key has no direction, a key is listed twice, or weights mix directions.
        """
        board = self.leaderboard
        keys = {
            key: RankingKey(key, self.direction(key.partition(".")[2])) for key in (*board.weights, *board.tie_breakers)
        }
        primary: RankingKey | WeightedKey
        if isinstance(board.rank_by, str):
            primary = keys[board.rank_by]
        else:
            primary = WeightedKey(tuple(keys[key] for key in board.weights), tuple(board.weights.values()))
        return RankBy(primary, tuple(keys[key] for key in board.tie_breakers))


def _unknown_names(contract: Contract) -> list[str]:
    problems = []
    wanted = ((RULES, (contract.scoring.rule,)), (METRICS, contract.metrics))
    for registry, names in wanted:
        for name in names:
            try:
                registry.get(name)
            except UnknownNameError as error:
                problems.append(str(error))
    return problems


def _metric_problems(contract: Contract) -> list[str]:
    listed = ", ".join(contract.metrics)
    problems = []
    rule, output_type = RULES.get(contract.scoring.rule), contract.predictions.output_type
    if output_type not in rule.output_types:
        scored = ", ".join(rule.output_types)
        problems.append(f"scoring.rule {contract.scoring.rule!r} scores {scored}, not {output_type!r} predictions")
    if contract.scoring.primary not in contract.metrics:
        problems.append(f"scoring.primary {contract.scoring.primary!r} is not among metrics ({listed}); add it")
    if len(set(contract.metrics)) < len(contract.metrics):
        problems.append(f"metrics names one twice ({listed}); list each once")
    for name in contract.metrics:
        series_of = contract.metric(name).series_of
        if series_of is not None and series_of not in contract.metrics:
            problems.append(f"metric {name!r} is computed from {series_of!r}; add {series_of!r} to metrics")
    return problems


def _key_problems(contract: Contract) -> list[str]:
    board = contract.leaderboard
    problems = []
    for key in (*board.weights, *board.tie_breakers):
        window, _, metric = key.partition(".")
        if window not in contract.windows:
            problems.append(f"leaderboard key {key!r}: unknown window {window!r}; known: {', '.join(contract.windows)}")
        if metric not in contract.metrics:
            problems.append(f"leaderboard key {key!r}: metric {metric!r} is not among: {', '.join(contract.metrics)}")
    if not problems:
        try:
            contract.rank_by()
        except ValueError as error:
            problems.append(f"leaderboard: {error}")
    return problems
