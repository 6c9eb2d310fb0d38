"""``/reports/evaluations``: the evaluation sets of a competition, and their boards as a whole and part by part."""

from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Query

from pipeline.reports.answers import Page
from pipeline.reports.answers import evaluations as answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import Competition, Connection, IncludeEnsembles, Metrics, ModelIds, Parts, Wanted
from pipeline.reports.queries import UnknownBoardError, evaluation_names
from pipeline.reports.queries.breakdowns import EvaluationSelection, evaluation_sets, part_rows
from pipeline.reports.queries.evaluations import evaluation_spec
from pipeline.reports.queries.standings import contest
from pipeline.reports.routes.paged import paged
from pipeline.reports.wrong import WrongInputError
from pipeline.tables import OVERALL

router = APIRouter(prefix="/reports/evaluations", tags=["evaluation sets"])


@router.get("", response_model=Page[answers.EvaluationSet], responses=FILES)
def all_sets(connection: Connection, competition: Competition, wanted: Wanted) -> Any:
    """The evaluation sets of a competition: what they measure, what divides them, who takes part."""
    contest(connection, competition)
    return paged(
        connection, evaluation_sets(competition), answers.EvaluationSet, wanted, f"{competition}_evaluation_sets"
    )


@router.get("/rows", response_model=Page[answers.EvaluationRow], responses=FILES)
def rows(
    connection: Connection,
    competition: Competition,
    model_ids: ModelIds,
    metrics: Metrics,
    parts: Parts,
    wanted: Wanted,
    evaluation: Annotated[str | None, Query(description="The set; the first that is declared when left out.")] = None,
    by: Annotated[
        str | None, Query(description="overall, or what divides the set; all when left out.", examples=["horizon"])
    ] = None,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """Every metric of every model on the whole of a set and on its parts; who is excluded, with the reason."""
    name = _known_set(connection, competition, evaluation)
    _require_breakdown(connection, competition, name, by)
    selected = EvaluationSelection(competition, name, by, parts, model_ids, metrics, include_ensembles)
    return paged(connection, part_rows(selected), answers.EvaluationRow, wanted, f"{competition}_{name}")


def _known_set(connection: duckdb.DuckDBPyConnection, competition: str, evaluation: str | None) -> str:
    """The set of a name, or the first."""
    contest(connection, competition)
    if evaluation is not None:
        return evaluation_spec(connection, competition, evaluation).name
    names = evaluation_names(connection, competition)
    if not names:
        raise UnknownBoardError(f"competition {competition!r} declares no evaluation sets")
    return names[0]


def _require_breakdown(connection: duckdb.DuckDBPyConnection, competition: str, name: str, by: str | None) -> None:
    known = (OVERALL, *evaluation_spec(connection, competition, name).by)
    if by is not None and by not in known:
        raise WrongInputError(f"evaluation set {name!r} is not divided by {by!r}; known: {', '.join(known)}")
