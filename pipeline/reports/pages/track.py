"""``/boards/{name}`` of a judged track: its runs in order, how well judges predict that order, and its files."""

from dataclasses import dataclass
from typing import Annotated

import duckdb
from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from pipeline.leaderboard import Direction
from pipeline.reports.pages.address import Address, address_of
from pipeline.reports.pages.links import downloads
from pipeline.reports.pages.track_rows import AGREEMENT, judges_of, table_of
from pipeline.reports.pages.view import show
from pipeline.reports.queries import board_files
from pipeline.reports.queries.runs import TrackRuns, places, track_runs
from pipeline.reports.queries.tracks import agreements
from pipeline.tables import OFFICIAL

_MOST_ROWS = 500


@dataclass(frozen=True)
class Asked:
    """What an address asks of a track; texts are empty where it leaves the choice to the track."""

    judge: str = ""
    measure: str = ""
    columns: str = ""
    search: str = ""
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0


def page(request: Request, connection: duckdb.DuckDBPyConnection, name: str, asked: Asked) -> HTMLResponse:
    """One board of a track, in its own order or in that of another measure."""
    found = track_runs(connection, name, asked.judge or OFFICIAL, asked.measure or None)
    listed = [one for one in found.rows if asked.search.casefold() in one.row.run_id.casefold()]
    where = places(connection, name)
    agreed = agreements(connection, name, found.measure.name if found.judge == OFFICIAL else None)
    shown = listed[asked.offset : asked.offset + asked.limit]
    files = board_files(connection, name)
    return show(
        request,
        "track.html",
        found=found,
        table=table_of(found, shown, where, everything=asked.columns == "all"),
        counts=_counts(found),
        total=len(listed),
        limit=asked.limit,
        offset=asked.offset,
        search=asked.search,
        judges=judges_of((one for one in agreed if found.judge in (OFFICIAL, one.judge)), where),
        agreement=AGREEMENT,
        accepted=[one for one in files if not one.is_refused],
        refused=[one for one in files if one.is_refused],
        rankable=[one for one in found.measures if one.direction != Direction.NONE],
        runs_as=downloads(_endpoint(request, found)),
        agreement_as=downloads(Address("/reports/tracks/correlations").but(track=name)),
        files_as=downloads(Address("/reports/tracks/files").but(track=name)),
        official=OFFICIAL,
    )


@dataclass(frozen=True)
class Counts:
    """How many runs are ranked and how many not, over how many topics, and how many pairs of runs surely differ."""

    ranked: int
    unranked: int
    topics: int
    pairs: int
    apart: int


def _counts(found: TrackRuns) -> Counts:
    rows = [one.row for one in found.rows]
    bounded = [row.rank_lo for row in rows if row.rank_lo is not None]
    ranked = sum(row.rank is not None for row in rows)
    topics = max((row.n_topics + row.n_missing for row in rows), default=0)
    pairs = len(bounded) * (len(bounded) - 1) // 2
    return Counts(ranked, len(rows) - ranked, topics, pairs, sum(low - 1 for low in bounded))


def _endpoint(request: Request, found: TrackRuns) -> Address:
    """The same board in the API."""
    measure = None if found.is_declared else found.measure.name
    judge = None if found.judge == OFFICIAL else found.judge
    return address_of(request).of("/reports/tracks/runs", ()).but(track=found.name, judge=judge, rank_by=measure)
