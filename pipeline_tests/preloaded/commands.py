"""A command that a server keeps ready, for the tests of a session."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline_tests.preloaded import client, server


class Preloaded:
    """A command, ``path``, and its server, which is started when it is needed first and ends with the block.

    Parameters
    ----------
    name : str
        One of ``server.COMMANDS``.
    """

    def __init__(self, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="podium-")  # short: a socket's address may not be long
        folder = Path(self._folder.name)
        self.path = folder / name
        self._socket = folder / "socket"
        self._server: subprocess.Popen[bytes] | None = None
        script = f'#!/bin/sh\nexec "{sys.executable}" -SIE "{client.__file__}" "{self._socket}" "$@"\n'
        self.path.write_text(script, encoding="utf-8")
        self.path.chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server is not None:
            self._server.communicate()  # it ends when its input does
        self._folder.cleanup()

    def start(self) -> Path:
        """Let the server import what the command needs, if it has not yet; where the command is."""
        if self._server is None:
            command = [sys.executable, "-m", __package__, self.path.name, str(self._socket)]
            environment = os.environ | {"PYTHONWARNINGS": "ignore"}  # that it leaves semaphores of packages behind
            self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            assert self._server.stdout is not None
            assert self._server.stdout.readline() == server.READY
        return self.path
