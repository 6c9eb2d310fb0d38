"""Logs for machines: one JSON object in a line, whoever wrote it.

Add what concerns the form of a line here; what is worth a line is decided where it happens.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

_OWN = "pipeline"
"""The logger above all of ours, which tells more than those of libraries."""
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""What every record has; everything else was given with it."""
_OF_DAGSTER = "dagster_meta"


class JsonLines(logging.Formatter):
    """Records as JSON: ``time`` (UTC), ``level``, ``logger``, ``message``, what was given with it, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line."""
        given = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        of_run = given.pop(_OF_DAGSTER, None)
        message = record.getMessage()
        if of_run is not None:
            message = str(of_run["orig_message"])
            given = {"run_id": of_run["run_id"], "asset": asset_of(of_run["step_key"])}
        if record.exc_info:
            given["exception"] = self.formatException(record.exc_info)
        moment = datetime.fromtimestamp(record.created, UTC)
        return line(record.levelname, record.name, message, moment, **given)


def line(level: str, logger: str, message: str, moment: datetime | None = None, /, **given: Any) -> str:
    """One line of a log, without its end.

    Parameters
    ----------
    level, logger, message : str
    moment : datetime, optional
        With its zone; now by default.
    given
        Further fields; those that are None are left out.
    """
    at = (moment or datetime.now(UTC)).astimezone(UTC)
    told = {"time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": level, "logger": logger}
    fields = {name: value for name, value in given.items() if value is not None and name not in (*told, "message")}
    return json.dumps({**told, "message": message, **fields}, default=str, ensure_ascii=False)


def asset_of(step: str | None) -> str | None:
    """The asset that a step of a run computes."""
    return step.replace("__", "/") if step else None


def is_of_run(record: logging.LogRecord) -> bool:
    """Whether Dagster keeps a record among the events of a run."""
    return hasattr(record, _OF_DAGSTER)


def is_line(found: object) -> bool:
    """Whether something that was read as JSON is a line of :func:`line`."""
    return isinstance(found, Mapping) and {"time", "level", "logger", "message"} <= found.keys()


@contextmanager
def logged_as_json(stream: TextIO | None = None) -> Iterator[logging.Handler]:
    """Write what this process logs in the block as JSON; of libraries warnings only, which tell no request's details.

    Parameters
    ----------
    stream : text stream, optional
        Standard error by default.

    Yields
    ------
    Handler
        What writes, to filter what it does.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root, own = logging.getLogger(), logging.getLogger(_OWN)
    before = own.level
    root.addHandler(handler)
    own.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        own.setLevel(before)
        root.removeHandler(handler)
