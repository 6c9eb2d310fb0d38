"""``/experiments/{name}/board.csv`` and ``runs.csv``: the rows of an experiment's pages, all of them, to keep."""

from dataclasses import fields
from typing import Annotated, Literal

import pyarrow as pa
from fastapi import APIRouter, Depends, Response

from pipeline.reports.experiments.inputs import Tables
from pipeline.reports.formats import file_response
from pipeline.reports.inputs import Format
from pipeline.reports.pages import experiment as board_page
from pipeline.reports.pages import experiment_runs as runs_page
from pipeline.reports.pages.experiment_rows import in_order, scorer_key
from pipeline.reports.queries.experiment_boards import ContestantRow, RankedRun, board, run_board, values_of
from pipeline.reports.queries.experiment_runs import runs
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.experiments import experiment, scorers_of
from pipeline.reports.queries.page import page

router = APIRouter(include_in_schema=False)

Written = Literal["csv", "parquet"]
_AGAINST = {
    "difference": "difference",
    "ci_low": "difference_ci_low",
    "ci_high": "difference_ci_high",
    "p_adjusted": "difference_p_adjusted",
    "verdict": "verdict",
}
"""Columns of comparisons with the baseline, and what they are called beside those of a board."""


@router.get("/experiments/{name}/board.{written}")
def board_file(tables: Tables, name: str, asked: Annotated[board_page.Asked, Depends()], written: Written) -> Response:
    """The board that is shown: by what is asked for, in its order, of what matches the search."""
    by = board_page.grouping_of(asked.by, experiment(tables, name).group_by)
    found = _of_runs(tables, name, asked.sort) if by == board_page.RUN else _grouped(tables, name, by, asked)
    return file_response(found, Format(written), f"{name}_by_{by}", found.num_rows)


@router.get("/experiments/{name}/runs.{written}")
def runs_file(tables: Tables, name: str, asked: Annotated[runs_page.Asked, Depends()], written: Written) -> Response:
    """The runs that match, with what they answered and what each scorer says of them."""
    found = page(tables.connection, runs(tables, asked.selection(name), with_outputs=True)).rows
    run_ids = found.column("run_id").to_pylist()
    values = values_of(tables, name, run_ids)
    for scorer in scorers_of(tables.of(name)):
        said = [values.get(run, {}).get(scorer.name) for run in run_ids]
        found = found.append_column(scorer_key(scorer.name), pa.array(said, pa.float64()))
    return file_response(found, Format(written), f"{name}_runs", found.num_rows)


def _grouped(tables: ExperimentTables, name: str, by: str, asked: board_page.Asked) -> pa.Table:
    """Configurations, models or prompts; configurations with what they have against the baseline."""
    found = board(tables, name, by, asked.search or None)
    against = board_page.beside_baseline(tables, name, by)
    rows = in_order(found, against, asked.sort)
    columns = {one.name: [getattr(row.row, one.name) for row in rows] for one in fields(ContestantRow)}
    for scorer in found.scorers:
        said = [row.scorers.get(scorer.name) for row in rows]
        columns[scorer_key(scorer.name)] = [one and one.value for one in said]
    for of, called in _AGAINST.items() if against else ():
        columns[called] = [against.get(row.row.contestant, {}).get(of) for row in rows]
    return pa.table(columns)


def _of_runs(tables: ExperimentTables, name: str, sort: str) -> pa.Table:
    """Completed runs that some scorer scored."""
    found = run_board(tables, name, sort=sort)
    named = [one.name for one in fields(RankedRun) if one.name not in ("config", "values")]
    columns = {one: [getattr(row, one) for row in found.rows] for one in named}
    for scorer in found.scorers:
        columns[scorer_key(scorer.name)] = [row.values.get(scorer.name) for row in found.rows]
    return pa.table(columns)
