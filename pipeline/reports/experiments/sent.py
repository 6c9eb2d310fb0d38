"""What the API of experiments is sent: runs to be made, and scores by people."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Posted(BaseModel):
    """What is sent: nothing that is not known."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def _shown(text: str) -> str:
    """A text that stands in titles, where letters that turn or hide others would mislead."""
    if not text.isprintable():
        raise ValueError(f"{text!r} has a character that is not shown, such as one that turns the direction of writing")
    return text


class AdHocConfig(Posted):
    """What a run asks."""

    prompt: str | dict[str, str] = Field(
        description='A Jinja2 template; with a system message {"system": ..., "template": ...}.',
        examples=["Capital of {{ country }}?"],
    )
    model: Annotated[str, AfterValidator(_shown)] = Field(
        min_length=1, max_length=200, description="As its provider calls it.", examples=["small"]
    )
    params: dict[str, Any] = Field(default_factory=dict, examples=[{"temperature": 0}])
    input_data: dict[str, Any] | str = Field(
        default="", description="What the template is filled with; a text is `input`.", examples=[{"country": "France"}]
    )


class AdHocRunCreate(Posted):
    """A run to be made."""

    experiment_id: str = Field(max_length=100, description="Name of the experiment.", examples=["capitals"])
    config: AdHocConfig
    repeat: int = Field(default=1, strict=True, ge=1, le=1000, description="Which asking of the same.")


class ScoreInput(Posted):
    """A score of a run, by the person whose key it is: a value, or a rating."""

    scorer_name: str = Field(max_length=100, description="A scorer of the experiment.", examples=["helpful"])
    value: float | None = Field(default=None, strict=True, ge=0, le=1, description="0 (worst) to 1 (best).")
    rating: float | None = Field(
        default=None, strict=True, description="On the scorer's own scale instead.", examples=[4]
    )
    metadata: dict[str, Any] | None = Field(default=None, description="Anything to be kept with it, up to 10 kB.")
