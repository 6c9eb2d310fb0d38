"""``/boards/{name}``: the page that a board of its kind has."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from pipeline.reports.inputs import Published
from pipeline.reports.pages import board, track
from pipeline.reports.queries import is_track

router = APIRouter(include_in_schema=False)


@router.get("/boards/{name}", response_class=HTMLResponse)
def board_of_any_kind(
    request: Request,
    reading: Published,
    name: str,
    of_contest: Annotated[board.Asked, Depends()],
    of_track: Annotated[track.Asked, Depends()],
) -> Any:
    """A competition or a judged track."""
    if reading.memory.of(("is_track", name), lambda: is_track(reading.connection, name)):
        return track.page(request, reading.connection, name, of_track)
    return board.page(request, reading, name, of_contest)
