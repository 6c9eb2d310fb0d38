"""``/reports/diversity``: how models differ from each other, and what they add to ensembles."""

from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Query

from pipeline.reports.answers import Page
from pipeline.reports.answers import competitions as answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import Competition, Connection, IncludeEnsembles, Newest, Rows, Wanted
from pipeline.reports.queries.metrics import beside_others
from pipeline.reports.queries.series import Selection, snapshots
from pipeline.reports.queries.standings import contest
from pipeline.reports.routes.paged import paged
from pipeline.tables import OVERALL

router = APIRouter(prefix="/reports", tags=["models"])


@router.get("/diversity", response_model=Page[answers.Snapshot], responses=FILES)
def diversity(
    connection: Connection,
    competition: Competition,
    newest: Newest,
    wanted: Wanted,
    window: Annotated[str | None, Query(description="The window ranked by when left out.", examples=["anchor"])] = None,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """How models differ from each other, and what they add to ensembles, as of the newest board."""
    selection = Selection(competition, start=newest, include_ensembles=include_ensembles)
    return diversity_of(connection, selection, wanted, window)


def diversity_of(connection: duckdb.DuckDBPyConnection, selection: Selection, wanted: Rows, window: str | None) -> Any:
    """The metrics of models beside others that the contest lists, over a window."""
    of = contest(connection, selection.competition)
    query = snapshots(
        selection,
        category=OVERALL,
        window=of.window(window),
        metrics=beside_others(of.directions),
    )
    return paged(connection, query, answers.Snapshot, wanted, f"{of.name}_diversity")
