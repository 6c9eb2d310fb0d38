"""``/reports/diversity``: how models differ from each other, and what they add to ensembles."""

from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Query

from pipeline.competition.metrics import base_and_ensemble
from pipeline.reports import answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import Competition, Connection, IncludeEnsembles, Newest, Rows, Wanted
from pipeline.reports.queries.series import Selection, snapshots
from pipeline.reports.queries.standings import contest
from pipeline.reports.routes.paged import paged
from pipeline.tables import OVERALL

router = APIRouter(prefix="/reports", tags=["models"])

_BESIDE_OTHERS = ("model_correlation", "ensemble_correlation", "contribution", "mmc", "fnc")
"""The metrics that say something about a model beside others, or beside what everybody knows."""


@router.get("/diversity", response_model=answers.Page[answers.Snapshot], responses=FILES)
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
        metrics=[name for name in of.directions if base_and_ensemble(name)[0] in _BESIDE_OTHERS],
    )
    return paged(connection, query, answers.Snapshot, wanted, f"{of.name}_diversity")
