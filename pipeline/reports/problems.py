"""What goes wrong, as answers that name the thing and the remedy."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pipeline.intake import TooMuchError
from pipeline.reports.answers import Problem
from pipeline.reports.keys import KeysError
from pipeline.reports.ownership import NotYoursError
from pipeline.reports.queries import UnknownBoardError
from pipeline.reports.queries.models import UnknownModelError
from pipeline.reports.queries.standings import UnknownKeyError
from pipeline.reports.submitting import NotDeliveredError, NotTakenError, UnreadableContractError
from pipeline.warehouse import NotPublishedError, WarehouseBusyError


class WrongInputError(ValueError):
    """A parameter that cannot be meant; the message says what would be right."""


class TooLargeError(ValueError):
    """A body that is larger than one may be; the message names the limit and the remedy."""


PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such board, model or moment."},
    422: {"model": Problem, "description": "A parameter that cannot be meant."},
    503: {"model": Problem, "description": "Nothing is published yet, or it cannot be read now."},
}
"""What OpenAPI says of every route."""

_STATUS: Mapping[type[Exception], int] = {
    UnknownBoardError: 404,
    UnknownModelError: 404,
    UnknownKeyError: 422,
    WrongInputError: 422,
    NotTakenError: 403,
    NotYoursError: 403,
    TooLargeError: 413,
    TooMuchError: 413,
    UnreadableContractError: 503,
    NotDeliveredError: 503,
    KeysError: 503,
    NotPublishedError: 503,
    WarehouseBusyError: 503,
}


def tell_problems(app: FastAPI) -> None:
    """Answer every known error with its status and one sentence, ``{"detail": ...}``."""
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _answer(status))


def _answer(status: int):  # type: ignore[no-untyped-def]  # FastAPI has no name for the type of handlers
    def tell(_: Request, error: Exception) -> JSONResponse:
        headers = {"Retry-After": "10"} if status == 503 else None
        return JSONResponse({"detail": " ".join(str(error).split())}, status, headers)

    return tell
