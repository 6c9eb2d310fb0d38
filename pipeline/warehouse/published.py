"""The published files as readers see them: find the newest, open it, and move on when a newer one appears.

Readers never touch the working file or its lock. :mod:`pipeline.warehouse.publish` is the other side.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.warehouse.connection import connect

CURRENT = "current"
_NOTE = "publication.json"
_ATTEMPTS = 5


@dataclass(frozen=True)
class Publication:
    """One published version.

    Parameters
    ----------
    path : Path
        The DuckDB file, its resolved path. DuckDB keeps one instance for each path, so this one, not ``current``, is
        what to open.
    seq : int
        The newest change it holds.
    published_at : datetime
        When (UTC, without a zone).
    boards : tuple of str
        Boards that have a schema of views in it.
    origin : str
        Which working file it is a copy of.
    changed : bool
        False when it was returned because there was nothing new to publish.
    """

    path: Path
    seq: int
    published_at: datetime
    boards: tuple[str, ...] = ()
    origin: str = ""
    changed: bool = True

    def same_content(self, other: "Publication") -> bool:
        """Whether both hold the same state of the same warehouse."""
        return (self.seq, self.boards, self.origin) == (other.seq, other.boards, other.origin)


def write_note(publication: Publication) -> Path:
    """Describe a publication in a small file beside its database; its path is returned."""
    note = {
        "file": publication.path.name,
        "seq": publication.seq,
        "published_at": publication.published_at.isoformat(),
        "boards": list(publication.boards),
        "origin": publication.origin,
    }
    path = publication.path.with_name(_NOTE)
    path.write_text(json.dumps(note, indent=1), encoding="utf-8")
    return path


def current_publication(published_dir: Path) -> Publication | None:
    """The newest publication, its path resolved; None when there is none."""
    for _ in range(_ATTEMPTS):
        try:
            folder = (published_dir / (published_dir / CURRENT).readlink()).resolve()
        except FileNotFoundError:
            return None
        try:
            note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue  # the link moved on and the folder was removed in between
        return Publication(
            path=folder / note["file"],
            seq=note["seq"],
            published_at=datetime.fromisoformat(note["published_at"]),
            boards=tuple(note["boards"]),
            origin=note["origin"],
        )
    return None


@contextmanager
def open_published(published_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the newest publication, for one piece of work.

    Raises
    ------
    FileNotFoundError
        If nothing is published.
    """
    with ExitStack() as stack:
        _, connection = _enter_newest(stack, published_dir)
        yield connection


class PublishedReader:
    """A reader that lives long: every use sees the newest publication.

    Use it from several threads at once; each use has its own connection. A connection in use keeps its file alive even
    when a newer one is published meanwhile and the old folder is removed.

    Parameters
    ----------
    published_dir : Path
        The folder of published versions.
    """

    def __init__(self, published_dir: Path) -> None:
        self.published_dir = published_dir
        self._guard = threading.Lock()
        self._stack = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._publication: Publication | None = None
        self._link: str | None = None

    @property
    def publication(self) -> Publication:
        """The newest publication.

        Raises
        ------
        FileNotFoundError
            If nothing is published.
        """
        with self._guard:
            return self._move_on()[0]

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the newest publication, for one piece of work.

        Raises
        ------
        FileNotFoundError
            If nothing is published.
        """
        with self._guard:
            cursor = self._move_on()[1].cursor()
        try:
            cursor.execute("SET TimeZone = 'UTC'")
            yield cursor
        finally:
            cursor.close()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """The result of a SELECT on the newest publication; values are bound to its ``?`` placeholders."""
        with self.connection() as connection:
            return connection.execute(sql, list(parameters)).df()

    def close(self) -> None:
        """Let the file go; the next use opens the newest again."""
        with self._guard:
            self._let_go()

    def __enter__(self) -> "PublishedReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _let_go(self) -> None:
        self._stack.close()
        self._connection = self._publication = self._link = None

    def _move_on(self) -> tuple[Publication, duckdb.DuckDBPyConnection]:
        link = _link(self.published_dir)
        if self._connection is None or self._publication is None or link != self._link:
            self._let_go()
            self._publication, self._connection = _enter_newest(self._stack, self.published_dir)
            self._link = self._publication.path.parent.name
        return self._publication, self._connection


def _link(published_dir: Path) -> str | None:
    try:
        return str((published_dir / CURRENT).readlink())
    except FileNotFoundError:
        return None


def _enter_newest(stack: ExitStack, published_dir: Path) -> tuple[Publication, duckdb.DuckDBPyConnection]:
    """Open the newest publication; again when it is replaced and removed between finding and opening it."""
    attempt = 0
    while True:
        attempt += 1
        publication = current_publication(published_dir)
        if publication is None:
            raise FileNotFoundError(f"nothing is published in {published_dir}; run `podium run` first")
        try:
            return publication, stack.enter_context(connect(publication.path, read_only=True))
        except (FileNotFoundError, duckdb.IOException):
            if attempt >= _ATTEMPTS:
                raise
