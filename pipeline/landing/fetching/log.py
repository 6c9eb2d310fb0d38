"""The fetch log of a source: a line for each time that anybody looked at it, with what became of that; never changed.

Lines are JSON, one after another, beside the snapshots of the source::

    <folder>/<source>/fetches.jsonl

A line that a kill cut off is passed over, and the next one begins on a line of its own.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pipeline.landing.fetching.folders import folder_of, locked, sync

_log = logging.getLogger(__name__)
_NAME = "fetches.jsonl"


@dataclass(frozen=True)
class Look:
    """One look at a source.

    Parameters
    ----------
    at : datetime
        UTC, without a zone.
    event : str
        What became of it, in a word of whoever looked.
    why : str
        More of that, for people; empty for nothing.
    snapshot : str
        Name of the snapshot that it is about; empty for none.
    notes : tuple of mappings of str to str
        What else is to be remembered of it, each part by name.
    """

    at: datetime
    event: str
    why: str = ""
    snapshot: str = ""
    notes: tuple[Mapping[str, str], ...] = ()

    def repeats(self, other: "Look | None") -> bool:
        """Whether it says what another said, at another time."""
        return other is not None and (self.event, self.why, self.notes) == (other.event, other.why, other.notes)


class FetchLog:
    """The logs of all sources in a folder.

    Parameters
    ----------
    folder : Path
        That of their snapshots; made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, source: str, look: Look, *, unless_repeated: bool = False) -> bool:
        """Add a line, on the disk when this returns; whether one was added.

        Parameters
        ----------
        source : str
        look : Look
        unless_repeated : bool
            Nothing is added to a log whose last line says the same.

        Raises
        ------
        ValueError
            If the source has a name that no folder should have.
        SnapshotError
            If another process writes there for long.
        OSError
            If it cannot be written.
        """
        folder = folder_of(self._folder, source)
        with locked(folder):
            if unless_repeated and look.repeats(self.newest(source)):
                return False
            _append(folder / _NAME, json.dumps(asdict(look), ensure_ascii=False, default=datetime.isoformat))
        return True

    def all(self, source: str) -> list[Look]:
        """All lines, oldest first; one that is damaged is passed over, and logged."""
        path = folder_of(self._folder, source) / _NAME
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = [_read(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
        return [look for look in found if look is not None]

    def newest(self, source: str) -> Look | None:
        """The last line; None without any."""
        return next(reversed(self.all(source)), None)


def _append(path: Path, text: str) -> None:
    is_new = not path.exists()
    with path.open("ab+") as log:
        begin = b""
        if log.tell():
            log.seek(-1, os.SEEK_END)
            begin = b"" if log.read(1) == b"\n" else b"\n"
        log.write(begin + text.encode() + b"\n")
        log.flush()
        os.fsync(log.fileno())
    if is_new:
        sync(path.parent)


def _read(line: bytes, place: str) -> Look | None:
    try:
        said = json.loads(line)
        at = datetime.fromisoformat(said["at"])
        return Look(at, str(said["event"]), str(said["why"]), str(said["snapshot"]), tuple(map(dict, said["notes"])))
    except (ValueError, KeyError, TypeError) as error:
        _log.warning("%s cannot be read (%s) and is passed over", place, error)
        return None
