"""``/boards/{name}``: the page that a board of its kind has."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from pipeline.reports.inputs import Published
from pipeline.reports.pages import board, track
from pipeline.reports.pages.address import Address, path_to
from pipeline.reports.queries import kind_of
from pipeline.tables import EXPERIMENT_LEADERBOARD, LLM_LEADERBOARD, TRACK_LEADERBOARD

router = APIRouter(include_in_schema=False)


@router.get("/boards/{name}", response_class=HTMLResponse)
def board_of_any_kind(
    request: Request,
    reading: Published,
    name: str,
    of_contest: Annotated[board.Asked, Depends()],
    of_track: Annotated[track.Asked, Depends()],
) -> Any:
    """A competition or a judged track; rankings of language models and experiments have pages of their own."""
    kind = reading.memory.of(("kind", name), lambda: kind_of(reading.connection, name)[0])
    if kind == LLM_LEADERBOARD.schema:
        return RedirectResponse(str(Address("/rankings").but(ranking=name)))
    if kind == EXPERIMENT_LEADERBOARD.schema:
        return RedirectResponse(path_to("experiments", name))
    if kind == TRACK_LEADERBOARD.schema:
        return track.page(request, reading.connection, name, of_track)
    return board.page(request, reading, name, of_contest)
