"""The contract of a competition: everything that its ``defs.yaml`` may declare, and what makes it invalid.

Every name is checked when the contract is read, so that a mistake shows at load with the known names, not in
the middle of a run. The parts are in :mod:`pipeline.competition.declaration`.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from pipeline.competition.categories import OVERALL, By, divided_by
from pipeline.competition.declaration import (
    INBOX,
    CategorySpec,
    FactorsSpec,
    LeaderboardSpec,
    MissingSpec,
    ModelsSpec,
    PredictionsSpec,
    ScoringSpec,
    SubjectsSpec,
    TruthSpec,
    WindowSpec,
    listed_categories,
)
from pipeline.competition.durations import Duration
from pipeline.competition.ensembles import EnsembleConfig
from pipeline.competition.ensembles.config import Normalize, read_ensembles
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.competition.metrics import METRICS, Metric, Need, Pool, base_and_ensemble
from pipeline.competition.outputs import Output
from pipeline.competition.scoring import ScoringRule, declared_rule
from pipeline.competition.validation import problems_of
from pipeline.declaration import BoardDeclaration, Name, some
from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey
from pipeline.tables import COMPETITION_TABLES, ENSEMBLE_TABLES, EVALUATIONS, FILES, SUBMISSIONS, TableSpec


class Contract(BoardDeclaration):
    """One competition, as declared in ``defs/<name>/defs.yaml``."""

    kind: ClassVar[str] = "competition"
    called: ClassVar[str] = "competition"

    predictions: PredictionsSpec
    truth: TruthSpec
    factors: FactorsSpec | None = Field(
        default=None, description="Factors; by default those of the predictions' source, none from the inbox."
    )
    models: ModelsSpec = Field(default_factory=ModelsSpec)
    subjects: SubjectsSpec = Field(default_factory=SubjectsSpec)
    scoring: ScoringSpec
    metrics: Annotated[tuple[str, ...], some("[ic, hit_rate]")] = Field(
        min_length=1, description="Metrics to compute, by name or dotted path; only these are."
    )
    windows: Annotated[dict[Name, WindowSpec], some("{all: {}}")] = Field(
        min_length=1, description="Rolling windows by name."
    )
    ensembles: Annotated[tuple[EnsembleConfig, ...], BeforeValidator(read_ensembles)] = Field(
        default=(), description="Virtual models made of the real ones, weighed by what was known at each deadline."
    )
    leaderboard: LeaderboardSpec
    categories: Annotated[tuple[CategorySpec, ...], BeforeValidator(listed_categories)] = Field(
        default=(),
        description="Parts that have boards of their own beside the whole: horizon, subject.",
        examples=[["horizon", {"by": "subject", "rank_by": "anchor.score"}]],
    )
    evaluations: tuple[EvaluationSpec, ...] = Field(
        default=(), description="Choices of tasks with boards of their own, as forecast hubs publish them."
    )
    missing: MissingSpec = Field(default_factory=MissingSpec)
    min_subjects: int | None = Field(
        default=None,
        ge=1,
        description="Fewest pairs for a cross-sectional metric; default max(5, half the outcomes). "
        "1 where every metric looks at single predictions.",
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
        problems = problems_of(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def has_inbox(self) -> bool:
        """Whether anything of the contest arrives as files."""
        return INBOX in (self.predictions.source, self.truth.source, self.factors and self.factors.source)

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that it fills, besides those of the catalog: some only where declared, others only from files."""
        ensembles = () if self.active_ensembles else ENSEMBLE_TABLES
        left_out = ensembles if self.evaluations else (*ensembles, EVALUATIONS)
        files = (FILES,) if self.has_inbox else ()
        submissions = (SUBMISSIONS,) if self.predictions.source == INBOX else ()
        return (*(spec for spec in COMPETITION_TABLES if spec not in left_out), *files, *submissions)

    @property
    def folders(self) -> dict[str, tuple[str, ...]]:
        """The folders of its inbox, registrations first, and which kinds of rows are read from the files in each."""
        places = {
            "models": self.models.files,
            "subjects": self.subjects.files,
            "factors": self.factors.files if self.factors and self.factors.source == INBOX else None,
            "predictions": self.predictions.files if self.predictions.source == INBOX else None,
            "truth": self.truth.files if self.truth.source == INBOX else None,
        }
        found: dict[str, tuple[str, ...]] = {}
        for kind, folder in places.items():
            if folder is not None and self.has_inbox:
                found[folder] = (*found.get(folder, ()), kind)
        return found

    @property
    def embargo(self) -> timedelta:
        """How long after its cycle a prediction may be read by others."""
        after = self.predictions.publish_after
        return self.predictions.deadline if after is None else after

    @property
    def output(self) -> Output:
        """What a prediction is: one number, or a distribution with these ids."""
        return self.predictions.output

    @property
    def rule(self) -> ScoringRule:
        """The scoring rule, on the contest's scale."""
        return self.rule_called(self.scoring.rule)

    def rule_called(self, name: str) -> ScoringRule:
        """Any scoring rule, on the contest's scale."""
        return declared_rule(name, self.scoring.scale, self.predictions.output_type)

    @property
    def measures(self) -> tuple[str, ...]:
        """What the scoring rule is asked for besides its score: the measures that listed metrics are of."""
        return tuple(
            one.measure or one.name for one in map(self.metric, self.metrics) if one.measure or one.output_types
        )

    def metric(self, name: str) -> Metric:
        """The metric of that name, built in or custom; one named by its dotted path is called so in every table."""
        found = METRICS.get(base_and_ensemble(name)[0])
        return found if found.name == name else replace(found, name=name)

    @property
    def active_ensembles(self) -> tuple[EnsembleConfig, ...]:
        """The ensembles that are computed, in the order of their declaration."""
        return tuple(ensemble for ensemble in self.ensembles if ensemble.enabled)

    def ensemble_beside(self, metric: str) -> EnsembleConfig:
        """The ensemble that a metric of members is computed against: the one after ``@``, or the first.

        Raises
        ------
        ValueError
            If there is none.
        """
        _, name = base_and_ensemble(metric)
        for ensemble in self.active_ensembles:
            if name in (None, ensemble.name):
                return ensemble
        known = ", ".join(ensemble.name for ensemble in self.active_ensembles) or "none"
        raise ValueError(f"metric {metric!r} needs an ensemble to be computed against; declared and enabled: {known}")

    def normalization(self, ensemble: EnsembleConfig) -> Normalize:
        """What an ensemble does to its members' predictions first."""
        if ensemble.normalize is not None:
            return ensemble.normalize
        return "rank" if self.rule.is_scale_free and not self.output.is_distribution else "none"

    def direction(self, name: str) -> Direction:
        """Which way the metric is better; a metric without its own direction has that of the scoring rule."""
        return self.metric(name).direction or self.rule.direction

    @property
    def needs(self) -> frozenset[Need]:
        """What the listed metrics read of a panel besides signals, outcomes and scores."""
        return frozenset[Need]().union(*(self.metric(name).needs for name in self.metrics))

    def divided(self, by: By) -> CategorySpec | None:
        """The declaration of the parts divided so; None when there are none."""
        return next((one for one in self.categories if one.by is by), None)

    def board(self, category: str = OVERALL) -> LeaderboardSpec:
        """What a category's board is ranked by, and who is eligible there."""
        spec = self._spec(category)
        return self.leaderboard if spec is None else spec.board(self.leaderboard)

    def _spec(self, category: str) -> CategorySpec | None:
        """The declaration of a part; None of the whole contest, and of a part that is not declared."""
        by = divided_by(category)
        return None if by is None else self.divided(by)

    @property
    def boards(self) -> tuple[LeaderboardSpec, ...]:
        """What any board of the contest is ranked by: that of the whole, and of its parts."""
        return (self.leaderboard, *(one.board(self.leaderboard) for one in self.categories))

    def keeps_history(self, category: str) -> bool:
        """Whether a category's boards of past moments are kept; else the newest alone is."""
        spec = self._spec(category)
        return category == OVERALL or (spec is not None and spec.history)

    def metrics_in(self, category: str) -> tuple[str, ...]:
        """The listed metrics that a category has."""
        return self.metrics_by(divided_by(category))

    def metrics_by(self, by: By | None) -> tuple[str, ...]:
        """The listed metrics of categories that are divided so; None is the whole contest."""
        if by is not By.SUBJECT:
            return self.metrics
        return tuple(name for name in self.metrics if self.base(name).pool is Pool.TASKS)

    def base(self, name: str) -> Metric:
        """The metric of single cycles that a metric rests on: itself, or what its series is of."""
        metric = self.metric(name)
        return metric if metric.series_of is None else self.metric(metric.series_of)

    def rank_by(self, category: str = OVERALL) -> RankBy:
        """What a category's board is ranked by, for the kernel. Errors as :meth:`ranked_by`."""
        return self.ranked_by(self.board(category))

    def ranked_by(self, board: LeaderboardSpec) -> RankBy:
        """What a board is ranked by, for the kernel.

        Raises
        ------
        ValueError
            If a key has no direction, a key is listed twice, or weights mix directions.
        """
        keys = {key: RankingKey(key, self.direction(key.partition(".")[2])) for key in board.keys}
        primary: RankingKey | WeightedKey
        if isinstance(board.rank_by, str):
            primary = keys[board.rank_by]
        else:
            primary = WeightedKey(tuple(keys[key] for key in board.weights), tuple(board.weights.values()))
        return RankBy(primary, tuple(keys[key] for key in board.tie_breakers))
