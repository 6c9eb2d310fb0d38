"""``podium leaderboard``: a board now, or as it stood at any date."""

from datetime import datetime, time
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.text import Text

from pipeline.cli.board_export import CYCLE, Export, export_board, refuse_options
from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, Column, day, percent, print_json, print_table, signed
from pipeline.cli.published import published
from pipeline.cli.rankings_shown import ModelBoard, model_board, print_model_board
from pipeline.cli.tracks import print_track_board
from pipeline.clock import utc_now
from pipeline.reports import moments
from pipeline.reports.queries import (
    Board,
    BoardRow,
    KeyValue,
    TrackBoard,
    board,
    is_experiment,
    is_ranking,
    is_track,
    track_board,
)
from pipeline.tables import OFFICIAL, OVERALL


def leaderboard(
    name: Annotated[str, typer.Argument(help="Name of the board, such as sp500.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The board as it stood then: a date (its end, UTC) or a time.")
    ] = None,
    category: Annotated[
        str, typer.Option("--category", help="A part of the contest that has a board, such as horizon=2.")
    ] = OVERALL,
    include_ensembles: Annotated[bool, typer.Option("--include-ensembles", help="List virtual models too.")] = False,
    judge: Annotated[
        str | None, typer.Option("--judge", help="Of a judged track: whose board; the official one.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    format: Annotated[
        str | None, typer.Option("--format", help="board: runs, topics and measures, as `podium board` reads them.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "--out", "-o", help="With --format board: the file.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="With --format board: the file's format; by its ending, else jsonl.")
    ] = None,
    topics: Annotated[
        str | None, typer.Option("--topics", help="With --format board: cycle (default), horizon or subject.")
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", help="With --format board: only the cycles of this window.")
    ] = None,
) -> None:
    """Print a leaderboard from the published file, or write it as a board of runs, topics and measures."""
    moment = None if as_of is None else parse_moment(as_of, "--as-of")
    if format is not None:
        refuse_options({"--limit": limit}, "--format board writes every row")
        asked = Export(moment, category, include_ensembles, topics or CYCLE, window, judge)
        export_board(name, format, asked, output, to, as_json)
        return
    refuse_options(
        {"--output": output, "--to": to, "--topics": topics, "--window": window},
        "without `--format board` the board is printed",
    )
    of_competitions = {"--as-of": as_of, "--category": category != OVERALL, "--include-ensembles": include_ensembles}
    with published() as connection:
        if is_ranking(connection, name):
            refuse_options(of_competitions | {"--judge": judge}, f"{name!r} is a ranking of language models")
            _show_ranking(model_board(connection, name, utc_now()), limit, as_json)
            return
        if is_track(connection, name):
            refuse_options(of_competitions, f"{name!r} is a judged track")
            _show_track(track_board(connection, name, judge or OFFICIAL), limit, as_json)
            return
        if is_experiment(connection, name):
            refuse_options(of_competitions | {"--judge": judge}, f"{name!r} is an experiment")
            _show_experiment(connection, name, limit, as_json)
            return
        refuse_options({"--judge": judge}, f"{name!r} is a competition")
        found = board(connection, name, moment, category=category, include_ensembles=include_ensembles)
    if as_json:
        print_json({**vars(found), "rows": found.rows[:limit]})
    else:
        print_board(found, limit)


def _show_track(found: TrackBoard, limit: int | None, as_json: bool) -> None:
    if as_json:
        print_json({**vars(found), "rows": found.rows[:limit]})
    else:
        print_track_board(found, limit)


def _show_ranking(found: ModelBoard, limit: int | None, as_json: bool) -> None:
    if as_json:
        print_json({**vars(found), "rows": found.rows[:limit]})
    else:
        print_model_board(found, limit)


def _show_experiment(connection: duckdb.DuckDBPyConnection, name: str, limit: int | None, as_json: bool) -> None:
    from pipeline.cli.experiments_shown import experiment_board, print_experiment_board

    found = experiment_board(connection, name)
    if as_json:
        print_json({**vars(found), "rows": found.rows[:limit]})
    else:
        print_experiment_board(found, limit)


def parse_moment(text: str, option: str, time_of_day: time = time.max) -> datetime:
    """A date or an ISO time as a time in UTC, without a zone.

    Parameters
    ----------
    text : str
        A date, or a time with or without its zone; without one it is UTC.
    option : str
        Where it was given, for the error message.
    time_of_day : time
        What a date alone means: its end by default.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        return moments.parse_moment(text, option, time_of_day)
    except ValueError as error:
        raise InputError(str(error)) from None


def print_board(found: Board, limit: int | None = None) -> None:
    """Print a board as a table.

    Its columns are rank, the ranks that it could be, change, model, the weighted sum where ranks are by one, every key
    with the first one's interval, coverage and n; a narrow terminal gets those that matter most. The rank of a virtual
    model, in parentheses, is its rank among all models.
    """
    of = "" if found.category == OVERALL else f", {found.category}"
    title = Text(f"{found.title}{of}\nranked by {found.rank_by}, as of {day(found.as_of)}{_worth(found)}")
    rows = found.rows[:limit]
    below_zero = _below_zero(found)
    cells = [_cells(found, row, below_zero) for row in rows]
    columns = [
        Column(header, [row[at] for row in cells], is_text=header == "model", rank=rank)
        for at, (header, rank) in enumerate(_headers(found))
    ]
    print_table(columns, title, dim=[row.status != "ranked" for row in rows])


def _headers(found: Board) -> list[tuple[str, int]]:
    """Each column and its rank: a narrow terminal does without the keys that break ties first, then without n, ..."""
    first, *others = found.keys
    weighted = [("weighted sum", 0)] if found.is_weighted else []
    keys = [(first, 1 if weighted else 0), ("95 % interval", 2), *((key, 5) for key in others)]
    return [("rank", 0), ("could be", 2), ("±", 3), ("model", 0), *weighted, *keys, ("coverage", 3), ("n", 4)]


def _below_zero(found: Board) -> frozenset[str]:
    """The keys that are below zero somewhere: of these a value says when it is above."""
    ends = [(key, end) for row in found.rows for key, one in row.values.items() for end in (one.value, one.ci_low)]
    ends += [(found.rank_by, row.rank_key) for row in found.rows]
    return frozenset(key for key, end in ends if end is not None and end < 0)


def _cells(found: Board, row: BoardRow, below_zero: frozenset[str]) -> list[str]:
    plus = [key in below_zero for key in found.keys]
    first, *others = [_value(row.values.get(key), sign) for key, sign in zip(found.keys, plus, strict=True)]
    return [
        _rank(row),
        MISSING if row.rank_lo is None else f"{row.rank_lo}-{row.rank_hi}",
        f"{row.rank_change:+d}" if row.rank_change else "",
        row.title if row.status == "ranked" else f"{row.title} ({row.status})",
        *([signed(row.rank_key, plus=found.rank_by in below_zero)] if found.is_weighted else []),
        first,
        _interval(row.values.get(found.keys[0]), plus[0]),
        *others,
        percent(row.coverage),
        f"{row.n:,}",
    ]


def _rank(row: BoardRow) -> str:
    if row.is_ensemble:
        return MISSING if row.rank_with_ensembles is None else f"({row.rank_with_ensembles})"
    return MISSING if row.rank is None else str(row.rank)


def _worth(found: Board) -> str:
    """How many independent cycles the longest records count as, where comparisons tell."""
    told = [(row.n_cycles, row.n_effective) for row in found.rows if row.n_cycles and row.n_effective is not None]
    if not told:
        return ""
    longest = max(cycles for cycles, _ in told)
    count_as = sorted({f"{effective:.0f}" for cycles, effective in told if cycles == longest}, key=float)
    return f"; {longest:,} cycles count as {'-'.join(dict.fromkeys((count_as[0], count_as[-1])))}"


def _value(value: KeyValue | None, plus: bool) -> str:
    return signed(None if value is None else value.value, plus=plus)


def _interval(value: KeyValue | None, plus: bool) -> str:
    if value is None or value.ci_low is None:
        return MISSING
    return f"{signed(value.ci_low, plus=plus)} … {signed(value.ci_high, plus=plus)}"
