"""``/``: every published board with its first places."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.reports.inputs import Connection
from pipeline.reports.pages.figures import metric_name, scale
from pipeline.reports.pages.view import show
from pipeline.reports.queries import UnknownBoardError, board_names, track_board
from pipeline.reports.queries.boards import Part, board_of, declared
from pipeline.reports.queries.overview import Overview, overview
from pipeline.tables import LEADERBOARD, OVERALL, TRACK_LEADERBOARD
from pipeline.warehouse import now

router = APIRouter(include_in_schema=False)

_FIRST = 3
_KINDS = {LEADERBOARD.schema: "Competition", TRACK_LEADERBOARD.schema: "Judged track"}


@dataclass(frozen=True)
class First:
    """One of the first of a board: its rank, and the ranks that it could have."""

    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    title: str
    value: str


@dataclass(frozen=True)
class Card:
    """A board as the first page shows it."""

    about: Overview
    kind: str
    ranked_by: str
    first: tuple[First, ...]


@router.get("/", response_class=HTMLResponse)
def home(request: Request, connection: Connection) -> Any:
    """Every published board with its first places."""
    moment = now()
    return show(request, "home.html", cards=[_card(connection, name, moment) for name in board_names(connection)])


def _card(connection: duckdb.DuckDBPyConnection, name: str, moment: datetime) -> Card:
    about = overview(connection, name, moment)
    places = {LEADERBOARD.schema: _of_competition, TRACK_LEADERBOARD.schema: _of_track}
    try:
        ranked_by, first = places[about.kind](connection, name) if about.kind in places else ("", ())
    except UnknownBoardError:  # declared, and nothing is known yet
        ranked_by, first = "", ()
    return Card(about, _KINDS.get(about.kind, about.kind), ranked_by, first)


def _of_competition(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, tuple[First, ...]]:
    found = board_of(connection, declared(connection, name), None, OVERALL, Part(limit=_FIRST))
    ends = [row.values.get(found.rank_by) for row in found.rows]
    widths = [one.ci_high - one.ci_low for one in ends if one and one.ci_high is not None and one.ci_low is not None]
    written = scale([row.rank_key for row in found.rows], [width / 2 for width in widths])
    first = [
        First(row.rank, row.rank_lo, row.rank_hi, row.title, written.text(row.rank_key))
        for row in found.rows
        if row.rank
    ]
    window, _, metric = found.rank_by.partition(".")
    return found.rank_by if found.is_weighted else f"{metric_name(metric)}, {window}", tuple(first)


def _of_track(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, tuple[First, ...]]:
    found = track_board(connection, name)
    rows = [row for row in found.rows if row.rank][:_FIRST]
    written = scale([row.value for row in rows])
    return found.measure, tuple(
        First(row.rank, row.rank_lo, row.rank_hi, row.run_id, written.text(row.value)) for row in rows
    )
