"""Functions of a board that failed, in words: a run that is done may have values that its operator must know of."""

from collections.abc import Iterable

from pipeline.cli.output import counted
from pipeline.reports.queries import FailedFunction
from pipeline.texts import on_one_line, shortened

_LONGEST = 160
"""Characters of a message, at most."""


def told_of(board: str, failed: Iterable[FailedFunction]) -> list[str]:
    """A line for each function of a board that failed: which, how often, what it says first, and where to look."""
    return [
        f"{_what(board, one)} first says {shortened(on_one_line(one.first), _LONGEST)!r}; see: {_where(board, one)}"
        for one in failed
    ]


def _what(board: str, one: FailedFunction) -> str:
    over = counted(one.cycles, "cycle")
    if one.kind == "metric":
        moments = counted(one.cycles, "moment") if one.table == "snapshots" else over
        return f"board {board}: metric {one.function} failed: {counted(one.values, 'value')} undefined in {moments};"
    instead = "everybody is let in" if one.kind == "filter" else "all members weigh the same"
    return f"board {board}: {one.kind} {one.function} of ensemble {one.ensemble} failed in {over}: {instead} there;"


def _where(board: str, one: FailedFunction) -> str:
    what, column, key = "metric", "reason", one.function
    if one.kind != "metric":
        what, column, key = "ensemble", "fallback", one.ensemble or ""
    where = f"WHERE competition = '{board}' AND {what} = '{key}' AND {column} LIKE 'error%'"
    return f'podium sql "FROM competition.{one.table} {where}"'
