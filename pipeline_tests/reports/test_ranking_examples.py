"""What README and the list of endpoints suggest to ask a ranking holds for the bundled default, without a network."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
import yaml
from starlette.testclient import TestClient

from pipeline.rankings.bundled import bundled_sources
from pipeline.settings import PROJECT_ROOT
from pipeline.warehouse import open_published
from pipeline_tests.rankings.bundled.test_board import bundled
from pipeline_tests.rankings.stages.boards import Board
from pipeline_tests.reports.made_ranking import publish_board
from pipeline_tests.reports.served import served

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
(EXAMPLES,) = re.findall(r"<!-- rankings -->\n```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [shlex.split(line, comments=True) for line in EXAMPLES.splitlines()]
QUERIES = [words[2] for words in COMMANDS if words[:2] == ["podium", "sql"]]
ADDRESSES = [words[-1].partition(":8000")[2] for words in COMMANDS if words[0] == "curl"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = (PROJECT_ROOT / "pipeline" / "defs" / "coding_models" / "defs.yaml").read_text(encoding="utf-8")
    declared: dict[str, Any] = yaml.safe_load(text)["attributes"]
    return publish_board(tmp_path_factory.mktemp("bundled"), Board(list(map(bundled, bundled_sources())), declared))


@pytest.fixture(scope="module")
def client(published: Path) -> Iterator[TestClient]:
    with served(published) as asked:
        yield asked


@pytest.fixture
def tables(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(published) as connection:
        yield connection


def test_every_example_is_asked_here() -> None:
    assert len(QUERIES) >= 2
    assert len(ADDRESSES) >= 6
    assert len(QUERIES) + len(ADDRESSES) == len(COMMANDS)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_readme_has_rows(tables: duckdb.DuckDBPyConnection, query: str) -> None:
    assert tables.execute(query).fetchall()


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_the_readme_has_an_answer(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"].startswith("application/json"):
        found = answer.json()
        assert found.get("rows") or found.get("results")
    else:
        assert int(answer.headers["x-total-count"]) > 0


def test_models_that_the_list_of_endpoints_names_are_ranked(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    of_rows = described["components"]["schemas"]
    named = {
        one for name in ("RankingModelRow", "WeighedRow") for one in of_rows[name]["properties"]["model"]["examples"]
    }
    (model,) = (
        one for one in described["paths"]["/rankings/api/models/{model}"]["get"]["parameters"] if one["name"] == "model"
    )
    for one in {*named, *model["schema"].get("examples", []), *model.get("examples", [])}:
        board = client.get(f"/rankings/api/models/{quote(one)}").json()["board"]
        assert board["rank"] is not None
