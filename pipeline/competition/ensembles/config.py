"""What an ensemble may declare: who is in it, how members are weighed and how their predictions become one."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails

from pipeline.competition.ensembles import joint as _joint  # noqa: F401  (registers its strategies)
from pipeline.competition.ensembles.strategies import STRATEGIES, Strategy, Terms
from pipeline.competition.peers import ENSEMBLE_PREFIX
from pipeline.declaration import Declaration, Name
from pipeline.registry import UnknownNameError, described, resolve_dotted_path, takes

Combine = Literal["linear_pool", "mean", "median", "trimmed"]
Normalize = Literal["rank", "zscore", "none"]


class FilterSpec(Declaration):
    """Who may be a member, by what was known at the deadline; every condition given must hold."""

    top_n: int | None = Field(
        default=None, ge=1, description="Only the best so many by the board's ranking key, of those that predicted."
    )
    min_metric: dict[str, float] = Field(
        default_factory=dict,
        description="Only models at least so good, over the ensemble's window: {ic: 0.01}. Without the metric: out.",
    )
    min_coverage: float | None = Field(
        default=None, ge=0, le=1, description="Only models that covered so much of the ensemble's window."
    )

    exclude: tuple[str, ...] = Field(
        default=(), description="Models that are never members, such as a baseline: [naive].", examples=[["naive"]]
    )


class ReselectSpec(Declaration):
    """When members are chosen: in between, the filter goes by what was known at the last choice."""

    every: int = Field(ge=1, description="Cycles that are resolved from one choice to the next.")
    offset: int = Field(
        default=0,
        ge=0,
        description="Members are chosen when the number of resolved cycles, less this, is a multiple of every.",
    )
    first: int = Field(
        default=1, ge=1, description="So many resolved cycles come before the first choice, whatever the offset."
    )

    @model_validator(mode="after")
    def _offset_is_within(self) -> "ReselectSpec":
        if self.offset >= self.every:
            raise ValueError(
                f"offset {self.offset} is not below every, {self.every}; give {self.offset % self.every}, which falls "
                f"on the same cycles"
            )
        return self

    def last_choice(self, resolved: int) -> int | None:
        """How many cycles were resolved at the last choice, when so many are by now; None before the first one."""
        if resolved < self.first:
            return None
        return max(self.first, resolved - (resolved - self.offset) % self.every)


class EnsembleConfig(Declaration):
    """One ensemble: a virtual model ``__ensemble_<name>__`` that is scored and ranked like any other."""

    name: Name = Field(description="Its name; the virtual model is called __ensemble_<name>__.")
    title: str | None = Field(default=None, description="Title to show; made from the name by default.")
    strategy: str = Field(
        default="inverse_variance",
        description=f"How members are weighed: {', '.join(STRATEGIES.available())}, or the dotted path of a function "
        "(model_metrics, predictions) -> {model_id: weight}.",
    )
    combine: Combine = Field(
        default="mean",
        description="How weighed predictions become one; of distributions mean, median and trimmed for each quantile "
        "level, category or threshold, or linear_pool: the mixture of the members' distributions.",
    )
    normalize: Normalize | None = Field(
        default=None,
        description="What is done to each member's predictions of a cross-section first; by default rank where the "
        "scoring rule looks at order or sign only, none for forecasts in natural units.",
    )
    filter: FilterSpec | str | None = Field(
        default=None,
        description="Who may be a member: conditions, or the dotted path of a function (model_id, metrics) -> bool.",
    )
    reselect: ReselectSpec | None = Field(
        default=None,
        description="How often the filter chooses members anew, such as {every: 6}; at each cycle by default.",
    )
    enabled: bool = Field(default=True, description="Whether it is computed.")
    window: int = Field(default=52, ge=2, description="Resolved cycles before the deadline that weights rest on.")
    min_history: int = Field(
        default=13, ge=2, description="Fewer cycles in the window, and a member gets the median weight of the others."
    )
    trim: float = Field(default=0.1, gt=0, lt=0.5, description="combine trimmed: share cut off at each end.")
    theta: float = Field(
        default=1.0,
        gt=0,
        description="strategies performance and relative_skill: how fast weights fall with the score.",
    )
    max_weight: float = Field(
        default=0.5, gt=0, le=1, description="strategies performance and relative_skill: the largest share of one."
    )

    @field_validator("strategy", "filter", mode="before")
    @classmethod
    def _by_name(cls, given: Any, info: ValidationInfo) -> Any:
        """A strategy or a function given in Python is stored by its name; conditions are read as what they are."""
        if isinstance(given, Strategy):
            return given.name
        if callable(given):
            return f"{given.__module__}.{given.__qualname__}"
        is_condition = info.field_name == "filter" and not isinstance(given, str | None)
        if is_condition and given == {}:
            raise ValueError("filter names no condition; give one, such as {top_n: 5}, or leave filter out")
        return FilterSpec.model_validate(given) if is_condition else given

    @property
    def model_id(self) -> str:
        """The virtual model."""
        return f"{ENSEMBLE_PREFIX}{self.name}__"

    @property
    def terms(self) -> Terms:
        """What its strategy is to keep to."""
        return Terms(self.window, self.min_history, self.theta, self.max_weight)

    @property
    def conditions(self) -> FilterSpec:
        """The declared conditions; none where there is no filter, or a function decides."""
        return self.filter if isinstance(self.filter, FilterSpec) else FilterSpec()


def read_ensembles(declared: object, info: ValidationInfo) -> tuple[EnsembleConfig, ...]:
    """Ensembles out of a list; a mistake is told by the ensemble's name, not by its place.

    Raises
    ------
    ValueError
        If it is no list.
    ValidationError
        If an ensemble in it is wrong: about all that are.
    """
    if not isinstance(declared, list | tuple):
        names = list(declared) if isinstance(declared, Mapping) else []
        given = f"a mapping of {', '.join(map(str, names))}" if names else repr(declared)
        raise ValueError(f"it is {given}, no list; write [{{name: main, strategy: equal_weight}}, ...]")
    read, wrong = [], []
    for place, one in enumerate(declared):
        try:
            read.append(EnsembleConfig.model_validate(_as_given(one) if info.mode == "json" else one))
        except ValidationError as error:
            name = one.get("name") if isinstance(one, Mapping) else None
            wrong += _told_of(name if isinstance(name, str) else place, error)
    if wrong:
        raise ValidationError.from_exception_data("ensembles", wrong)
    return tuple(read)


def _as_given(stored: Any) -> Any:
    """An ensemble without what is as by default: one that was stored has every field, given or not."""
    fields = EnsembleConfig.model_fields
    if not isinstance(stored, dict):
        return stored
    return {name: value for name, value in stored.items() if name not in fields or value != fields[name].default}


def _told_of(ensemble: str | int, error: ValidationError) -> list[InitErrorDetails]:
    """What is wrong with an ensemble, in its place among all."""
    return [
        InitErrorDetails(type=one["type"], loc=(ensemble, *one["loc"]), input=one["input"], ctx=one.get("ctx", {}))
        for one in error.errors()
    ]


def top_n(n: int) -> FilterSpec:
    """The filter that keeps the ``n`` models that rank highest at the deadline."""
    return FilterSpec(top_n=n)


def min_metric(name: str, threshold: float) -> FilterSpec:
    """The filter that keeps models whose metric is at least as good as ``threshold`` over the ensemble's window."""
    return FilterSpec(min_metric={name: threshold})


def filter_of(path: str) -> Callable[[str, dict[str, float]], bool]:
    """The function that a dotted path names: (model_id, metrics) -> bool.

    Raises
    ------
    UnknownNameError
        If there is no such function, or it takes other parameters.
    """
    if "." not in path:
        raise UnknownNameError(
            f"ensemble filter {path!r} is no condition; write {{top_n: 5}}, {{min_metric: {{ic: 0.01}}}} or "
            f"{{min_coverage: 0.5}}, or the dotted path of a function (model_id, metrics) -> bool"
        )
    function: Callable[[str, dict[str, float]], bool] = resolve_dotted_path(path, "ensemble filter")
    if not takes(function, 2):
        raise UnknownNameError(
            f"ensemble filter {path!r} is a {described(function)}; name a function (model_id, metrics) -> bool"
        )
    return function
