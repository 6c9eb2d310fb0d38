"""What a board declares, of whatever kind: a name, a title, a schedule, its tables, the folders of its inbox.

Each kind of board has a declaration of its own, made of these pieces, beside its pure functions. Add here only what
holds for every kind.
"""

import re
from collections.abc import Collection
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.tables import ALL_TABLES, TableSpec

_RESERVED = {spec.schema for spec in ALL_TABLES} | {
    *("experiments", "judging", "llm", "marts", "quarantine"),
    *("information_schema", "main", "pg_catalog", "podium", "system", "temp"),
}
"""Schemas of the warehouse and of DuckDB; a board has a schema of its own in the published file."""


def _name(name: object) -> str:
    if not isinstance(name, str) or re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise ValueError(f"{name!r} is no name; use lower-case letters, digits and _, a letter first")
    return name


def _not_reserved(name: str) -> str:
    if name in _RESERVED:
        raise ValueError(f"{name!r} is the name of a schema, so no board can have it: {', '.join(sorted(_RESERVED))}")
    return name


def some(example: str) -> BeforeValidator:
    """Refuses what lists nothing, with an example of what would be something."""

    def is_some(listed: object) -> object:
        if listed is None or listed in ({}, [], ()):
            raise ValueError(f"{listed!r} names none; give one at least, such as {example}")
        return listed

    return BeforeValidator(is_some)


Name = Annotated[str, BeforeValidator(_name)]
"""A name that is good for a folder, a schema and a part of a key: no dots, no spaces, no capitals."""

BoardName = Annotated[Name, AfterValidator(_not_reserved)]
"""A name that a board can have."""


class Declaration(BaseModel):
    """A part of a declaration: unknown fields and infinite numbers are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _fields_are_known(cls, declared: object) -> object:
        if not isinstance(declared, dict | cls):
            raise ValueError(
                f"{declared!r} is no mapping of fields; write {{field: value, ...}} or {{}}; "
                f"known: {', '.join(cls.model_fields)}"
            )
        unknown = [str(name) for name in declared if name not in cls.model_fields] if isinstance(declared, dict) else []
        if unknown:
            raise ValueError(f"unknown field {', '.join(map(repr, unknown))}; known: {', '.join(cls.model_fields)}")
        return declared


class BoardDeclaration(Declaration):
    """One board, as declared in ``defs/<name>/defs.yaml``."""

    kind: ClassVar[str]
    """The schema of its tables: competition, judging, llm or experiments."""
    called: ClassVar[str]
    """What messages call a board of this kind."""

    name: BoardName = Field(
        description="Name of the board: its defs folder, asset prefix and schema in the published file."
    )
    title: str = Field(description="Title to show.")
    description: str = Field(default="", description="What the board is about and what it does not say.")
    schedule: str | None = Field(default=None, description="Cron line (UTC) of the scheduled run.")

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that it fills, besides those of the catalog."""
        raise NotImplementedError

    @property
    def folders(self) -> Collection[str]:
        """The folders of its inbox, where it takes files."""
        return ()
