"""``podium evaluations``: the boards of evaluation sets, now or from what was known at any date."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline.cli.errors import InputError
from pipeline.cli.leaderboard import parse_moment
from pipeline.cli.output import MISSING, Column, console, counted, day, percent, print_json, print_table
from pipeline.cli.published import published
from pipeline.tables import OVERALL

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from pipeline.reports.queries import EvaluationBoard, EvaluationRow

_SMALLEST = 1e-3


def evaluations(
    name: Annotated[str, typer.Argument(help="Name of a competition that declares evaluation sets.")],
    eval_set: Annotated[str | None, typer.Option("--eval-set", help="One set by name; all of them by default.")] = None,
    part: Annotated[
        str | None, typer.Option("--part", help="A part of a set that is divided by it, such as subject=US.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="From what was known then: a date (its end, UTC) or a time.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the boards of evaluation sets from the published file, and who is excluded from them and why."""
    moment = None if as_of is None else parse_moment(as_of, "--as-of")
    by, _, value = (OVERALL, "", OVERALL) if part is None else part.partition("=")
    if not value:
        raise InputError(f"--part {part!r} names no part; write subject=US, cycle=2025-01-04, horizon=1")
    from pipeline.reports.queries import evaluation_board, evaluation_names

    with published() as connection:
        rows = _rows(connection, name, moment)
        names = evaluation_names(connection, name)
        if not names:
            raise InputError(
                f"competition {name!r} declares no evaluation sets; add them to its defs.yaml: evaluations"
            )
        chosen = names if eval_set is None else [eval_set]
        boards = [evaluation_board(connection, name, rows, one, by, value, moment) for one in chosen]
    if as_json:
        print_json([{**vars(board), "rows": board.rows[:limit]} for board in boards])
        return
    for board in boards:
        print_evaluation(board, limit)


def _rows(connection: "duckdb.DuckDBPyConnection", name: str, as_of: datetime | None) -> "pd.DataFrame":
    """Rows of the evaluation sets: those published, or computed from what was known at a moment."""
    from pipeline.reports.queries import evaluation_rows

    if as_of is None:
        return evaluation_rows(connection, name)
    evaluation_rows(connection, name)
    from pipeline.cli.published import published_contract
    from pipeline.components.evaluation_tables import evaluations_of
    from pipeline.warehouse import Store

    return evaluations_of(Store(connection), published_contract(connection, name), as_of)


def print_evaluation(board: "EvaluationBoard", limit: int | None = None) -> None:
    """Print a board as a table: rank, the ranks that it could be, model, every metric, tasks; then who is excluded."""
    of = "" if board.by == OVERALL else f", {board.by}={board.part}"
    then = "" if board.as_of is None else f", as of {day(board.as_of)}"
    ranked = "not ranked" if board.rank_by is None else f"ranked by {board.rank_by}"
    title = Text(f"{board.title}: {board.evaluation}{of}\n{ranked}{then}; {counted(board.n_tasks, 'task')}")
    rows = board.rows[:limit]
    print_table(_columns(board, rows), title, dim=[row.rank_with_ensembles is None for row in rows])
    out = console()
    for excluded in board.excluded:
        out.print(Text(f"excluded: {excluded.model_id}: {excluded.reason}", style="dim"), soft_wrap=True)


def _columns(board: "EvaluationBoard", rows: "tuple[EvaluationRow, ...]") -> list[Column]:
    columns = [
        Column("rank", [_rank(row) for row in rows], rank=0),
        Column(
            "could be", [MISSING if row.rank_lo is None else f"{row.rank_lo}-{row.rank_hi}" for row in rows], rank=2
        ),
        Column("model", [row.model_id for row in rows], is_text=True, rank=0),
    ]
    for place, metric in enumerate(board.metrics):
        columns.append(Column(metric, [_value(row, metric) for row in rows], rank=0 if metric == board.rank_by else 1))
        if metric == board.rank_by:
            columns.append(Column("95 % interval", [_interval(row, metric) for row in rows], rank=2 + place))
    submitted = [percent(row.n_submitted / board.n_tasks) for row in rows]
    return [*columns, Column("submitted", submitted, rank=3), Column("n", [_n(row) for row in rows], rank=4)]


def _rank(row: "EvaluationRow") -> str:
    if row.is_ensemble:
        return MISSING if row.rank_with_ensembles is None else f"({row.rank_with_ensembles})"
    return MISSING if row.rank is None else str(row.rank)


def _n(row: "EvaluationRow") -> str:
    return f"{max((one.n for one in row.values.values()), default=0):,}"


def _value(row: "EvaluationRow", metric: str) -> str:
    found = row.values.get(metric)
    return MISSING if found is None or found.value is None else _digits(found.value)


def _interval(row: "EvaluationRow", metric: str) -> str:
    found = row.values.get(metric)
    if found is None or found.ci_low is None or found.ci_high is None:
        return MISSING
    return f"{_digits(found.ci_low)} … {_digits(found.ci_high)}"


def _digits(value: float) -> str:
    """Four significant digits, no exponent for what is of ordinary size."""
    if value == 0 or abs(value) < _SMALLEST:
        return f"{value:.3g}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3f}"
