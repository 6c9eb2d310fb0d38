"""What commands print: tables for people, JSON for programs. Numbers are rounded here and nowhere else."""

import dataclasses
import json
import math
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rich.console import Console

MISSING = "–"


def console() -> Console:
    """Standard output, in colour where it is a terminal; wide enough for a board where it is not."""
    # The stream is bound now: a run redirects sys.stdout to its log while progress goes on here.
    return Console(file=sys.stdout) if sys.stdout.isatty() else Console(file=sys.stdout, width=160, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as one JSON document: dataclasses as objects, times in ISO 8601 with Z, undefined as null."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2) + "\n")


def signed(value: float | None, digits: int = 3) -> str:
    """A number with its sign, such as ``+0.026``."""
    return MISSING if value is None else f"{value:+.{digits}f}"


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{100 * value:.0f} %"


def day(value: datetime) -> str:
    """A time as its date, with the time of day only where it has one."""
    return f"{value:%Y-%m-%d}" if value.time() == datetime.min.time() else f"{value:%Y-%m-%d %H:%M} UTC"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
