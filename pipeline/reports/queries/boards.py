"""One leaderboard as it stands now or stood at any moment, out of the published file."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb

from pipeline.reports.queries.catalog import Declared, UnknownBoardError, declared
from pipeline.reports.queries.listing import Named, Order, Part, StoredRow, names_of_models, stored_order, stored_rows
from pipeline.tables import OVERALL
from pipeline.warehouse import Memory

_MOMENTS = "SELECT DISTINCT as_of FROM competition.leaderboard WHERE competition = ? AND category = ? ORDER BY as_of"

_VALUES = """
    SELECT model_id, window_name || '.' || metric AS key, value, ci_low, ci_high, reason
    FROM competition.snapshots
    WHERE competition = $board AND category = $category AND as_of = $as_of
    AND list_contains($models, model_id) AND list_contains($keys, window_name || '.' || metric)
"""

_NAMED = 12
_CATEGORIES = "SELECT DISTINCT category FROM competition.leaderboard WHERE competition = ? ORDER BY category"


@dataclass(frozen=True)
class KeyValue:
    """The value of one window.metric with its 95 % interval; None is NULL, with the reason."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None


@dataclass(frozen=True)
class BoardRow:
    """One model on a board; ``position`` counts the rows that are listed, ensembles among them only if asked for.

    Its rank could be ``rank_lo`` to ``rank_hi``, judged on ``n_cycles`` that count as ``n_effective`` independent ones;
    None where ``rank_method`` says why not.
    """

    position: int
    rank: int | None
    rank_with_ensembles: int | None
    rank_change: int | None
    rank_lo: int | None
    rank_hi: int | None
    tie_group: int | None
    n_cycles: int | None
    n_effective: float | None
    rank_method: str
    model_id: str
    title: str
    player: str
    rank_key: float | None
    coverage: float | None
    n: int
    is_ensemble: bool
    status: str
    values: dict[str, KeyValue]


@dataclass(frozen=True)
class Board:
    """A leaderboard at one moment: its rows in order, and the keys it is ranked by.

    Without limit and offset it has ``total`` rows. Ranks are by the first key and the others break ties; where
    ``is_weighted``, ranks are by ``rank_key``, the weighted sum that ``rank_by`` spells out, and ``keys`` begins with
    its parts.
    """

    name: str
    title: str
    category: str
    as_of: datetime
    rank_by: str
    keys: tuple[str, ...]
    rows: tuple[BoardRow, ...]
    total: int

    @property
    def is_weighted(self) -> bool:
        """Whether ranks are by a weighted sum of keys, not by one of them."""
        return self.rank_by not in self.keys


def board(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    as_of: datetime | None = None,
    category: str = OVERALL,
    include_ensembles: bool = False,
) -> Board:
    """The newest board not later than ``as_of``.

    Keys are those of the present declaration: a changed one computes the boards of all dates anew.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the competition.
    as_of : datetime or None
        UTC, without a zone; None for the newest board.
    category : str
        ``overall``, or a part of the contest such as ``horizon=2``.
    include_ensembles : bool
        Whether virtual models are listed too; ranks of real models are the same either way.

    Returns
    -------
    Board
        The unranked last, with the reason in ``status``.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or none that early.
    """
    of = declared(connection, name)
    stored = stored_board(connection, of, as_of, category, Memory())
    placed, total = stored.part(Part(include_ensembles))
    models = [model for _, model in placed]
    values = key_values(connection, stored, stored.keys, models)
    rows = stored.rows(connection, models)
    return stored.board([stored.row(position, rows[model], values.get(model, {})) for position, model in placed], total)


@dataclass(frozen=True)
class StoredBoard:
    """A leaderboard as it is stored: the order of all models, and what they are called by id."""

    of: Declared
    category: str
    as_of: datetime
    order: Order
    names: Mapping[str, Named]

    @cached_property
    def ranked(self) -> Mapping[str, Any]:
        """What it is ranked by, as declared."""
        return ranked_in(self.of.contract, self.category)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys that it is ranked by, with those that break ties."""
        return _keys(self.ranked)

    @cached_property
    def rank_by(self) -> str:
        """The key that ranks are by, or the weighted sum of keys."""
        return _rank_by(self.ranked)

    def part(self, part: Part) -> tuple[list[tuple[int, str]], int]:
        """Some of its models, each with its place, and how many there are without limit and offset."""
        return part.of(self.order, self.names)

    def rows(self, connection: duckdb.DuckDBPyConnection, models: Sequence[str]) -> dict[str, StoredRow]:
        """The rows of some of its models."""
        return stored_rows(connection, self.of.name, self.category, self.as_of, models)

    def row(self, position: int, row: StoredRow, values: dict[str, KeyValue]) -> BoardRow:
        """A row of it as it is shown, with its values of keys."""
        title, player = self.names.get(row.model_id, Named(row.model_id, ""))
        return BoardRow(position=position, title=title, player=player, values=values, **row._asdict())

    def board(self, rows: Sequence[BoardRow], total: int) -> Board:
        """The board with these of its rows."""
        of = self.of
        return Board(of.name, of.title, self.category, self.as_of, self.rank_by, self.keys, tuple(rows), total)


def stored_board(
    connection: duckdb.DuckDBPyConnection, of: Declared, as_of: datetime | None, category: str, memory: Memory
) -> StoredBoard:
    """The newest board of a competition not later than ``as_of``.

    Raises
    ------
    UnknownBoardError
        If there is none that early.
    """
    moment = newest(connection, of.name, category, as_of, memory)
    names = memory.of(("names", of.name), lambda: names_of_models(connection, of.name))
    return memory.of(
        ("board", of.name, category, moment),
        lambda: StoredBoard(of, category, moment, stored_order(connection, of.name, category, moment), names),
    )


def newest_moment(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    category: str = OVERALL,
    as_of: datetime | None = None,
    memory: Memory | None = None,
) -> datetime | None:
    """The moment of the newest board not later than ``as_of``; None where there is none."""
    moments = _moments(connection, name, category, memory or Memory())
    place = len(moments) if as_of is None else bisect_right(moments, as_of)
    return moments[place - 1] if place else None


def newest(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    category: str,
    as_of: datetime | None,
    memory: Memory | None = None,
) -> datetime:
    """The same, of a board that there is.

    Raises
    ------
    UnknownBoardError
        If there is none; the message says when the board begins.
    """
    memory = memory or Memory()
    found = newest_moment(connection, name, category, as_of, memory)
    if found is not None:
        return found
    first = next(iter(_moments(connection, name, category, memory)), None)
    if first is None or as_of is None:
        others = categories_of(connection, name)
        if others:
            raise UnknownBoardError(f"board {name!r} has no category {category!r}; known: {_some(others)}")
        raise UnknownBoardError(
            f"board {name!r} has no rows in category {category!r} yet; `podium run {name}` makes them once outcomes "
            f"are known"
        )
    if category != OVERALL:
        raise UnknownBoardError(
            f"board {name!r} has category {category!r} at no moment as early as {_minute(as_of)}; the first is "
            f"{_minute(first)} (UTC): of a category without `history: true` only the newest board is kept"
        )
    raise UnknownBoardError(
        f"board {name!r} has nothing as early as {_minute(as_of)}; it begins at {_minute(first)} (UTC)"
    )


def _moments(connection: duckdb.DuckDBPyConnection, name: str, category: str, memory: Memory) -> Sequence[datetime]:
    """The moments of all boards of a category, in order; read once for a publication."""
    asked = [name, category]
    return memory.of(
        ("moments", name, category), lambda: [row[0] for row in connection.execute(_MOMENTS, asked).fetchall()]
    )


def categories_of(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The whole of a contest and its parts, as far as they have boards."""
    return [row[0] for row in connection.execute(_CATEGORIES, [name]).fetchall()]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _minute(moment: datetime) -> str:
    return moment.isoformat(" ", "minutes")  # strftime writes the year 1 as 1


def key_values(
    connection: duckdb.DuckDBPyConnection, of: StoredBoard, keys: Sequence[str], models: Sequence[str]
) -> dict[str, dict[str, KeyValue]]:
    """The values of some keys by model and key."""
    values: dict[str, dict[str, KeyValue]] = {}
    of_board = {"board": of.of.name, "category": of.category, "as_of": of.as_of}
    cursor = connection.execute(_VALUES, {**of_board, "keys": list(keys), "models": list(models)})
    for model, key, *rest in cursor.fetchall():
        values.setdefault(model, {})[key] = KeyValue(*rest)
    return values


def ranked_in(contract: Mapping[str, Any], category: str) -> Mapping[str, Any]:
    """What a category's board is ranked by, as a published contract declares it."""
    whole: dict[str, Any] = contract["leaderboard"]
    parts = [one for one in contract.get("categories", ()) if one["by"] == category.partition("=")[0]]
    if not parts:
        return whole
    from pipeline.competition.declaration import CategorySpec, LeaderboardSpec

    return CategorySpec.model_validate(parts[0]).board(LeaderboardSpec.model_validate(whole)).model_dump()


def first_key(leaderboard: Mapping[str, Any]) -> tuple[str, str]:
    """The window and the metric that a declared board is ranked by; of a weighted sum those of its first part."""
    window, _, metric = _keys(leaderboard)[0].partition(".")
    return window, metric


def _keys(leaderboard: Mapping[str, Any]) -> tuple[str, ...]:
    rank_by = leaderboard["rank_by"]
    primary = [rank_by] if isinstance(rank_by, str) else list(rank_by)
    return tuple(dict.fromkeys([*primary, *leaderboard["tie_breakers"]]))


def _rank_by(leaderboard: Mapping[str, Any]) -> str:
    rank_by = leaderboard["rank_by"]
    if isinstance(rank_by, str):
        return rank_by
    from pipeline.leaderboard import RankingKey, WeightedKey

    return WeightedKey(tuple(map(RankingKey, rank_by)), tuple(rank_by.values())).name
