"""A toy contest whose models have a second version, and texts that mean harm."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.served import METRICS, declared, files_in, served
from pipeline_tests.toy_contest import week
from pipeline_tests.toy_graph import bring_up_to_date

HOSTILE = "<script>alert('x')</script> & \"quoted\""
CHANGED = 30
"""The cycle from which on the model ``good`` is of its version 2."""


@pytest.fixture(scope="package")
def client(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("pages")
    files = files_in(folder)
    with toy_environment(folder, dbt_dir), files.write("a test") as store:
        bring_up_to_date(store, declared(metrics=[*METRICS, "mean_return", "max_drawdown"]))
        store.connection.execute(
            "UPDATE competition.models SET title = ?, description = ? WHERE model_id = 'noise'", [HOSTILE] * 2
        )
        store.connection.execute(
            "INSERT INTO competition.model_versions VALUES ('toy', 'good', ?, '2')", [week(CHANGED)]
        )
    files.publish()
    with served(folder / "published") as asked:
        yield asked
