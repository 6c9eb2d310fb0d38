"""An experiment as commands show it: contestants in order, with what each scorer says and what they cost."""

from typing import Any

import duckdb
from rich.text import Text

from pipeline.cli.output import MISSING, Column, counted, print_table
from pipeline.experiments import STATUSES
from pipeline.reports.queries.experiment_boards import ContestantRow, ExperimentBoard, board
from pipeline.reports.queries.experiment_tables import published_tables
from pipeline.reports.queries.status import FileCounts
from pipeline.warehouse import Memory

DEFAULT_GROUPING = "configuration"

_FILES = """
    SELECT count(*), count(*) FILTER (starts_with(status, 'unreadable')), coalesce(sum(n_accepted), 0),
        coalesce(sum(n_rejected), 0), coalesce(sum(n_late), 0), max(received_at)
    FROM experiments.files WHERE experiment = ?
"""
_RUNS = "SELECT status, count(*) FROM experiments.runs WHERE experiment = ? GROUP BY status"


def experiment_board(connection: duckdb.DuckDBPyConnection, name: str, grouping: str | None = None) -> ExperimentBoard:
    """The board of a published experiment.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the experiment.
    grouping : str, optional
        configuration, model or prompt; what the experiment shows first by default, configurations where that is runs.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    UnknownKeyError
        If the grouping is another one.
    """
    tables = published_tables(connection, Memory())
    declared = tables.of(name).experiment.group_by if grouping is None else grouping
    return board(tables, name, DEFAULT_GROUPING if declared == "run" and grouping is None else declared)


def experiment_files(connection: duckdb.DuckDBPyConnection | None, name: str) -> FileCounts:
    """What became of the files of an experiment."""
    found = _rows(connection, _FILES, name)
    return FileCounts(*found[0]) if found else FileCounts()


def experiment_runs(connection: duckdb.DuckDBPyConnection | None, name: str) -> dict[str, int]:
    """The published runs of an experiment by status, in the order in which runs get there."""
    found = dict(_rows(connection, _RUNS, name))
    return {status: found[status] for status in STATUSES if status in found}


def print_experiment_board(found: ExperimentBoard, limit: int | None = None) -> None:
    """Print the contestants of an experiment in order."""
    shown = found.rows[:limit]
    rows = [one.row for one in shown]
    scorers = [
        Column(one.name, [_score(row.scorers[one.name].value if one.name in row.scorers else None) for row in shown])
        for one in found.scorers
    ]
    columns = [
        Column("rank", [MISSING if row.rank is None else str(row.rank) for row in rows], rank=0),
        Column("could be", [_could_be(row) for row in rows], rank=1),
        Column(found.grouping, [_title(row) for row in rows], is_text=True, rank=0),
        Column("score", [_score(row.score) for row in rows], rank=0),
        Column("95 %", [_interval(row) for row in rows], rank=1),
        *scorers,
        Column("runs", [f"{row.n_scored:,}/{row.n_runs:,}" for row in rows], rank=1),
        Column("cost/run", [MISSING if row.cost is None else f"${row.cost:.4g}" for row in rows], rank=2),
    ]
    title = f"{found.title}\nby {found.grouping}, {counted(len(found.rows), found.grouping)}"
    print_table(columns, Text(title), dim=[row.status != "ranked" for row in rows])


def _rows(connection: duckdb.DuckDBPyConnection | None, query: str, name: str) -> list[tuple[Any, ...]]:
    """The rows of a query; none without a published file, or where an older Podium wrote it, without the table."""
    if connection is None:
        return []
    try:
        return connection.execute(query, [name]).fetchall()
    except duckdb.CatalogException:
        return []


def _could_be(row: ContestantRow) -> str:
    return MISSING if row.rank_lo is None else f"{row.rank_lo}-{row.rank_hi}"


def _interval(row: ContestantRow) -> str:
    return MISSING if row.ci_low is None else f"{row.ci_low:.3f} … {row.ci_high:.3f}"


def _score(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"


def _title(row: ContestantRow) -> str:
    return row.title if row.status == "ranked" else f"{row.title} ({row.status})"
