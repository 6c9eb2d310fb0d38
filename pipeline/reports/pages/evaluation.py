"""``/boards/{name}/evaluations/{evaluation}``: an evaluation set as a whole, a part of it, or all its parts."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from pipeline.charts import has_intervals
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.reports.inputs import Connection, IncludeEnsembles
from pipeline.reports.natural import natural_key
from pipeline.reports.pages.address import Address
from pipeline.reports.pages.evaluation_columns import Metric, metrics_of
from pipeline.reports.pages.evaluation_rows import board_table, drawn_models, part_heads, part_rows, parts_drawn
from pipeline.reports.pages.links import downloads
from pipeline.reports.pages.view import show
from pipeline.reports.queries import evaluation_board, evaluation_names, evaluation_rows, titles
from pipeline.reports.queries.breakdowns import breakdown
from pipeline.reports.queries.evaluations import evaluation_spec
from pipeline.reports.queries.metrics import described
from pipeline.reports.queries.standings import Contest, contest
from pipeline.reports.wrong import WrongInputError
from pipeline.tables import OVERALL

router = APIRouter(include_in_schema=False)

_MOST_ROWS = 500
_HEIGHT = 300


@dataclass(frozen=True)
class Asked:
    """What an address asks of an evaluation set; texts are empty where it leaves the choice to the set."""

    by: str = ""
    part: str = ""
    metric: str = ""
    models: Annotated[list[str] | None, Query()] = None
    include_ensembles: IncludeEnsembles = False
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0


@dataclass(frozen=True)
class _Set:
    """An evaluation set of a contest, and what is shown of it."""

    contest: Contest
    spec: EvaluationSpec
    metrics: dict[str, Metric]
    asked: Asked

    @property
    def by(self) -> str:
        """What divides it.

        Raises
        ------
        WrongInputError
            If that is nothing that divides it.
        """
        known = (OVERALL, *self.spec.by)
        if self.asked.by and self.asked.by not in known:
            raise WrongInputError(
                f"evaluation set {self.spec.name!r} is not divided by {self.asked.by!r}; known: {', '.join(known)}"
            )
        return self.asked.by or OVERALL

    def metric(self, ranked_by: str | None) -> Metric:
        """The metric that is shown: that asked for, else the one that ranks, else the first.

        Raises
        ------
        WrongInputError
            If there is none of that name.
        """
        name = self.asked.metric or ranked_by or next(iter(self.metrics))
        if name not in self.metrics:
            known = ", ".join(self.metrics)
            raise WrongInputError(f"evaluation set {self.spec.name!r} has no metric {name!r}; known: {known}")
        return self.metrics[name]


@router.get("/boards/{name}/evaluations/{evaluation:path}", response_class=HTMLResponse)
def evaluation_set(
    request: Request, connection: Connection, name: str, evaluation: str, asked: Annotated[Asked, Depends()]
) -> Any:
    """An evaluation set of a competition."""
    of, spec = contest(connection, name), evaluation_spec(connection, name, evaluation)
    found = _Set(of, spec, metrics_of(spec, described(connection, name)), asked)
    render = _board if found.by == OVERALL or asked.part else _breakdown
    return render(request, connection, found)


def _board(request: Request, connection: duckdb.DuckDBPyConnection, found: _Set) -> HTMLResponse:
    """The board of the whole set, or of one part."""
    name, asked = found.contest.name, found.asked
    rows = evaluation_rows(connection, name, found.spec.name, found.by)
    board = evaluation_board(connection, name, rows, found.spec.name, found.by, asked.part or OVERALL)
    shown = found.metric(board.rank_by)
    table = board_table(board, found.metrics, shown, titles(connection, name), virtual=asked.include_ensembles)
    return show(
        request,
        "evaluation.html",
        **_common(connection, found, shown),
        board=board,
        table=table,
        has_ensembles=any(row.is_ensemble for row in board.rows),
        known_parts=sorted(rows.loc[rows["by"] == found.by, "part"].unique(), key=natural_key),
        downloads=downloads(_endpoint(found).but(parts=asked.part)),
    )


def _breakdown(request: Request, connection: duckdb.DuckDBPyConnection, found: _Set) -> HTMLResponse:
    """One metric of all models on all parts."""
    name, asked = found.contest.name, found.asked
    shown = found.metric(found.spec.rank_by)
    parts = breakdown(connection, name, found.spec.name, found.by, shown.name)
    whole = breakdown(connection, name, found.spec.name, OVERALL, shown.name)
    drawn = drawn_models(parts, asked.models or (), found.spec.baseline)
    rows = part_rows(
        parts,
        shown,
        {model: cell for (model, _), cell in whole.cells.items()},
        drawn,
        virtual=asked.include_ensembles,
    )
    chart = parts_drawn(parts, shown, drawn)
    return show(
        request,
        "evaluation_parts.html",
        **_common(connection, found, shown),
        heads=part_heads(parts),
        rows=rows[asked.offset : asked.offset + asked.limit],
        total=len(rows),
        has_ensembles=any(one.is_ensemble for one in parts.models),
        chart=json.dumps(chart),
        has_intervals=has_intervals(chart["data"]["values"]),
        height=_HEIGHT,
        downloads=downloads(_endpoint(found).but(metrics=shown.name)),
    )


def _common(connection: duckdb.DuckDBPyConnection, found: _Set, shown: Metric) -> dict[str, Any]:
    """What both templates show."""
    return {
        "contest": found.contest,
        "spec": found.spec,
        "by": found.by,
        "asked": found.asked,
        "shown": shown,
        "metrics": found.metrics,
        "sets": evaluation_names(connection, found.contest.name),
        "overall": OVERALL,
    }


def _endpoint(found: _Set) -> Address:
    """The same rows in the API."""
    asked = {"competition": found.contest.name, "evaluation": found.spec.name, "by": found.by}
    return Address("/reports/evaluations/rows").but(**asked, include_ensembles=found.asked.include_ensembles)
