"""The warehouse as a Dagster resource; the only module here that knows Dagster.

``DuckDBResource`` extended by what it lacks: the lock, closing in every path, read-only access, the ledger, publishing.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field, PrivateAttr

from pipeline.settings import settings
from pipeline.warehouse.published import Publication
from pipeline.warehouse.store import Store
from pipeline.warehouse.warehouse import WarehouseFiles


class Warehouse(DuckDBResource):
    """The warehouse of a run.

    Where there is one writer, a run takes the lock at its first write and keeps it until it ends, whether it succeeds
    or fails, so that no other run comes in between. Connections are closed after each ``write`` block: a dbt subprocess
    can open the file while the run holds the lock. Outside a run, and where several machines write, the lock is
    released with the block.
    """

    database: str = Field(
        default_factory=lambda: str(settings().warehouse_path), description="Path of the working DuckDB file."
    )
    published_dir: str | None = Field(
        default=None,
        description="Folder of published versions; by default the settings' one, or `published` beside another file.",
    )
    lock_timeout: float | None = Field(
        default=None, description="Seconds to wait for another writer; PODIUM_LOCK_TIMEOUT by default."
    )

    _in_run: bool = PrivateAttr(default=False)
    _holds: bool = PrivateAttr(default=False)
    _files: WarehouseFiles | None = PrivateAttr(default=None)

    @property
    def files(self) -> WarehouseFiles:
        """The same warehouse without Dagster."""
        if self._files is None:
            self._files = WarehouseFiles(
                Path(self.database),
                Path(self.published_dir) if self.published_dir else None,
                lock_timeout=self.lock_timeout,
                config=self.connection_config,
            )
        return self._files

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002  (Dagster's signature)
        """Begin a run: from the first write on, the lock is kept."""
        self._in_run = True

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002  (Dagster's signature)
        """End the run: give the lock back."""
        self._in_run = False
        if self._holds:
            self._holds = False
            self.files.lock.release()

    @contextmanager
    def write(self, purpose: str, part: str | None = None) -> Iterator[Store]:
        """The working file, open for writing; see :meth:`WarehouseFiles.write`.

        Parameters
        ----------
        purpose : str
            What this does, for the error message of whoever waits: usually the run id and the asset.
        part : str, optional
            What is written, where several machines may write other parts meanwhile.

        Raises
        ------
        WarehouseBusyError
            If another process writes longer than the timeout.
        """
        self.hold(purpose)
        with self.files.write(purpose, part) as store:
            yield store

    @contextmanager
    def read(self) -> Iterator[Store]:
        """The working file, open for reading only; see :meth:`WarehouseFiles.read`."""
        with self.files.read() as store:
            yield store

    def publish(self, boards: Collection[str] | None = None, *, force: bool = False) -> Publication:
        """Publish for readers, unless nothing changed; see :meth:`WarehouseFiles.publish`."""
        self.hold("publish")
        return self.files.publish(boards, force=force)

    def hold(self, purpose: str) -> None:
        """Take the lock for the rest of the run, before something else (dbt) writes the file.

        No effect outside a run, nor where several machines write.

        Raises
        ------
        WarehouseBusyError
            If another process writes longer than the timeout.
        """
        if self._in_run and not self._holds and self.files.engine.has_one_writer:
            self.files.lock.acquire(purpose)
            self._holds = True

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection of a ``write`` block, for code written for ``DuckDBResource``."""
        with self.write("get_connection") as store:
            yield store.connection
