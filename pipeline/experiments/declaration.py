"""The declaration of an experiment: everything that its ``defs.yaml`` may say, and what makes it invalid."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline.declaration import BoardDeclaration
from pipeline.experiments.execution import OPENAI, ExecutionSpec, ModelSpec
from pipeline.experiments.files import RUN_COLUMNS, RUNS, SCORE_COLUMNS, SCORES
from pipeline.experiments.identity import configuration_id
from pipeline.experiments.inputs import InputSpec, lacking, require_distinct
from pipeline.experiments.parameters import Parameters
from pipeline.experiments.parts import BaselineSpec, ComparisonSpec, Configuration, Label, PromptSpec, ScorerSpec
from pipeline.experiments.scorers import Human, Imported, Scorer, make_scorer
from pipeline.tables import EXPERIMENT_FILES, EXPERIMENT_TABLES, TableSpec

_OF_A_MODEL = ("provider", "input_price", "output_price", "max_output_tokens")
"""What is known of a model, whatever it is called with."""

Grouping = Literal["run", "configuration", "model", "prompt"]


def _by_name(listed: object) -> object:
    """A list of names as a mapping; a name that is listed twice is an error."""
    if not isinstance(listed, list | tuple):
        return listed
    twice = [repr(name) for name, count in Counter(map(str, listed)).items() if count > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} is listed more than once; keep one")
    return {name: {} for name in listed}


def _prompts(listed: object) -> object:
    if not isinstance(listed, Mapping):
        return listed
    return {name: {"template": one} if isinstance(one, str) else one for name, one in listed.items()}


class Experiment(BoardDeclaration):
    """One experiment: prompts, models and parameters, tried on inputs and scored."""

    kind: ClassVar[str] = "experiments"
    called: ClassVar[str] = "experiment"

    prompts: Annotated[
        dict[Label, PromptSpec], BeforeValidator(_prompts, json_schema_input_type=dict[str, PromptSpec | str])
    ] = Field(
        default_factory=dict,
        description="Prompts by name; a text alone is the template of version 1.",
        examples=[{"terse": "Answer in a word: {{ question }}"}],
    )
    models: Annotated[
        dict[str, ModelSpec], BeforeValidator(_by_name, json_schema_input_type=dict[str, ModelSpec] | list[str])
    ] = Field(default_factory=dict, description="Models by name; a list of names where no more is to be said.")
    parameters: Parameters = Field(default_factory=Parameters, description="Sets of parameters to try.")
    inputs: tuple[InputSpec, ...] = Field(default=(), description="What prompts are filled with.")
    inputs_file: str | None = Field(
        default=None,
        description="A file of inputs instead, absolute or from the data folder: JSON lines, CSV or Parquet.",
    )
    repeats: int = Field(default=1, ge=1, description="How often each configuration is asked each input.")
    max_runs: int = Field(default=100_000, ge=1, description="More runs than that are a mistake.")
    scorers: Annotated[
        dict[Label, ScorerSpec], BeforeValidator(_by_name, json_schema_input_type=dict[str, ScorerSpec] | list[str])
    ] = Field(
        default_factory=dict, description="Scorers by name, with weights and options; a list of names for Podium's own."
    )
    min_scorers: int | None = Field(
        default=None,
        ge=1,
        description="A run with fewer weighted scorers is unranked; all of them are asked for by default.",
    )
    min_coverage: float = Field(
        default=0.75, ge=0, le=1, description="Who has scored runs on a smaller share of the inputs is unranked."
    )
    newest_repeats: int | None = Field(
        default=None,
        ge=1,
        description="Only so many repeats of a configuration and an input count, the newest ones that completed.",
    )
    baseline: BaselineSpec | None = Field(default=None, description="The configuration that others are compared with.")
    comparisons: ComparisonSpec = Field(default_factory=ComparisonSpec, description="How they are compared.")
    group_by: Grouping = Field(default="configuration", description="What the board shows first.")
    recurring: str | None = Field(
        default=None, description="Cron line (UTC) at which every configuration is asked every input once more."
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Names that imported files give to columns, where they are not Podium's: {model: model_name}.",
    )
    execution: ExecutionSpec = Field(default_factory=ExecutionSpec, description="How runs are executed.")

    @field_validator("name")
    @classmethod
    def _has_pages(cls, name: str) -> str:
        if name == "api":
            raise ValueError("'api' is where the API of experiments is, so the pages of one could not be; rename it")
        return name

    @model_validator(mode="after")
    def _has_all_or_nothing_to_run(self) -> "Experiment":
        if self.inputs and self.inputs_file is not None:
            raise ValueError("inputs are listed and inputs_file is given; give the inputs in one way")
        given = {"prompts": self.prompts, "models": self.models, "inputs": self.inputs or self.inputs_file}
        missing = [name for name, one in given.items() if not one]
        if 0 < len(missing) < len(given):
            raise ValueError(
                f"no {' and no '.join(missing)}, so that nothing can be run; give prompts, models and inputs, or "
                f"none of them where runs are imported"
            )
        if missing and self.recurring is not None:
            raise ValueError("recurring is given, and there is nothing to run; give prompts, models and inputs")
        return self

    @model_validator(mode="after")
    def _prompts_and_inputs_fit(self) -> "Experiment":
        texts: dict[str, str] = {}
        for name, prompt in self.prompts.items():
            same = texts.setdefault(prompt.sha256, name)
            if same != name:
                raise ValueError(f"prompts {same!r} and {name!r} are the same text; keep one")
        self.require_inputs(self.inputs)
        return self

    @model_validator(mode="after")
    def _models_are_told_apart(self) -> "Experiment":
        known: dict[str, tuple[str, ModelSpec]] = {}
        for listed, model in (*self.models.items(), *self.execution.models.items()):
            called = model.model or listed
            first, other = known.setdefault(called, (listed, model))
            differ = [name for name in _OF_A_MODEL if getattr(model, name) != getattr(other, name)]
            if differ:
                raise ValueError(
                    f"models {first!r} and {listed!r} are both called {called!r}, and a run knows its model by that "
                    f"alone, but their {' and '.join(differ)} differ; say the same of both, or try one of them in an "
                    f"experiment of its own"
                )
        return self

    @model_validator(mode="after")
    def _parameters_are_given_once(self) -> "Experiment":
        for name, model in self.models.items():
            both = sorted(set(model.parameters) & self.parameters.names)
            if both:
                raise ValueError(f"model {name!r} fixes {', '.join(both)}, which parameters vary; keep one of the two")
        same = [one for one, count in Counter(one.id for one in self.configurations).items() if count > 1]
        if same:
            titles = ", ".join(one.title for one in self.configurations if one.id == same[0])
            raise ValueError(f"configurations are the same: {titles}; list each model and set of parameters once")
        return self

    @model_validator(mode="after")
    def _scorers_can_be_made(self) -> "Experiment":
        made = self.made_scorers
        if made and not self.weights:
            raise ValueError(f"no scorer has a weight above 0: {', '.join(made)}; give one at least")
        if self.min_scorers is not None and self.scorers and self.min_scorers > len(self.weights):
            raise ValueError(
                f"min_scorers is {self.min_scorers}, but {len(self.weights)} of {len(made)} scorers have a weight; "
                f"lower it"
            )
        return self

    @model_validator(mode="after")
    def _columns_are_known(self) -> "Experiment":
        taken = [name for name in self.imported if name in (*RUN_COLUMNS, *SCORE_COLUMNS)]
        if taken:
            raise ValueError(
                f"scorer {', '.join(map(repr, taken))} is imported and called like a column of files; call it otherwise"
            )
        known = (*RUN_COLUMNS, *SCORE_COLUMNS, *self.imported)
        unknown = [name for name in self.columns if name not in known]
        if unknown:
            listed = ", ".join(dict.fromkeys(known))
            raise ValueError(f"columns: unknown {', '.join(map(repr, unknown))}; known: {listed}")
        twice = [repr(column) for column, n in Counter(self.columns.values()).items() if n > 1]
        if twice:
            raise ValueError(f"columns: {', '.join(twice)} cannot be two columns at once; give each its own")
        return self

    @model_validator(mode="after")
    def _baseline_is_one(self) -> "Experiment":
        self.baseline_of(self.configurations)
        return self

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that it fills, besides those of the catalog."""
        return EXPERIMENT_FILES, *EXPERIMENT_TABLES

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of its inbox."""
        return (RUNS, SCORES)

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """What is compared, in the order of prompts, models and sets of parameters."""
        found = []
        for name, prompt in self.prompts.items():
            for listed, model in self.models.items():
                called = model.model or listed
                for varied in self.parameters.sets():
                    parameters = {**model.parameters, **varied}
                    found.append(
                        Configuration(
                            id=configuration_id(prompt.text, called, parameters),
                            prompt=name,
                            prompt_version=prompt.version,
                            model=called,
                            parameters=parameters,
                        )
                    )
        return tuple(found)

    @cached_property
    def made_scorers(self) -> dict[str, Scorer]:
        """Scorers by name, ready to use.

        Raises
        ------
        ValueError
            If one is unknown or has a wrong option; the message names all that are wrong.
        """
        made, wrong = {}, []
        for name, one in self.scorers.items():
            try:
                made[name] = make_scorer(one.scorer or name, one.options)
            except ValueError as error:
                wrong.append(f"scorers.{name}: {error}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return made

    def model_called(self, name: str) -> ModelSpec:
        """What is known of a model, by what its provider calls it.

        Of one that is not declared only the provider is presumed: that of all declared ones, where they share one.
        """
        listed = [*self.models.items(), *self.execution.models.items()]
        for listed_as, spec in listed:
            if (spec.model or listed_as) == name:
                return spec
        providers = {one.provider for one in self.models.values()}
        return ModelSpec(model=name, provider=providers.pop() if len(providers) == 1 else OPENAI)

    @property
    def imported(self) -> tuple[str, ...]:
        """Scorers whose values come with files of runs."""
        return tuple(name for name, one in self.made_scorers.items() if isinstance(one, Imported))

    @property
    def computed(self) -> tuple[str, ...]:
        """Scorers that need nobody: they are computed with the tables."""
        needing = (Human, Imported)
        return tuple(
            name for name, one in self.made_scorers.items() if not isinstance(one, needing) and not one.reaches_out
        )

    @property
    def weights(self) -> dict[str, float]:
        """Weights above 0, by scorer."""
        return {name: one.weight for name, one in self.scorers.items() if one.weight > 0}

    def baseline_of(self, configurations: Sequence[Configuration]) -> str | None:
        """The configuration that others are compared with; None for none, and where there are no configurations yet.

        Parameters
        ----------
        configurations : sequence of Configuration
            Declared ones or, where runs are imported, those that runs have.

        Raises
        ------
        ValueError
            If what is declared fits none, or several; the message lists them.
        """
        if self.baseline is None or not configurations:
            return None
        fits = [one for one in configurations if self.baseline.fits(one)]
        if len(fits) != 1:
            listed = "; ".join(one.title for one in (fits or configurations)[:10])
            raise ValueError(
                f"baseline fits {len(fits)} of {len(configurations)} configurations; say which, such as: {listed}"
            )
        return fits[0].id

    def require_inputs(self, inputs: tuple[InputSpec, ...]) -> None:
        """Refuse inputs that are the same, or that lack what prompts take.

        Raises
        ------
        ValueError
            If there are such; the message names the prompts, the inputs and the variables, all of them.
        """
        require_distinct(inputs)
        wrong = []
        for name, prompt in self.prompts.items():
            lacks = lacking(inputs, prompt.variables)
            if lacks:
                more = f"; and {len(lacks) - 5} more" if len(lacks) > 5 else ""
                wrong.append(
                    f"prompt {name!r} takes {', '.join(sorted(prompt.variables))}: {'; '.join(lacks[:5])}{more}"
                )
        if wrong:
            raise ValueError(". ".join(wrong))
