"""JSON lines: one object for each value, such as ``{"run_id": "a", "topic_id": "7", "measure": "AP", "value": 0.5}``.

The names of its fields are any that say run, topic, measure and value; without a run it is the file's. Numbers keep the
digits that they have. An object such as ``{"measure": "LATENCY", "direction": "asc", "default": null}`` says what a
measure means.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.leaderboard.board.columns import Coded
from pipeline.leaderboard.board.measures import MeasureSpec
from pipeline.leaderboard.formats.cells import Cells, FormatError, Layout
from pipeline.leaderboard.formats.meanings import is_meaning, meaning
from pipeline.leaderboard.formats.names import FormatName, Role, role_of
from pipeline.leaderboard.formats.out import Out, place_of
from pipeline.leaderboard.formats.text import is_blank_or_comment, numbered_lines

_NEEDED = (Role.TOPIC, Role.MEASURE, Role.VALUE)
_IN_ORDER = (Role.RUN, *_NEEDED)
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)  # numbers as they are written


def read_jsonl(path: Path) -> Cells:
    """The cells of a file of JSON lines.

    Raises
    ------
    FormatError
        If a line is no object, lacks a field, or has something else than a text or number in one.
    """
    numbers: list[int] = []
    columns: tuple[list[str | None], ...] = ([], [], [], [])
    names: dict[Role, str] = {}
    keys: tuple[str, ...] = ()
    declared: list[MeasureSpec] = []
    for number, line in _lines(path):
        said = _object(path, number, line)
        if tuple(said) != keys:
            if is_meaning(said):
                declared.append(meaning(f"{path}:{number}", said))
                continue
            keys, names = tuple(said), _names(path, number, said)
        row = [said.get(names.get(role, "")) for role in _IN_ORDER]
        if not all(type(field) is str and field for field in row):
            row = _checked(path, number, row)
        for column, field in zip(columns, row, strict=True):
            column.append(field)
        numbers.append(number)
    run, topic, measure, value = map(Coded.of, columns)
    unread = [name for name in keys if name not in names.values()]
    return Cells(
        run=run,
        topic=topic,
        measure=measure,
        value=value,
        line=np.array(numbers, dtype=np.int64),
        paths=(path,),
        path=np.zeros(len(numbers), dtype=np.int32),
        layout=Layout(FormatName.JSONL, tuple(name for name in keys if name in names.values())),
        notes=(f"{path}: fields left unread: {', '.join(unread)}",) if unread else (),
        declared=tuple(declared),
    )


def jsonl_lines(values: Iterable[Out], header: Sequence[str], meanings: Iterable[dict[str, Any]] = ()) -> Iterator[str]:
    """Lines of objects with fields of these names; a number that is none in JSON is written as Python does.

    Those that say what measures mean come first.
    """
    yield from (json.dumps(said, ensure_ascii=False) for said in meanings)
    places = [(json.dumps(name, ensure_ascii=False), place_of(role_of(name))) for name in header]
    for value in values:
        words = [_as_json(value, place) for _, place in places]
        yield "{" + ", ".join(f"{name}: {word}" for (name, _), word in zip(places, words, strict=True)) + "}"


def _as_json(value: Out, place: int) -> str:
    text = str(value[place])
    if place < place_of(Role.VALUE) or value[-1]:
        return _quoted(text)
    if _JSON_NUMBER.fullmatch(text):
        return text
    number = float(text)
    return "null" if math.isnan(number) else repr(number)


@lru_cache(maxsize=10_000)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for first, lines in numbered_lines(path):
        for number, line in enumerate(lines, start=first):
            if not is_blank_or_comment(line):
                yield number, line


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        said = _DECODER.decode(line)
    except ValueError as error:
        raise FormatError(f"{path}:{number}: no JSON: {error}; write one object in each line") from None
    if not isinstance(said, dict):
        raise FormatError(f"{path}:{number}: no JSON object, but {line.strip()[:40]!r}; write one object in each line")
    return said


def _names(path: Path, number: int, said: dict[str, Any]) -> dict[Role, str]:
    """What the fields are called that hold run, topic, measure and value."""
    found = [(role, name) for name in said if (role := role_of(name)) is not None]
    given = ", ".join(said) or "none"
    if lacking := [role for role in _NEEDED if role not in dict(found)]:
        raise FormatError(f"{path}:{number}: no {' and no '.join(lacking)} among the fields {given}")
    if len(dict(found)) < len(found):
        raise FormatError(f"{path}:{number}: several of the fields {given} hold the same; keep one of each")
    return dict(found)


def _checked(path: Path, number: int, row: list[Any]) -> list[str | None]:
    """A row with something else than texts and numbers in it, which only run and value may have."""
    run, topic, measure, value = row
    if isinstance(value, bool):
        value = repr(float(value))
    for role, field in zip(_IN_ORDER, (run, topic, measure, value), strict=True):
        may_lack = field is None and role in (Role.RUN, Role.VALUE)
        if not may_lack and not (isinstance(field, str) and (field or role is Role.VALUE)):
            raise FormatError(f"{path}:{number}: {role} is {json.dumps(field)}; write a text or a number")
    return [run, topic, measure, value]
