"""The report server: the API over the published file, put together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute

from pipeline.registry import UnknownNameError, described, resolve_dotted_path
from pipeline.reports.caching import PublishedCache
from pipeline.reports.pages import api, board, compare, ensembles, home, model, static_files, status
from pipeline.reports.problems import PROBLEMS, tell_problems
from pipeline.reports.routes import catalog, diversity, history, leaderboard, models
from pipeline.reports.runs import LastRuns, no_runs
from pipeline.warehouse import PublishedReader

_ROUTERS = (leaderboard.router, diversity.router, models.router, history.router, catalog.router)
_PAGES = (
    home.router,
    status.router,
    api.router,
    board.router,
    compare.router,
    model.router,
    ensembles.router,
    static_files.router,
)
_OF_THE_TIME = ("/", "/status")
"""Pages that depend on the time."""

_FROM_BYTES = 1000
_COMPRESSED = 1
"""Level of gzip: JSON of 260 kB is 31 kB after 0.7 ms; at level 9 it is 25 kB after 5 ms."""
_DESCRIPTION = """
Boards, models and predictions of every published competition. Times are UTC. Undefined values are null, with a reason.
Every table is also CSV, Parquet or Arrow: `?format=csv`. Answers carry an ETag that changes with each publication.
"""


def create_app(published_dir: Path, own_routes: Sequence[str] = (), last_runs: LastRuns = no_runs) -> FastAPI:
    """The report server.

    Parameters
    ----------
    published_dir : Path
        The folder of published versions; a new one is picked up by the next request.
    own_routes : sequence of str
        Dotted paths of routers that an operator adds; they come first, so that one may replace a route of Podium's.
    last_runs : function
        What the page of status asks for the last run of boards.

    Raises
    ------
    UnknownNameError
        If a path names no router.
    """
    reader = PublishedReader(published_dir, threads=1)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        reader.close()

    app = FastAPI(
        title="Podium reports",
        version=version("podium"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.reader = reader
    app.state.last_runs = last_runs
    for router in (*map(_own_router, own_routes), *_ROUTERS):
        app.include_router(router, responses=PROBLEMS)
    for page in _PAGES:
        app.include_router(page)
    _summarise(app)
    tell_problems(app)
    app.add_middleware(GZipMiddleware, minimum_size=_FROM_BYTES, compresslevel=_COMPRESSED)
    app.add_middleware(PublishedCache, reader=reader, always_new=(*catalog.ALWAYS_NEW, *_OF_THE_TIME))
    return app


def _summarise(app: FastAPI) -> None:
    """Let the list of endpoints show the first sentence of what each says of itself, not its function's name."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            route.summary = route.description.partition(".")[0].strip() or None


def _own_router(path: str) -> APIRouter:
    found = resolve_dotted_path(path, "report route")
    if not isinstance(found, APIRouter):
        raise UnknownNameError(f"report route {path!r} is a {described(found)}; name an APIRouter of FastAPI")
    return found
