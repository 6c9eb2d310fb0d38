"""The warehouse as one object: the lock, the working file and the published files, opened and closed together.

Free of Dagster, so that the command line and tests use it as it is; :mod:`pipeline.warehouse.resource` gives it to
Dagster.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from pipeline.settings import settings
from pipeline.warehouse.connection import connect, damage_named
from pipeline.warehouse.engine import EmbeddedFile, clone, engine_of
from pipeline.warehouse.migrations import check_version, file_version, is_current, migrate
from pipeline.warehouse.publish import is_published, publish, sync
from pipeline.warehouse.published import Publication
from pipeline.warehouse.store import Store


class NotAFileError(RuntimeError):
    """Something that is done to a file, asked of tables that are in none; the message says what to do instead."""


class WarehouseFiles:
    """The files of a warehouse and the right order of opening them.

    Parameters
    ----------
    path : Path, optional
        The working file; the settings' by default.
    published_dir : Path, optional
        The folder of published versions. By default the settings' for the settings' working file, else ``published``
        beside the working file.
    lock_timeout : float, optional
        Seconds to wait for others, the settings' by default.
    keep_published : int, optional
        Published versions to keep, the settings' by default.
    config : mapping, optional
        DuckDB settings for every connection, on top of the settings' memory limit and threads.
    """

    def __init__(
        self,
        path: Path | None = None,
        published_dir: Path | None = None,
        *,
        lock_timeout: float | None = None,
        keep_published: int | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = (path or settings().warehouse_path).resolve()
        self.published_dir = (published_dir or _published_dir(self.path)).resolve()
        self.timeout = settings().lock_timeout if lock_timeout is None else lock_timeout
        self.keep_published = settings().keep_published if keep_published is None else keep_published
        self.engine = engine_of(self.path, self.timeout, dict(config or {}))
        self.lock = self.engine.lock
        self._open = threading.local()

    @contextmanager
    def write(self, purpose: str, part: str | None = None) -> Iterator[Store]:
        """The working file, open for writing; tables are created or upgraded as needed.

        The lock is taken for the block (and stays if it was held before, as during a run); the connection is closed at
        its end in every case, so that a subprocess can open the file afterwards.

        Parameters
        ----------
        purpose : str
            What this does, for the error message of whoever waits.
        part : str, optional
            What is written, such as ``board/table``: where several machines write at once, others may write other
            parts meanwhile. Everything by default, and always in an embedded file.

        Raises
        ------
        WarehouseBusyError
            If another process or thread writes longer than the timeout.
        WarehouseDamagedError
            If DuckDB cannot read the file, or finds it damaged during the block.
        WarehouseVersionError
            If a newer Podium wrote the file.
        RuntimeError
            If called inside ``write`` or ``read`` of the same thread.
        """
        with (
            self._alone("write", purpose),
            self.engine.writing(purpose, part),
            self.engine.damage_named(),
            self.engine.open(read_only=False) as connection,
        ):
            if not is_current(connection):
                with self.engine.turn():
                    migrate(connection)
            yield Store(connection, turn=self.engine.turn)

    @contextmanager
    def read(self) -> Iterator[Store]:
        """The working file, open for reading only, without the lock; waits while another process has it open.

        Raises
        ------
        FileNotFoundError
            If nothing was ever written.
        WarehouseBusyError
            If another process has the file open for writing longer than the timeout.
        WarehouseDamagedError
            If DuckDB cannot read the file, or finds it damaged during the block.
        WarehouseVersionError
            If the file is of another version.
        RuntimeError
            If called inside ``write`` or ``read`` of the same thread.
        """
        with (
            self._alone("read", "reading"),
            self.engine.damage_named(),
            self.engine.open(read_only=True) as connection,
        ):
            check_version(connection)
            yield Store(connection)

    def is_published(self, store: Store, boards: Collection[str] | None = None) -> bool:
        """Whether :meth:`publish` would change nothing: the present publication is whole, and of this very state.

        Parameters
        ----------
        store : Store
            The open working file.
        boards : collection of str, optional
            As for :meth:`publish`.
        """
        return is_published(store.connection, self.published_dir, boards)

    def publish(self, boards: Collection[str] | None = None, *, force: bool = False) -> Publication:
        """Publish the working file for readers, unless nothing changed since the last publication.

        Parameters
        ----------
        boards : collection of str, optional
            The declared boards: the copy holds no rows of others, though the working file keeps them. One that has no
            row in ``catalog.boards`` yet is absent; every board there by default.
        force : bool
            Publish also when nothing changed, as after rebuilding marts from the same rows.

        Returns
        -------
        Publication
            The new one, or the present one with ``changed=False``. A board whose name cannot be a schema is left out,
            and ``left_out`` says so.

        Raises
        ------
        WarehouseBusyError
            If another process or thread writes longer than the timeout.
        WarehouseDamagedError
            If DuckDB finds the working file damaged.
        RuntimeError
            If called inside ``write`` or ``read`` of the same thread: copying a file that is open in this process would
            drop DuckDB's lock on it.
        """
        with self._alone("publish", "publishing"), self.lock.hold("publish"), self.engine.damage_named():
            return publish(
                self.engine, self.path.name, self.published_dir, boards, keep=self.keep_published, force=force
            )

    def version(self) -> int:
        """The version of the tables in the working file, whatever it is.

        Raises
        ------
        FileNotFoundError, WarehouseBusyError, WarehouseDamagedError, RuntimeError
            As :meth:`read`.
        """
        self.require_file()
        with (
            self._alone("version", "reading"),
            damage_named(self.path),
            connect(self.path, read_only=True, timeout=self.timeout, config=self.engine.config) as connection,
        ):
            return file_version(connection)

    def copy_to(self, target: Path, purpose: str) -> None:
        """Copy the working file as it is, whatever version of Podium wrote it, with the log that may lie beside it.

        Parameters
        ----------
        target : Path
            The copy; its folder is made.
        purpose : str
            What this does, for the error message of whoever waits.

        Raises
        ------
        FileNotFoundError
            If nothing was ever written.
        WarehouseBusyError
            If another process or thread writes longer than the timeout.
        WarehouseDamagedError
            If DuckDB cannot read the file.
        RuntimeError
            If called inside ``write`` or ``read`` of the same thread.
        """
        self.require_file()
        with self._alone("copy_to", purpose), self.lock.hold(purpose), damage_named(self.path):
            with connect(self.path, read_only=True, timeout=self.timeout, config=self.engine.config):
                pass  # nobody else has it open, who would not have asked for the lock
            target.parent.mkdir(parents=True, exist_ok=True)
            for source, copy in ((self.path, target), (_log_of(self.path), _log_of(target))):
                if source.exists():
                    clone(source, copy)

    def replace_by(self, file: Path, aside: Path) -> None:
        """Put another file in the place of the working file, which is kept aside.

        Killed at any point, the working file is the old one or the new one.

        Parameters
        ----------
        file : Path
            A whole DuckDB file, closed, on the same file system; it is moved.
        aside : Path
            Where the old one is put, with the log that may lie beside it; its folder is made.

        Raises
        ------
        WarehouseBusyError
            If another process or thread writes longer than the timeout.
        RuntimeError
            If called inside ``write`` or ``read`` of the same thread.
        """
        self.require_file()
        with self._alone("replace_by", "replacing it"), self.lock.hold("replacing it"):
            with suppress(duckdb.Error), connect(self.path, read_only=False, timeout=self.timeout) as connection:
                connection.execute("CHECKPOINT")  # nothing is left in the log beside it, unless it is damaged
            aside.parent.mkdir(parents=True, exist_ok=True)
            for source, kept in ((self.path, aside), (_log_of(self.path), _log_of(aside))):
                if source.exists():
                    clone(source, kept)
                    sync(kept)
            _log_of(self.path).unlink(missing_ok=True)  # it would be taken for that of the new file
            file.replace(self.path)
            sync(self.path.parent)

    def require_file(self) -> None:
        """Refuse what is done to a file where the tables are in none.

        Raises
        ------
        NotAFileError
            If they are in DuckLake.
        """
        if not isinstance(self.engine, EmbeddedFile):
            raise NotAFileError(
                "the tables are in DuckLake (PODIUM_WAREHOUSE), not in a file; copy its catalog with pg_dump and the "
                "folder of its Parquet files (PODIUM_LAKE_PATH) together, while nothing runs"
            )

    @contextmanager
    def _alone(self, action: str, purpose: str) -> Iterator[None]:
        """Only this thread of the process has the file open, and only once."""
        with self.lock.gate(purpose):
            outer = getattr(self._open, "action", None)
            if outer is not None:
                raise RuntimeError(
                    f"{action}() was called inside {outer}() of {self.path}; use the store that is open, or end its "
                    f"block first"
                )
            self._open.action = action
            try:
                yield
            finally:
                self._open.action = None


def _log_of(path: Path) -> Path:
    """The file in which DuckDB keeps what is not in the file at ``path`` yet."""
    return path.with_name(path.name + ".wal")


def _published_dir(path: Path) -> Path:
    if path == settings().warehouse_path.resolve():
        return settings().published_dir
    return path.parent / "published"
