"""Connections that say too much before they ask, or nothing: cut off, while others are answered."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from pipeline.reports.access import connections, sizes
from pipeline.reports.access.connections import MOST_HEAD_BYTES, bounds
from pipeline.reports.access.sizes import BodySizes
from pipeline_tests.patience import PATIENCE

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("here")(scope, receive, send)


@pytest.fixture
def port() -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(answering, port=0, log_level="error", lifespan="off", **bounds()))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE)


def said(port: int, *pieces: bytes) -> bytes:
    """What a server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as asking:
        found = b""
        try:
            for piece in pieces:
                asking.sendall(piece)
            while piece := asking.recv(65_536):
                found += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return found


def test_a_head_may_be_large_but_not_endless(port: int) -> None:
    large = b"X-Long: " + b"a" * (MOST_HEAD_BYTES // 2) + b"\r\nConnection: close\r\n\r\n"
    assert said(port, ASKED, large).endswith(b"here")
    endless = said(port, ASKED + b"X-Long: ", *[b"a" * MOST_HEAD_BYTES] * 20)
    assert endless == b"" or endless.startswith(b"HTTP/1.1 431 ")
    assert said(port, ASKED + b"Connection: close\r\n\r\n").endswith(b"here")


def test_a_body_is_no_part_of_the_head(port: int) -> None:
    body = b"a" * (2 * MOST_HEAD_BYTES)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert said(port, head, body).endswith(b"here")


@pytest.mark.parametrize("pieces", [[], [b"GET / HT"], [ASKED]])
def test_whoever_does_not_ask_is_not_waited_for(
    port: int, pieces: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_HEAD_SECONDS", 0.05)
    assert said(port, *pieces) == b""


def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    async def never() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    async def nobody(_: Message) -> None:
        pass

    scope = {"type": "http", "path": "/runs", "headers": []}
    monkeypatch.setattr(sizes, "MOST_SECONDS", 0.0)
    with pytest.raises(HTTPException) as told:
        asyncio.run(BodySizes(reading, {"/runs": 10})(scope, never, nobody))
    assert told.value.status_code == 408


def test_a_body_that_is_there_may_be_worked_on_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"1", "more_body": False}]
    seen = []

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())
        monkeypatch.setattr(sizes, "MOST_SECONDS", 0.0)
        seen.append(await receive())

    async def receive() -> Message:
        if len(sent) == 1:
            await asyncio.sleep(0.02)
        return sent.pop()

    monkeypatch.setattr(sizes, "MOST_SECONDS", 0.01)
    asyncio.run(BodySizes(reading, {"/runs": 10})({"type": "http", "path": "/runs", "headers": []}, receive, print))
    assert [one["type"] for one in seen] == ["http.request", "http.disconnect"]
