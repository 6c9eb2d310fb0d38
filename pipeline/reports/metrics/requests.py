"""Every request, counted and timed by the template of its route, and logged where logs are for machines.

What is in an address never becomes a label or a field: there would be as many series as there are models.
"""

import logging
import time
from collections.abc import Sequence

from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNKNOWN = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: an answer from memory takes one thousandth, a page that nobody asked for before three hundredths."""
_MOST_PATHS = 4096
_log = logging.getLogger(__name__)


class RequestMetrics:
    """How many requests were answered, and how fast.

    Parameters
    ----------
    registry : CollectorRegistry
        Of this server: a process that makes several servers counts each by itself.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._total = Counter(
            "podium_http_requests",
            "Requests by method, template of the route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "podium_http_request_duration_seconds",
            "Seconds from a request to the end of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        counted, timed = self._of(method, route, status)
        counted.inc()
        timed.observe(seconds)

    def _of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        # Kept, since looking up labels takes longer than counting.
        found = self._known.get((method, route, status))
        if found is None:
            found = (self._total.labels(method, route, str(status)), self._seconds.labels(method, route))
            self._known[method, route, status] = found
        return found


class Measured:
    """Notes every request; it is around everything, so that refusals and answers from memory count too.

    Parameters
    ----------
    app : ASGI application
    metrics : RequestMetrics
    routes : sequence of BaseRoute
        Of the server, by whose templates requests are told apart.
    is_logged : bool
        Whether each is a line of the log.
    """

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, routes: Sequence[BaseRoute], is_logged: bool) -> None:
        self._app, self._metrics, self._is_logged = app, metrics, is_logged
        self._templates = Templates(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what became of it; one that broke is a 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = self._templates.of(scope)
        self._metrics.note(method, route, status, seconds)
        if self._is_logged:
            told = {"method": method, "route": route, "status": status, "duration_ms": round(1000 * seconds, 1)}
            _log.info("request", extra=told)


class Templates:
    """The templates of routes, by the paths that they match.

    Parameters
    ----------
    routes : sequence of BaseRoute
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = [route for route in routes if isinstance(route, Route | APIRoute)]
        self._known: dict[tuple[str, str], str] = {}

    def of(self, scope: Scope) -> str:
        """The template of the route that answers a request; also where it was answered before it came there."""
        found = scope.get("route")
        if found is not None:
            return str(found.path)
        key = (scope["method"], scope["path"])
        if key not in self._known:
            if len(self._known) >= _MOST_PATHS:
                self._known.clear()
            self._known[key] = self._matching(scope)
        return self._known[key]

    def _matching(self, scope: Scope) -> str:
        partly = _UNKNOWN
        for route in self._routes:
            match, _ = route.matches({**scope, "path_params": {}})
            if match == Match.FULL:
                return str(route.path)
            if match == Match.PARTIAL and partly == _UNKNOWN:  # another method
                partly = str(route.path)
        return partly
