"""Inputs of prompts: declared one by one, or read from a file of JSON lines, CSV or Parquet."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import parquet
from pydantic import Field, ValidationError, field_validator, model_validator

from pipeline.declaration import Declaration
from pipeline.experiments.identity import canonical_json, sha256_of

_READERS = (".jsonl", ".ndjson", ".csv", ".parquet")


class InputSpec(Declaration):
    """One input."""

    id: str = Field(default="", description="Its name; a hash of its variables by default.")
    variables: dict[str, Any] = Field(default_factory=dict, description="What templates take, by name.")
    reference: Any = Field(default=None, description="What should come out: a text, or a list of which any will do.")

    @field_validator("id", mode="before")
    @classmethod
    def _id_is_text(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int) and not isinstance(given, bool) else given

    @model_validator(mode="before")
    @classmethod
    def _has_a_name(cls, declared: Any) -> Any:
        if isinstance(declared, Mapping) and not declared.get("id") and isinstance(declared.get("variables"), Mapping):
            return {**declared, "id": sha256_of(declared["variables"])[:12]}
        return declared

    @model_validator(mode="after")
    def _can_be_hashed(self) -> "InputSpec":
        if not self.id:
            raise ValueError("it has neither id nor variables; give variables")
        canonical_json(self.variables)
        canonical_json(self.reference)
        return self


class InputsError(ValueError):
    """Inputs that cannot be used; the message names the file, the row, and what is wrong."""


def read_inputs(path: Path) -> tuple[InputSpec, ...]:
    """The inputs of a file: the columns ``id`` and ``reference``, if there are, and all others as variables.

    Parameters
    ----------
    path : Path
        .jsonl, .ndjson, .csv or .parquet. In JSON lines, ``variables`` may be an object of its own.

    Raises
    ------
    InputsError
        If it cannot be read, a row is no input, or two are the same.
    """
    rows = _rows(path)
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(InputSpec.model_validate(_declared(row)))
        except (ValidationError, ValueError) as error:
            raise InputsError(f"{path}: row {number}: {_told(error)}") from error
    if not found:
        raise InputsError(f"{path}: no inputs in it")
    try:
        require_distinct(found)
    except ValueError as error:
        raise InputsError(f"{path}: {error}") from error
    return tuple(found)


def require_distinct(inputs: Iterable[InputSpec]) -> None:
    """Refuse inputs of one name, and inputs with the same variables, which would be one and the same run.

    Raises
    ------
    ValueError
        If there are such; the message names them.
    """
    names: set[str] = set()
    filled: dict[str, str] = {}
    for one in inputs:
        if one.id in names:
            raise ValueError(f"input {one.id!r} is there more than once; name each once")
        names.add(one.id)
        written = canonical_json(one.variables)
        if written in filled:
            raise ValueError(f"inputs {filled[written]!r} and {one.id!r} have the same variables; keep one")
        filled[written] = one.id


def lacking(inputs: Iterable[InputSpec], variables: Collection[str]) -> list[str]:
    """What each input lacks of some variables, as sentences."""
    said = []
    for one in inputs:
        missing = sorted(set(variables) - set(one.variables))
        if missing:
            said.append(f"input {one.id!r} has no {', '.join(missing)}")
    return said


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        if path.suffix == ".parquet":
            return parquet.read_table(path).to_pylist()  # type: ignore[no-any-return]
        if path.suffix == ".csv":
            return _of_csv(path)
        if path.suffix in _READERS:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
            return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError, RecursionError) as error:
        raise InputsError(f"{path}: it cannot be read: {error}") from error
    raise InputsError(f"{path}: a file of inputs ends in {', '.join(_READERS)}")


def _of_csv(path: Path) -> list[dict[str, Any]]:
    """Rows of texts; an empty id or reference is none."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    rows = [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
    return [{name: value for name, value in row.items() if value or name not in ("id", "reference")} for row in rows]


def _declared(row: object) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"{row!r} is no object with names")
    named = {name: row[name] for name in ("id", "reference", "variables") if row.get(name) is not None}
    others = {name: value for name, value in row.items() if name not in ("id", "reference", "variables")}
    if "variables" in named and others:
        raise ValueError(f"it has variables and {', '.join(others)} beside them; put all of them into variables")
    return named if "variables" in named else {**named, "variables": others}


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors(include_url=False))
    return str(error)
