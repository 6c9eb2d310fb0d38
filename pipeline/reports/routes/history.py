"""``/reports/predictions``, ``/snapshots`` and ``/ensemble``: rows as they are stored, by time."""

from datetime import datetime
from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Query

from pipeline.reports import answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import (
    Competition,
    Connection,
    End,
    Ensembles,
    IncludeEnsembles,
    Metrics,
    ModelIds,
    Start,
    Subjects,
    Wanted,
)
from pipeline.reports.queries.ensembles import history as ensemble_history
from pipeline.reports.queries.ensembles import weights as ensemble_weights
from pipeline.reports.queries.predictions import predictions
from pipeline.reports.queries.series import Selection, newest_days, newest_moment, snapshots
from pipeline.reports.queries.standings import contest
from pipeline.reports.routes.paged import paged
from pipeline.tables import ENSEMBLE_WEIGHTS, PREDICTIONS, TableSpec

router = APIRouter(prefix="/reports", tags=["rows"])


@router.get("/predictions", response_model=answers.Page[answers.Prediction], responses=FILES)
def all_predictions(
    connection: Connection,
    competition: Competition,
    model_ids: ModelIds,
    subjects: Subjects,
    start: Start,
    end: End,
    wanted: Wanted,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """Predictions by cycle with their outcome and score; of the last 7 days of data without start and end."""
    contest(connection, competition)
    first, last = _span(connection, competition, PREDICTIONS, start, end)
    found = predictions(
        connection,
        competition,
        first,
        last,
        model_ids,
        subjects,
        include_ensembles=include_ensembles,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return paged(found, answers.Prediction, wanted, f"{competition}_predictions")


@router.get("/snapshots", response_model=answers.Page[answers.Snapshot], responses=FILES)
def all_snapshots(
    connection: Connection,
    competition: Competition,
    model_ids: ModelIds,
    metrics: Metrics,
    start: Start,
    end: End,
    wanted: Wanted,
    category: Annotated[str | None, Query(description="overall, or a part of the contest; all when left out.")] = None,
    window: Annotated[str | None, Query(description="Of this window; of all when left out.")] = None,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """Metrics over windows as they are stored; as of the newest board without start and end."""
    of = contest(connection, competition)
    if start is None and end is None:
        start = newest_moment(connection, competition)
    found = snapshots(
        connection,
        Selection(competition, model_ids, start, end, include_ensembles),
        category=category,
        window=None if window is None else of.window(window),
        metrics=None if metrics is None else [of.metric(name) for name in metrics],
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return paged(found, answers.Snapshot, wanted, f"{competition}_snapshots")


@router.get("/ensemble/weights", response_model=answers.Page[answers.EnsembleWeight], responses=FILES)
def all_weights(
    connection: Connection, competition: Competition, ensembles: Ensembles, start: Start, end: End, wanted: Wanted
) -> Any:
    """The weight of every member by cycle; of the last 7 days of data without start and end."""
    contest(connection, competition)
    first, last = _span(connection, competition, ENSEMBLE_WEIGHTS, start, end)
    found = ensemble_weights(connection, competition, ensembles, first, last, wanted.limit, wanted.offset)
    return paged(found, answers.EnsembleWeight, wanted, f"{competition}_ensemble_weights")


@router.get("/ensemble/history", response_model=answers.Page[answers.EnsembleHistoryRow], responses=FILES)
def all_ensembles(
    connection: Connection, competition: Competition, ensembles: Ensembles, start: Start, end: End, wanted: Wanted
) -> Any:
    """Where ensembles stood on every board, beside the best and the median of the ranked real models."""
    contest(connection, competition)
    found = ensemble_history(connection, competition, ensembles, start, end, wanted.limit, wanted.offset)
    return paged(found, answers.EnsembleHistoryRow, wanted, f"{competition}_ensemble_history")


def _span(
    connection: duckdb.DuckDBPyConnection,
    competition: str,
    table: TableSpec,
    start: datetime | None,
    end: datetime | None,
) -> tuple[datetime, datetime]:
    """The span asked for; the last days of data where none is."""
    if start is None and end is None:
        start, end = newest_days(connection, competition, table)
    return start or datetime.min, end or datetime.max
