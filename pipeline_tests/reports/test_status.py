"""Whether a board is fresh, late, frozen or empty; and what the published file tells of its files."""

from datetime import datetime, timedelta

import duckdb
import pytest

from pipeline.reports.queries import Contents, freshness
from pipeline.reports.queries.status import contents

START = datetime(2024, 1, 1)
DAY = timedelta(days=1)


def days(*numbers: float) -> list[datetime]:
    return [START + number * DAY for number in numbers]


@pytest.mark.parametrize(
    ("cycles", "late_after", "late_from"),
    [
        pytest.param([0, 7, 14], None, 28, id="twice the spacing after the newest"),
        pytest.param([0, 1, 8, 15, 22], None, 36, id="the median spacing, not the shortest"),
        pytest.param([0, 7, 14, 21, 60], None, 74, id="the median spacing, not the longest"),
        pytest.param([0, 2, 6], None, 12, id="of an even number the mean of the middle two"),
        pytest.param([*range(0, 700, 100), *range(700, 720)], None, 721, id="the last twenty cycles only"),
        pytest.param([0, 7, 14], 3, 17, id="as declared"),
        pytest.param([0], 3, 3, id="as declared, of one cycle"),
        pytest.param([0], None, None, id="one cycle has no spacing"),
    ],
)
def test_a_board_is_late_after_its_time(cycles: list[float], late_after: float | None, late_from: float | None) -> None:
    allowed = None if late_after is None else late_after * DAY
    given = days(*cycles)
    if late_from is None:
        found = freshness(given, START + 9999 * DAY, late_after=allowed)
        assert (found.state, found.late_from) == ("fresh", None)
        return
    moment = START + late_from * DAY
    for now, state in ((moment, "fresh"), (moment + timedelta(seconds=1), "late")):
        found = freshness(given, now, late_after=allowed)
        assert (found.state, found.late_from) == (state, moment)


def test_a_frozen_board_is_never_late_and_one_without_cycles_is_empty() -> None:
    now = START + 9999 * DAY
    assert freshness(days(0, 7), now, frozen=True).state == "frozen"
    assert freshness(days(0, 7), now, frozen=True, late_after=DAY).late_from is None
    for frozen in (False, True):
        assert freshness([], now, frozen=frozen, late_after=DAY).state == "empty"


def test_a_file_without_tables_holds_nothing() -> None:
    with duckdb.connect() as connection:
        assert contents(connection, "toy") == Contents()


def test_contents_are_counted_by_file_and_by_row() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA competition")
        connection.execute(
            "CREATE TABLE competition.predictions AS SELECT 'toy' AS competition, cycle FROM "
            "range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-02-01', INTERVAL 1 DAY) AS t(cycle), range(2)"
        )
        connection.execute(
            "CREATE TABLE competition.files AS SELECT * FROM (VALUES"
            " ('toy', 1, 'predictions', 'a.csv', 'h1', TIMESTAMP '2024-01-01', 'partly', 5, 3, 1),"
            " ('toy', 2, 'truth', 'a.csv', 'h1', TIMESTAMP '2024-01-01', 'accepted', 8, 0, 0),"
            " ('toy', 3, 'predictions', 'link.csv', '', TIMESTAMP '2024-01-02', 'unreadable: a link', 0, 0, 0),"
            " ('other', 4, 'predictions', 'b.csv', 'h2', TIMESTAMP '2024-01-03', 'rejected', 0, 9, 0)"
            ") AS t(competition, file_number, kind, name, sha256, received_at, status, n_accepted, n_rejected, n_late)"
        )
        found = contents(connection, "toy")
        connection.execute("CREATE SCHEMA catalog")
        connection.execute("CREATE TABLE catalog.boards AS SELECT 'toy' AS board, '{}' AS contract")
        assert contents(connection, "toy").is_published
        assert not contents(connection, "other").is_published
    assert (len(found.cycles), found.cycles[0], found.newest_cycle) == (
        20,
        datetime(2024, 1, 12),
        datetime(2024, 1, 31),
    )
    assert (found.newest_board, found.is_published) == (None, False)
    files = found.files
    assert (files.landed, files.unreadable, files.newest_received_at) == (2, 1, datetime(2024, 1, 2))
    assert (files.rows_accepted, files.rows_rejected, files.rows_late) == (13, 3, 1)
