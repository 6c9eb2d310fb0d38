"""The report server: pages and API over the published file, put together."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, ProcessCollector

from pipeline.health import Journal
from pipeline.registry import UnknownNameError, described, resolve_dotted_path
from pipeline.reports.access import EXPERIMENTS, METRICS, RUNS, SUBMISSIONS, KeyGate
from pipeline.reports.access.headers import SecurityHeaders
from pipeline.reports.access.keys import KeyStore
from pipeline.reports.access.limits import Buckets
from pipeline.reports.access.sizes import BodySizes
from pipeline.reports.caching import PublishedCache
from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.reports.metrics import route as metrics
from pipeline.reports.metrics.requests import Measured, RequestMetrics
from pipeline.reports.metrics.states import States
from pipeline.reports.pages import (
    api,
    boards,
    compare,
    ensembles,
    evaluation,
    experiment,
    experiment_compare,
    experiment_files,
    experiment_rate,
    experiment_run,
    experiment_runs,
    home,
    model,
    ranking_model,
    static_files,
    status,
    track_run,
)
from pipeline.reports.pages import experiments as experiments_page
from pipeline.reports.pages import rankings as rankings_page
from pipeline.reports.problems import PROBLEMS, tell_problems
from pipeline.reports.routes import (
    catalog,
    diversity,
    evaluations,
    experiments,
    history,
    leaderboard,
    models,
    rankings,
    runs,
    submissions,
    tracks,
)
from pipeline.reports.runs import LastRuns, NextTick, no_runs, no_ticks
from pipeline.settings import Settings, settings
from pipeline.warehouse import PublishedReader

_ROUTERS = (
    *(leaderboard.router, evaluations.router, tracks.router, rankings.router, diversity.router),
    *(models.router, history.router, catalog.router, submissions.router),
    *(runs.router, experiments.router),
)
_PAGES = (
    *(home.router, status.router, api.router, static_files.router),
    *(boards.router, compare.router, model.router, ensembles.router, evaluation.router, track_run.router),
    *(rankings_page.router, ranking_model.router),
    *(experiments_page.router, experiment.router, experiment_runs.router, experiment_run.router),
    *(experiment_compare.router, experiment_rate.router, experiment_files.router),
)
_OF_THE_TIME = ("/", "/status")
"""Pages that depend on the time."""

_FROM_BYTES = 1000
_MOST_OF_A_BODY = 5_000_000
"""Bytes of a run, a score or an experiment that is sent."""
_AT_ONCE = 2 * (os.cpu_count() or 2)
"""Questions that are asked of the file at once: more would only take the processors from each other."""
_COMPRESSED = 1
"""Level of gzip: JSON of 260 kB is 31 kB after 0.7 ms; at level 9 it is 25 kB after 5 ms."""
_DESCRIPTION = """
Boards, models and predictions of every published competition. Times are UTC. Undefined values are null, with a reason.
Every table is also CSV, Parquet or Arrow: `?format=csv`. Answers carry an ETag that changes with each publication.
"""


def create_app(
    published_dir: Path,
    own_routes: Sequence[str] = (),
    last_runs: LastRuns = no_runs,
    given: Settings | None = None,
    next_tick: NextTick = no_ticks,
) -> FastAPI:
    """The report server.

    Parameters
    ----------
    published_dir : Path
        The folder of published versions; a new one is picked up by the next request.
    own_routes : sequence of str
        Dotted paths of routers that an operator adds; they come first, so that one may replace a route of Podium's.
    last_runs : function
        What the page of status asks for the last run of boards.
    given : Settings, optional
        Where submissions go, who may ask, and limits; those of this process by default.
    next_tick : function
        What pages of status ask when a schedule is due.

    Raises
    ------
    UnknownNameError
        If a path names no router.
    """
    given = given or settings()
    reader = PublishedReader(published_dir, threads=1)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = _AT_ONCE
        yield
        app.state.experiments.close()
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
    app.state.next_tick = next_tick
    app.state.settings = given
    app.state.experiments = LiveExperiments(reader, given)
    app.state.journal = Journal(given.health_dir)
    app.state.metrics = CollectorRegistry()
    routers = (*own_routers(own_routes), *_ROUTERS)
    for router in routers:
        _summarise(router)
        app.include_router(router, responses=PROBLEMS)
    pages = _PAGES if given.metrics == "off" else (*_PAGES, metrics.router)
    for page in pages:
        app.include_router(page)
    tell_problems(app)
    app.add_middleware(GZipMiddleware, minimum_size=_FROM_BYTES, compresslevel=_COMPRESSED)
    app.add_middleware(
        PublishedCache,
        reader=reader,
        always_new=(*catalog.ALWAYS_NEW, *_OF_THE_TIME, rankings.STATUS, SUBMISSIONS, RUNS, EXPERIMENTS, METRICS),
        by_the_hour=(rankings.router.prefix,),
        first_pages=lambda publication: [*(f"/boards/{name}" for name in publication.boards), rankings.router.prefix],
    )
    app.add_middleware(BodySizes, most={RUNS: _MOST_OF_A_BODY, EXPERIMENTS: _MOST_OF_A_BODY})
    app.add_middleware(  # around all that answers
        KeyGate,
        keys=KeyStore(given.keys_dir),
        is_private=given.reports_private,
        per_key={SUBMISSIONS: Buckets(given.submissions_per_minute), RUNS: Buckets(given.runs_per_minute)},
        per_address=Buckets(given.failed_keys_per_minute),
    )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(  # the last, so that it is around all others
        Measured,
        metrics=RequestMetrics(app.state.metrics),
        routes=[*app.routes, *(route for one in (*routers, *pages) for route in one.routes)],
        is_logged=given.log == "json",
    )
    ProcessCollector(registry=app.state.metrics)
    app.state.metrics.register(States(reader, app.state.experiments.queues, app.state.journal.read))
    return app


def _summarise(router: APIRouter) -> None:
    """Let the list of endpoints show the first sentence of what each says of itself, not its function's name."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.summary = route.description.partition(".")[0].strip() or None


def own_routers(paths: Sequence[str]) -> list[APIRouter]:
    """The routers that dotted paths name.

    Raises
    ------
    UnknownNameError
        If one names none.
    """
    return [_own_router(path) for path in paths]


def _own_router(path: str) -> APIRouter:
    found = resolve_dotted_path(path, "report route")
    if not isinstance(found, APIRouter):
        raise UnknownNameError(f"report route {path!r} is a {described(found)}; name an APIRouter of FastAPI")
    return found
