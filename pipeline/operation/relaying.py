"""What services print, as lines of one log: each becomes a JSON object, whatever wrote it."""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.logs import asset_of, is_line, line

Relay = Callable[[str, str], None]
"""Takes the name of a service and a line that it printed."""

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OF_DAGSTER = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} - (?P<logger>[\w.\-]+) - (?P<level>[A-Z]+) - (?P<rest>.*)"
)
_OF_RUN = re.compile(
    r"(?P<job>\w+) - (?P<run_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?: - \d+)?"
    r"(?: - (?P<step>[a-z]\w*))? - (?P<message>.*)"
)
_MOST = 64 * 1024
"""Characters of one line that are kept."""


class AsJson:
    """The lines of one service as lines of a log; what follows a record, such as a traceback, belongs to its run.

    Parameters
    ----------
    service : str
        What lines without a logger are said to be of.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._before: dict[str, str | None] = {}

    def __call__(self, text: str) -> str:
        """One line, without its end."""
        text = _COLOURS.sub("", text)
        with suppress(ValueError):
            found = json.loads(text)
            if is_line(found):
                self._before = {}
                return text
            if isinstance(found, dict) and {"event", "level", "logger"} <= found.keys():
                return self._of_structlog(found)
        if record := _OF_DAGSTER.fullmatch(text):
            return self._of_dagster(record)
        of = {"level": "INFO", **self._before}
        return line(str(of.pop("level")), self._service, text, service=self._service, **of)

    def _of_structlog(self, found: dict[str, object]) -> str:
        self._before = {}
        level, logger, message = (str(found[name]) for name in ("level", "logger", "event"))
        given = {name: found.get(name) for name in ("exception", "stack")}
        return line(level.upper(), logger, message, service=self._service, **given)

    def _of_dagster(self, record: "re.Match[str]") -> str:
        level, logger, rest = record["level"], record["logger"], record["rest"]
        of_run = _OF_RUN.fullmatch(rest)
        if of_run is None:
            self._before = {"level": level}
            return line(level, logger, rest, service=self._service)
        told = {"job": of_run["job"], "run_id": of_run["run_id"], "asset": asset_of(of_run["step"])}
        self._before = {"level": level, **told}
        return line(level, logger, of_run["message"], service=self._service, **told)


@dataclass
class Output:
    """What a service prints, read without waiting for it.

    Parameters
    ----------
    service : str
    descriptor : int
        The reading end of a pipe.
    relay : Relay
    """

    service: str
    descriptor: int
    relay: Relay
    _rest: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        os.set_blocking(self.descriptor, False)

    def pass_on(self) -> bool:
        """Pass on the lines that are there; whether there may be more later."""
        while True:
            try:
                piece = os.read(self.descriptor, _MOST)
            except BlockingIOError:
                return True
            if not piece:
                self._tell(self._rest)
                self._rest = b""
                os.close(self.descriptor)
                return False
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for one in lines:
                self._tell(one)
            if len(self._rest) > _MOST:
                self._tell(self._rest)
                self._rest = b""

    def _tell(self, text: bytes) -> None:
        if text.strip():
            self.relay(self.service, text.decode("utf-8", "replace").rstrip("\r"))
