"""``/docs``: the API's own documentation, drawn by Swagger UI out of its package."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.reports.pages.view import show

router = APIRouter(include_in_schema=False)


@router.get("/docs", response_class=HTMLResponse)
def docs(request: Request) -> Any:
    """Every endpoint, to read and to try."""
    return show(request, "api.html")
