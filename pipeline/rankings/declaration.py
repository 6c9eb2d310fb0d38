"""The declaration of a ranking of language models: everything that its ``defs.yaml`` may say."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline.declaration import BoardDeclaration, Declaration, Name, some
from pipeline.rankings.benchmarks import Area
from pipeline.rankings.composite import CODING, OVERALL, PERFORMANCE, VALUE, CompositeSpec, Scales
from pipeline.rankings.finding import make_source
from pipeline.rankings.source import Source
from pipeline.tables import LLM_TABLES, TableSpec

ScoreName = Literal["ability", "coding", "performance", "value", "overall"]
SCORES: tuple[ScoreName, ...] = ("ability", "coding", "performance", "value", "overall")
"""The scores of a model, in the order in which they are shown."""

_DAILY, _WEEKLY = "0 5 * * *", "0 5 * * 1"
_OFTEN = 2
"""Days between changes of a source up to which it is looked at every day."""
_PRICES = ("openrouter", "modelsdev", "litellm", "artificialanalysis")

Weight = Annotated[float, Field(gt=0)]


class SourceSpec(Declaration):
    """One source of a ranking."""

    source: str | None = Field(
        default=None,
        description="Dotted path of the class, for a source of one's own; by default Podium's own of that name.",
        examples=["my_package.my_board.MyBoard"],
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="What the source is made with, such as a window of dates."
    )
    schedule: str | None = Field(
        default=None,
        description="Cron line (UTC) by which it is fetched; by default daily where it changes within two days, else "
        "weekly, and never where nothing is added any more or a folder is read.",
    )
    folder: str | None = Field(
        default=None,
        description="A folder of files as the source publishes them, absolute or from the data folder; they are read "
        "in place of fetching.",
    )

    def looked_at_by(self, days: int, *, is_frozen: bool) -> str | None:
        """The cron line (UTC) by which it is looked at: the declared one, else daily or weekly; None for never.

        A folder that is read in place of fetching has none unless one is declared: it is read when it changes.

        Parameters
        ----------
        days : int
            How often the source changes as a rule.
        is_frozen : bool
            Whether nothing is added to it any more.
        """
        if self.schedule or is_frozen or self.folder:
            return self.schedule
        return _DAILY if days <= _OFTEN else _WEEKLY

    def why_never(self, *, is_frozen: bool, is_fetching: bool) -> str | None:
        """Why it is looked at by no schedule; None where it is by one.

        Parameters
        ----------
        is_frozen : bool
            Whether nothing is added to it any more.
        is_fetching : bool
            Whether publishers are asked at all.
        """
        if self.schedule is None and self.folder:
            return "its folder is read when it changes"
        if self.schedule is None and is_frozen:
            return "it is frozen"
        return None if is_fetching or self.folder else "fetching is off (PODIUM_FETCH)"


class AbilitySpec(Declaration):
    """What latent ability is made of."""

    areas: Annotated[tuple[Area, ...], some("[coding]")] = Field(
        default=(Area.CODING, Area.GENERAL, Area.AGENTS),
        description="Areas whose benchmarks count: the headline of each that is a percentage.",
    )
    leave_out: tuple[str, ...] = Field(
        default=("epoch_frontiermath_public", "epoch_frontiermath_tier_4_public"),
        description="Benchmarks that do not count; by default two of a handful of problems.",
    )
    min_models: int = Field(default=5, ge=2, description="A benchmark of fewer models does not count.")


class ScalesSpec(Declaration):
    """What scores are measured against."""

    throughput_of_100: Weight = Field(default=150.0, description="Tokens a second that score 100.")
    ttft_of_0: Weight = Field(default=3.0, description="Seconds to the first token that score 0.")
    efficiency: Weight = Field(
        default=2.0, description="Points for a point of coding score per US dollar per million tokens of input."
    )


def _weights(parts: dict[str, float], what: str) -> Any:
    return Field(default_factory=lambda: dict(parts), description=what)


class WeightsSpec(Declaration):
    """Weights of what scores are made of; they need not sum to 1."""

    coding: Annotated[dict[str, Weight], some("{humaneval_plus.pass_at_1: 1}")] = _weights(
        dict(CODING), "By benchmark.measure, percentages."
    )
    performance: Annotated[dict[Literal["throughput", "ttft", "quality"], Weight], some("{ttft: 1}")] = _weights(
        dict(PERFORMANCE), "Of throughput, ttft and quality."
    )
    value: Annotated[dict[Literal["efficiency", "context"], Weight], some("{efficiency: 1}")] = _weights(
        dict(VALUE), "Of price efficiency and context."
    )
    overall: Annotated[dict[Literal["coding", "performance", "value"], Weight], some("{coding: 1}")] = _weights(
        dict(OVERALL), "Of the three."
    )


def _listed_sources(names: object) -> object:
    if not isinstance(names, list | tuple):
        return names
    twice = [repr(name) for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ValueError(f"{', '.join(twice)} is listed more than once; keep one")
    return {name: {} for name in names}


class Rankings(BoardDeclaration):
    """One ranking of language models out of what several sources publish."""

    kind: ClassVar[str] = "llm"
    called: ClassVar[str] = "ranking"

    sources: Annotated[dict[Name, SourceSpec], some("{evalplus: {}}"), BeforeValidator(_listed_sources)] = Field(
        description="Where figures come from, by name; a list of names for Podium's own as they are.",
        examples=[{"evalplus": {"schedule": "0 5 * * 1"}, "mine": {"source": "my_package.my_board.MyBoard"}}],
    )
    bundled: bool = Field(
        default=True, description="Whether bundled facts stand in for a source that was never fetched."
    )
    rank_by: ScoreName = Field(default="ability", description="The score that ranks.")
    min_benchmarks: int = Field(default=2, ge=1, description="A model of fewer benchmarks is unranked.")
    min_sources: int = Field(default=1, ge=1, description="A model of fewer sources is unranked.")
    ability: AbilitySpec = Field(default_factory=AbilitySpec, description="Latent ability.")
    weights: WeightsSpec = Field(default_factory=WeightsSpec, description="Weights of the other scores.")
    scales: ScalesSpec = Field(default_factory=ScalesSpec, description="What speeds and prices are measured against.")
    quality: str = Field(
        default="artificial_analysis.intelligence_index",
        description="The quality of the performance score, 0 to 100: benchmark.measure.",
    )
    renormalise: bool = Field(
        default=False,
        description="Whether a model that lacks a part of a score is scored by the others, and marked as partial.",
    )
    min_coverage: float = Field(
        default=0.5, gt=0, le=1, description="The least share of weights that a partial score may rest on."
    )
    prices: Annotated[tuple[str, ...], some("[openrouter]")] = Field(
        default=_PRICES,
        description="Whose prices and contexts are used, the first that has them; the others' are cross-checks.",
    )
    speed_days: int = Field(
        default=7,
        ge=1,
        description="Speeds are medians over so many days, as far as they are kept; of 1 they are the newest day's.",
    )
    leave_out_flags: tuple[str, ...] = Field(
        default=("agent_system", "contaminated", "estimated", "self_reported", "unseen_bias", "zero_subtask"),
        description="What figures no score rests on when it is said against them.",
    )
    aliases: str | None = Field(
        default=None,
        description="CSV of people's decisions on names, absolute or from the data folder; "
        "by default rankings/<name>/aliases.csv there.",
    )

    @field_validator("quality")
    @classmethod
    def _quality_has_a_measure(cls, quality: str) -> str:
        if quality.count(".") != 1:
            raise ValueError(f"{quality!r} is no benchmark.measure; write artificial_analysis.intelligence_index")
        return quality

    @model_validator(mode="after")
    def _prices_are_of_sources(self) -> "Rankings":
        unknown = [repr(name) for name in self.prices if name not in {*self.sources, *_PRICES}]
        if unknown:
            raise ValueError(f"prices: {', '.join(unknown)} is no source of this ranking: {', '.join(self.sources)}")
        return self

    @model_validator(mode="after")
    def _parts_have_measures(self) -> "Rankings":
        wrong = [repr(part) for part in self.weights.coding if part.count(".") != 1]
        if wrong:
            raise ValueError(f"weights.coding: {', '.join(wrong)} is no benchmark.measure, such as livebench.coding")
        return self

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that it fills, besides those of the catalog."""
        return LLM_TABLES

    @cached_property
    def composite(self) -> CompositeSpec:
        """Weights and scales of scores, for the functions that compute them."""
        weights, scales = self.weights.model_dump(), self.scales
        return CompositeSpec(
            coding=weights["coding"],
            performance=weights["performance"],
            value=weights["value"],
            overall=weights["overall"],
            scales=Scales(scales.throughput_of_100, scales.ttft_of_0, scales.efficiency),
            renormalise=self.renormalise,
            min_coverage=self.min_coverage,
        )

    def source(self, name: str) -> Source:
        """One of its sources, ready to use.

        Raises
        ------
        ValueError
            If there is no such source, it cannot be made with its options, or it calls itself by another name.
        """
        declared = self.sources[name]
        return make_source(name, declared.source, declared.options)
