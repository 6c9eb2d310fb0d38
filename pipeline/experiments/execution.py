"""How the runs of an experiment are executed: which provider has a model, what it costs, and what all may cost."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from pipeline.declaration import Declaration
from pipeline.experiments.identity import canonical_json

OPENAI = "openai"
"""The provider of models that say nothing else."""
LOCAL = "local"
"""The provider that is built in and needs no network."""


def _provider(name: object) -> str:
    if not isinstance(name, str) or re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise ValueError(f"{name!r} is no name of a provider; use lower-case letters, digits and _, a letter first")
    return name


Provider = Annotated[str, BeforeValidator(_provider)]
"""A name that is good for a part of an environment variable."""


class ModelSpec(Declaration):
    """One model."""

    model: str = Field(default="", description="What its provider calls it; the name that it is listed by by default.")
    provider: Provider = Field(
        default=OPENAI,
        description=f"Who has it: {LOCAL}, which is built in, or any name whose address is set as "
        f"PODIUM_PROVIDERS_<NAME>.",
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="Parameters that it is always called with.")
    input_price: float | None = Field(
        default=None, ge=0, description="USD per million tokens of prompts; unknown by default, which is not 0."
    )
    output_price: float | None = Field(default=None, ge=0, description="USD per million tokens of outputs.")
    max_output_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Tokens that it ever answers with, at most: bounds the cost of calls without max_tokens.",
    )

    @field_validator("parameters")
    @classmethod
    def _parameters_can_be_hashed(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        canonical_json(parameters)
        return parameters


class ExecutionSpec(Declaration):
    """How runs are executed."""

    automatic: bool = Field(default=True, description="Whether waiting runs are run without anybody's command.")
    concurrency: int = Field(default=4, ge=1, le=64, description="Calls that run at once.")
    timeout_seconds: float = Field(default=120.0, gt=0, le=86_400, description="Seconds that one call may take.")
    tries: int = Field(default=4, ge=1, le=20, description="Calls for one answer, when what went wrong may pass.")
    stream: bool = Field(default=False, description="Whether answers are asked for piece by piece.")
    max_cost: float | None = Field(
        default=1.0, ge=0, description="USD that all calls together may cost, judges included; null for no ceiling."
    )
    models: dict[str, ModelSpec] = Field(
        default_factory=dict,
        description="Models that judge or embed and are not compared: their providers and prices.",
    )
