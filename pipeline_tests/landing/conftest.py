"""A warehouse without a file, and an inbox."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.warehouse import Store
from pipeline.warehouse.migrations import migrate


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(duckdb.connect(":memory:", config={"threads": 1})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        migrate(connection)
        yield Store(connection)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"
