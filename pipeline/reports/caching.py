"""Answers that are kept as long as the same publication is the newest: nothing in it changes."""

from collections.abc import Callable, Sequence
from importlib.metadata import version

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import utc_now
from pipeline.reports.ahead import LookingAhead
from pipeline.reports.kept import Kept, KeptAnswers, Question
from pipeline.warehouse import NotPublishedError, Publication, PublishedReader, WarehouseBusyError

FROM_MEMORY = (b"cache-status", b"podium; hit")
"""The header of answers from memory, as RFC 9211 has it."""
_VERSION = version("podium")
_MOST_OF_ONE = 2**20
_OFTEN = 3
"""How many times an answer was given again that is made before anybody asks."""
_MANY = 5
"""How many questions, of those that answers are kept of, make a server busy between one look and the next."""
_ASKED = (
    *("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "root_path", "query_string"),
    *("server", "app"),
)
_HEADERS = (b"host", b"accept-encoding")
"""What of a request is kept in order to ask the same again."""


class PublishedCache:
    """ETag of the publication on every answer, 304 where the reader has it, and the answers used last from memory.

    In a server that lives, answers that are often asked for are made before a new publication is shown: see
    :class:`LookingAhead`.

    Parameters
    ----------
    app : ASGI application
    reader : PublishedReader
    always_new : tuple of str
        Paths whose answers depend on more than the publication, such as the time; with all that is below them.
    by_the_hour : tuple of str
        Paths whose answers tell ages, with all that is below them: they are kept for the hour.
    files : str
        Where files are that do not depend on it.
    first_pages : function
        The paths that a reader of a publication would open first.
    """

    def __init__(
        self,
        app: ASGIApp,
        reader: PublishedReader,
        always_new: tuple[str, ...] = (),
        by_the_hour: tuple[str, ...] = (),
        files: str = "/static/",
        first_pages: Callable[[Publication], Sequence[str]] = lambda _: (),
    ) -> None:
        self._app = app
        self._reader = reader
        self._always_new = always_new
        self._by_the_hour = by_the_hour
        self._files = files
        self._first_pages = first_pages
        self._asked = 0
        self._answers = KeptAnswers()
        self._being_made: dict[tuple[str, Question], anyio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on and remember the answer; one of several that are the same."""
        if scope["type"] == "lifespan":
            looking = LookingAhead(self._reader, self._is_busy, self._often_asked, self._ask, self._first_pages)
            await looking.live(self._app, scope, receive, send)
            return
        tag = self._tag(scope)
        if tag is None:
            await self._app(scope, receive, send)
            return
        self._asked += 1
        asked = Headers(scope=scope)
        question = Question(scope["path"], scope["query_string"].decode("latin-1"), asked.get("accept-encoding", ""))
        if tag in [one.strip() for one in asked.get("if-none-match", "").split(",")]:
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", tag.encode())]})
            await send({"type": "http.response.body"})
            return
        if (tag, question) in self._being_made:
            await self._being_made[tag, question].wait()
        kept = self._answers.get(tag, question)
        if kept is None:
            await self._make(tag, question, scope, receive, send)
        else:
            headers = [*kept.headers, FROM_MEMORY]
            await send({"type": "http.response.start", "status": kept.status, "headers": headers})
            await send({"type": "http.response.body", "body": kept.body})

    async def _make(self, tag: str, question: Question, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; who asks the same meanwhile waits for its answer."""
        made = self._being_made[tag, question] = anyio.Event()
        try:
            await _Recording(self._app, self._answers, tag, question, send)(scope, receive)
        finally:
            if self._being_made.get((tag, question)) is made:
                del self._being_made[tag, question]
            made.set()

    def _often_asked(self) -> list[tuple[Question, Kept]]:
        tag = self._tag_now()
        return [] if tag is None else self._answers.asked_often(tag, _OFTEN)

    def _is_busy(self) -> bool:
        asked, self._asked = self._asked, 0
        return asked >= _MANY

    async def _ask(self, question: Question, scope: Scope) -> None:
        tag = self._tag_now(question.path)
        if tag is not None:
            await self._make(tag, question, dict(scope), _without_body(), _to_nobody)

    def _tag(self, scope: Scope) -> str | None:
        """The ETag of what is published; None for what is not to be kept."""
        if scope["type"] != "http" or scope["method"] != "GET" or self._is_always_new(scope["path"]):
            return None
        return self._tag_now(scope["path"])

    def _tag_now(self, path: str = "") -> str | None:
        """The ETag of what a path gives of the publication that is used; None where there is none."""
        try:
            publication = self._reader.publication
        except (NotPublishedError, WarehouseBusyError):
            return None
        hour = f"-{utc_now():%Y%m%d%H}" if _is_among(path, self._by_the_hour) else ""
        return f'W/"{_VERSION}-{publication.path.parent.name}-{publication.published_at:%Y%m%d%H%M%S%f}{hour}"'

    def _is_always_new(self, path: str) -> bool:
        return _is_among(path, self._always_new) or path.startswith(self._files)


def _is_among(path: str, paths: tuple[str, ...]) -> bool:
    """Whether a path is one of several or below one; nothing is below the first page."""
    return path in paths or any(path.startswith(f"{one}/") for one in paths if one != "/")


class _Recording:
    """One request passed on; its answer is kept when it is whole, good and not too large."""

    def __init__(self, app: ASGIApp, answers: KeptAnswers, tag: str, question: Question, send: Send) -> None:
        self._app, self._answers, self._tag, self._question, self._send = app, answers, tag, question, send
        self._again: Scope = {}
        self._start: Message | None = None
        self._body: list[bytes] = []
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive) -> None:
        self._again = _to_ask_again(scope)
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
            self._answers.put(self._tag, self._question, Kept(200, headers, b"".join(self._body), self._again))


def _to_ask_again(scope: Scope) -> Scope:
    """A request without who asked: of its headers those that answers depend on."""
    asked = {name: scope[name] for name in _ASKED if name in scope}
    return asked | {"headers": [pair for pair in scope["headers"] if pair[0] in _HEADERS]}


def _without_body() -> Receive:
    """What a request without a body receives, from somebody who never hangs up."""
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await anyio.sleep_forever()
        return messages.pop()

    return receive


async def _to_nobody(_: Message) -> None:
    pass
