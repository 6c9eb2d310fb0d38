"""Parts of a declaration: prompts, scorers, the baseline and how others are compared with it, configurations."""

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from pipeline.declaration import Declaration
from pipeline.experiments.identity import canonical_json, sha256_of
from pipeline.experiments.templates import variables_of
from pipeline.leaderboard import Comparing, Correction, SignificanceTest
from pipeline.texts import shortened

LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e6
"""Of a scorer: beyond, sums of weights are no longer what arithmetic says."""
_LONGEST_LABEL = 63


def _label(name: object) -> str:
    if isinstance(name, str) and len(name) > _LONGEST_LABEL:
        raise ValueError(f"{shortened(name, 40)!r} has {len(name):,} characters; a name has {_LONGEST_LABEL} at most")
    if not isinstance(name, str) or re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,62}", name, re.ASCII) is None:
        raise ValueError(f"{name!r} is no name; use letters, digits, _, - and dots, no dot first")
    return name


Label = Annotated[str, BeforeValidator(_label)]
"""A name of a prompt or a scorer: good for a column and a URL."""


class PromptSpec(Declaration):
    """One prompt, in its present version."""

    version: str = Field(default="1", min_length=1, description="Another one for every change of the text.")
    template: str = Field(min_length=1, description="Its text, a Jinja2 template.")
    system: str | None = Field(default=None, min_length=1, description="The system message, a template too.")

    @field_validator("version", mode="before")
    @classmethod
    def _version_is_text(cls, version: Any) -> Any:
        """Versions are often numbers, which YAML does not take for text; of 1.10 it makes 1.1."""
        if isinstance(version, float):
            raise ValueError(f"version {version} is a number with a point; write it as text, in quotes")
        return str(version) if isinstance(version, int) and not isinstance(version, bool) else version

    @field_validator("template", "system")
    @classmethod
    def _is_a_template(cls, text: str | None) -> str | None:
        if text is not None:
            variables_of(text)
        return text

    @property
    def text(self) -> object:
        """What is hashed: the template, with the system message if there is one."""
        return self.template if self.system is None else {"system": self.system, "template": self.template}

    @property
    def variables(self) -> frozenset[str]:
        """What its templates take."""
        return variables_of(self.template) | (variables_of(self.system) if self.system is not None else frozenset())

    @property
    def sha256(self) -> str:
        """Hash of its text."""
        return sha256_of(self.text)


class ScorerSpec(Declaration):
    """One scorer of an experiment."""

    scorer: str | None = Field(
        default=None,
        description="A scorer of Podium, or the dotted path of one; the name that it is listed by by default.",
    )
    weight: float = Field(default=1.0, ge=0, le=MOST_WEIGHT, description="Its weight in the score; 0 to be shown only.")
    options: dict[str, Any] = Field(default_factory=dict, description="Its options.")

    @field_validator("weight")
    @classmethod
    def _weighs_something_or_nothing(cls, weight: float) -> float:
        if 0 < weight < LEAST_WEIGHT:
            raise ValueError(
                f"{weight:g} is neither 0 nor from {LEAST_WEIGHT:g}; only what weights are to each other counts"
            )
        return weight


class BaselineSpec(Declaration):
    """Which configuration others are compared with: what is given has to fit one of them, and only one."""

    prompt: str | None = Field(default=None, description="Name of its prompt.")
    model: str | None = Field(default=None, description="Its model, as its provider calls it.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Parameters that it has, among others.")

    def fits(self, one: "Configuration") -> bool:
        """Whether a configuration has everything that is asked for."""
        has = one.parameters
        return (
            self.prompt in (None, one.prompt)
            and self.model in (None, one.model)
            and all(
                name in has and canonical_json(has[name]) == canonical_json(value)
                for name, value in self.parameters.items()
            )
        )


class ComparisonSpec(Declaration):
    """How configurations are compared with the baseline."""

    test: Literal[SignificanceTest.T, SignificanceTest.WILCOXON, SignificanceTest.FISHER] = Field(
        default=SignificanceTest.T, description="t, wilcoxon or fisher, on differences by input."
    )
    correction: Correction = Field(
        default=Correction.HOLM, description="holm, bonferroni, benjamini_hochberg or none, over all that are compared."
    )
    level: float = Field(default=0.05, gt=0, lt=1, description="The level of significance.")
    configurations: int = Field(default=500, ge=1, description="Only so many are compared, the best ones.")
    resamples: int = Field(default=10_000, ge=1, description="Draws of the test that draws at random.")
    seed: int = Field(default=0, description="What their generator starts from.")

    @cached_property
    def how(self) -> Comparing:
        """The same for the kernel."""
        return Comparing(
            self.test, correction=self.correction, level=self.level, resamples=self.resamples, seed=self.seed
        )


class Configuration(Declaration):
    """A contestant: a version of a prompt, a model and parameters."""

    id: str
    prompt: str
    prompt_version: str
    model: str
    parameters: dict[str, Any]

    @property
    def title(self) -> str:
        """What to show it as."""
        written = ", ".join(f"{name}={canonical_json(value)}" for name, value in sorted(self.parameters.items()))
        return f"{self.prompt}@{self.prompt_version} · {self.model}" + (f" · {written}" if written else "")
