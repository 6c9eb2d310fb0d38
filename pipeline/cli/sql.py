"""``podium sql``: any question to the published file."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, console, print_json
from pipeline.settings import settings
from pipeline.warehouse import open_published


def sql(
    query: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")],
    limit: Annotated[int, typer.Option(min=1, help="Rows that a table shows at most; JSON has them all.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
) -> None:
    """Ask the published file, read-only: podium sql "SELECT * FROM sp500.leaderboard LIMIT 5"."""
    text = sys.stdin.read() if query == "-" else query
    if not text.strip():
        raise InputError('the query is empty; try: podium sql "SELECT * FROM marts.leaderboard_current"')
    with open_published(settings().published_dir) as connection:
        cursor = connection.execute(text)
        names = [column[0] for column in cursor.description or []]
        rows = cursor.fetchall() if as_json else cursor.fetchmany(limit + 1)
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = Table(*names)
    for row in rows[:limit]:
        table.add_row(*(MISSING if value is None else _cell(value) for value in row))
    console().print(table)
    if len(rows) > limit:
        console().print(f"[dim]the first {limit} rows; --limit or --json for more[/dim]")


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
