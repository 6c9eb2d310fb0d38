"""The folder of a source in the archive of what was fetched: its name, and that one process at a time writes in it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LOCK_SECONDS = 60.0


class SnapshotError(RuntimeError):
    """What is kept of a source is not what it was, or cannot be written; the message names the file and the remedy."""


def folder_of(archive: Path, source: str) -> Path:
    """Where everything of a source is kept.

    Raises
    ------
    ValueError
        If it has a name that no folder should have.
    """
    if not _SOURCE.fullmatch(source):
        raise ValueError(f"{source!r} is no name of a source: write lower-case letters, digits, _ and -")
    return archive / source


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Write in the folder of a source while the block runs; it is made.

    Raises
    ------
    SnapshotError
        If another process writes there for longer than is waited.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / ".lock", timeout=_LOCK_SECONDS):
            yield
    except filelock.Timeout as error:
        raise SnapshotError(f"{folder} is being written by another process; wait until it ends") from error


def sync(folder: Path) -> None:
    """Make names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
