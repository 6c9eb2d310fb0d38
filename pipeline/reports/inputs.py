"""What requests may say, read once for all routes: which competition, which moments, which rows, in which format."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated

import duckdb
from fastapi import Depends, Query, Request

from pipeline.reports.moments import parse_moment
from pipeline.reports.queries import UnknownBoardError, board_names, kind_of
from pipeline.reports.queries.boards import newest_moment
from pipeline.reports.queries.series import Selection
from pipeline.reports.wrong import WrongInputError
from pipeline.tables import LEADERBOARD, TRACK_LEADERBOARD
from pipeline.warehouse import Memory, PublishedReader, Reading

MOST_ROWS = 10_000
"""Rows of one JSON answer, at most; other formats give all."""


class Format(StrEnum):
    """How rows are written."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


@dataclass(frozen=True)
class Rows:
    """Which rows, and how they are written; ``limit`` is None where all are."""

    limit: int | None
    offset: int
    format: Format


async def newest_publication(request: Request) -> AsyncIterator[Reading]:
    """The newest publication, for one request."""
    reader: PublishedReader = request.app.state.reader
    with reader.reading() as reading:
        yield reading


async def published(reading: Annotated[Reading, Depends(newest_publication)]) -> duckdb.DuckDBPyConnection:
    """A connection to it."""
    return reading.connection


async def remembered(reading: Annotated[Reading, Depends(newest_publication)]) -> Memory:
    """What other requests worked out from it."""
    return reading.memory


Published = Annotated[Reading, Depends(newest_publication)]
Connection = Annotated[duckdb.DuckDBPyConnection, Depends(published)]
Remembered = Annotated[Memory, Depends(remembered)]


async def competition_name(
    connection: Connection,
    memory: Remembered,
    competition: Annotated[
        str | None,
        Query(description="Name of the competition; the only one there is when left out.", examples=["sp500"]),
    ] = None,
) -> str:
    """The competition that is asked about."""
    return competition_meant(connection, memory, competition)


def competition_meant(connection: duckdb.DuckDBPyConnection, memory: Memory, name: str | None) -> str:
    """The competition of that name; the only one there is without a name.

    Raises
    ------
    WrongInputError
        If none is named and there are several, or none at all.
    """
    return name if name is not None else only_board(connection, memory, LEADERBOARD.schema, "competition")


Competition = Annotated[str, Depends(competition_name)]


def track_name(
    connection: Connection,
    memory: Remembered,
    track: Annotated[
        str | None, Query(description="Name of the judged track; the only one there is when left out.")
    ] = None,
) -> str:
    """The judged track that is asked about.

    Raises
    ------
    WrongInputError
        If none is named and there are several.
    UnknownBoardError
        If there is no such board, or it is of another kind.
    """
    if track is None:
        return only_board(connection, memory, TRACK_LEADERBOARD.schema, "track")
    kind = kind_of(connection, track)[0]
    if kind != TRACK_LEADERBOARD.schema:
        raise UnknownBoardError(f"board {track!r} is no judged track but of kind {kind}")
    return track


Track = Annotated[str, Depends(track_name)]


def only_board(connection: duckdb.DuckDBPyConnection, memory: Memory, kind: str, called: str) -> str:
    """The only board of a kind, which requests call so.

    Raises
    ------
    WrongInputError
        If there are several.
    UnknownBoardError
        If there is none.
    """
    known = memory.of(("boards", kind), lambda: _boards_of(connection, kind))
    if len(known) == 1:
        return known[0]
    if not known:
        raise UnknownBoardError(f"no {called} is published")
    raise WrongInputError(f"which {called}? give {called}=..., one of {', '.join(known)}")


def _boards_of(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    return [name for name in board_names(connection) if kind_of(connection, name)[0] == kind]


def _moment(name: str, time_of_day: time, description: str) -> Callable[[str | None], Awaitable[datetime | None]]:
    async def read(
        text: Annotated[str | None, Query(alias=name, description=description, examples=["2022-12-23"])] = None,
    ) -> datetime | None:
        try:
            return parse_moment(text, name, time_of_day) if text else None
        except ValueError as error:
            raise WrongInputError(str(error)) from None

    return read


AsOf = Annotated[
    datetime | None,
    Depends(_moment("as_of", time.max, "The board as it stood then: a date (its end, UTC) or an ISO time.")),
]
Start = Annotated[
    datetime | None, Depends(_moment("start", time.min, "From then on: a date (its beginning, UTC) or an ISO time."))
]
Cycle = Annotated[
    datetime | None,
    Depends(_moment("cycle", time.max, "The newest cycle by then: a date (its end, UTC) or an ISO time.")),
]
End = Annotated[
    datetime | None, Depends(_moment("end", time.max, "Until then, included: a date (its end, UTC) or an ISO time."))
]


def names_given(alias: str, description: str) -> Callable[[list[str] | None], Awaitable[list[str] | None]]:
    """Reads names that are repeated, or separated by commas; None where there are none."""

    async def read(
        given: Annotated[
            list[str] | None, Query(alias=alias, description=f"{description} Repeated, or with commas.")
        ] = None,
    ) -> list[str] | None:
        names = [name.strip() for text in given or () for name in text.split(",") if name.strip()]
        return list(dict.fromkeys(names)) or None

    return read


ModelIds = Annotated[list[str] | None, Depends(names_given("projectIds", "Only these models."))]
Subjects = Annotated[list[str] | None, Depends(names_given("subjects", "Only these subjects."))]
Metrics = Annotated[list[str] | None, Depends(names_given("metrics", "Only these metrics."))]
Ensembles = Annotated[
    list[str] | None, Depends(names_given("ensembles", "Only these ensembles, by their declared names."))
]
Judges = Annotated[list[str] | None, Depends(names_given("judges", "Only these boards: official, or names of judges."))]
Runs = Annotated[list[str] | None, Depends(names_given("runs", "Only these runs."))]
Topics = Annotated[list[str] | None, Depends(names_given("topics", "Only these topics; all is for all together."))]
Parts = Annotated[list[str] | None, Depends(names_given("parts", "Only these parts."))]
IncludeEnsembles = Annotated[bool, Query(description="Virtual models too; ranks of real models are the same.")]


async def selection(
    competition: Competition,
    model_ids: ModelIds,
    start: Start,
    end: End,
    include_ensembles: IncludeEnsembles = False,
) -> Selection:
    """Which models, and which times."""
    return Selection(competition, model_ids, start, end, include_ensembles)


Asked = Annotated[Selection, Depends(selection)]


def newest_board(connection: Connection, memory: Remembered, competition: Competition) -> datetime | None:
    """The moment of the newest board; None of a competition that has none."""
    return newest_moment(connection, competition, memory=memory)


Newest = Annotated[datetime | None, Depends(newest_board)]


async def newest_unless_asked(asked: Asked, newest: Newest) -> Selection:
    """Which models, and which boards: the newest without start and end."""
    return replace(asked, start=newest) if asked.start is None and asked.end is None else asked


Selected = Annotated[Selection, Depends(newest_unless_asked)]


async def rows(
    limit: Annotated[
        int | None, Query(ge=1, le=MOST_ROWS, description="At most so many rows; 100 of JSON, all of other formats.")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=2**53, description="After so many rows.")] = 0,
    written: Annotated[
        Format, Query(alias="format", description="json, or the rows alone as csv, parquet or arrow.")
    ] = Format.JSON,
) -> Rows:
    """Which rows of a table are wanted, and how."""
    return Rows(limit or (100 if written is Format.JSON else None), offset, written)


Wanted = Annotated[Rows, Depends(rows)]
