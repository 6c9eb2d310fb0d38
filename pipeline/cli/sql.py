"""``podium sql``: any question to the published file."""

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import duckdb
import typer
from typer.core import TyperCommand

from pipeline.cli.errors import InputError
from pipeline.cli.output import Column, cell, console, print_json, print_table
from pipeline.cli.published import published

_ROWS_OF_A_TABLE = 50
_NARROW = (int, float, Decimal, datetime, date, time, timedelta, UUID, type(None))
"""Types whose values are of no use when they are cut."""

Answer = tuple[list[str], list[tuple[Any, ...]]]


class QueryCommand(TyperCommand):
    """A command whose argument may begin with ``--``, as a comment in SQL does."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Take what begins like an option, but has a space where none has one, for the query."""
        queries = [] if "--" in args else [one for one in args if re.match(r"-[^=\s]*\s", one)]
        return super().parse_args(
            ctx, [*(one for one in args if one not in queries), *(["--"] if queries else []), *queries]
        )


def sql(
    query: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Only the first rows: {_ROWS_OF_A_TABLE} in a table, all in JSON by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask the published file, read-only: podium sql "SELECT * FROM sp500.leaderboard LIMIT 5"."""
    text = sys.stdin.read() if query == "-" else query
    shown = limit if as_json or limit else _ROWS_OF_A_TABLE
    with published() as connection:
        answers = _answers(connection, text, None if shown is None else shown + 1, one_at_most=as_json)
        if as_json:
            ((names, rows),) = answers  # all statements done, so that nothing is printed when one fails
            print_json([dict(zip(names, row, strict=True)) for row in rows[:shown]])
            return
        for names, rows in answers:
            _print_answer(names, rows, shown)


def _print_answer(names: list[str], rows: list[tuple[Any, ...]], shown: int | None) -> None:
    """One result as a table."""
    print_table([_column(name, [row[at] for row in rows[:shown]]) for at, name in enumerate(names)], fold=True)
    if shown is not None and len(rows) > shown:
        console().print(f"[dim]the first {shown} rows; --limit or --json for more[/dim]")


def _column(name: str, values: Sequence[Any]) -> Column:
    return Column(name, [cell(value) for value in values], is_text=not all(isinstance(one, _NARROW) for one in values))


def _answers(
    connection: duckdb.DuckDBPyConnection, text: str, at_most: int | None, *, one_at_most: bool
) -> Iterator[Answer]:
    """The result of every statement that has one, in order: names of the columns, each once, and rows.

    Raises
    ------
    InputError
        If there is no statement, DuckDB refuses one, or there are several results and one at most is wanted.
    """
    try:
        statements = connection.extract_statements(text)
        if not statements:
            raise InputError('the query is empty; try: podium sql "SELECT * FROM marts.leaderboard_current"')
        told = _that_tell(statements)
        if one_at_most and len(told) > 1:
            raise InputError(f"{len(told)} statements have results, and --json prints one; ask them one by one")
        for number, statement in enumerate(statements):
            cursor = connection.execute(statement)
            if number in told:
                names = _told_apart([column[0] for column in cursor.description or []])
                yield names, cursor.fetchall() if at_most is None else cursor.fetchmany(at_most)
    except duckdb.Error as error:
        message, _, _ = str(error).partition("\n\nLINE ")
        raise InputError(message) from None


def _that_tell(statements: Sequence[duckdb.Statement]) -> set[int]:
    """The places of the statements that have a result; where none has, of the last, whose rows written are told."""
    told = {
        at for at, one in enumerate(statements) if one.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]
    }
    return told or {len(statements) - 1}


def _told_apart(names: list[str]) -> list[str]:
    """Names of which none occurs twice: the second ``a`` is called ``a_1``, as DuckDB calls it in a new table."""
    distinct: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in range(1, len(names) + 1))
        taken = {*names, *distinct}
        distinct.append(name if name not in distinct else next(other for other in numbered if other not in taken))
    return distinct
