"""Which boards are published, of what kind each is, and how a competition was declared.

Commands that must start fast ask this: nothing here reads a board.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import duckdb

from pipeline.tables import EXPERIMENT_LEADERBOARD, LEADERBOARD, LLM_LEADERBOARD, TRACK_LEADERBOARD, TableSpec

_HAS = {
    TRACK_LEADERBOARD.schema: "runs",
    LLM_LEADERBOARD.schema: "published figures",
    EXPERIMENT_LEADERBOARD.schema: "runs of prompts",
}
"""What boards have that are no competitions, by kind."""


class UnknownBoardError(LookupError):
    """A board that is not published, or has no state at the time asked for; the message lists what there is."""


def board_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The published boards, sorted."""
    return [row[0] for row in connection.execute("SELECT board FROM catalog.boards ORDER BY board").fetchall()]


def kind_of(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str]:
    """The kind and the title of a published board.

    Raises
    ------
    UnknownBoardError
        If there is no such board.
    """
    found = connection.execute("SELECT kind, title FROM catalog.boards WHERE board = ?", [name]).fetchone()
    if found is None:
        known = ", ".join(board_names(connection)) or "none"
        raise UnknownBoardError(f"no board {name!r} is published; known: {known}")
    return cast(tuple[str, str], found)


def is_experiment(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a published board is an experiment; an UnknownBoardError if there is no such board."""
    return _is_of(EXPERIMENT_LEADERBOARD, connection, name)


def is_ranking(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a published board is a ranking of language models; an UnknownBoardError if there is no such board."""
    return _is_of(LLM_LEADERBOARD, connection, name)


def is_track(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a published board is a judged track; an UnknownBoardError if there is no such board."""
    return _is_of(TRACK_LEADERBOARD, connection, name)


def _is_of(table: TableSpec, connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    kind, _ = kind_of(connection, name)
    return kind == table.schema


@dataclass(frozen=True)
class Declared:
    """A published competition; ``declaration`` is the JSON that it was made by."""

    name: str
    title: str
    declaration: str

    @cached_property
    def contract(self) -> Mapping[str, Any]:
        """The whole declaration."""
        listed: dict[str, Any] = json.loads(self.declaration)
        return listed


def declared(connection: duckdb.DuckDBPyConnection, name: str) -> Declared:
    """A published competition, as it was declared.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or it is of another kind.
    """
    kind, title = kind_of(connection, name)
    if kind != LEADERBOARD.schema:
        has = _HAS.get(kind, "other things")
        raise UnknownBoardError(
            f"board {name!r} is no competition but of kind {kind}: it has {has}, and no predictions"
        )
    (contract,) = connection.execute("SELECT contract FROM catalog.boards WHERE board = ?", [name]).fetchall()[0]
    return Declared(name, title, contract)
