"""The format scorer: whether an output is JSON of a schema, has the marks of Markdown, a length, a structure."""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, ClassVar, Literal

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, best_match
from pydantic import Field, field_validator, model_validator
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from pipeline.declaration import Declaration
from pipeline.experiments.scorers.marks import Mark, has_mark, unfenced
from pipeline.experiments.scorers.scorer import NO_OUTPUT, TOO_LONG, Answer, Scorer, Scoring, Tools

_MOST_STEPS = 300_000
"""Keywords of a schema that are looked at for one output, at most: a few letters may refer to each other for ever."""
_LEFT: ContextVar[list[int]] = ContextVar("left")
"""How many of them are left."""


class Length(Declaration):
    """Between which lengths an output should be, both included."""

    least: int = Field(default=0, ge=0, description="The least.")
    most: int | None = Field(default=None, ge=0, description="The most; no end by default.")
    unit: Literal["characters", "words", "lines"] = Field(default="words", description="What is counted.")

    @model_validator(mode="after")
    def _can_be_met(self) -> "Length":
        if self.most is not None and self.most < self.least:
            raise ValueError(f"at least {self.least} and at most {self.most} {self.unit} cannot both be; swap them")
        if self.least == 0 and self.most is None:
            raise ValueError("any length will do; give least or most")
        return self

    def of(self, text: str) -> int:
        """The length of a text in this unit."""
        if self.unit == "characters":
            return len(text)
        return len(text.split()) if self.unit == "words" else len(text.splitlines())


class Format(Scorer):
    """Share of the checks that an output passes: each field that is given is one, each mark of Markdown too."""

    name: ClassVar[str] = "format"
    version: ClassVar[str] = "1"

    is_json: bool = Field(default=False, description="Whether it should be JSON and nothing else.")
    json_schema: dict[str, Any] | None = Field(
        default=None, description="JSON Schema (2020-12) that it should be valid by; references within it only."
    )
    fenced: bool = Field(default=True, description="Whether JSON may be in one code fence, as chat models write it.")
    markdown: tuple[Mark, ...] = Field(
        default=(), description="Marks that it should have: heading, list, table, link, bold, quote, code."
    )
    length: Length | None = Field(default=None, description="Between which lengths it should be.")
    sections: tuple[str, ...] = Field(
        default=(), description="Headings or beginnings of lines that it should have, in this order."
    )
    pattern: str | None = Field(default=None, description="Regular expression that it should match somewhere.")

    @field_validator("json_schema")
    @classmethod
    def _schema_is_one(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            try:
                Draft202012Validator.check_schema(schema)
            except SchemaError as error:
                raise ValueError(f"no JSON Schema: {error.json_path}: {error.message}") from error
            _require_references(schema)
        return schema

    @field_validator("pattern")
    @classmethod
    def _pattern_is_one(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _something_is_checked(self) -> "Format":
        checks = (self.is_json, self.json_schema is not None, self.markdown, self.length, self.sections, self.pattern)
        if not any(checks):
            raise ValueError("nothing to check; give is_json, json_schema, markdown, length, sections or pattern")
        return self

    def score(self, answer: Answer, tools: Tools) -> Scoring:  # noqa: ARG002  (the signature of all)
        """Make every check."""
        if answer.output is None:
            return Scoring.undefined(NO_OUTPUT)
        try:
            made = dict(self._checks(answer.output))
        except _TooLongError:
            return Scoring.undefined(TOO_LONG, most_steps=_MOST_STEPS)
        failed = {name: why for name, why in made.items() if why is not None}
        return Scoring(1 - len(failed) / len(made), {"checks": list(made), "failed": failed})

    def _checks(self, text: str) -> Iterator[tuple[str, str | None]]:
        """Every check, with what is wrong."""
        if self.is_json or self.json_schema is not None:
            value, why = self._read(text)
            if self.is_json:
                yield "is_json", why
            if self.json_schema is not None:
                yield "json_schema", why or _invalid(value, self.json_schema)
        for mark in self.markdown:
            yield f"markdown: {mark}", None if has_mark(text, mark) else "there is none"
        if self.length is not None:
            count, most = self.length.of(text), self.length.most
            fits = self.length.least <= count and (most is None or count <= most)
            yield "length", None if fits else f"{count} {self.length.unit}"
        if self.sections:
            yield "sections", _out_of_order(text, self.sections)
        if self.pattern is not None:
            yield "pattern", None if re.search(self.pattern, text) else "no match"

    def _read(self, text: str) -> tuple[object, str | None]:
        """The JSON of an output, and why there is none."""
        try:
            return json.loads(unfenced(text) if self.fenced else text, parse_constant=_refuse), None
        except (ValueError, RecursionError) as error:
            return None, f"no JSON: {error}"


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no number of JSON")


class _TooLongError(Exception):
    """A schema that takes too many steps over an output."""


def _invalid(value: object, schema: Mapping[str, Any]) -> str | None:
    token = _LEFT.set([_MOST_STEPS])
    try:
        error = best_match(_counting()(schema, registry=Registry()).iter_errors(value))
    finally:
        _LEFT.reset(token)
    return None if error is None else f"{error.json_path}: {error.message}"


@functools.cache
def _counting() -> Any:
    """A validator that looks at as many keywords as are left, and no more."""

    def counted(check: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any) -> Any:
            left = _LEFT.get()
            left[0] -= 1
            if left[0] < 0:
                raise _TooLongError
            return check(*arguments)

        return checked

    checks = {name: counted(check) for name, check in Draft202012Validator.VALIDATORS.items()}
    return validators.extend(Draft202012Validator, checks)


def _require_references(schema: Mapping[str, Any]) -> None:
    """Refuse references that do not lead anywhere within the schema: nothing is fetched."""
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry().with_resource("", resource).resolver()
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise ValueError(
                f"$ref {reference!r} leads nowhere within the schema; put what it means into $defs"
            ) from error


def _references(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for one in part.values():
            yield from _references(one)
    elif isinstance(part, list):
        for one in part:
            yield from _references(one)


def _out_of_order(text: str, sections: tuple[str, ...]) -> str | None:
    """Which section is missing after those before it."""
    lines = [line.lstrip(" \t#*").casefold() for line in text.splitlines()]
    at = 0
    for section in sections:
        place = next((n for n in range(at, len(lines)) if lines[n].startswith(section.casefold())), None)
        if place is None:
            return f"no {section!r}" + ("" if section == sections[0] else " after those before it")
        at = place + 1
    return None
