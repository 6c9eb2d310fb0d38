"""``podium leaderboard``: a board now, or as it stood at any date."""

from datetime import datetime, time, timedelta
from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, console, day, percent, print_json, signed
from pipeline.reports.queries import Board, BoardRow, KeyValue, board
from pipeline.settings import settings
from pipeline.warehouse import open_published


def leaderboard(
    name: Annotated[str, typer.Argument(help="Name of the board, such as sp500.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The board as it stood then: a date (its end, UTC) or a time.")
    ] = None,
    include_ensembles: Annotated[bool, typer.Option(help="List virtual models too.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a leaderboard from the published file."""
    moment = None if as_of is None else parse_moment(as_of)
    with open_published(settings().published_dir) as connection:
        found = board(connection, name, moment, include_ensembles=include_ensembles)
    if as_json:
        print_json({**vars(found), "rows": found.rows[:limit]})
    else:
        print_board(found, limit)


def parse_moment(text: str, option: str = "--as-of") -> datetime:
    """A date (its last microsecond) or an ISO time, in UTC.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text!r} is no date; write 2022-12-23 or 2022-12-23T21:00") from None
    if moment.tzinfo is not None:
        moment = (moment - (moment.utcoffset() or timedelta())).replace(tzinfo=None)
    is_date = len(text.strip()) <= len("2022-12-23")
    return datetime.combine(moment, time.max) if is_date else moment


def print_board(found: Board, limit: int | None = None) -> None:
    """Print a board as a table: rank, change, model, the keys it is ranked by with the first one's interval."""
    table = Table(title=f"{found.title}\nranked by {found.rank_by}, as of {day(found.as_of)}", title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("±", justify="right")
    table.add_column("model")
    for place, key in enumerate(found.keys):
        table.add_column(key, justify="right")
        if place == 0:
            table.add_column("95 % interval", justify="right")
    table.add_column("coverage", justify="right")
    table.add_column("n", justify="right")
    for row in found.rows[:limit]:
        table.add_row(*_cells(found, row), style=None if row.status == "ranked" else "dim")
    console().print(table)


def _cells(found: Board, row: BoardRow) -> list[str]:
    rank = row.rank_with_ensembles if row.is_ensemble else row.rank
    change = {None: "", 0: ""}.get(row.rank_change, f"{row.rank_change or 0:+d}")
    label = row.title if row.status == "ranked" else f"{row.title} ({row.status})"
    cells = [MISSING if rank is None else str(rank), change, label]
    for place, key in enumerate(found.keys):
        value = row.values.get(key)
        cells.append(signed(None if value is None else value.value))
        if place == 0:
            cells.append(_interval(value))
    return [*cells, percent(row.coverage), f"{row.n:,}"]


def _interval(value: KeyValue | None) -> str:
    if value is None or value.ci_low is None:
        return MISSING
    return f"{signed(value.ci_low)} … {signed(value.ci_high)}"
