"""What goes wrong, as answers that name the thing and the remedy: JSON from the API, a page where one was asked for."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipeline.intake import TooMuchError
from pipeline.reports.access.keys import KeysError
from pipeline.reports.answers import Problem
from pipeline.reports.experiments.declared import NameTakenError, NotStoredError
from pipeline.reports.experiments.posting import ConflictError
from pipeline.reports.experiments.queues import QueueUnusableError
from pipeline.reports.pages.view import show
from pipeline.reports.queries import UnknownBoardError
from pipeline.reports.queries.experiment_runs import UnknownRunError
from pipeline.reports.queries.experiment_tables import UnreadableExperimentError
from pipeline.reports.queries.models import UnknownModelError
from pipeline.reports.queries.rankings import UnreadableRankingError
from pipeline.reports.queries.standings import UnknownKeyError
from pipeline.reports.submissions.ownership import NotYoursError
from pipeline.reports.submissions.receiving import NotDeliveredError, NotTakenError, UnreadableContractError
from pipeline.reports.wrong import TooLargeError, UnknownPageError, WrongInputError
from pipeline.warehouse import NotPublishedError, WarehouseBusyError

PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such board, model or moment."},
    422: {"model": Problem, "description": "A parameter that cannot be meant."},
    503: {"model": Problem, "description": "Nothing is published yet, or it cannot be read now."},
}
"""What OpenAPI says of every route."""

_STATUS: Mapping[type[Exception], int] = {
    UnknownBoardError: 404,
    UnknownModelError: 404,
    UnknownRunError: 404,
    UnknownPageError: 404,
    UnknownKeyError: 422,
    WrongInputError: 422,
    NotTakenError: 403,
    NotYoursError: 403,
    NameTakenError: 409,
    ConflictError: 409,
    TooLargeError: 413,
    TooMuchError: 413,
    UnreadableContractError: 503,
    UnreadableExperimentError: 503,
    QueueUnusableError: 503,
    NotStoredError: 503,
    UnreadableRankingError: 503,
    NotDeliveredError: 503,
    KeysError: 503,
    NotPublishedError: 503,
    WarehouseBusyError: 503,
}
_SHORT = 200
_HEADINGS = {404: "Not here", 422: "This cannot be meant", 503: "Not ready yet"}
_OF_DATA = (
    *("/reports", "/submissions", "/runs", "/experiments/api", "/openapi.json", "/static"),
    *("/rankings/api", "/rankings/export", "/rankings/status"),
)
"""Paths whose answers are for programs, whoever asks."""


def tell_problems(app: FastAPI) -> None:
    """Answer every known error with its status and one sentence: ``{"detail": ...}``, or a page that says it."""
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _answer(status))
    app.add_exception_handler(RequestValidationError, _wrong_parameters)
    app.add_exception_handler(HTTPException, _of_http)


def _answer(status: int):  # type: ignore[no-untyped-def]  # FastAPI has no name for the type of handlers
    def tell(request: Request, error: Exception) -> Response:
        detail = " ".join(str(error).split())
        if _is_page(request):
            response: Response = _page(request, status, detail)
        else:
            response = JSONResponse({"detail": detail}, status)
        if status == 503:
            response.headers["Retry-After"] = "10"
        return response

    return tell


async def _wrong_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # nosec B101 # it is registered for these
    if not _is_page(request):
        return JSONResponse({"detail": [_told(one) for one in error.errors()]}, 422)
    told = [f"{one['loc'][-1]} {one.get('input')!r}: {one['msg']}" for one in error.errors()]
    return _page(request, 422, "; ".join(dict.fromkeys(told)))


def _told(error: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with a part of a request, as FastAPI tells it; what was sent is repeated where it is short."""
    told = {"type": error["type"], "loc": [_plain(one) for one in error["loc"]], "msg": _plain(error["msg"])}
    given = error.get("input")
    is_short = isinstance(given, bool | int | str | None) and len(str(given)) <= _SHORT
    return told | {"input": _plain(given)} if is_short else told


def _plain(text: Any) -> Any:
    """A text without halves of surrogate pairs, which nothing can be written with."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # nosec B101 # it is registered for these
    if not _is_page(request):
        return await http_exception_handler(request, error)
    detail = f"there is no page {request.url.path!r}" if error.status_code == 404 else str(error.detail)
    return _page(request, error.status_code, detail)


def _page(request: Request, status: int, detail: str) -> Response:
    return show(request, "problem.html", status, heading=_HEADINGS.get(status, "Something is wrong"), detail=detail)


def _is_page(request: Request) -> bool:
    """Whether a person is to read the answer."""
    of_data = any(request.url.path == path or request.url.path.startswith(f"{path}/") for path in _OF_DATA)
    return not of_data and "text/html" in request.headers.get("accept", "")
