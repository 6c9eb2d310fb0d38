"""Servers on loopback that are processes of their own: a port for one, and its first answer."""

import secrets
import socket
import time

import httpx2

from pipeline_tests.patience import PATIENCE

_PORTS = range(20_000, 32_000)
"""Below those that a system gives to whoever asks for any, such as a client of another test a moment later."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def answer(url: str) -> httpx2.Response:
    """The first answer of a server that is starting."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return httpx2.get(url)
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url} within {PATIENCE:.0f} s")
