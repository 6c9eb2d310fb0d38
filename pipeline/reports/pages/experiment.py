"""``/experiments/{name}``: a prompt experiment by configuration, model, prompt or run, and what its ranks rest on."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from pipeline.charts import cost_chart
from pipeline.experiments import GROUPINGS
from pipeline.reports.experiments.inputs import Live, Tables
from pipeline.reports.pages.address import address_of, path_to
from pipeline.reports.pages.experiment_rows import Part, run_rows, scorer_key, table_of
from pipeline.reports.pages.experiment_waits import waits_of
from pipeline.reports.pages.experiments import known_ceiling
from pipeline.reports.pages.links import files
from pipeline.reports.pages.view import show
from pipeline.reports.queries.experiment_boards import ExperimentBoard, board, distributions, run_board
from pipeline.reports.queries.experiment_comparison import against_baseline
from pipeline.reports.queries.experiment_raters import agreement
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.experiment_waits import errors, unfinished
from pipeline.reports.queries.experiments import configurations, experiment
from pipeline.reports.queries.page import page
from pipeline.reports.wrong import WrongInputError

router = APIRouter(include_in_schema=False)

RUN, CONFIGURATION = "run", "configuration"
_MOST_ROWS = 500
_MOST_ERRORS = 5
_BINS = 12
_CHART_HEIGHT = 320
_FEWEST_DRAWN = 2


@dataclass(frozen=True)
class Asked:
    """What an address asks of an experiment; texts are empty where it leaves the choice to the experiment."""

    by: str = ""
    search: str = ""
    sort: str = ""
    columns: str = ""
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0

    @property
    def part(self) -> Part:
        """Which rows are shown."""
        return Part(self.sort, self.limit, self.offset)


@router.get("/experiments/{name}", response_class=HTMLResponse)
def experiment_board(
    request: Request, tables: Tables, live: Live, name: str, asked: Annotated[Asked, Depends()]
) -> Any:
    """One experiment by configuration, model, prompt or run."""
    about = experiment(tables, name)
    by = grouping_of(asked.by, about.group_by)
    declared = tables.of(name)
    shown = _runs(tables, name, asked) if by == RUN else _grouped(tables, name, by, asked)
    given, money = request.app.state.settings, live.queues.money(name)
    failures = errors(tables, name, _MOST_ERRORS)
    return show(
        request,
        "experiment_runs_board.html" if by == RUN else "experiment.html",
        **shown,
        about=about,
        by=by,
        asked=asked,
        groupings=(*GROUPINGS, RUN),
        scorer_key=scorer_key,
        ceiling=known_ceiling(declared, given),
        n_behind=tables.n_behind.get(name, 0),
        waits=waits_of(declared, unfinished(tables, name), money, given),
        money=money,
        errors=failures,
        downloads=files(address_of(request).of(path_to("experiments", name, "board"), ("by", "search", "sort"))),
        n_other_errors=about.statuses["failed"] - sum(n for _, n in failures),
        agreement=page(tables.connection, agreement(tables, name)).records(),
    )


def grouping_of(asked: str, own: str) -> str:
    """What a board is by: what is asked for, or the experiment's own.

    Raises
    ------
    WrongInputError
        If there is no such board.
    """
    by = asked or own
    if by not in (*GROUPINGS, RUN):
        raise WrongInputError(f"experiments have no board by {by!r}; known: {', '.join((*GROUPINGS, RUN))}")
    return by


def beside_baseline(tables: ExperimentTables, name: str, by: str) -> dict[str, dict[str, Any]]:
    """Comparisons with the baseline by configuration, the best first; empty on other boards and without a baseline."""
    if by != CONFIGURATION:
        return {}
    return {row["configuration"]: row for row in page(tables.connection, against_baseline(tables, name)).records()}


def _grouped(tables: ExperimentTables, name: str, by: str, asked: Asked) -> dict[str, Any]:
    """What is shown of configurations, models or prompts."""
    found = board(tables, name, by, asked.search or None)
    against = beside_baseline(tables, name, by)
    spread = distributions(tables, name, by, _BINS)
    table = table_of(found, spread, against, asked.part)
    baseline = next((one for one in configurations(tables, name) if one.is_baseline), None)
    chart = _chart(found)
    return {
        "found": found,
        "table": table,
        "bins": _BINS,
        "baseline": baseline if against else None,
        "comparison": next(iter(against.values()), None),
        "chart": chart,
        "chart_height": _CHART_HEIGHT,
        "counts": _counts(found),
    }


def _runs(tables: ExperimentTables, name: str, asked: Asked) -> dict[str, Any]:
    """What is shown of runs."""
    found = run_board(tables, name, asked.limit, asked.offset, asked.sort)
    return {"found": found, "rows": run_rows(found), "chart": ""}


@dataclass(frozen=True)
class Counts:
    """How many are ranked and how many not, and how many pairs there are of which so many surely differ."""

    ranked: int
    unranked: int
    pairs: int
    apart: int


def _counts(found: ExperimentBoard) -> Counts:
    rows = [one.row for one in found.rows]
    bounded = [row.rank_lo for row in rows if row.rank_lo is not None]
    ranked = sum(row.rank is not None for row in rows)
    pairs = len(bounded) * (len(bounded) - 1) // 2
    return Counts(ranked, len(rows) - ranked, pairs, sum(low - 1 for low in bounded))


def _chart(found: ExperimentBoard) -> str:
    """What scores cost, where two ranked contestants or more are known to cost something; empty otherwise."""
    rows = [one.row for one in found.rows if one.row.rank is not None and one.row.cost and one.row.score is not None]
    if len(rows) < _FEWEST_DRAWN or len({row.cost for row in rows}) < _FEWEST_DRAWN:
        return ""
    drawn = [
        {"label": row.title, "price": row.cost, "value": row.score, "low": row.ci_low, "high": row.ci_high}
        for row in rows
    ]
    for one in drawn:
        one["is_best"] = not any(_beats(other, one) for other in drawn)
    return json.dumps(cost_chart(drawn, "USD per run", "Score", found.grouping.capitalize(), 3))


def _beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one is as cheap and better, or cheaper and as good."""
    is_no_worse = one["price"] <= other["price"] and one["value"] >= other["value"]
    return is_no_worse and (one["price"], one["value"]) != (other["price"], other["value"])
