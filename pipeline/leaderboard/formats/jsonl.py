"""JSON lines: one object for each value, such as ``{"run_id": "a", "topic_id": "7", "measure": "AP", "value": 0.5}``.

The names of its fields are any that say run, topic, measure and value; without a run it is the file's. Numbers keep the
digits that they have.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.leaderboard.board.columns import Coded
from pipeline.leaderboard.formats.cells import Cells, FormatError, Layout
from pipeline.leaderboard.formats.names import FormatName, Role, role_of
from pipeline.leaderboard.formats.out import Out, place_of
from pipeline.leaderboard.formats.text import is_blank_or_comment, numbered_lines

_NEEDED = (Role.TOPIC, Role.MEASURE, Role.VALUE)
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def read_jsonl(path: Path) -> Cells:
    """The cells of a file of JSON lines.

    Raises
    ------
    FormatError
        If a line is no object, lacks a field, or has something else than a text or number in one.
    """
    numbers: list[int] = []
    rows: list[tuple[str | None, str, str, str | None]] = []
    fields: dict[str, Role | None] = {}
    for number, line in _lines(path):
        said = _object(path, number, line)
        if fields.keys() != said.keys():
            fields = _roles(path, number, said)
        by_role = {role: said[name] for name, role in fields.items() if role is not None}
        rows.append(_row(path, number, by_role))
        numbers.append(number)
    run, topic, measure, value = zip(*rows, strict=True)
    unread = [name for name, role in fields.items() if role is None]
    header = tuple(name for name, role in fields.items() if role is not None)
    return Cells(
        run=Coded.of(run),
        topic=Coded.of(topic),
        measure=Coded.of(measure),
        value=Coded.of(value),
        line=np.array(numbers, dtype=np.int64),
        paths=(path,),
        path=np.zeros(len(rows), dtype=np.int32),
        layout=Layout(FormatName.JSONL, header),
        notes=(f"{path}: fields left unread: {', '.join(unread)}",) if unread else (),
    )


def jsonl_lines(values: Iterable[Out], header: Sequence[str]) -> Iterator[str]:
    """Lines of objects with fields of these names; a number that is none in JSON is written as Python does."""
    places = [(json.dumps(name, ensure_ascii=False), place_of(role_of(name))) for name in header]
    for value in values:
        words = [_as_json(value, place) for _, place in places]
        yield "{" + ", ".join(f"{name}: {word}" for (name, _), word in zip(places, words, strict=True)) + "}"


def _as_json(value: Out, place: int) -> str:
    text = str(value[place])
    if place < place_of(Role.VALUE) or value[-1]:
        return json.dumps(text, ensure_ascii=False)
    if _JSON_NUMBER.fullmatch(text):
        return text
    number = float(text)
    return "null" if math.isnan(number) else repr(number)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for first, lines in numbered_lines(path):
        for number, line in enumerate(lines, start=first):
            if not is_blank_or_comment(line):
                yield number, line


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        said = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except ValueError as error:
        raise FormatError(f"{path}:{number}: no JSON: {error}; write one object in each line") from None
    if not isinstance(said, dict):
        raise FormatError(f"{path}:{number}: no JSON object, but {line.strip()[:40]!r}; write one object in each line")
    return said


def _roles(path: Path, number: int, said: dict[str, Any]) -> dict[str, Role | None]:
    """What each field holds."""
    fields = {name: role_of(name) for name in said}
    found = [role for role in fields.values() if role is not None]
    if lacking := [role for role in _NEEDED if role not in found]:
        raise FormatError(
            f"{path}:{number}: no {' and no '.join(lacking)} among the fields {', '.join(said) or 'none'}"
        )
    if len(set(found)) < len(found):
        raise FormatError(f"{path}:{number}: several of the fields {', '.join(said)} hold the same; keep one of each")
    return fields


def _row(path: Path, number: int, by_role: dict[Role, Any]) -> tuple[str | None, str, str, str | None]:
    names = [by_role.get(role) for role in (Role.RUN, Role.TOPIC, Role.MEASURE)]
    value = by_role[Role.VALUE]
    if isinstance(value, bool):
        value = repr(float(value))
    for role, given in zip(Role, [*names, value], strict=False):
        may_lack = role in (Role.RUN, Role.VALUE)
        if not ((isinstance(given, str) and (given or role is Role.VALUE)) or (given is None and may_lack)):
            raise FormatError(f"{path}:{number}: {role} is {given!r}; write a text or a number")
    run, topic, measure = names
    return run, str(topic), str(measure), value
