"""How large a body may be, and how long it may take: what is more is refused while it arrives."""

import asyncio
from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_SECONDS = 60.0
"""Until a body is there whole."""


class BodySizes:
    """Refuses bodies that are too large for where they are sent, or take too long.

    Parameters
    ----------
    app : ASGI application
    most : mapping of str to int
        Bytes by path, for all that is below it too.
    """

    def __init__(self, app: ASGIApp, most: Mapping[str, int]) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its body counted."""
        most = self._limit(scope)
        if most is None:
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isascii() and said.isdecimal() and int(said) > most:
            await JSONResponse({"detail": _too_large(most)}, 413)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, most), send)

    def _limit(self, scope: Scope) -> int | None:
        if scope["type"] != "http":
            return None
        path: str = scope["path"]
        return next((most for of, most in self._most.items() if path == of or path.startswith(f"{of}/")), None)


def _counted(receive: Receive, most: int) -> Receive:
    total, is_whole = 0, False
    until = asyncio.get_running_loop().time() + MOST_SECONDS

    async def counted() -> Message:
        nonlocal total, is_whole
        try:
            async with asyncio.timeout_at(None if is_whole else until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"the body took longer than {MOST_SECONDS:g} s to arrive; send it again") from None
        total += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if total > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted


def _too_large(most: int) -> str:
    return f"the body is larger than {most / 1e6:g} MB, which one may be; send less"
