"""The rows of one stored leaderboard, and which of them are listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from sys import intern
from typing import NamedTuple

import duckdb

_ORDER = """
    SELECT model_id, is_ensemble FROM competition.leaderboard
    WHERE competition = ? AND category = ? AND as_of = ? ORDER BY position
"""

_ROWS = """
    SELECT model_id, rank, rank_with_ensembles, rank_change, rank_lo, rank_hi, tie_group, n_cycles, n_effective,
           rank_method, rank_key, coverage, n, is_ensemble, status
    FROM competition.leaderboard
    WHERE competition = ? AND category = ? AND as_of = ? AND list_contains(?, model_id)
"""

_MODELS = "SELECT model_id, title, player FROM competition.models WHERE competition = ?"


class StoredRow(NamedTuple):
    """A row of the table of leaderboards."""

    model_id: str
    rank: int | None
    rank_with_ensembles: int | None
    rank_change: int | None
    rank_lo: int | None
    rank_hi: int | None
    tie_group: int | None
    n_cycles: int | None
    n_effective: float | None
    rank_method: str
    rank_key: float | None
    coverage: float | None
    n: int
    is_ensemble: bool
    status: str


class Named(NamedTuple):
    """What a model is called, and who runs it."""

    title: str
    player: str


@dataclass(frozen=True)
class Part:
    """Which rows of a board.

    Parameters
    ----------
    include_ensembles : bool
        Whether virtual models are listed too; ranks of real models are the same either way.
    search : str or None
        Only rows with this in id, title or player, whatever its case.
    limit, offset : int
        At most so many rows (None for all), after so many.
    """

    include_ensembles: bool = False
    search: str | None = None
    limit: int | None = None
    offset: int = 0

    def of(self, order: "Order", names: Mapping[str, Named]) -> tuple[list[tuple[int, str]], int]:
        """The models that are listed, each with its place among all of its kinds, and how many there are in all.

        Parameters
        ----------
        order : Order
            Of the whole board.
        names : mapping
            What models are called, by id.
        """
        models = order.models if self.include_ensembles else order.real_models
        page = slice(self.offset, None if self.limit is None else self.offset + self.limit)
        if self.search is None:
            return list(enumerate(models, start=1))[page], len(models)
        wanted = self.search.casefold()
        found = [(place, model) for place, model in enumerate(models, start=1) if wanted in _searched(model, names)]
        return found[page], len(found)


@dataclass(frozen=True)
class Order:
    """The models of a whole board in the order of display, and whether they are virtual."""

    models: Sequence[str]
    are_ensembles: Sequence[bool]

    @cached_property
    def real_models(self) -> Sequence[str]:
        """Those that are not virtual."""
        if not any(self.are_ensembles):
            return self.models
        return [model for model, is_one in zip(self.models, self.are_ensembles, strict=True) if not is_one]


def stored_order(connection: duckdb.DuckDBPyConnection, name: str, category: str, as_of: datetime) -> Order:
    """The order of a whole board, with its ensembles; orders of the same models share their ids in memory."""
    found = connection.execute(_ORDER, [name, category, as_of]).fetchall()
    return Order([intern(model) for model, _ in found], [is_ensemble for _, is_ensemble in found])


def stored_rows(
    connection: duckdb.DuckDBPyConnection, name: str, category: str, as_of: datetime, models: Sequence[str]
) -> dict[str, StoredRow]:
    """The rows of some models of a board, by id."""
    found = connection.execute(_ROWS, [name, category, as_of, list(models)]).fetchall()
    return {row[0]: StoredRow._make(row) for row in found}


def names_of_models(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Named]:
    """The registered models of a competition by id."""
    return {model: Named(title, player) for model, title, player in connection.execute(_MODELS, [name]).fetchall()}


def _searched(model_id: str, names: Mapping[str, Named]) -> str:
    """What of a model is searched, without regard to case: id, title and player."""
    return "\x1f".join((model_id, *names.get(model_id, ()))).casefold()
