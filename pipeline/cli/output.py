"""What commands print: tables for people, JSON for programs. Numbers are rounded here and nowhere else."""

import dataclasses
import json
import math
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from rich.console import Console

MISSING = "–"
_WIDTH_OF_A_FILE = 4000


def console() -> Console:
    """Standard output, in colour where it is a terminal; where it is not, so wide that tables are not broken."""
    # The stream is bound now: a run redirects sys.stdout to its log while progress goes on here.
    if sys.stdout.isatty():
        return Console(file=sys.stdout)
    return Console(file=sys.stdout, width=_WIDTH_OF_A_FILE, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as one JSON document.

    Dataclasses and STRUCTs are objects, times are ISO 8601 in UTC with Z, decimals are numbers, bytes are
    hexadecimal; what is undefined (NULL, NaN, infinite) is null.
    """
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def cell(value: object) -> str:
    """One value of a query's result as a table shows it."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:.6g}"
    return value.hex() if isinstance(value, bytes) else str(value)


def signed(value: float | None, digits: int = 3) -> str:
    """A number with its sign, such as ``+0.026``."""
    return MISSING if value is None else f"{value:+.{digits}f}"


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{100 * value:.0f} %"


def day(value: datetime) -> str:
    """A time as its date, with the time of day only where it has one."""
    return f"{value:%Y-%m-%d}" if value.time() == time.min else f"{value:%Y-%m-%d %H:%M} UTC"


def _plain(value: Any) -> Any:
    """A value in the types that JSON has."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else _text(value)


def _text(value: object) -> str:
    """A value that JSON has no type for."""
    if isinstance(value, datetime):
        utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return utc.isoformat() + "Z"
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
