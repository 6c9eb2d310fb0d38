"""A reader of the published files that lives long, and moves on when a newer one appears."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.warehouse.connection import prepare
from pipeline.warehouse.identifiers import Sql, compose
from pipeline.warehouse.memory import Memory
from pipeline.warehouse.published import Publication, damage_named, enter_newest, link


@dataclass(frozen=True)
class Reading:
    """One use of a publication.

    Parameters
    ----------
    publication : Publication
    connection : DuckDB connection
        To it, for this use alone.
    memory : Memory
        What other uses of the same publication worked out.
    """

    publication: Publication
    connection: duckdb.DuckDBPyConnection
    memory: Memory


@dataclass
class _Opened:
    """A publication that is open, how many uses of it are going on, and connections that wait for the next ones."""

    publication: Publication
    connection: duckdb.DuckDBPyConnection
    stack: ExitStack
    memory: Memory = field(default_factory=Memory)
    idle: list[duckdb.DuckDBPyConnection] = field(default_factory=list)
    users: int = 0
    retired: bool = False

    def begin(self) -> duckdb.DuckDBPyConnection:
        self.users += 1
        return self.idle.pop() if self.idle else self._cursor()

    def end(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.users -= 1
        self.idle.append(cursor)
        self.close_when_unused()

    def close_when_unused(self) -> None:
        if self.retired and not self.users:
            for cursor in self.idle:
                cursor.close()
            self.stack.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self.connection.cursor()
        prepare(cursor)
        return cursor


_AHEAD: ContextVar["PublishedReader | None"] = ContextVar("ahead", default=None)
"""The reader that uses the newest publication in a context, whatever it holds for others."""


class PublishedReader:
    """A reader that lives long: every use sees the newest publication, or one that is held until the next is ready.

    It may be used from several threads at once; each use has a connection of its own. One that is in use keeps its file
    alive even when a newer one is published meanwhile and the old folder is removed.

    Parameters
    ----------
    published_dir : Path
        The folder of published versions.
    threads : int or None
        How many one query may use, of all readers of the same file in this process; None for DuckDB's own choice.
        With one, uses run beside each other instead of each taking all.
    """

    def __init__(self, published_dir: Path, threads: int | None = None) -> None:
        self.published_dir = published_dir
        self._threads = threads
        self._guard = threading.Lock()
        self._opened: _Opened | None = None
        self._next: _Opened | None = None
        self._is_held = False

    @property
    def publication(self) -> Publication:
        """The newest publication, or the one that is held.

        Raises
        ------
        NotPublishedError
            If nothing is published.
        """
        with self._guard:
            return self._used().publication

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the newest publication, for one piece of work; raises what :meth:`reading` does."""
        with self.reading() as reading:
            yield reading.connection

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The newest publication, or the one that is held, for one piece of work.

        Raises
        ------
        NotPublishedError
            If nothing is published.
        PublishedDamagedError
            If what is published is damaged; also from within the block, when a query finds it.
        WarehouseBusyError
            If a program has the published file open for writing.
        """
        with self._guard:
            opened = self._used()
            cursor = opened.begin()
        try:
            with damage_named(opened.publication):
                yield Reading(opened.publication, cursor, opened.memory)
        finally:
            with self._guard:
                opened.end(cursor)

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """The result of a SELECT on the newest publication; values are bound to its ``?`` placeholders."""
        with self.connection() as connection:
            return connection.execute(sql, list(parameters)).df()

    def hold(self) -> None:
        """Stay with the publication that is used now, until :meth:`move_on`."""
        with self._guard:
            self._is_held = True

    @property
    def is_behind(self) -> bool:
        """Whether there is a newer publication than the one that is used."""
        with self._guard:
            return self._opened is not None and not self._is_newest(self._opened)

    @contextmanager
    def ahead(self) -> Iterator[Publication]:
        """Use the newest publication in this context, and what it calls, whatever is held for others.

        Raises what :meth:`reading` does.
        """
        with self._guard:
            if self._next is None or not self._is_newest(self._next):
                _retire(self._next)
                self._next = None
                self._next = self._open()
            publication = self._next.publication
        before = _AHEAD.set(self)
        try:
            yield publication
        finally:
            _AHEAD.reset(before)

    def move_on(self) -> None:
        """Hold nothing any more: every use sees the newest publication again, opened by :meth:`ahead` or not."""
        with self._guard:
            self._is_held = False
            if self._next is not None:
                _retire(self._opened)
                self._opened, self._next = self._next, None

    def close(self) -> None:
        """Let the file go; the next use opens the newest again."""
        with self._guard:
            _retire(self._opened)
            _retire(self._next)
            self._opened = self._next = None
            self._is_held = False

    def __enter__(self) -> "PublishedReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _used(self) -> _Opened:
        if self._next is not None and _AHEAD.get() is self:
            return self._next
        if self._opened is None or not (self._is_held or self._is_newest(self._opened)):
            _retire(self._opened)
            self._opened = None
            self._opened = self._open()
        return self._opened

    def _is_newest(self, opened: _Opened) -> bool:
        return link(self.published_dir) == opened.publication.path.parent.name

    def _open(self) -> _Opened:
        stack = ExitStack()
        opened = _Opened(*enter_newest(stack, self.published_dir), stack)
        if self._threads is not None:
            opened.connection.execute(compose("SET threads = {threads}", threads=Sql(str(int(self._threads)))))
        # Its queries are Podium's own and need no other file; should one ever be a stranger's, it gets none either.
        opened.connection.execute("SET enable_external_access = false")
        return opened


def _retire(opened: _Opened | None) -> None:
    """Close it when its last use is over."""
    if opened is not None:
        opened.retired = True
        opened.close_when_unused()
