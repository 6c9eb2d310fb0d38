"""Publishing: a whole copy of the working file for readers, switched into place at once.

``published/<seq>/podium.duckdb`` is read-only and never changed once it is there, and the symlink
``published/current`` names the newest. A process killed at any point leaves the old publication current and only
leftovers, which the next one removes.
"""

import os
import shutil
import stat
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from pipeline.clock import utc_now
from pipeline.warehouse.connection import connect
from pipeline.warehouse.contents import prepare, publishable
from pipeline.warehouse.engine import Engine
from pipeline.warehouse.identifiers import compose, literal
from pipeline.warehouse.ledger import max_seq
from pipeline.warehouse.migrations import file_identity, is_current, migrate
from pipeline.warehouse.published import (
    CURRENT,
    Publication,
    current_publication,
    is_intact,
    write_note,
)

_LEFTOVER = ".tmp-"
_DRAFT = "draft"


def publish(
    engine: Engine, name: str, published_dir: Path, boards: Collection[str] | None, *, keep: int, force: bool = False
) -> Publication:
    """Copy all tables to a new publication, a file of that name, and make it current; see ``WarehouseFiles.publish``.

    The caller holds the lock, and no connection to the warehouse is open in this process.
    """
    published_dir.mkdir(parents=True, exist_ok=True)
    published_dir = published_dir.resolve()
    present = current_publication(published_dir)
    _tidy(published_dir, present, keep)
    with engine.open(read_only=False) as connection:
        if not is_current(connection):
            with engine.turn():
                migrate(connection)
        planned = _plan(connection, published_dir / f"{_LEFTOVER}{os.getpid()}" / name, boards)
        lost = _lost(present, planned, boards)
        if present is not None and not force and (lost or _holds(present, planned)):
            left_out = (*planned.left_out, *map(_told_lost, lost))
            return replace(present, changed=False, left_out=left_out, waits_for=tuple(lost))
        engine.tidy(connection)
    planned = _make_copy(engine, planned)
    final = published_dir / _free_name(published_dir, planned.seq)
    _switch(planned.path.parent, final)
    fresh = replace(planned, path=final / name)
    _tidy(published_dir, fresh, keep)
    return fresh


def is_published(connection: duckdb.DuckDBPyConnection, published_dir: Path, boards: Collection[str] | None) -> bool:
    """Whether publishing the open working file now would change nothing."""
    present = current_publication(published_dir)
    return present is not None and _holds(present, _plan(connection, present.path, boards))


def _plan(connection: duckdb.DuckDBPyConnection, path: Path, boards: Collection[str] | None) -> Publication:
    """What a publication of the open working file would be."""
    published, left_out = publishable(connection, boards)
    return Publication(path, max_seq(connection), utc_now(), published, file_identity(connection), left_out=left_out)


def _lost(present: Publication | None, planned: Publication, boards: Collection[str] | None) -> list[str]:
    """The declared boards that would vanish: the warehouse was lost, not the boards, so nothing is published."""
    wanted = () if present is None or boards is None else sorted(set(present.boards) & set(boards))
    return [
        board
        for board in wanted
        if board not in planned.boards and not any(repr(board) in why for why in planned.left_out)
    ]


def _told_lost(board: str) -> str:
    return (
        f"board {board!r} is published and declared, but the warehouse does not have it (was it lost?): nothing is "
        f"published until `podium run` has computed it again"
    )


def _holds(present: Publication, planned: Publication) -> bool:
    """Whether the present publication is undamaged and holds what is planned."""
    return present.same_content(planned) and is_intact(present)


def _make_copy(engine: Engine, planned: Publication) -> Publication:
    """The copy, complete with its views and its note, on the disk for good, under a name that no reader looks at."""
    folder = planned.path.parent
    folder.mkdir()
    try:
        draft = folder / _DRAFT / planned.path.name  # of the same name, which views know
        draft.parent.mkdir()
        engine.copy(draft)
        with connect(draft, read_only=False, config=engine.config) as connection:
            withheld = prepare(connection, planned.boards, planned.published_at)
        planned = replace(planned, withheld_until=withheld.until)
        if withheld.is_any:
            _rewrite(draft, planned.path, engine.config)
        else:
            draft.replace(planned.path)
        draft.parent.rmdir()
        # A client that opened it for writing would lock out every reader.
        planned.path.chmod(stat.S_IMODE(planned.path.stat().st_mode) & ~0o222)
        note = write_note(planned)
        for path in (planned.path, note, folder):
            sync(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return planned


def _rewrite(draft: Path, target: Path, config: Mapping[str, Any] | None) -> None:
    """Write what a draft holds to a new file: rows that were deleted would still be among the bytes of the old one."""
    with connect(target, read_only=False, config=config) as connection:
        connection.execute(compose("ATTACH {path} AS draft (READ_ONLY)", path=literal(str(draft))))
        connection.execute(compose("COPY FROM DATABASE draft TO {target}", target=target.stem))
        connection.execute("DETACH draft")
        connection.execute("CHECKPOINT")
    draft.unlink()


def _switch(folder: Path, final: Path) -> None:
    """Give the finished folder its name and point ``current`` to it; readers see the old one or the new one."""
    published_dir = final.parent
    folder.rename(final)
    sync(published_dir)
    link = published_dir / f"{_LEFTOVER}link-{os.getpid()}"
    link.symlink_to(final.name)
    current = published_dir / CURRENT
    if current.is_dir() and not current.is_symlink():  # what copying with links followed leaves; no link can replace it
        current.rename(published_dir / f"{_LEFTOVER}removed-{CURRENT}")
    link.replace(current)
    sync(published_dir)


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


def sync(path: Path) -> None:
    """Have a file or a folder on the disk for good."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
