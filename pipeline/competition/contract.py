"""The contract of a competition: everything that its ``defs.yaml`` may declare, and what makes it invalid.

Every name is checked when the contract is read, so that a mistake shows at load with the known names, not in
the middle of a run. The parts are in :mod:`pipeline.competition.declaration`.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from pipeline.competition.declaration import (
    INBOX,
    Declaration,
    FactorsSpec,
    LeaderboardSpec,
    MissingSpec,
    ModelsSpec,
    Name,
    PredictionsSpec,
    ScoringSpec,
    SubjectsSpec,
    TruthSpec,
    WindowSpec,
    not_reserved,
)
from pipeline.competition.durations import Duration, format_duration
from pipeline.competition.metrics import METRICS, Metric, Need
from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey
from pipeline.registry import UnknownNameError


class Contract(Declaration):
    """One competition, as declared in ``defs/<name>/defs.yaml``."""

    name: Annotated[Name, AfterValidator(not_reserved)] = Field(
        description="Name of the board: its defs folder, asset prefix and schema in the published file."
    )
    title: str = Field(description="Title to show.")
    description: str = Field(default="", description="What is predicted and what the board does not say.")
    schedule: str | None = Field(default=None, description="Cron line (UTC) of the scheduled run.")
    predictions: PredictionsSpec
    truth: TruthSpec
    factors: FactorsSpec | None = Field(
        default=None, description="Factors; by default those of the predictions' source, none from the inbox."
    )
    models: ModelsSpec = Field(default_factory=ModelsSpec)
    subjects: SubjectsSpec = Field(default_factory=SubjectsSpec)
    scoring: ScoringSpec
    metrics: tuple[str, ...] = Field(
        min_length=1, description="Metrics to compute, by name or dotted path; only these are."
    )
    windows: dict[Name, WindowSpec] = Field(min_length=1, description="Rolling windows by name.")
    leaderboard: LeaderboardSpec
    missing: MissingSpec = Field(default_factory=MissingSpec)
    min_subjects: int | None = Field(
        default=None, ge=2, description="Fewest pairs for a cross-sectional metric; default max(5, half the outcomes)."
    )
    center: float = Field(default=0.0, description="The neutral prediction, for signs.")
    horizon_cycles: float = Field(
        default=1.0, gt=0, description="How many cycles one horizon step lasts; overlapping returns are divided by it."
    )

    horizon_length: Duration | None = Field(
        default=None,
        description="How long one horizon lasts: target_time is cycle + horizon x this, for files that give none.",
        examples=["7d"],
    )
    frozen: bool = Field(default=False, description="The contest has ended: its board is complete, never late.")
    late_after: Duration | None = Field(
        default=None,
        description="The board is late when its newest cycle is older; twice the usual spacing by default.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> "Contract":
        problems = _unknown_names(self) or [*_metric_problems(self), *_key_problems(self), *_file_problems(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def has_inbox(self) -> bool:
        """Whether anything of the contest arrives as files."""
        return INBOX in (self.predictions.source, self.truth.source, self.factors and self.factors.source)

    @property
    def embargo(self) -> timedelta:
        """How long after its cycle a prediction may be read by others."""
        after = self.predictions.publish_after
        return self.predictions.deadline if after is None else after

    def metric(self, name: str) -> Metric:
        """The metric of that name, built in or custom; one named by its dotted path is called so in every table."""
        return replace(METRICS.get(name), name=name)

    def direction(self, name: str) -> Direction:
        """Which way the metric is better; a metric without its own direction has that of the scoring rule."""
        return self.metric(name).direction or RULES.get(self.scoring.rule).direction

    @property
    def needs(self) -> frozenset[Need]:
        """What the listed metrics read of a panel besides signals, outcomes and scores."""
        return frozenset[Need]().union(*(self.metric(name).needs for name in self.metrics))

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


def _file_problems(contract: Contract) -> list[str]:
    """Kinds of files that would be mixed up, and settings that would do nothing."""
    problems = []
    registries = (contract.models.files, contract.subjects.files)
    rows = {part.files for part in (contract.predictions, contract.truth, contract.factors) if part is not None}
    if len({*registries, *rows}) < len(rows) + len(registries):
        problems.append(f"files: registrations ({', '.join(registries)}) need folders of their own, apart from {rows}")
    if contract.horizon_length is not None and contract.horizon_length <= timedelta(0):
        problems.append(f"horizon_length is {format_duration(contract.horizon_length)}; give one above 0, such as 7d")
    if contract.embargo < contract.predictions.deadline:
        problems.append("predictions.publish_after is before the deadline: players could copy; give a later one")
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
        elif not contract.metric(metric).ranks:
            ranking = ", ".join(name for name in contract.metrics if contract.metric(name).ranks)
            problems.append(
                f"leaderboard key {key!r}: {metric!r} leaps where there is little of what it divides by, so no board "
                f"is ranked by it; rank by one of: {ranking}"
            )
    if not problems:
        try:
            contract.rank_by()
        except ValueError as error:
            problems.append(f"leaderboard: {error}")
    return problems
