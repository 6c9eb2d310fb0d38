"""What tests of reports share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from pipeline.warehouse import open_published
from pipeline_tests.reports.served import served
from pipeline_tests.reports.writing import Desk


@pytest.fixture(scope="session")
def published_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a contest that takes submissions, published; do not write there."""
    folder = tmp_path_factory.mktemp("desk")
    Desk(folder).publish()
    return folder


@pytest.fixture
def desk(tmp_path: Path, published_desk: Path) -> Desk:
    """A contest that takes submissions, published."""
    shutil.copytree(published_desk, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Desk(tmp_path)


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
