"""What is published of players: whose a model is, and what became of the files that were landed."""

from collections.abc import Collection
from typing import Any

import duckdb

_PLAYERS = """
    SELECT model_id, player FROM competition.models
    WHERE competition = ? AND model_id IN (SELECT unnest(?::VARCHAR[]))
"""

_NUMBERS = """
    SELECT file_number FROM competition.files
    WHERE competition = ? AND file_number IN (SELECT unnest(?::BIGINT[]))
"""

_FILES = """
    WITH counted AS (
        SELECT file_number, count(*) FILTER (superseded_by IS NULL AND NOT is_late) AS n_counting,
               count(*) FILTER (superseded_by IS NOT NULL) AS n_superseded
        FROM competition.submissions WHERE competition = $competition GROUP BY file_number
    )
    SELECT f.file_number, f.landed_at, f.status, f.n_rows, f.n_accepted, f.n_rejected, f.n_late,
           coalesce(c.n_counting, 0) AS n_counting, coalesce(c.n_superseded, 0) AS n_superseded
    FROM competition.files AS f LEFT JOIN counted AS c USING (file_number)
    WHERE f.competition = $competition AND f.file_number IN (SELECT unnest($numbers::BIGINT[]))
"""


def players(connection: duckdb.DuckDBPyConnection, competition: str, model_ids: Collection[str]) -> dict[str, str]:
    """The player of each of these models that is published; empty for one that has none."""
    return dict(connection.execute(_PLAYERS, [competition, list(model_ids)]).fetchall())


def landed_numbers(connection: duckdb.DuckDBPyConnection, competition: str, numbers: Collection[int]) -> frozenset[int]:
    """Those of some files, by their numbers, whose landing is published."""
    found = connection.execute(_NUMBERS, [competition, list(numbers)]).fetchall()
    return frozenset(number for (number,) in found)


def landed_files(
    connection: duckdb.DuckDBPyConnection, competition: str, numbers: Collection[int]
) -> dict[int, dict[str, Any]]:
    """What became of files, by their numbers: rows taken, refused and late, and how many submissions of them count.

    A submission is what a file predicts for one model and cycle. Those under embargo are in no published file, so they
    are not counted yet.
    """
    cursor = connection.execute(_FILES, {"competition": competition, "numbers": list(numbers)})
    names = [column[0] for column in cursor.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["file_number"]: row for row in rows}
