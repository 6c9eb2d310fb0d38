"""What is published of players: whose models are, and what became of files, by hand."""

from collections.abc import Iterator

import duckdb
import pytest

from pipeline.reports.queries.players import landed_files, landed_numbers, players
from pipeline.warehouse import connect_in_memory

CONTENT = """
    CREATE SCHEMA competition;
    CREATE TABLE competition.models AS FROM (VALUES ('league', 'a', 'Ann'), ('league', 'g', ''), ('cup', 'a', 'Bert'))
        AS t(competition, model_id, player);
    CREATE TABLE competition.files AS FROM (VALUES
        ('league', 1, TIMESTAMP '2024-01-02', 'accepted', 4, 4, 0, 1),
        ('league', 2, TIMESTAMP '2024-01-03', 'partly', 3, 2, 1, 0),
        ('cup', 1, TIMESTAMP '2024-01-04', 'rejected', 1, 0, 1, 0))
        AS t(competition, file_number, landed_at, status, n_rows, n_accepted, n_rejected, n_late);
    CREATE TABLE competition.submissions AS FROM (VALUES
        ('league', 1, 2, false), ('league', 1, NULL, false), ('league', 1, NULL, true), ('league', 2, NULL, false),
        ('cup', 1, NULL, false))
        AS t(competition, file_number, superseded_by, is_late);
"""


@pytest.fixture
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect_in_memory() as connection:
        connection.execute(CONTENT)
        yield connection


def test_players_are_those_of_the_contest(published: duckdb.DuckDBPyConnection) -> None:
    assert players(published, "league", ["a", "g", "A", "b"]) == {"a": "Ann", "g": ""}
    assert players(published, "league", []) == {}


def test_a_file_counts_where_no_later_one_does_and_it_was_in_time(published: duckdb.DuckDBPyConnection) -> None:
    found = landed_files(published, "league", [1, 2, 3])
    assert {number: (one["n_counting"], one["n_superseded"], one["n_late"]) for number, one in found.items()} == {
        1: (1, 1, 1),
        2: (1, 0, 0),
    }
    assert found[2]["status"] == "partly"
    assert landed_numbers(published, "league", [1, 3]) == {1}
    assert landed_files(published, "league", []) == {}
