"""What every answer is made of: the class of them all, pages of rows, problems, and times with their zone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc), Field(examples=["2022-12-23T00:00:00Z"])]


class Answer(BaseModel):
    """Any answer, or row of one; null is a value that is undefined or does not apply."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())


class Problem(Answer):
    """What is wrong with a question, and what would be right: a sentence, or what each parameter lacks."""

    detail: str | list[dict[str, Any]] = Field(examples=["no board 'sp5' is published; known: sp500"])


T = TypeVar("T", bound=Answer)


class Page(Answer, Generic[T]):
    """Some rows of a table."""

    total: int = Field(description="Rows there are without limit and offset.", examples=[14])
    limit: int | None = Field(examples=[100])
    offset: int = Field(examples=[0])
    rows: list[T]


def as_rows(kind: type[T], records: Sequence[Mapping[str, Any]]) -> list[T]:
    """Records as rows of an answer."""
    return [kind.model_validate(record) for record in records]
