"""What tests of the API of experiments share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline_tests.reports.experiments.asked import Bench
from pipeline_tests.toy_experiment import toy_experiment


@pytest.fixture(scope="session")
def published_bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a published experiment; do not write there."""
    folder = tmp_path_factory.mktemp("experiments")
    toy_experiment().publish(folder)
    return folder


@pytest.fixture
def bench(tmp_path: Path, published_bench: Path) -> Bench:
    """A published experiment."""
    shutil.copytree(published_bench, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Bench(tmp_path)


@pytest.fixture
def zoe(bench: Bench) -> Iterator[TestClient]:
    """Its server, asked by Zoe."""
    with bench.served() as client:
        client.headers.update(bench.key("Zoe"))
        yield client
