"""A process that has imported what a command needs and forks for each that is asked for, until its input ends."""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pipeline.settings import PROJECT_ROOT

READY = b"ready\n"
"""What it says when it can be asked."""

DBT_COMMAND = "PRELOADED_DBT"

COMMANDS = {
    "dbt": ("dbt.cli.main:cli", "dbt.adapters.duckdb"),
    "podium": (f"{__name__}:podium", "pipeline.cli", "pipeline.components", "pipeline.definitions", "dagster_dbt"),
}
"""What a command calls, and the packages that it imports later."""


def podium() -> None:
    """The command of the project, with another dbt where the variable ``DBT_COMMAND`` names one."""
    from pipeline.cli import main
    from pipeline.components import dbt

    if command := os.environ.get(DBT_COMMAND):
        dbt.dbt_executable = lambda: Path(command)
    main()


def _parse_once() -> None:
    """Let dbt read its project: the first time, it makes most of its classes and imports the rest."""
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        project = PROJECT_ROOT / "dbt_project"
        places = ["--project-dir", project, "--profiles-dir", project, "--target-path", folder, "--log-path", folder]
        # The static parser has threads of its own, for which a fork, that does not have them, would wait forever.
        how = ["--quiet", "--no-static-parser", "parse", "--no-partial-parse"]
        done = dbtRunner().invoke([*how, *map(str, places)])
    if not done.success:
        raise RuntimeError(f"dbt cannot read {project}: {done.exception}")


WARM_UPS = {"dbt": _parse_once}
"""What is done once besides."""


def serve(name: str, address: Path) -> None:
    """Answer until the input ends; a fork returns from here as the command, and ends with it."""
    called, *others = COMMANDS[name]
    command = pkgutil.resolve_name(called)
    for other in others:
        importlib.import_module(other)
    if name in WARM_UPS:
        WARM_UPS[name]()
    gc.collect()
    gc.freeze()  # what is imported stays, and no fork copies it to look at it
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen(64)
        os.write(1, READY)
        forks: set[int] = set()
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            asked, _ = listening.accept()
            if (fork := os.fork()) == 0:
                listening.close()
                request = _minded(asked)
                break
            asked.close()
            forks = {one for one in forks | {fork} if os.waitpid(one, os.WNOHANG) == (0, 0)}
        else:
            for one in forks:
                os.waitpid(one, 0)
            os._exit(0)
    _end_as(command, [name, *request["arguments"]])


def _minded(asked: socket.socket) -> dict[str, Any]:
    """Become the command that is asked for; the process before stays to say how it ended, or to end it.

    It ends it when nobody waits for it any more.
    """
    head, streams, _, _ = socket.recv_fds(asked, 8, 3)
    content, wanted = b"", int.from_bytes(head, "big")
    while len(content) < wanted and (part := asked.recv(wanted - len(content))):
        content += part
    if worker := os.fork():
        threading.Thread(target=_end_when_alone, args=(asked, worker), daemon=True).start()
        code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        asked.send(bytes([code if code >= 0 else 128 - code]))
        os._exit(0)
    asked.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    request: dict[str, Any] = json.loads(content)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    return request


def _end_as(command: Callable[[], object], arguments: list[str]) -> NoReturn:
    """Do what a script of the command does, and end without the destructors of threads that no fork has."""
    sys.argv = arguments
    sys.modules["__main__"].__package__ = None  # or messages would name this package
    code: object = 1
    try:
        code = command()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _end_when_alone(asked: socket.socket, worker: int) -> None:
    asked.recv(1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
