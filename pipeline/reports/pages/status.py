"""``/status``: how fresh every board and table is, how its last run went, and what was refused."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.reports.inputs import Connection
from pipeline.reports.pages.view import show
from pipeline.reports.queries import board_names
from pipeline.reports.queries.intake import refusals, tables_of
from pipeline.reports.queries.overview import overview
from pipeline.warehouse import now

router = APIRouter(include_in_schema=False)


@router.get("/status", response_class=HTMLResponse)
def status(request: Request, connection: Connection) -> Any:
    """How fresh every board and table is, how its last run went, and what was refused."""
    moment = now()
    names = board_names(connection)
    return show(
        request,
        "status.html",
        now=moment,
        publication=request.app.state.reader.publication,
        boards=[overview(connection, name, moment) for name in names],
        runs=request.app.state.last_runs(names, moment),
        tables=tables_of(connection),
        refusals=refusals(connection),
    )
