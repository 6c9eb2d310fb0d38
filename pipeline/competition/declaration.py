"""The parts of a contract: what each field means and what makes it invalid by itself.

Add a field here when an operator must be able to decide it per competition; what must hold between parts is in
:mod:`pipeline.competition.contract`.
"""

import math
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.competition.categories import By
from pipeline.competition.durations import Duration, format_duration
from pipeline.competition.outputs import DECLARED, Output, id_text
from pipeline.competition.scoring import SCALES
from pipeline.declaration import Declaration, Name

INBOX = "inbox"
"""The source of what arrives as files."""

HUB = "hub"
"""The source of what a forecast hub has."""

_SOURCE = (
    f"Dotted path of a source, or {INBOX}: files dropped in data/inbox/<name>/<files>, or {HUB}: a forecast hub, whose "
    "predictions.path and predictions.target are named."
)
_COLUMNS = "Names that the files give to columns, where they are not Podium's: {subject: ticker, value: signal}."


class _FromFiles(Declaration):
    """A part that may arrive as files, whose columns may be called otherwise there."""

    column_names: ClassVar[tuple[str, ...]]

    @model_validator(mode="before")
    @classmethod
    def _columns_are_known(cls, declared: object) -> object:
        columns = declared.get("columns") if isinstance(declared, dict) else None
        unknown = [str(name) for name in columns if name not in cls.column_names] if isinstance(columns, dict) else []
        if unknown:
            raise ValueError(f"columns: unknown {', '.join(map(repr, unknown))}; known: {', '.join(cls.column_names)}")
        given = list(columns.values()) if isinstance(columns, dict) else []
        twice = [repr(column) for place, column in enumerate(given) if column in given[:place]]
        if twice:
            raise ValueError(f"columns: {', '.join(twice)} cannot be two columns at once; give each its own")
        return declared


def _listed_ids(declared: object) -> object:
    """Ids out of a list: texts as they are, and numbers as tables hold them."""
    if not isinstance(declared, list | tuple):
        raise ValueError(f"{declared!r} is no list; write the levels, thresholds or categories as [0.1, 0.5, 0.9]")
    wrong = [repr(one) for one in declared if isinstance(one, bool) or not isinstance(one, str | int | float)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is neither text nor a number; in YAML, put words such as yes in quotes")
    return tuple(id_text(one, "pmf") for one in declared)


class PredictionsSpec(_FromFiles):
    """Where predictions come from and until when they count."""

    source: str = Field(description=_SOURCE, examples=["inbox", "pipeline.baselines.sp500"])
    files: Name = Field(default="predictions", description="Folder of the inbox that they arrive in.")
    output_type: Literal["value", "mean", "median", "quantile", "pmf", "sample", "cdf"] = Field(
        default="value",
        description="Kind of prediction: one number (value; mean or median, which also say which number of a "
        "distribution it is), or a distribution: quantiles, probabilities of categories (pmf), samples, a distribution "
        "function (cdf).",
    )
    deadline: Duration = Field(
        default=timedelta(0),
        description="Predictions received later than cycle + deadline are kept, flagged and not scored.",
        examples=["0h", "-12h"],
    )
    trusted: bool = Field(
        default=False,
        description="For imports: files are judged by their own column received_at, or in time without one.",
    )
    publish_after: Duration | None = Field(
        default=None,
        description="Nobody can read predictions of a cycle before cycle + this; the deadline by default.",
        examples=["0h", "7d"],
    )
    columns: dict[str, str] = Field(default_factory=dict, description=_COLUMNS, examples=[{"value": "signal"}])
    output_type_ids: Annotated[
        tuple[str, ...], BeforeValidator(_listed_ids, json_schema_input_type=list[str | float])
    ] = Field(
        default=(),
        description="Of quantile, pmf and cdf: the quantile levels, the categories in their order, the thresholds. A "
        "pmf's outcome is the place of the category that occurred, counted from 1.",
        examples=[[0.025, 0.25, 0.5, 0.75, 0.975]],
    )
    path: str | None = Field(
        default=None, description=f"With source: {HUB}, the hub's folder, or a URL that fsspec knows.", examples=["hub"]
    )
    target: str | None = Field(
        default=None, description=f"With source: {HUB}, the target id in the hub.", examples=["wk inc flu hosp"]
    )

    column_names = (
        *("model_id", "cycle", "horizon", "subject", "target_time", "value", "received_at"),
        *("output_type", "output_type_id"),
    )

    @model_validator(mode="after")
    def _a_hub_is_named(self) -> "PredictionsSpec":
        for name, value in {"path": self.path, "target": self.target}.items():
            if (value is not None) != (self.source == HUB):
                raise ValueError(
                    f"predictions.source is {self.source!r} and predictions.{name} is {value!r}; give path and target "
                    f"with source: {HUB}, and only with it (`podium hub PATH` lists the targets)"
                )
        return self

    @model_validator(mode="after")
    def _ids_are_those_of_the_output_type(self) -> "PredictionsSpec":
        kind, ids = self.output_type, self.output_type_ids
        if kind in DECLARED and not ids:
            raise ValueError(f"output_type {kind!r} needs output_type_ids: the {DECLARED[kind]}")
        if kind not in DECLARED and ids:
            takers = ", ".join(DECLARED)
            raise ValueError(f"output_type {kind!r} takes no output_type_ids, {takers} do; leave them out")
        wrong = [repr(one) for one in ids if kind != "pmf" and not _is_id(one, kind)]
        if wrong:
            raise ValueError(f"output_type_ids: {', '.join(wrong)} cannot be among {DECLARED[kind]}")
        texts = [id_text(one, kind) for one in ids]
        twice = [repr(one) for one in dict.fromkeys(texts) if texts.count(one) > 1]
        if twice:
            raise ValueError(f"output_type_ids names {', '.join(twice)} twice; list each once")
        if kind == "pmf" and len(texts) == 1:
            raise ValueError(f"output_type_ids names {texts[0]!r} alone; probabilities need 2 categories at least")
        return self

    @property
    def output(self) -> Output:
        """The output type with its ids as tables hold them, those that are numbers in rising order."""
        texts = tuple(id_text(one, self.output_type) for one in self.output_type_ids)
        return Output(self.output_type, texts if self.output_type == "pmf" else tuple(sorted(texts, key=float)))


def _is_id(text: str, output_type: str) -> bool:
    """Whether a text is a quantile level, or a threshold."""
    try:
        number = float(text)
    except ValueError:
        return False
    return 0 < number < 1 if output_type == "quantile" else math.isfinite(number)


class TruthSpec(_FromFiles):
    """Where outcomes come from and when they became known."""

    source: str = Field(description=_SOURCE, examples=["inbox", "pipeline.baselines.sp500"])
    files: Name = Field(
        default="truth", description="Folder of the inbox that they arrive in; that of predictions when both are there."
    )
    known_at: Literal["target_time", "column", "arrival"] = Field(
        default="target_time",
        description="target_time (+ delay): known at the end of the period; column: the source says; "
        "arrival: when Podium first saw it.",
    )
    delay: Duration = Field(default=timedelta(0), description="With known_at: target_time, how much later.")
    columns: dict[str, str] = Field(default_factory=dict, description=_COLUMNS, examples=[{"value": "signal"}])

    column_names = ("subject", "target_time", "cycle", "horizon", "known_at", "value")


class FactorsSpec(_FromFiles):
    """Where properties of subjects come from, known at each cycle."""

    source: str = Field(description=_SOURCE, examples=["inbox"])
    files: Name = Field(default="factors", description="Folder of the inbox that they arrive in.")
    values: tuple[str, ...] = Field(
        default=(),
        description="Columns of the files that are one factor each; without it, files have columns factor and value.",
        examples=[["momentum", "beta"]],
    )
    columns: dict[str, str] = Field(default_factory=dict, description=_COLUMNS, examples=[{"value": "signal"}])

    column_names = ("cycle", "subject", "factor", "value")


class ModelsSpec(_FromFiles):
    """Who may take part, and the files that say more about them."""

    registration: Literal["open", "closed"] = Field(
        default="open",
        description="open: a model takes part by predicting; closed: predictions of models without registration are "
        "refused.",
    )
    files: Name = Field(default="models", description="Folder of the inbox that registrations arrive in.")
    columns: dict[str, str] = Field(default_factory=dict, description=_COLUMNS, examples=[{"value": "signal"}])

    column_names = ("model_id", "title", "player", "designated", "version", "licence", "description")


class SubjectsSpec(_FromFiles):
    """What may be predicted, and the files that say more about it."""

    registration: Literal["open", "closed"] = Field(
        default="open",
        description="open: a subject is there by being predicted; closed: predictions of others are refused.",
    )
    files: Name = Field(default="subjects", description="Folder of the inbox that registrations arrive in.")
    columns: dict[str, str] = Field(default_factory=dict, description=_COLUMNS, examples=[{"value": "signal"}])

    column_names = ("subject", "title")


class ScoringSpec(Declaration):
    """How one prediction is scored, and which metric is the contest's own."""

    rule: str = Field(description="Scoring rule: built-in name or dotted path.", examples=["rank_product"])
    primary: str = Field(description="The metric that the contest is about.", examples=["ic"])
    scale: str = Field(
        default="natural",
        description="What predictions and outcomes are put on before they are scored: "
        f"{', '.join(SCALES.available())}.",
    )


class MissingSpec(Declaration):
    """What counts for a cycle that a model leaves out after its first one."""

    policy: Literal["skip", "baseline", "worst", "carry_forward"] = Field(
        default="skip",
        description="skip: nothing; baseline: the metrics of a named model; worst: those of the model that was worst "
        "in that cycle; carry_forward: the model's own last submission, as predictions of that cycle. What is filled "
        "in is counted in n_imputed, not in n nor in coverage.",
    )
    baseline: str | None = Field(default=None, description="With policy: baseline, the model whose metrics count.")
    max_cycles: int | None = Field(
        default=None,
        ge=1,
        description="With policy: carry_forward, at most so many cycles in a row are filled in; all by default.",
    )

    @property
    def carries(self) -> bool:
        """Whether submissions stand in for those to later cycles."""
        return self.policy == "carry_forward"

    @model_validator(mode="after")
    def _baseline_is_named(self) -> "MissingSpec":
        if (self.policy == "baseline") != (self.baseline is not None):
            raise ValueError(
                f"missing.policy is {self.policy!r} and missing.baseline is {self.baseline!r}; name a model with "
                f"policy: baseline, and only with it"
            )
        return self

    @model_validator(mode="after")
    def _only_what_is_carried_has_an_end(self) -> "MissingSpec":
        if self.max_cycles is not None and not self.carries:
            raise ValueError(
                f"missing.max_cycles is {self.max_cycles} and missing.policy is {self.policy!r}; it limits "
                f"policy: carry_forward only, so choose that one or leave it out"
            )
        return self


class WindowSpec(Declaration):
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


class LeaderboardSpec(Declaration):
    """What the board is ranked by and who is eligible."""

    rank_by: str | dict[str, float] = Field(
        description="window.metric, or weights over several: {anchor.ic: 0.5, steady.ic: 0.3, recent.ic: 0.2}.",
        examples=["anchor.ic"],
    )
    tie_breakers: tuple[str, ...] = Field(default=(), description="window.metric, each used when the ones before tie.")
    min_coverage: float = Field(default=0.0, ge=0, le=1, description="Below it a model is listed but unranked.")
    min_predictions: int = Field(default=0, ge=0, description="Fewer scored predictions leave a model unranked.")
    inactive_after: int | None = Field(
        default=None, ge=1, description="A model that left out so many resolved cycles in a row is unranked: inactive."
    )

    @property
    def weights(self) -> dict[str, float]:
        """``rank_by`` as weights; a single key has weight 1."""
        return {self.rank_by: 1.0} if isinstance(self.rank_by, str) else dict(self.rank_by)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every column that the board is ranked by, each once, those of the primary key first."""
        return tuple(dict.fromkeys([*self.weights, *self.tie_breakers]))


def listed_categories(declared: object) -> object:
    """The list, unless it is something else."""
    if not isinstance(declared, list | tuple):
        raise ValueError(f"{declared!r} is no list; write [horizon] or [{{by: subject, rank_by: all.score}}]")
    return declared


class CategorySpec(Declaration):
    """Boards of parts of the contest: one for each horizon, or one for each subject."""

    by: By = Field(description="horizon or subject.")
    rank_by: str | dict[str, float] | None = Field(
        default=None, description="As in leaderboard; by default what the whole board is ranked by."
    )
    tie_breakers: tuple[str, ...] | None = Field(
        default=None, description="As in leaderboard; by default its own, none where rank_by is given here."
    )
    history: bool = Field(
        default=False, description="Keep the board of every past moment, as the whole board's; else the newest only."
    )

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, declared: object) -> object:
        return {"by": declared} if isinstance(declared, str) else declared

    def board(self, whole: LeaderboardSpec) -> LeaderboardSpec:
        """What the parts' boards are ranked by, and who is eligible there."""
        if self.rank_by is None:
            tie_breakers = whole.tie_breakers if self.tie_breakers is None else self.tie_breakers
            return whole.model_copy(update={"tie_breakers": tie_breakers})
        return whole.model_copy(update={"rank_by": self.rank_by, "tie_breakers": self.tie_breakers or ()})
