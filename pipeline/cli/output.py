"""What commands print: tables for people, JSON for programs. Numbers are rounded here and nowhere else."""

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from pipeline.logs import line
from pipeline.settings import settings

MISSING = "–"
_WIDTH_OF_A_FILE = 4000
_LEAST_TEXT = 16
_COMMANDS = [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_COMMANDS += [0x061C, 0x200E, 0x200F, 0x2028, 0x2029]
_AS_TEXT = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _COMMANDS}
"""What a terminal takes for a command and does not show: escape sequences, carriage returns, marks that turn text
round; tabs and ends of lines are none."""
_IN_JSON = {code: f"\\u{code:04x}" for code in _AS_TEXT if code >= 0x7F}
_FRAME = 3  # of each column: a space on both sides and the line between it and the next


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    header : str
        Its name.
    cells : sequence of str
        One for each row.
    is_text : bool
        Whether it may be made narrower; numbers and times never are.
    rank : int
        Where the terminal has no room for all, the columns of the highest rank are left out first, of these the last
        first; those of rank 0 stay.
    """

    header: str
    cells: Sequence[str]
    is_text: bool = False
    rank: int = 1

    @property
    def width(self) -> int:
        """The cells that its widest line takes."""
        lines = [line for text in (self.header, *self.cells) for line in text.splitlines()]
        return max(map(cell_len, lines), default=0)

    @property
    def least_width(self) -> int:
        """The cells that it needs."""
        return min(self.width, _LEAST_TEXT) if self.is_text else self.width


class SafeConsole(Console):
    """A console that shows what a terminal would obey: names, answers and errors come from strangers."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is to be written, with commands in texts escaped; the console's own are kept."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)


def console() -> Console:
    """Standard output, in colour where it is a terminal; where it is not, so wide that tables are not broken."""
    # The stream is bound now: a run redirects sys.stdout to its log while progress goes on here.
    if sys.stdout.isatty():
        return SafeConsole(file=sys.stdout)
    return SafeConsole(file=sys.stdout, width=_WIDTH_OF_A_FILE, highlight=False)


def print_table(
    columns: Sequence[Column], title: Text | None = None, dim: Sequence[bool] = (), fold: bool = False
) -> None:
    """Print a table as wide as the terminal at most, and name the columns that it has no room for.

    Parameters
    ----------
    columns : sequence of Column
        All of the same number of cells.
    title : Text or None
        Printed above.
    dim : sequence of bool
        For each row, whether it is less important.
    fold : bool
        Whether text that is too long is continued on the next line; otherwise it ends with an ellipsis.
    """
    out = console()
    columns = [replace(column, cells=[*map(harmless, column.cells)]) for column in columns]
    shown = _fitting(columns, out.width)
    table = Table(title=title, title_justify="left")
    for column, width in zip(shown, _widths(shown, out.width), strict=True):
        table.add_column(
            Text(column.header),
            justify="left" if column.is_text else "right",
            width=width,
            no_wrap=not fold,
            overflow="fold" if fold else "ellipsis",
        )
    for number, row in enumerate(zip(*(column.cells for column in shown), strict=True)):
        table.add_row(*map(Text, row), style="dim" if any(dim[number : number + 1]) else None)
    out.print(table, crop=False)
    left_out = [column.header for column in columns if column not in shown]
    if left_out:
        out.print(
            f"not shown here: {', '.join(left_out)}; a wider terminal or --json has all", style="dim", markup=False
        )


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Those that fit, text at its narrowest."""
    shown = list(columns)
    while _total([column.least_width for column in shown]) > width:
        ranks = [column.rank for column in shown]
        last = max(range(len(shown)), key=lambda at: (ranks[at], at))
        if len(shown) == 1 or not ranks[last]:
            break
        del shown[last]
    return shown


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """What each column gets: text that is wide gives way, the widest first."""
    least = [column.least_width for column in columns]
    widths = [max(needed, min(column.width, width)) for column, needed in zip(columns, least, strict=True)]
    while _total(widths) > max(width, _total(least)):
        spare = [given if given > needed else 0 for given, needed in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _FRAME * len(widths) + 1


def print_json(value: Any) -> None:
    """Print a value as one JSON document.

    Dataclasses and STRUCTs are objects, times are ISO 8601 in UTC with Z, decimals are numbers, bytes are
    hexadecimal; what is undefined (NULL, NaN, infinite) is null.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=2)
    sys.stdout.write(text.translate(_IN_JSON) + "\n")


def cell(value: object) -> str:
    """One value of a query's result as a table shows it."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:.6g}"
    return value.hex() if isinstance(value, bytes) else str(value)


def signed(value: float | None, digits: int = 3, *, plus: bool = True) -> str:
    """A number with its sign, such as ``+0.026``; without the plus sign where nothing beside it is below zero."""
    return MISSING if value is None else f"{value:{'+' if plus else ''}.{digits}f}"


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{100 * value:.0f} %"


def day(value: datetime) -> str:
    """A time as its date, with the time of day only where it has one."""
    # Not by strftime, which writes the year 1 as 1.
    return value.date().isoformat() if value.time() == time.min else f"{value.isoformat(' ', 'minutes')} UTC"


def counted(number: int, what: str) -> str:
    """A number of things, such as ``1 row`` or ``1,669 cycles``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


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


def tell(level: str, message: str) -> None:
    """One line on standard error, in the form that settings ask for; where these are wrong, for people."""
    try:
        as_json = settings().log == "json"
    except (ValidationError, SettingsError):
        as_json = False
    message = harmless(message)
    print(line(level, "podium", message) if as_json else f"podium: {message}", file=sys.stderr)


def harmless(text: str) -> str:
    """Text of which a terminal obeys nothing: what would move its cursor or turn text round is escaped."""
    return text.translate(_AS_TEXT)


def in_print(text: str) -> str:
    """Text that any terminal can take: what does not print is escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in encodable(text))


def encodable(text: str) -> str:
    """Text that is UTF-8: bytes of a name or a file that were none are escaped."""
    try:
        raw = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half of a character, as JSON may spell it
        raw = text.encode(errors="backslashreplace")
    return raw.decode(errors="backslashreplace")
