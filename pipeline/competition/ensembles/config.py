"""What an ensemble may declare: who is in it, how members are weighed and how their predictions become one."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.competition.declaration import Declaration, Name
from pipeline.competition.ensembles import joint as _joint  # noqa: F401  (registers its strategies)
from pipeline.competition.ensembles.strategies import STRATEGIES, Strategy, Terms
from pipeline.competition.peers import ENSEMBLE_PREFIX
from pipeline.registry import UnknownNameError, resolve_dotted_path

Combine = Literal["mean", "median", "trimmed"]
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


class EnsembleConfig(Declaration):
    """One ensemble: a virtual model ``__ensemble_<name>__`` that is scored and ranked like any other."""

    name: Name = Field(description="Its name; the virtual model is called __ensemble_<name>__.")
    title: str | None = Field(default=None, description="Title to show; made from the name by default.")
    strategy: str = Field(
        default="inverse_variance",
        description=f"How members are weighed: {', '.join(STRATEGIES.available())}, or the dotted path of a function "
        "(model_metrics, predictions) -> {model_id: weight}.",
    )
    combine: Combine = Field(default="mean", description="How weighed predictions become one.")
    normalize: Normalize | None = Field(
        default=None,
        description="What is done to each member's predictions of a cross-section first; by default rank where the "
        "scoring rule looks at order or sign only, none for forecasts in natural units.",
    )
    filter: FilterSpec | str | None = Field(
        default=None,
        description="Who may be a member: conditions, or the dotted path of a function (model_id, metrics) -> bool.",
    )
    enabled: bool = Field(default=True, description="Whether it is computed.")
    window: int = Field(default=52, ge=2, description="Resolved cycles before the deadline that weights rest on.")
    min_history: int = Field(
        default=13, ge=2, description="Fewer cycles in the window, and a member gets the median weight of the others."
    )
    trim: float = Field(default=0.1, gt=0, lt=0.5, description="combine trimmed: share cut off at each end.")
    theta: float = Field(default=1.0, gt=0, description="strategy performance: how fast weights fall with the score.")
    max_weight: float = Field(default=0.5, gt=0, le=1, description="strategy performance: the largest share of one.")

    @field_validator("strategy", "filter", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        """A strategy or a function given in Python is stored by its name."""
        if isinstance(given, Strategy):
            return given.name
        return f"{given.__module__}.{given.__qualname__}" if callable(given) else given

    @model_validator(mode="after")
    def _history_fits_the_window(self) -> "EnsembleConfig":
        if self.min_history > self.window:
            raise ValueError(
                f"ensemble {self.name!r}: min_history {self.min_history} is more than its window of {self.window} "
                "cycles, so nobody would ever have enough; lower min_history or widen the window"
            )
        return self

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
        If there is no such function.
    """
    function: Callable[[str, dict[str, float]], bool] = resolve_dotted_path(path, "ensemble filter")
    if not callable(function):
        raise UnknownNameError(
            f"ensemble filter {path!r} is a {type(function).__name__}; name a function (model_id, metrics) -> bool"
        )
    return function
