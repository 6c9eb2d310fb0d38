"""What every answer says to browsers: run nothing of it, show it nowhere else, do not say whence one came."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.reports.access.gate import keyed_as

PAGE_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"),
        *("object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
    )
)
"""The Content-Security-Policy of pages: nothing from anywhere else, and no script that is not a file of ours."""
_DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of everything else, should a browser take it for a page: nothing at all."""
_POLICY = "Content-Security-Policy"
_HEADERS: Mapping[str, str] = {
    _POLICY: _DATA_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds what every answer says to browsers, refusals and errors included; what an answer says itself stays.

    What a key alone may see is kept by nobody on the way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = {**_HEADERS, "Cache-Control": "no-store"} if keyed_as(scope) else _HEADERS

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                for name, value in said.items():
                    # A browser keeps a page that has not changed with the headers of the answer that says so.
                    if name != _POLICY or message["status"] != 304:
                        headers.setdefault(name, value)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app(scope, receive, secured)
