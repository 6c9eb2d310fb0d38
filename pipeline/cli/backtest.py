"""``podium backtest``: what a model would get on a board, before anything is submitted."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.cli.errors import InputError
from pipeline.cli.leaderboard import parse_moment
from pipeline.cli.output import console, print_json
from pipeline.cli.published import published
from pipeline.settings import settings

if TYPE_CHECKING:
    import duckdb

    from pipeline.cli.candidate import Candidate
    from pipeline.competition.backtest import Backtest, BoardRows

_PICTURES = (".svg", ".png")


def backtest(
    name: Annotated[str, typer.Argument(help="Name of the board, such as sp500.")],
    candidate: Annotated[
        str,
        typer.Argument(
            metavar="FILE_OR_CALLABLE",
            help="A submission (Parquet, CSV or JSON lines), or path/to/model.py:function, or package.module:function.",
        ),
    ],
    model: Annotated[
        str | None, typer.Option("--model", help="Which model of the file; what to call that of a function.")
    ] = None,
    from_cycle: Annotated[str | None, typer.Option("--from", help="First cycle.")] = None,
    to_cycle: Annotated[str | None, typer.Option("--to", help="Last cycle, included.")] = None,
    chart: Annotated[Path | None, typer.Option("--chart", help="Write a chart there: FILE.svg or FILE.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say where a model would stand on today's board, by the board's own metrics; nothing is submitted."""
    first, last = _range(from_cycle, to_cycle)
    if chart is not None and chart.suffix.lower() not in _PICTURES:
        raise InputError(f"--chart {str(chart)!r} must end in {' or '.join(_PICTURES)}: the ending tells its format")
    with Console(stderr=True).status("testing"):
        from pipeline.cli.standing import as_record, chart_of, print_standing

        given, result, called = _tested(name, candidate, model, first, last)
        if chart is not None:
            _draw(chart, chart_of(result, called))
    if as_json:
        print_json(as_record(given, result, called, chart))
    else:
        print_standing(console(), given, result, called, chart)


def _range(from_cycle: str | None, to_cycle: str | None) -> tuple[datetime | None, datetime | None]:
    """The first and the last cycle.

    Raises
    ------
    InputError
        If one is no date or time, or the first is later than the last.
    """
    first = None if from_cycle is None else parse_moment(from_cycle, "--from", datetime.min.time())
    last = None if to_cycle is None else parse_moment(to_cycle, "--to")
    if first is not None and last is not None and first > last:
        raise InputError(f"--from {from_cycle} is later than --to {to_cycle}; no cycle lies between them")
    return first, last


def _tested(
    name: str, text: str, model: str | None, first: datetime | None, last: datetime | None
) -> tuple["Candidate", "Backtest", dict[str, str]]:
    """The predictions, the result, and what models are called.

    Raises
    ------
    InputError
        If the board, the file or the function cannot be used.
    """
    from pipeline.cli.candidate import from_callable, from_file, split_callable
    from pipeline.cli.published import published_contract
    from pipeline.competition.backtest import BacktestError, backtest, needed_since
    from pipeline.reports.queries import first_cycle, titles

    function = split_callable(text)
    with published() as connection:
        contract, called = published_contract(connection, name), titles(connection, name)
        try:
            if function is None:
                given = from_file(Path(text), model, connection, contract, first, last)
                own_since = first_cycle(connection, name, str(given.predictions["model_id"].iloc[0]))
                rows = _rows(connection, name, needed_since(given.predictions, own_since, contract))
            else:
                rows = _rows(connection, name)
                given = from_callable(*function, model, rows, contract, first, last)
            return given, backtest(given.predictions, rows, contract), called
        except BacktestError as error:
            raise InputError(f"board {name!r}: {error}") from error


def _rows(connection: "duckdb.DuckDBPyConnection", name: str, since: datetime | None = None) -> "BoardRows":
    from pipeline.clock import utc_now
    from pipeline.reports.queries import board_rows
    from pipeline.warehouse import current_publication

    publication = current_publication(settings().published_dir)
    return board_rows(connection, name, utc_now() if publication is None else publication.published_at, since)


def _draw(path: Path, spec: dict[str, object]) -> None:
    """Write a chart.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    from pipeline.charts import png, svg

    picture = png(spec, scale=2.0) if path.suffix.lower() == ".png" else svg(spec).encode()
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise InputError(f"--chart {str(path)!r} cannot be written: {error.strerror or error}") from error
