"""How much a connection may say before it asks something, and how long it may take: no header is endless, or dripped.

``uvicorn`` bounds neither by itself; bodies have bounds where they are read.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
"""Of the line of a request and its headers."""
MOST_HEAD_SECONDS = 20.0
"""Until they are there whole."""
MOST_CONNECTIONS = 1_000
"""At once; more are told to come again."""
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """HTTP whose heads are bounded in size and in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._is_in_head = True
        self._patience: asyncio.TimerHandle | None = None
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless a head has grown too large."""
        self._head_bytes += len(data) if self._is_in_head else 0
        super().data_received(data)
        if self._is_in_head and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to wait for a head."""
        super().on_message_begin()
        self._is_in_head = True
        self._wait()

    def on_headers_complete(self) -> None:
        """Be done with it."""
        self._is_in_head, self._head_bytes = False, 0
        self._wait_no_longer()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._wait_no_longer()
        self._patience = self.loop.call_later(MOST_HEAD_SECONDS, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def bounds() -> dict[str, Any]:
    """What ``uvicorn`` is to be started with."""
    return {"http": BoundedHttp, "limit_concurrency": MOST_CONNECTIONS}
