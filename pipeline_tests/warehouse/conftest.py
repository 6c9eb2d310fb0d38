"""A warehouse in a temporary folder, and one without a file for what does not concern files."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.warehouse import Store, WarehouseFiles
from pipeline.warehouse.migrations import migrate
from pipeline_tests.patience import PATIENCE


@pytest.fixture
def files(tmp_path: Path) -> WarehouseFiles:
    return WarehouseFiles(tmp_path / "warehouse" / "podium.duckdb", lock_timeout=PATIENCE)


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Store]:
    """One warehouse without a file for all examples of a property; each clears what it needs empty."""
    with contextlib.closing(duckdb.connect(":memory:", config={"threads": 1})) as connection:
        migrate(connection)
        yield Store(connection)


@pytest.fixture
def store() -> Iterator[Store]:
    with contextlib.closing(duckdb.connect(":memory:", config={"threads": 1})) as connection:
        migrate(connection)
        yield Store(connection)
