"""How large a body may be: what is larger is refused while it arrives, before anything is made of it."""

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodySizes:
    """Refuses bodies that are too large for where they are sent.

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
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted


def _too_large(most: int) -> str:
    return f"the body is larger than {most / 1e6:g} MB, which one may be; send less"
