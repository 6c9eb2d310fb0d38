"""The published files as readers see them: find the newest, open it, and move on when a newer one appears.

Readers never touch the working file or its lock. :mod:`pipeline.warehouse.publish` is the other side.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.warehouse.connection import connect, is_damage, prepare
from pipeline.warehouse.identifiers import Sql, compose
from pipeline.warehouse.memory import Memory

CURRENT = "current"
_NOTE = "publication.json"
_ATTEMPTS = 5


class NotPublishedError(FileNotFoundError):
    """Nothing is published yet; the message says where it would be, and what to run."""


class PublishedDamagedError(NotPublishedError):
    """What is published cannot be read; the message says what it is, and what to run."""


@dataclass(frozen=True)
class Publication:
    """One published version.

    Parameters
    ----------
    path : Path
        The DuckDB file, its resolved path. DuckDB keeps one instance for each path, so this one, not ``current``, is
        what to open.
    seq : int
        The newest change in the working file it is a copy of.
    published_at : datetime
        When (UTC, without a zone).
    boards : tuple of str
        Boards that are in it, each with a schema of views.
    origin : str
        Which working file it is a copy of.
    changed : bool
        False when it was returned because there was nothing new to publish.
    withheld_until : datetime or None
        When the next of the rows that are under embargo may be published; None when no row is.
    left_out : tuple of str
        Why boards that were to be published are not in it, a sentence for each; known to who published only.
    """

    path: Path
    seq: int
    published_at: datetime
    boards: tuple[str, ...] = ()
    origin: str = ""
    changed: bool = True
    withheld_until: datetime | None = None
    left_out: tuple[str, ...] = ()

    def same_content(self, later: "Publication") -> bool:
        """Whether a later publication would hold the same state of the same warehouse."""
        is_over = self.withheld_until is not None and later.published_at >= self.withheld_until
        return not is_over and (self.seq, self.boards, self.origin) == (later.seq, later.boards, later.origin)


def write_note(publication: Publication) -> Path:
    """Describe a publication in a small file beside its database; its path is returned."""
    note = {
        "file": publication.path.name,
        "bytes": publication.path.stat().st_size,
        "sha256": _sha256(publication.path),
        "seq": publication.seq,
        "published_at": publication.published_at.isoformat(),
        "boards": list(publication.boards),
        "origin": publication.origin,
        "withheld_until": publication.withheld_until and publication.withheld_until.isoformat(),
    }
    path = publication.path.with_name(_NOTE)
    path.write_text(json.dumps(note, indent=1), encoding="utf-8")
    return path


def current_publication(published_dir: Path) -> Publication | None:
    """The newest publication, its path resolved; None when there is none, or it is damaged."""
    for _ in range(_ATTEMPTS):
        try:
            folder = (published_dir / (published_dir / CURRENT).readlink()).resolve()
        except OSError:  # no link, or a folder or file in its place
            return None
        try:
            return _read_note(folder)
        except FileNotFoundError:
            continue  # the link moved on and the folder was removed in between
    return None


def _read_note(folder: Path) -> Publication | None:
    """The publication in a folder; None when its note or its file is damaged, or of an older Podium.

    Raises
    ------
    FileNotFoundError
        If note or file are not there.
    """
    try:
        note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        publication = Publication(
            path=folder / note["file"],
            seq=note["seq"],
            published_at=datetime.fromisoformat(note["published_at"]),
            boards=tuple(note["boards"]),
            origin=note["origin"],
            withheld_until=note["withheld_until"] and datetime.fromisoformat(note["withheld_until"]),
        )
        is_whole = publication.path.stat().st_size == note["bytes"]
    except (NotADirectoryError, IsADirectoryError, ValueError, KeyError, TypeError):
        return None
    return publication if is_whole else None


def is_intact(publication: Publication) -> bool:
    """Whether the file is to the last bit what was published: nobody wrote to it, and the disk kept it.

    It reads the whole file, so it is for the publisher; a reader's DuckDB checks the blocks that it reads.
    """
    wal = publication.path.with_name(publication.path.name + ".wal")
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(publication.path.with_name(_NOTE).read_text(encoding="utf-8"))
        return bool(note["sha256"] == _sha256(publication.path)) and not wal.exists()
    return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_published(published_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the newest publication, for one piece of work.

    Raises
    ------
    NotPublishedError
        If nothing is published.
    PublishedDamagedError
        If what is published is damaged; also from within the block, when a query finds it.
    WarehouseBusyError
        If a program has the published file open for writing.
    """
    with ExitStack() as stack:
        publication, connection = _enter_newest(stack, published_dir)
        with _damage_named(publication):
            yield connection


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
            with _damage_named(opened.publication):
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
        return _link(self.published_dir) == opened.publication.path.parent.name

    def _open(self) -> _Opened:
        stack = ExitStack()
        opened = _Opened(*_enter_newest(stack, self.published_dir), stack)
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


def _link(published_dir: Path) -> str | None:
    try:
        return str((published_dir / CURRENT).readlink())
    except OSError:
        return None


def _enter_newest(stack: ExitStack, published_dir: Path) -> tuple[Publication, duckdb.DuckDBPyConnection]:
    """Open the newest publication; again when it is replaced and removed between finding and opening it."""
    attempt = 0
    while True:
        attempt += 1
        publication = current_publication(published_dir)
        if publication is None:
            raise _nothing(published_dir)
        try:
            with _damage_named(publication):
                return publication, stack.enter_context(connect(publication.path, read_only=True, is_published=True))
        except (FileNotFoundError, duckdb.IOException):
            if attempt >= _ATTEMPTS:
                raise


def _nothing(published_dir: Path) -> NotPublishedError:
    """Why there is no current publication."""
    current = published_dir / CURRENT
    if current.is_symlink() or current.exists():
        return PublishedDamagedError(
            f"{current} does not lead to a whole publication of this version; run `podium run`: it publishes anew"
        )
    return NotPublishedError(f"nothing is published in {published_dir}; run `podium run` first")


@contextmanager
def _damage_named(publication: Publication) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if not is_damage(error, publication.path):
            raise
        raise PublishedDamagedError(
            f"the published file {publication.path} is damaged ({error}); run `podium run`: it publishes anew"
        ) from error
