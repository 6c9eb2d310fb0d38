"""Stages of a run as files tell of them: a JSON list of objects."""

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from pipeline.declaration import Declaration
from pipeline.experiments.scored import STATUSES


def _known(status: object) -> object:
    if status not in STATUSES:
        raise ValueError(f"status {status!r} is unknown; known: {', '.join(STATUSES)}")
    return status


class Stage(Declaration):
    """A stage of a run, such as one call of a model."""

    stage: str = Field(min_length=1)
    status: Annotated[str, BeforeValidator(_known)] = "completed"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_ms: float | None = Field(default=None, ge=0)
    tokens_in: int | None = Field(default=None, ge=0)
    tokens_out: int | None = Field(default=None, ge=0)
    cost: float | None = Field(default=None, ge=0)
    sent: str | None = None
    output: str | None = None
    error: str | None = None
    error_detail: str | None = None


_STAGES = TypeAdapter(list[Stage])


def as_stages(text: str) -> list[dict[str, Any]]:
    """The stages in a JSON text, without what they leave open.

    Raises
    ------
    ValueError
        If it is no list of stages; the message says which one is wrong, and why.
    """
    try:
        read = _STAGES.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise ValueError(f"stages{where}: {first['msg'].removeprefix('Value error, ')}") from error
    return [one.model_dump(mode="json", exclude_none=True) for one in read]
