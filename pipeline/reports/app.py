"""The report server: the API over the published file, put together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from pipeline.registry import UnknownNameError, described, resolve_dotted_path
from pipeline.reports.caching import PublishedCache
from pipeline.reports.pages import board, compare, model, static_files
from pipeline.reports.problems import PROBLEMS, tell_problems
from pipeline.reports.routes import catalog, diversity, history, leaderboard, models
from pipeline.warehouse import PublishedReader

_ROUTERS = (leaderboard.router, diversity.router, models.router, history.router, catalog.router)
_PAGES = (board.router, compare.router, model.router, static_files.router)
_FROM_BYTES = 1000
_DESCRIPTION = """
Boards, models and predictions of every published competition. Times are UTC. Undefined values are null, with a reason.
Every table is also CSV, Parquet or Arrow: `?format=csv`. Answers carry an ETag that changes with each publication.
"""


def create_app(published_dir: Path, own_routes: Sequence[str] = ()) -> FastAPI:
    """The report server.

    Parameters
    ----------
    published_dir : Path
        The folder of published versions; a new one is picked up by the next request.
    own_routes : sequence of str
        Dotted paths of routers that an operator adds; they come first, so that one may replace a route of Podium's.

    Raises
    ------
    UnknownNameError
        If a path names no router.
    """
    reader = PublishedReader(published_dir)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        reader.close()

    app = FastAPI(title="Podium reports", version=version("podium"), description=_DESCRIPTION, lifespan=lifespan)
    app.state.reader = reader
    for router in (*map(_own_router, own_routes), *_ROUTERS):
        app.include_router(router, responses=PROBLEMS)
    for page in _PAGES:
        app.include_router(page)
    tell_problems(app)
    app.add_middleware(GZipMiddleware, minimum_size=_FROM_BYTES)
    app.add_middleware(PublishedCache, reader=reader, always_new=catalog.ALWAYS_NEW)
    return app


def _own_router(path: str) -> APIRouter:
    found = resolve_dotted_path(path, "report route")
    if not isinstance(found, APIRouter):
        raise UnknownNameError(f"report route {path!r} is a {described(found)}; name an APIRouter of FastAPI")
    return found
