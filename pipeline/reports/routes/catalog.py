"""What is published, how fresh it is, what its tables mean, and whether the server is well."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import duckdb
from fastapi import APIRouter, Request

from pipeline.competition.durations import parse_duration
from pipeline.reports import answers
from pipeline.reports.inputs import Connection
from pipeline.reports.queries import board_names, categories_of, contents, freshness, kind_of
from pipeline.reports.queries.standings import contest
from pipeline.tables import ALL_TABLES, LEADERBOARD

router = APIRouter(prefix="/reports", tags=["about"])

ALWAYS_NEW = ("/reports/competitions", "/reports/freshness", "/reports/healthz")
"""Answers that depend on the time."""


@router.get("/competitions", response_model=list[answers.CompetitionAnswer])
def competitions(connection: Connection) -> Any:
    """Every published board, how fresh it is, and what can be asked of it."""
    return [_board(connection, name) for name in board_names(connection)]


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


def _board(connection: duckdb.DuckDBPyConnection, name: str) -> answers.CompetitionAnswer:
    kind, title = kind_of(connection, name)
    if kind != LEADERBOARD.schema:
        return answers.CompetitionAnswer(name=name, kind=kind, title=title)
    of, has = contest(connection, name), contents(connection, name)
    declared = of.contract
    late_after = declared.get("late_after")
    fresh = freshness(
        has.cycles,
        datetime.now(UTC).replace(tzinfo=None),
        frozen=bool(declared["frozen"]),
        late_after=None if late_after is None else parse_duration(late_after),
    )
    return answers.CompetitionAnswer(
        name=name,
        kind=kind,
        title=title,
        state=fresh.state,
        late_from=fresh.late_from,
        newest_cycle=has.newest_cycle,
        newest_board=has.newest_board,
        metrics=list(of.directions),
        windows=list(of.windows),
        categories=categories_of(connection, name),
    )
