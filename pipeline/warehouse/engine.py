"""What keeps the tables: a DuckDB file by default, or DuckLake where settings name a catalog.

An engine opens connections, says who may write, and copies everything into one DuckDB file for publishing. What is
done on a connection is the same on each. DuckLake is imported only where it is used.
"""

import fcntl
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import duckdb

from pipeline.settings import settings
from pipeline.warehouse.connection import connect, damage_named
from pipeline.warehouse.lock import Holder, WriteLock

_FICLONE = 0x40049409


class Lock(Protocol):
    """Who may write; see :class:`pipeline.warehouse.lock.WriteLock`."""

    def acquire(self, purpose: str) -> None:
        """Take it, for this process."""

    def release(self) -> None:
        """Give back one ``acquire``."""

    def hold(self, purpose: str) -> AbstractContextManager[None]:
        """Hold it for a ``with`` block."""

    def gate(self, purpose: str) -> AbstractContextManager[None]:
        """Keep the other threads of this process out for a ``with`` block."""

    def holder(self) -> Holder | None:
        """Who says to hold it."""


class Engine(Protocol):
    """What keeps the tables of one warehouse."""

    config: Mapping[str, Any]
    """DuckDB settings for every connection."""
    has_one_writer: bool
    """Whether a run keeps the lock until it ends, because nobody else can write meanwhile anyway."""

    @property
    def lock(self) -> Lock:
        """Who may write."""

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""

    @property
    def identity(self) -> str:
        """What tells this warehouse from one made anew in its place."""

    def open(self, *, read_only: bool) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection whose current database holds the tables, closed when the block ends."""

    def damage_named(self) -> AbstractContextManager[None]:
        """A block of work in which an error that means damage of what is kept says what to do."""

    def writing(self, purpose: str, part: str | None) -> AbstractContextManager[None]:
        """The right to write a part, or everything without one, for a ``with`` block."""

    def turn(self) -> AbstractContextManager[None]:
        """The right to change tables, for the ``with`` block of one transaction."""

    def tidy(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Put what was written in order before it is copied; the caller holds the lock."""

    def copy(self, target: Path) -> None:
        """Copy everything into a new DuckDB file; the caller holds the lock, and no connection is open."""


class EmbeddedFile:
    """A DuckDB file: one process writes at a time, and nobody reads meanwhile.

    Parameters
    ----------
    path : Path
        The file.
    timeout : float
        Seconds to wait for others.
    config : mapping
        DuckDB settings for every connection.
    """

    has_one_writer = True

    def __init__(self, path: Path, timeout: float, config: Mapping[str, Any]) -> None:
        self.path, self.timeout, self.config = path, timeout, config
        self.lock: Lock = WriteLock(path.with_name(path.name + ".lock"), timeout)

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    @property
    def identity(self) -> str:
        """The file's number in its file system."""
        return str(self.path.stat().st_ino)

    def open(self, *, read_only: bool) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection to the file; see :func:`pipeline.warehouse.connection.connect`."""
        return connect(self.path, read_only=read_only, timeout=self.timeout, config=self.config)

    def damage_named(self) -> AbstractContextManager[None]:
        """See :func:`pipeline.warehouse.connection.damage_named`."""
        return damage_named(self.path)

    def writing(self, purpose: str, part: str | None) -> AbstractContextManager[None]:  # noqa: ARG002  (the file has no parts)
        """The lock of the file, whatever part is to be written."""
        return self.lock.hold(purpose)

    def turn(self) -> AbstractContextManager[None]:
        """Nothing to wait for: whoever has the file open is alone."""
        return nullcontext()

    def tidy(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the log into the file."""
        connection.execute("CHECKPOINT")

    def copy(self, target: Path) -> None:
        """Copy the file, whose log is written into it when it is closed."""
        clone(self.path, target)


def clone(source: Path, target: Path) -> None:
    """Copy a file; sharing its blocks where the file system can, so that it takes no time and no space."""
    with source.open("rb") as reader, target.open("wb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            shutil.copyfileobj(reader, writer, 16 * 1024 * 1024)


def engine_of(path: Path, timeout: float, config: Mapping[str, Any]) -> Engine:
    """What keeps the tables of the warehouse at ``path``: what settings say of their own one, a file at any other."""
    catalog = settings().lake_catalog
    if catalog is None or path != settings().warehouse_path.resolve():
        return EmbeddedFile(path, timeout, config)
    from pipeline.warehouse.ducklake import DuckLake

    return DuckLake(catalog, settings().lake_files, path.stem, timeout, config)
