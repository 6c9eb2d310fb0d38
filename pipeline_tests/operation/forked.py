"""A function in a process of its own, which need not import anything again: it is forked from one that has it all."""

import multiprocessing
import os
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from pipeline.settings import settings

PRELOADED = ["pipeline_tests.operation.contest"]


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, and the traceback of what it raised."""

    returncode: int
    stderr: str


def forked(function: Callable[..., object], *arguments: Any) -> Ended:
    """Call a function of a module in a process of its own, in the environment of now, and wait for its end."""
    with tempfile.TemporaryDirectory(prefix="forked-") as folder:
        told = Path(folder) / "stderr"
        process = _context().Process(target=_call, args=(told, dict(os.environ), function, arguments))
        process.start()
        process.join()
        return Ended(process.exitcode or 0, told.read_text() if told.exists() else "")


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _call(
    told: Path, environment: Mapping[str, str], function: Callable[..., object], arguments: tuple[Any, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    try:
        function(*arguments)
    except BaseException:
        told.write_text(traceback.format_exc())
        raise SystemExit(1) from None
