"""The published files as readers see them: find the newest, open it, and move on when a newer one appears.

Readers never touch the working file or its lock. :mod:`pipeline.warehouse.publish` is the other side.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipeline.warehouse.connection import connect, is_damage

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
    waits_for : tuple of str
        Declared boards that it has and the warehouse lost: nothing is published in its place until they are computed
        again; known to who published only.
    """

    path: Path
    seq: int
    published_at: datetime
    boards: tuple[str, ...] = ()
    origin: str = ""
    changed: bool = True
    withheld_until: datetime | None = None
    left_out: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()

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
        publication, connection = enter_newest(stack, published_dir)
        with damage_named(publication):
            yield connection


def link(published_dir: Path) -> str | None:
    """The name of the folder of the newest publication; None where there is none."""
    try:
        return str((published_dir / CURRENT).readlink())
    except OSError:
        return None


def enter_newest(stack: ExitStack, published_dir: Path) -> tuple[Publication, duckdb.DuckDBPyConnection]:
    """Open the newest publication; again when it is replaced and removed between finding and opening it."""
    attempt = 0
    while True:
        attempt += 1
        publication = current_publication(published_dir)
        if publication is None:
            raise _nothing(published_dir)
        try:
            with damage_named(publication):
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
def damage_named(publication: Publication) -> Iterator[None]:
    """Raise a PublishedDamagedError for what DuckDB says of a damaged file within the block."""
    try:
        yield
    except duckdb.Error as error:
        if not is_damage(error, publication.path):
            raise
        raise PublishedDamagedError(
            f"the published file {publication.path} is damaged ({error}); run `podium run`: it publishes anew"
        ) from error
