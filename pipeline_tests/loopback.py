"""Servers on loopback that are processes of their own: a port for one, and its first answer."""

import socket
import time

import httpx2

PATIENCE = 120.0
"""Seconds for a server to start, on a machine that is busy with other tests."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answer(url: str) -> httpx2.Response:
    """The first answer of a server that is starting."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return httpx2.get(url)
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url} within {PATIENCE:.0f} s")
