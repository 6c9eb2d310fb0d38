"""``/status``: how fresh every board, table and source is, how the last run went, what fails, and what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.clock import utc_now
from pipeline.reports.inputs import Connection
from pipeline.reports.pages.ranking_figures import MARKS
from pipeline.reports.pages.view import show
from pipeline.reports.queries import board_names
from pipeline.reports.queries.intake import refusals, tables_of
from pipeline.reports.queries.overview import overview
from pipeline.reports.queries.ranking_sources import OLD_AFTER, Age, NextLook, RankingSource, ranking_sources
from pipeline.reports.queries.rankings import UnreadableRankingError, declared_ranking, ranking_names
from pipeline.reports.ranking_inputs import next_look_of
from pipeline.reports.troubles import troubles

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Sources:
    """The sources of a ranking, each with its next look; ``unreadable`` says why there are no such.

    Parameters
    ----------
    title : str
    listed : tuple of RankingSource
    looks : mapping of str to NextLook
        By source.
    unreadable : str
    """

    title: str
    listed: tuple[RankingSource, ...]
    looks: Mapping[str, NextLook]
    unreadable: str = ""

    @property
    def states(self) -> dict[Age, int]:
        """How many are in which state; none that no source is in."""
        counted = {age: sum(one.state == age for one in self.listed) for age in Age}
        return {age: n for age, n in counted.items() if n}


@router.get("/status", response_class=HTMLResponse)
def status(request: Request, connection: Connection) -> Any:
    """How fresh every board, table and source is, how the last run went, what fails, and what was refused."""
    moment = utc_now()
    names = board_names(connection)
    return show(
        request,
        "status.html",
        now=moment,
        publication=request.app.state.reader.publication,
        boards=[overview(connection, name, moment) for name in names],
        runs=request.app.state.last_runs(names, moment),
        troubles=troubles(request.app.state.journal.read()),
        sources={name: _sources(request, connection, name, moment) for name in ranking_names(connection)},
        marks=MARKS,
        old_after=OLD_AFTER,
        tables=tables_of(connection),
        refusals=refusals(connection),
    )


def _sources(request: Request, connection: duckdb.DuckDBPyConnection, name: str, moment: datetime) -> Sources:
    listed = ranking_sources(connection, name, moment)
    try:
        declared = declared_ranking(connection, name)
    except UnreadableRankingError as error:
        return Sources(name, listed, {}, str(error))
    return Sources(declared.title, listed, {one.source: next_look_of(request, declared, one, moment) for one in listed})
