"""The inbox: ``data/inbox/<board>/<folder>/``, where whoever has something to give drops a file.

A file is taken when it is whole: writers give it a temporary name first, or at least stop changing it. Its arrival is
when the file system last changed it or its name (``ctime``), which ``touch`` and ``cp -p`` cannot set back.
"""

import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

SETTLED_SECONDS = 2.0
"""A file that was changed since is taken for unfinished."""
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".swp", "~")
_LONGEST_NAME = 255
"""Bytes; what file systems allow."""


@dataclass(frozen=True)
class Delivery:
    """One file in the inbox.

    Parameters
    ----------
    board, folder : str
        Whom it is for, and the folder it was dropped in.
    path : Path
    received_at : datetime
        When it arrived (UTC, without a zone).
    size_bytes : int
    changed_ns : int
        The same in nanoseconds of the epoch: when it was last written to or renamed.
    is_file : bool
        False for a symbolic link and whatever else is no regular file; it is never opened then.
    arrived_as : str, optional
        The name it had when it arrived, when it has another one now.
    """

    board: str
    folder: str
    path: Path
    received_at: datetime
    size_bytes: int
    changed_ns: int
    is_file: bool
    arrived_as: str | None = None

    @classmethod
    def of(
        cls, path: Path, board: str, folder: str, received_at: datetime | None = None, arrived_as: str | None = None
    ) -> "Delivery":
        """A file as it lies there now.

        Raises
        ------
        OSError
            If there is none.
        """
        there = _delivery(board, folder, path, path.stat(follow_symlinks=False))
        return replace(there, received_at=received_at or there.received_at, arrived_as=arrived_as)

    @property
    def name(self) -> str:
        """The name it arrived under, as text, whatever bytes it is made of."""
        return self.arrived_as or os.fsencode(self.path.name).decode(errors="backslashreplace")

    @property
    def is_settled(self) -> bool:
        """Whether it has not been changed for a while, so that it is whole."""
        return time.time_ns() - self.changed_ns >= SETTLED_SECONDS * 1e9

    @property
    def is_unchanged(self) -> bool:
        """Whether it is still the file that was found."""
        try:
            found = self.path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (found.st_size, found.st_ctime_ns) == (self.size_bytes, self.changed_ns)


def pending(inbox_dir: Path, board: str, folders: tuple[str, ...]) -> list[Delivery]:
    """The files that wait for a board, in the order of ``folders`` and then of arrival.

    Hidden files, those with the ending of an unfinished download, and folders are left alone.
    """
    found = (one for folder in folders for one in sorted(_in_folder(inbox_dir, board, folder), key=_order))
    return list(found)


def strays(inbox_dir: Path, known: Mapping[str, Collection[str]]) -> list[Path]:
    """Files in the inbox that are in no folder of any board, sorted; ``known`` are the folders of each board."""
    if not inbox_dir.is_dir():
        return []
    places = {inbox_dir / board / folder for board, folders in known.items() for folder in folders}
    return sorted(
        path
        for path in inbox_dir.rglob("*")
        if not path.is_dir() and path.parent not in places and not is_left_alone(path.name)
    )


def deliver(source: Path, inbox_dir: Path, board: str, folder: str, name: str | None = None) -> Path:
    """Put a copy of a file into the inbox, whole or not at all; its path there is returned.

    Parameters
    ----------
    source : Path
        The file.
    inbox_dir, board, folder
        Where it goes.
    name : str, optional
        Its name there; by default its own. A number is added when the name is taken.

    Raises
    ------
    ValueError
        If files of that name are left alone.
    OSError
        If it cannot be read or written.
    """
    name = Path(name or source.name).name
    if is_left_alone(name):
        raise ValueError(f"{name!r} is a name that the inbox leaves alone: hidden or unfinished; give it another one")
    target_dir = inbox_dir / board / folder
    target_dir.mkdir(parents=True, exist_ok=True)
    draft = target_dir / f".{os.getpid()}-{time.monotonic_ns()}.part"
    try:
        with source.open("rb") as reader, draft.open("xb") as writer:
            while chunk := reader.read(1 << 20):
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        return _publish(draft, target_dir, name)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, target_dir: Path, name: str) -> Path:
    """Give a finished draft its name; one that is taken is never overwritten."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in range(1, 10_000):
        ending = suffix if number == 1 else f" ({number}){suffix}"
        room = _LONGEST_NAME - len(os.fsencode(ending))
        target = target_dir / (os.fsdecode(os.fsencode(stem)[:room]) + ending)
        try:
            os.link(draft, target)
        except FileExistsError:
            continue
        return target
    raise FileExistsError(f"{target_dir} has too many files called {name}; land them first with `podium run`")


def _in_folder(inbox_dir: Path, board: str, folder: str) -> Iterator[Delivery]:
    place = inbox_dir / board / folder
    if not place.is_dir() or place.is_symlink():
        return
    with os.scandir(place) as entries:
        for entry in entries:
            if is_left_alone(entry.name):
                continue
            with suppress(FileNotFoundError):  # taken away since it was listed
                found = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    yield _delivery(board, folder, Path(entry.path), found)


def _delivery(board: str, folder: str, path: Path, found: os.stat_result) -> Delivery:
    return Delivery(board, folder, path, arrival(found), found.st_size, found.st_ctime_ns, stat.S_ISREG(found.st_mode))


def arrival(found: os.stat_result) -> datetime:
    """When a file arrived, UTC: nobody but the file system sets this."""
    return datetime.fromtimestamp(found.st_ctime, UTC).replace(tzinfo=None)


def is_left_alone(name: str) -> bool:
    """Whether a name is that of a hidden file or of one that is not finished."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def _order(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.received_at, delivery.name
