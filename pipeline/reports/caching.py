"""Answers that are kept as long as the same publication is the newest: nothing in it changes."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from importlib.metadata import version

from anyio import Event
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.warehouse import NotPublishedError, PublishedReader, WarehouseBusyError

FROM_MEMORY = (b"cache-status", b"podium; hit")
"""The header of answers from memory, as RFC 9211 has it."""
_VERSION = version("podium")
_MOST_BYTES = 64 * 2**20
_MOST_OF_ONE = 2**20
_OF_EACH = 2**11
"""What Python's objects of one answer take besides their bytes."""


@dataclass(frozen=True)
class _Kept:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def size(self, key: tuple[str, ...]) -> int:
        """About how many bytes it takes with its key: a question may be much longer than its answer."""
        headers = sum(len(name) + len(value) for name, value in self.headers)
        return _OF_EACH + sum(map(len, key)) + headers + len(self.body)


class _Answers:
    """The answers used last, at most so many bytes."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._answers: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, ...]) -> _Kept | None:
        with self._guard:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: tuple[str, ...], answer: _Kept) -> None:
        with self._guard:
            if key in self._answers:
                self._bytes -= self._answers.pop(key).size(key)
            self._answers[key] = answer
            self._bytes += answer.size(key)
            while self._bytes > _MOST_BYTES:
                oldest, dropped = self._answers.popitem(last=False)
                self._bytes -= dropped.size(oldest)


class PublishedCache:
    """ETag of the publication on every answer, 304 where the reader has it, and the answers used last from memory.

    Parameters
    ----------
    app : ASGI application
    reader : PublishedReader
    always_new : tuple of str
        Paths whose answers depend on more than the publication, such as the time; with all that is below them.
    files : str
        Where files are that do not depend on it.
    """

    def __init__(
        self, app: ASGIApp, reader: PublishedReader, always_new: tuple[str, ...] = (), files: str = "/static/"
    ) -> None:
        self._app = app
        self._reader = reader
        self._always_new = always_new
        self._files = files
        self._answers = _Answers()
        self._being_made: dict[tuple[str, ...], Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on and remember the answer; one of several that are the same."""
        tag = self._tag(scope)
        if tag is None:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if tag in [one.strip() for one in asked.get("if-none-match", "").split(",")]:
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", tag.encode())]})
            await send({"type": "http.response.body"})
            return
        key = (tag, scope["path"], scope["query_string"].decode("latin-1"), asked.get("accept-encoding", ""))
        if key in self._being_made:
            await self._being_made[key].wait()
        kept = self._answers.get(key)
        if kept is None:
            await self._make(key, _Recording(self._app, self._answers, key, tag, send), scope, receive)
        else:
            headers = [*kept.headers, FROM_MEMORY]
            await send({"type": "http.response.start", "status": kept.status, "headers": headers})
            await send({"type": "http.response.body", "body": kept.body})

    async def _make(self, key: tuple[str, ...], recording: "_Recording", scope: Scope, receive: Receive) -> None:
        """Pass a request on; who asks the same meanwhile waits for its answer."""
        made = self._being_made[key] = Event()
        try:
            await recording(scope, receive)
        finally:
            if self._being_made.get(key) is made:
                del self._being_made[key]
            made.set()

    def _tag(self, scope: Scope) -> str | None:
        """The ETag of what is published; None for what is not to be kept."""
        if scope["type"] != "http" or scope["method"] != "GET" or self._is_always_new(scope["path"]):
            return None
        try:
            publication = self._reader.publication
        except (NotPublishedError, WarehouseBusyError):
            return None
        return f'W/"{_VERSION}-{publication.path.parent.name}-{publication.published_at:%Y%m%d%H%M%S%f}"'

    def _is_always_new(self, path: str) -> bool:
        is_below = any(path.startswith(f"{one}/") for one in self._always_new if one != "/")
        return is_below or path in self._always_new or path.startswith(self._files)


class _Recording:
    """One request passed on; its answer is kept when it is whole, good and not too large."""

    def __init__(self, app: ASGIApp, answers: _Answers, key: tuple[str, ...], tag: str, send: Send) -> None:
        self._app, self._answers, self._key, self._tag, self._send = app, answers, key, tag, send
        self._start: Message | None = None
        self._body: list[bytes] = []
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive) -> None:
        await self._app(scope, receive, self._note)

    async def _note(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            headers = MutableHeaders(raw=list(message["headers"]))
            headers["ETag"] = self._tag
            headers["Cache-Control"] = "no-cache"  # may be kept, and is asked for again with the ETag
            message = {**message, "headers": headers.raw}
            self._start = message
        await self._send(message)
        if self._start is not None and message["type"] == "http.response.body":
            self._record(self._start["headers"], message)

    def _record(self, headers: list[tuple[bytes, bytes]], message: Message) -> None:
        piece = message.get("body", b"")
        self._size += len(piece)
        if self._size > _MOST_OF_ONE:
            self._body.clear()
            return
        self._body.append(piece)
        if not message.get("more_body", False):
            self._answers.put(self._key, _Kept(200, headers, b"".join(self._body)))
