"""What is published, how fresh it is, what its tables mean, and whether the server is well."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request

from pipeline.clock import utc_now
from pipeline.reports.answers import competitions as answers
from pipeline.reports.inputs import Connection
from pipeline.reports.queries import board_names
from pipeline.reports.queries.overview import overview
from pipeline.tables import ALL_TABLES

router = APIRouter(prefix="/reports", tags=["about"])

ALWAYS_NEW = ("/reports/competitions", "/reports/freshness", "/reports/healthz")
"""Answers that depend on the time."""


@router.get("/competitions", response_model=list[answers.CompetitionAnswer])
def competitions(connection: Connection) -> Any:
    """Every published board, how fresh it is, and what can be asked of it."""
    return [overview(connection, name, utc_now()) for name in board_names(connection)]


@router.get("/freshness", response_model=list[answers.CompetitionAnswer])
def all_freshness(connection: Connection) -> Any:
    """The same, by its other name."""
    return competitions(connection)


@router.get("/schema", response_model=list[answers.TableAnswer])
def schema() -> Any:
    """The tables of the published file, which `podium sql` and any DuckDB can ask."""
    return [
        answers.TableAnswer(
            name=spec.qualified_name,
            comment=spec.comment,
            key=list(spec.key),
            columns=[
                answers.ColumnAnswer(name=one.name, type=one.type, comment=one.comment, nullable=one.nullable)
                for one in spec.columns
                if not one.private
            ],
        )
        for spec in ALL_TABLES
        if not spec.private
    ]


@router.get("/info", response_model=answers.Info)
def info(request: Request) -> Any:
    """Which Podium this is, and which publication it reads."""
    publication = request.app.state.reader.publication
    return answers.Info(
        version=version("podium"),
        seq=publication.seq,
        published_at=publication.published_at,
        withheld_until=publication.withheld_until,
        boards=list(publication.boards),
    )


@router.get("/healthz", response_model=dict[str, str])
def healthz(connection: Connection) -> Any:
    """Whether the published file can be read."""
    connection.execute("SELECT count(*) FROM catalog.boards").fetchall()
    return {"status": "ok"}
