"""``/reports/predictions``, ``/snapshots`` and ``/ensemble``: rows as they are stored, by time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Query

from pipeline.reports.answers import Page
from pipeline.reports.answers import competitions as answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import (
    Asked,
    Competition,
    Connection,
    End,
    Ensembles,
    Metrics,
    Selected,
    Start,
    Subjects,
    Wanted,
)
from pipeline.reports.queries.ensembles import history as ensemble_history
from pipeline.reports.queries.ensembles import weights as ensemble_weights
from pipeline.reports.queries.page import Query as RowsQuery
from pipeline.reports.queries.predictions import predictions
from pipeline.reports.queries.series import Selection, newest_days, snapshots
from pipeline.reports.queries.standings import contest
from pipeline.reports.routes.paged import paged
from pipeline.tables import ENSEMBLE_WEIGHTS, PREDICTIONS

router = APIRouter(prefix="/reports", tags=["rows"])


@router.get("/predictions", response_model=Page[answers.Prediction], responses=FILES)
def all_predictions(connection: Connection, asked: Asked, subjects: Subjects, wanted: Wanted) -> Any:
    """Predictions by cycle with their outcome and score; of the last 7 days of data without start and end."""
    contest(connection, asked.competition)
    if asked.start is None and asked.end is None:
        first, last = newest_days(connection, asked.competition, PREDICTIONS)
        asked = replace(asked, start=first, end=last)
    query = predictions(asked, subjects)
    return paged(connection, query, answers.Prediction, wanted, f"{asked.competition}_predictions")


@router.get("/snapshots", response_model=Page[answers.Snapshot], responses=FILES)
def all_snapshots(
    connection: Connection,
    selected: Selected,
    metrics: Metrics,
    wanted: Wanted,
    category: Annotated[str | None, Query(description="overall, or a part of the contest; all when left out.")] = None,
    window: Annotated[str | None, Query(description="Of this window; of all when left out.")] = None,
) -> Any:
    """Metrics over windows as they are stored; as of the newest board without start and end."""
    query = snapshots_of(connection, selected, category, window, metrics)
    return paged(connection, query, answers.Snapshot, wanted, f"{selected.competition}_snapshots")


def snapshots_of(
    connection: duckdb.DuckDBPyConnection,
    selected: Selection,
    category: str | None,
    window: str | None,
    metrics: Sequence[str] | None,
) -> RowsQuery:
    """Rows of snapshots of a window and metrics that the contest has; of all where None is given.

    Raises
    ------
    UnknownBoardError
        If there is no such contest.
    UnknownKeyError
        If it has no such window or metric.
    """
    of = contest(connection, selected.competition)
    return snapshots(
        selected,
        category=category,
        window=None if window is None else of.window(window),
        metrics=None if metrics is None else [of.metric(name) for name in metrics],
    )


@router.get("/ensemble/weights", response_model=Page[answers.EnsembleWeight], responses=FILES)
def all_weights(
    connection: Connection, competition: Competition, ensembles: Ensembles, start: Start, end: End, wanted: Wanted
) -> Any:
    """The weight of every member by cycle; of the last 7 days of data without start and end."""
    contest(connection, competition)
    if start is None and end is None:
        start, end = newest_days(connection, competition, ENSEMBLE_WEIGHTS)
    query = ensemble_weights(competition, ensembles, start, end)
    return paged(connection, query, answers.EnsembleWeight, wanted, f"{competition}_ensemble_weights")


@router.get("/ensemble/history", response_model=Page[answers.EnsembleHistoryRow], responses=FILES)
def all_ensembles(
    connection: Connection, competition: Competition, ensembles: Ensembles, start: Start, end: End, wanted: Wanted
) -> Any:
    """Where ensembles stood on every board, beside the best and the median of the ranked real models."""
    contest(connection, competition)
    query = ensemble_history(competition, ensembles, start, end)
    return paged(connection, query, answers.EnsembleHistoryRow, wanted, f"{competition}_ensemble_history")
