"""What the metrics of a board mean."""

from dataclasses import dataclass

import duckdb

_DESCRIBED = "SELECT metric, direction, pool, unit, description FROM catalog.metrics WHERE board = ?"


@dataclass(frozen=True)
class Described:
    """A metric: which way is better (desc, asc, none), how cycles make a window, its unit, and what it is."""

    name: str
    direction: str
    pool: str
    unit: str
    description: str


def described(connection: duckdb.DuckDBPyConnection, board: str) -> dict[str, Described]:
    """The metrics of a board by name."""
    return {row[0]: Described(*row) for row in connection.execute(_DESCRIBED, [board]).fetchall()}
