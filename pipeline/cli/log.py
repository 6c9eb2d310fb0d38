"""The log file of one ``podium run``: what dbt, Dagster and the competitions' own code print and log."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from pipeline.logs import JsonLines, is_of_run, logged_as_json
from pipeline.settings import settings

_KEPT = 20
_FOLDER = "podium-run"


class _LossyFile(io.FileIO):
    """A file that loses what the disk has no room for: a run's result matters more than its log."""

    def write(self, data: "bytes | bytearray | memoryview[int]") -> int:  # type: ignore[override]
        """Write what can be written, and claim that it was all."""
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


class _ToTerminal(logging.Handler):
    """Says at once what the user is waiting for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message like an error, which goes to standard error, too."""
        print(f"podium: {record.getMessage()}", file=sys.stderr, flush=True)


def log_path(home: Path, run_id: str) -> Path:
    """Where the log of a run is kept."""
    return home / _FOLDER / f"{run_id}.log"


@contextlib.contextmanager
def logged(path: Path) -> Iterator[None]:
    """Standard output and all logging of the block go to a file of its own; the newest of the folder are kept.

    What the lock of the warehouse says, whom it waits for, is printed as well. Where ``PODIUM_LOG`` asks for JSON, both
    are lines of it, and everything that is logged is printed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_old(path.parent)
    log = io.TextIOWrapper(io.BufferedWriter(_LossyFile(path, "w")), encoding="utf-8", line_buffering=True)
    with log, contextlib.redirect_stdout(log), _handled(log):
        yield


@contextlib.contextmanager
def _handled(log: TextIO) -> Iterator[None]:
    """All logging goes to a file, and to the terminal what settings say."""
    as_json = settings().log == "json"
    handler = logging.StreamHandler(log)
    handler.addFilter(_is_news)
    handler.setFormatter(JsonLines() if as_json else None)
    root, lock, waiting = logging.getLogger(), logging.getLogger("pipeline.warehouse.lock"), _ToTerminal()
    root.addHandler(handler)
    if not as_json:
        lock.addHandler(waiting)
    try:
        with contextlib.ExitStack() as stack:
            for one in (handler, stack.enter_context(logged_as_json())) if as_json else ():
                one.addFilter(lambda record: not is_of_run(record))  # the events of a run are logged as they come
            yield
    finally:
        lock.removeHandler(waiting)
        root.removeHandler(handler)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a message tells something: not that a step with nothing to do had its checks look at nothing, too."""
    return "emitted no result in step" not in str(record.msg)


def _remove_old(folder: Path) -> None:
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in logs[_KEPT - 1 :]:
        path.unlink(missing_ok=True)
