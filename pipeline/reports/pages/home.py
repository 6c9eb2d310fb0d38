"""``/``: every published board with its first places."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.clock import utc_now
from pipeline.reports.inputs import Connection, Remembered
from pipeline.reports.pages.board_rows import key_scale, ranked_by
from pipeline.reports.pages.experiment_figures import score_scale
from pipeline.reports.pages.figures import scale
from pipeline.reports.pages.ranking_figures import score_name
from pipeline.reports.pages.view import show
from pipeline.reports.queries import UnknownBoardError, board_names, track_board
from pipeline.reports.queries.experiment_boards import board as experiment_board
from pipeline.reports.queries.experiment_tables import published_tables
from pipeline.reports.queries.metrics import described
from pipeline.reports.queries.overview import Overview, overview
from pipeline.reports.queries.rankings import UnreadableRankingError, ranking
from pipeline.reports.queries.standings import standings
from pipeline.tables import EXPERIMENT_LEADERBOARD, LEADERBOARD, LLM_LEADERBOARD, TRACK_LEADERBOARD
from pipeline.warehouse import Memory

router = APIRouter(include_in_schema=False)

_FIRST = 3
_KINDS = {
    LEADERBOARD.schema: "Competition",
    TRACK_LEADERBOARD.schema: "Judged track",
    LLM_LEADERBOARD.schema: "Ranking of language models",
    EXPERIMENT_LEADERBOARD.schema: "Prompt experiment",
}


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
def home(request: Request, connection: Connection, memory: Remembered) -> Any:
    """Every published board with its first places."""
    moment = utc_now()
    cards = [_card(connection, name, moment, memory) for name in board_names(connection)]
    return show(request, "home.html", cards=cards)


def _card(connection: duckdb.DuckDBPyConnection, name: str, moment: datetime, memory: Memory) -> Card:
    about = overview(connection, name, moment)
    try:
        if about.kind == LEADERBOARD.schema:
            by, first = _of_competition(connection, name, memory)
        elif about.kind == TRACK_LEADERBOARD.schema:
            by, first = _of_track(connection, name)
        elif about.kind == LLM_LEADERBOARD.schema:
            by, first = _of_ranking(connection, name, memory)
        elif about.kind == EXPERIMENT_LEADERBOARD.schema:
            by, first = _of_experiment(connection, name, memory)
        else:
            by, first = "", ()
    except (UnknownBoardError, UnreadableRankingError):  # declared, and nothing is known yet, or not here
        by, first = "", ()
    return Card(about, _KINDS.get(about.kind, about.kind), by, first)


def _of_competition(connection: duckdb.DuckDBPyConnection, name: str, memory: Memory) -> tuple[str, tuple[First, ...]]:
    found = standings(connection, name, limit=_FIRST, memory=memory)
    written = key_scale(found, described(connection, name))
    rows = [one.row for one in found.rows if one.row.rank]
    first = [First(row.rank, row.rank_lo, row.rank_hi, row.title, written.text(row.rank_key)) for row in rows]
    ranked = ranked_by(found)
    return ranked.label if ranked.is_weighted else f"{ranked.label}, {ranked.window}", tuple(first)


def _of_track(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, tuple[First, ...]]:
    found = track_board(connection, name)
    rows = [row for row in found.rows if row.rank][:_FIRST]
    written = scale([row.value for row in rows])
    return found.measure, tuple(
        First(row.rank, row.rank_lo, row.rank_hi, row.run_id, written.text(row.value)) for row in rows
    )


def _of_experiment(connection: duckdb.DuckDBPyConnection, name: str, memory: Memory) -> tuple[str, tuple[First, ...]]:
    found = experiment_board(published_tables(connection, memory), name, "configuration")
    rows = [one.row for one in found.rows if one.row.rank][:_FIRST]
    written = score_scale([row.score for row in rows])
    return "weighted score", tuple(
        First(row.rank, row.rank_lo, row.rank_hi, row.title, written.text(row.score)) for row in rows
    )


def _of_ranking(connection: duckdb.DuckDBPyConnection, name: str, memory: Memory) -> tuple[str, tuple[First, ...]]:
    of = ranking(connection, memory, name)
    score = of.declared.rank_by
    rows = [row for row in of.rows if row.rank][:_FIRST]
    written = scale([getattr(row, score) for row in rows])
    return score_name(score), tuple(
        First(row.rank, row.rank_lo, row.rank_hi, row.title, written.text(getattr(row, score))) for row in rows
    )
