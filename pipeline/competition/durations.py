"""Durations as people write them in YAML: ``24h``, ``-12h``, ``90d``, ``2w``."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([+-]?\d+(?:\.\d+)?)([smhdw])")


def parse_duration(value: object) -> timedelta:
    """Turn ``"24h"`` into a timedelta.

    Raises
    ------
    ValueError
        If the value is not a number followed by one of s, m, h, d, w, or longer than a timedelta can be.
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is no duration; write a number and a unit: 30m, 24h, 7d, 2w, -12h")
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError as error:
        raise ValueError(f"duration {value!r} is too long ({error}); write a shorter one") from error


def format_duration(value: timedelta) -> str:
    """The shortest text that :func:`parse_duration` turns back into ``value``."""
    for unit in ("weeks", "days", "hours", "minutes", "seconds"):
        size = timedelta(**{unit: 1})
        if value and not value % size:
            return f"{value // size}{unit[0]}"
    seconds = f"{value.total_seconds():.6f}".rstrip("0").rstrip(".")
    return f"{seconds}s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
"""A timedelta in a pydantic model, written as ``24h``."""
