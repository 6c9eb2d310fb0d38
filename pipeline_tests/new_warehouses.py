"""New warehouses begin as copies of an empty one, whose tables were made once: that takes longer than many a test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline.clock import utc_now
from pipeline.warehouse import WarehouseFiles
from pipeline.warehouse.engine import EmbeddedFile


@contextmanager
def copied_where_new(folder: Path) -> Iterator[None]:
    """Files that are opened for writing and are not there yet are copies of one that is made in ``folder``."""
    empty = folder / "podium.duckdb"
    with WarehouseFiles(empty).write("tests"):
        pass
    open_file = EmbeddedFile.open

    @contextmanager
    def opened(self: EmbeddedFile, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        is_new = not read_only and not self.path.exists()
        if is_new:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(empty, self.path)
        with open_file(self, read_only=read_only) as connection:
            if is_new:  # two that were made at different times are told apart by that
                connection.execute("UPDATE meta.schema_version SET migrated_at = ?", [utc_now()])
            yield connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddedFile, "open", opened)
        yield
