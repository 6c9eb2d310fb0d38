"""What tests of reports share."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from pipeline.warehouse import open_published
from pipeline_tests.reports.served import served
from pipeline_tests.reports.writing import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A contest that takes submissions, published."""
    made = Desk(tmp_path)
    made.publish()
    return made


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    """Asks what is published in the `folder` that a module makes."""
    with served(folder / "published") as asked:
        yield asked


@pytest.fixture(scope="module")
def tables(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of that publication."""
    with open_published(folder / "published") as connection:
        yield connection
