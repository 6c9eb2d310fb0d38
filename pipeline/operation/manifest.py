"""The manifest of a backup: every file in it with its size, hash and mode, and who wrote it. Written last of all.

A folder without one is no backup, or one that was not finished.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.operation.errors import OperationError

NAME = "manifest.json"
_SHOWN = 5


@dataclass(frozen=True)
class Entry:
    """One file, folder or symbolic link of a backup.

    Parameters
    ----------
    path : str
        From the backup's folder, with slashes.
    kind : str
        ``file``, ``folder`` or ``link``.
    mode : int
        Its rights.
    bytes, sha256 : int, str
        Of a file.
    target : str
        Of a link.
    """

    path: str
    kind: str
    mode: int
    bytes: int = 0
    sha256: str = ""
    target: str = ""

    @classmethod
    def of(cls, folder: Path, path: Path) -> "Entry":
        """What lies at ``path`` in the folder of a backup.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        found = path.lstat()
        name, mode = path.relative_to(folder).as_posix(), stat.S_IMODE(found.st_mode)
        if stat.S_ISLNK(found.st_mode):
            return cls(name, "link", mode, target=str(path.readlink()))
        if stat.S_ISDIR(found.st_mode):
            return cls(name, "folder", mode)
        with path.open("rb") as file:
            return cls(name, "file", mode, found.st_size, hashlib.file_digest(file, "sha256").hexdigest())

    def wrong_in(self, folder: Path) -> str | None:
        """What is wrong with it there; None when it is what it was."""
        try:
            found = Entry.of(folder, folder / self.path)
        except OSError as error:
            return f"{self.path}: {error.strerror or error}"
        if (found.kind, found.target) != (self.kind, self.target):
            return f"{self.path}: it is another {found.kind}"
        if found.bytes != self.bytes:
            return f"{self.path}: {found.bytes:,} bytes in place of {self.bytes:,}"
        return None if found.sha256 == self.sha256 else f"{self.path}: its content is not what it was"


@dataclass(frozen=True)
class Waiting:
    """A file that waited in the inbox: when it arrived is known from its place there only, which a copy is not."""

    path: str
    board: str
    folder: str
    name: str
    received_at: datetime


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Parameters
    ----------
    podium : str
        Version of the Podium that wrote it.
    tables : int
        Version of the warehouse's tables; 0 without a warehouse.
    made_at : datetime
        When (UTC).
    entries : tuple of Entry
        All of it, folders before what is in them.
    waiting : tuple of Waiting
        Files that waited to be landed.
    """

    podium: str
    tables: int
    made_at: datetime
    entries: tuple[Entry, ...]
    waiting: tuple[Waiting, ...]

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(entry.bytes for entry in self.entries)

    @property
    def n_files(self) -> int:
        """How many files there are."""
        return sum(entry.kind == "file" for entry in self.entries)

    def write(self, folder: Path) -> None:
        """Write it, on the disk when this returns."""
        with (folder / NAME).open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, ensure_ascii=False, indent=1, default=datetime.isoformat)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a backup.

        Raises
        ------
        OperationError
            If there is none, or it cannot be read.
        """
        path = folder / NAME
        try:
            return cls._of(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise OperationError(
                f"{folder} is no backup, or one that was not finished: there is no {NAME} in it"
            ) from None
        except OSError as error:
            raise OperationError(f"{path} cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise OperationError(f"{path} is damaged ({error}); take another backup") from error

    def verify(self, folder: Path) -> None:
        """Compare every file with its size and hash.

        Raises
        ------
        OperationError
            If one is not what it was, naming the first of them.
        """
        wrong = [told for entry in self.entries if (told := entry.wrong_in(folder)) is not None]
        if wrong:
            more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            raise OperationError(
                f"the backup {folder} is damaged, so nothing was restored: {'; '.join(wrong[:_SHOWN])}{more}; "
                f"take another backup"
            )

    @classmethod
    def _of(cls, read: dict[str, Any]) -> "Manifest":
        return cls(
            podium=str(read["podium"]),
            tables=int(read["tables"]),
            made_at=datetime.fromisoformat(read["made_at"]),
            entries=tuple(Entry(**{**one, "path": _inside(one["path"])}) for one in read["entries"]),
            waiting=tuple(
                Waiting(**{**one, "received_at": datetime.fromisoformat(one["received_at"])}) for one in read["waiting"]
            ),
        )


def entries_of(folder: Path) -> Iterator[Entry]:
    """Everything in a folder, folders before what is in them."""
    for path in sorted(folder.rglob("*")):
        yield Entry.of(folder, path)


def _inside(path: str) -> str:
    """A path that leads nowhere out of the backup."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"path {path!r} leads out of the backup")
    return path
