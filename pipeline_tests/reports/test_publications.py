"""What is remembered of a publication changes no answer, and nothing of it outlives the publication."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.testclient import TestClient

from pipeline.reports.queries.boards import newest_moment
from pipeline.reports.queries.standings import standings
from pipeline.warehouse import Memory, PublishedReader, open_published
from pipeline_tests.conftest import toy_environment
from pipeline_tests.patience import PATIENCE
from pipeline_tests.reports.served import declared, publish, served
from pipeline_tests.toy_contest import ToyContest

QUESTIONS: list[dict[str, Any]] = [
    {},
    {"include_ensembles": True},
    {"limit": 2, "offset": 1},
    {"window": "recent"},
    {"search": "NOISE"},
    {"rank_by": "recent.hit_rate", "limit": 3},
    {"min_coverage": 1.0, "include_ensembles": True},
    {"category": "subject=S3"},
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("remembered")
    with toy_environment(folder, dbt_dir):
        publish(folder, declared())
        with open_published(folder / "published") as connection:
            yield connection


def test_boards_out_of_memory_are_those_read_anew(tables: duckdb.DuckDBPyConnection) -> None:
    memory = Memory()
    newest = newest_moment(tables, "toy")
    assert newest is not None
    earlier = [{"as_of": newest - timedelta(days=days)} for days in (0, 7, 8)]
    asked = [*QUESTIONS, *earlier]
    anew = [standings(tables, "toy", **one) for one in asked]
    for _ in range(2):
        assert [standings(tables, "toy", memory=memory, **one) for one in asked] == anew
    assert len({found.board.as_of for found in anew}) == 3
    assert len(set(map(repr, anew))) == len(asked) - 1  # the newest board is asked for by its moment, too


def test_a_reader_remembers_as_long_as_the_publication_is_the_newest(toy: ToyContest, tmp_path: Path) -> None:
    publish(tmp_path, declared())
    with PublishedReader(tmp_path / "published") as reader:
        with reader.reading() as first, reader.reading() as beside:
            assert first.memory is beside.memory
            assert first.connection is not beside.connection
            before = standings(first.connection, "toy", memory=first.memory)
            toy.add_cycle()
            publish(tmp_path, declared())
            with reader.reading() as later:
                assert later.memory is not first.memory
                after = standings(later.connection, "toy", memory=later.memory)
            assert standings(first.connection, "toy", memory=first.memory) == before
        assert after.board.as_of > before.board.as_of
        with reader.reading() as last:
            assert standings(last.connection, "toy", memory=last.memory) == after


def await_newest(client: TestClient, folder: Path) -> None:
    """Ask until the board is that of the newest publication: what is often asked for is made ready first."""
    with open_published(folder / "published") as connection:
        newest = newest_moment(connection, "toy")
    assert newest is not None
    end = time.monotonic() + PATIENCE
    while client.get("/reports/leaderboard").json()["as_of"] != f"{newest.isoformat()}Z":
        assert time.monotonic() < end


def test_no_request_fails_while_boards_are_published_and_none_goes_back(toy: ToyContest, tmp_path: Path) -> None:
    publish(tmp_path, declared())
    done, answered = threading.Event(), list[tuple[int, str]]()
    with served(tmp_path / "published") as client:

        def ask() -> None:
            number = 0
            while not done.is_set():
                number += 1
                answer = client.get("/reports/leaderboard", params={"offset": number % 5})
                answered.append((answer.status_code, answer.json().get("as_of", "")))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for _ in range(3):
                toy.add_cycle()
                publish(tmp_path, declared())
                await_newest(client, tmp_path)
        finally:
            done.set()
            asking.join()
        moments = [as_of for _, as_of in answered]
        assert {status for status, _ in answered} == {200}
        assert moments == sorted(moments)
        assert moments[-1] > moments[0]
