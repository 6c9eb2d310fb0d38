"""Answers are made once for a publication, however many ask at the same time."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from pipeline.reports.caching import FROM_MEMORY, PublishedCache
from pipeline.warehouse import PublishedReader
from pipeline_tests.reports.by_hand import write_boards


class Slow:
    """An application whose answers say how many it gave, after some time; the first may fail."""

    def __init__(self, first_status: int = 200) -> None:
        self.n = 0
        self.statuses = {1: first_status}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.n += 1
        number = self.n
        await anyio.sleep(0.01)
        answer = PlainTextResponse(f"{Request(scope).url.query} {number}", self.statuses.get(number, 200))
        await answer(scope, receive, send)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[PublishedReader]:
    files = write_boards(tmp_path)
    files.publish()
    with PublishedReader(files.published_dir) as opened:
        yield opened


async def ask(app: PublishedCache, query: str) -> tuple[int, str, bool]:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": "/board", "query_string": query.encode(), "headers": []}
    await app({**scope, "server": ("test", 80), "scheme": "http"}, receive, send)
    return messages[0]["status"], messages[1]["body"].decode(), FROM_MEMORY in messages[0]["headers"]


def asked_at_once(app: PublishedCache, *queries: str) -> list[tuple[int, str, bool]]:
    found: dict[int, tuple[int, str, bool]] = {}

    async def one(place: int, query: str) -> None:
        found[place] = await ask(app, query)

    async def every() -> None:
        async with anyio.create_task_group() as group:
            for place, query in enumerate(queries):
                group.start_soon(one, place, query)

    anyio.run(every)
    return [found[place] for place in range(len(queries))]


def test_the_same_question_asked_at_once_is_answered_once(reader: PublishedReader) -> None:
    app = Slow()
    found = asked_at_once(PublishedCache(app, reader), "a", "a", "b", "a")
    assert found == [(200, "a 1", False), (200, "a 1", True), (200, "b 2", False), (200, "a 1", True)]
    assert app.n == 2


def test_an_error_is_given_to_who_asked_and_the_others_ask_again(reader: PublishedReader) -> None:
    app = Slow(first_status=500)
    cache = PublishedCache(app, reader)
    first, second = asked_at_once(cache, "a", "a")
    assert (first[0], second) == (500, (200, "a 2", False))
    assert asked_at_once(cache, "a") == [(200, "a 2", True)]
