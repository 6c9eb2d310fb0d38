"""Publishing: a whole copy of the working file for readers, switched into place at once.

``published/<seq>/podium.duckdb`` is never changed once it is there, and the symlink ``published/current`` names the
newest. A process killed at any point leaves the old publication current and only leftovers, which the next one removes.
"""

import fcntl
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from pipeline.tables import ALL_TABLES, BOARDS
from pipeline.warehouse.connection import connect
from pipeline.warehouse.frames import now
from pipeline.warehouse.identifiers import compose, literal, quote
from pipeline.warehouse.ledger import max_seq
from pipeline.warehouse.migrations import file_identity, migrate
from pipeline.warehouse.published import (
    CURRENT,
    Publication,
    PublishedReader,
    current_publication,
    open_published,
    write_note,
)

__all__ = ["Publication", "PublishError", "PublishedReader", "current_publication", "open_published", "publish"]

_LEFTOVER = ".tmp-"
_FICLONE = 0x40049409


class PublishError(RuntimeError):
    """A board that cannot be published; the message says which, and what to do."""


def publish(
    working: Path,
    published_dir: Path,
    boards: Sequence[str] | None,
    *,
    keep: int,
    force: bool = False,
    timeout: float = 0.0,
    config: Mapping[str, Any] | None = None,
) -> Publication:
    """Copy ``working`` to a new publication and make it current; see ``WarehouseFiles.publish``.

    The caller holds the lock, and no connection to ``working`` is open in this process.
    """
    published_dir.mkdir(parents=True, exist_ok=True)
    published_dir = published_dir.resolve()
    present = current_publication(published_dir)
    _tidy(published_dir, present, keep)
    with connect(working, read_only=False, timeout=timeout, config=config) as connection:
        migrate(connection)
        kinds = _kinds(connection, boards)
        name = f"{_LEFTOVER}{max_seq(connection)}-{os.getpid()}"
        planned = Publication(
            path=published_dir / name / working.name,
            seq=max_seq(connection),
            published_at=now(),
            boards=tuple(kinds),
            origin=file_identity(connection),
        )
        if present is not None and not force and present.same_content(planned):
            return replace(present, changed=False)
        connection.execute("CHECKPOINT")
    _make_copy(working, planned, kinds, config)
    final = published_dir / _free_name(published_dir, planned.seq)
    _switch(planned.path.parent, final)
    fresh = replace(planned, path=final / working.name)
    _tidy(published_dir, fresh, keep)
    return fresh


def clone(source: Path, target: Path) -> None:
    """Copy a file; sharing its blocks where the file system can, so that it takes no time and no space."""
    with source.open("rb") as reader, target.open("wb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            shutil.copyfileobj(reader, writer, 16 * 1024 * 1024)


def _make_copy(working: Path, planned: Publication, kinds: Mapping[str, str], config: Mapping[str, Any] | None) -> None:
    """The copy, complete with its views and its note, on the disk for good, under a name that no reader looks at."""
    folder = planned.path.parent
    folder.mkdir()
    try:
        clone(working, planned.path)
        with connect(planned.path, read_only=False, config=config) as connection:
            for board, kind in kinds.items():
                _create_views(connection, board, kind)
            connection.execute("CHECKPOINT")
        note = write_note(planned)
        for path in (planned.path, note, folder):
            _fsync(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _kinds(connection: duckdb.DuckDBPyConnection, boards: Sequence[str] | None) -> dict[str, str]:
    """The kind of every board to publish, by name, in order.

    Raises
    ------
    PublishError
        If a board is not in the catalog, or its name cannot be a schema of its own.
    """
    statement = compose("SELECT board, kind FROM {boards} ORDER BY board", boards=BOARDS)
    known = dict(connection.execute(statement).fetchall())
    wanted = sorted(set(known if boards is None else boards))
    unknown = [board for board in wanted if board not in known]
    if unknown:
        raise PublishError(
            f"boards {unknown} are not in {BOARDS.qualified_name}; known: {sorted(known)}. "
            f"Write their catalog rows before publishing"
        )
    taken = {row[0].lower() for row in connection.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    for board in wanted:
        if board.lower() in taken:
            raise PublishError(
                f"board {board!r} cannot have its own schema of views: the name is taken by a schema of the warehouse "
                f"or by another board, whatever the case of letters; rename the board"
            )
        taken.add(board.lower())
    return {board: known[board] for board in wanted}


def _create_views(connection: duckdb.DuckDBPyConnection, board: str, kind: str) -> None:
    """A schema named as the board, with its rows of every table of its kind."""
    connection.execute(compose("CREATE SCHEMA {board}", board=board))
    for spec in ALL_TABLES:
        if spec.schema != kind:
            continue
        view = compose("{board}.{table}", board=quote(board), table=quote(spec.name))
        connection.execute(
            compose(
                "CREATE VIEW {view} AS SELECT * EXCLUDE ({column}) FROM {table} WHERE {column} = {value}",
                view=view,
                column=spec.board,
                table=spec,
                value=literal(board),
            )
        )
        comment = compose("COMMENT ON VIEW {view} IS {comment}", view=view, comment=literal(spec.comment))
        connection.execute(comment)


def _switch(folder: Path, final: Path) -> None:
    """Give the finished folder its name and point ``current`` to it; readers see the old one or the new one."""
    published_dir = final.parent
    folder.rename(final)
    _fsync(published_dir)
    link = published_dir / f"{_LEFTOVER}link-{os.getpid()}"
    link.symlink_to(final.name)
    link.replace(published_dir / CURRENT)
    _fsync(published_dir)


def _free_name(published_dir: Path, seq: int) -> str:
    """``seq``, or ``seq.1``, ``seq.2``... when the same state is published again: no path is ever reused."""
    names = {path.name for path in published_dir.iterdir()}
    return next(name for name in (str(seq), *(f"{seq}.{n}" for n in range(1, len(names) + 2))) if name not in names)


def _tidy(published_dir: Path, present: Publication | None, keep: int) -> None:
    """Remove leftovers of killed publishes and all but the newest ``keep`` versions up to the current one."""
    _remove_leftovers(published_dir)
    current = present.path.parent.name if present else None
    versions = sorted((order, path) for path in published_dir.iterdir() if (order := _order(path.name)) is not None)
    limit = _order(current) if current else None
    older = [path for order, path in versions if path.name != current and (limit is None or order < limit)]
    kept = older[max(0, len(older) - (keep - 1)) :]
    for _, path in versions:
        if path.name != current and path not in kept:
            path.rename(published_dir / f"{_LEFTOVER}removed-{path.name}")
    _remove_leftovers(published_dir)


def _remove_leftovers(published_dir: Path) -> None:
    for path in published_dir.glob(f"{_LEFTOVER}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _order(name: str) -> tuple[int, int] | None:
    """How to sort the folder of a version, ``<seq>`` or ``<seq>.<n>``; None for anything else."""
    seq, _, again = name.partition(".")
    if not seq.isdecimal() or not (again or "0").isdecimal():
        return None
    return int(seq), int(again or 0)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
