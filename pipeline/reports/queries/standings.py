"""A board with every metric of its models, ranked as the contest declares or by what a reader asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb

from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey
from pipeline.reports.queries.boards import Board, BoardRow, KeyValue, StoredBoard, first_key, ranked_in, stored_board
from pipeline.reports.queries.catalog import Declared, declared
from pipeline.reports.queries.listing import Part, StoredRow
from pipeline.reports.queries.reranking import ListedRows, ranked_anew
from pipeline.tables import OVERALL
from pipeline.warehouse import Memory

_METRICS = "SELECT metric, direction FROM catalog.metrics WHERE board = ?"

_VALUES = """
    SELECT model_id, window_name, metric, value, ci_low, ci_high, n, reason, coverage, is_final
    FROM competition.snapshots
    WHERE competition = $competition AND category = $category AND as_of = $as_of
    AND list_contains($models, model_id)
    AND (window_name = $window OR metric = $metric OR list_contains($keys, window_name || '.' || metric))
"""

_OF_MODEL = """
    SELECT window_name, metric, value, ci_low, ci_high, n, reason, coverage, is_final
    FROM competition.snapshots
    WHERE competition = $competition AND category = $overall AND as_of = $as_of AND model_id = $model
    ORDER BY window_name, metric
"""


class UnknownKeyError(LookupError):
    """A window, a metric or a key that a contest does not have; the message lists those it has."""


@dataclass(frozen=True)
class Contest(Declared):
    """What a published contest declares, as far as readers need it.

    Parameters
    ----------
    described : mapping of str to str
        The direction of metrics: desc, asc or none.
    """

    described: Mapping[str, str]

    @cached_property
    def directions(self) -> Mapping[str, str]:
        """Of every listed metric: desc, asc or none."""
        return {one: self.described.get(one, str(Direction.NONE)) for one in self.contract["metrics"]}

    @property
    def windows(self) -> tuple[str, ...]:
        """The names of its windows."""
        return tuple(self.contract["windows"])

    @property
    def primary(self) -> str:
        """The metric that the contest is about."""
        return str(self.contract["scoring"]["primary"])

    @property
    def is_loss(self) -> bool:
        """Whether a lower score of the contest's rule is better."""
        return bool(RULES.get(self.contract["scoring"]["rule"]).direction == Direction.ASC)

    @cached_property
    def default_window(self) -> str:
        """The window that its board is ranked by; of several the first."""
        return first_key(self.contract["leaderboard"])[0]

    def window(self, name: str | None) -> str:
        """The window of that name, or the default one.

        Raises
        ------
        UnknownKeyError
            If there is none.
        """
        if name is not None and name not in self.windows:
            raise UnknownKeyError(f"board {self.name!r} has no window {name!r}; known: {', '.join(self.windows)}")
        return name or self.default_window

    @property
    def metrics_of_parts(self) -> dict[str, str]:
        """By what divides the contest, the metric that its parts are ranked by."""
        parts = [str(one["by"]) for one in self.contract.get("categories", ())]
        return {part: first_key(ranked_in(self.contract, part))[1] for part in parts}

    def metric(self, name: str | None) -> str:
        """The metric of that name, or the primary one.

        Raises
        ------
        UnknownKeyError
            If there is none.
        """
        if name is not None and name not in self.directions:
            known = ", ".join(self.directions)
            raise UnknownKeyError(f"board {self.name!r} has no metric {name!r}; known: {known}")
        return name or self.primary

    def key(self, name: str) -> RankingKey:
        """What ``window.metric`` ranks by.

        Raises
        ------
        UnknownKeyError
            If there is no such window or metric, or neither end of the metric is better.
        """
        window, dot, metric = name.partition(".")
        if not dot:
            raise UnknownKeyError(f"cannot rank by {name!r}; write window.metric, such as {self._example}")
        direction = self.directions[self.metric(metric)]
        if direction == Direction.NONE:
            ranking = ", ".join(metric for metric, way in self.directions.items() if way != Direction.NONE)
            raise UnknownKeyError(f"cannot rank by {metric!r}: neither end of it is better; rank by one of {ranking}")
        return RankingKey(f"{self.window(window)}.{metric}", Direction(direction))

    def declared_order(self, ranked: Mapping[str, Any]) -> RankBy:
        """What a declaration of a leaderboard ranks by."""
        rank_by = ranked["rank_by"]
        tie_breakers = tuple(map(self.key, ranked["tie_breakers"]))
        if isinstance(rank_by, str):
            return RankBy(self.key(rank_by), tie_breakers)
        return RankBy(WeightedKey(tuple(map(self.key, rank_by)), tuple(rank_by.values())), tie_breakers)

    @property
    def _example(self) -> str:
        return f"{self.default_window}.{self.primary}"


def contest(connection: duckdb.DuckDBPyConnection, name: str, memory: Memory | None = None) -> Contest:
    """What a published contest declares; from the memory of the publication, where it is there.

    Raises
    ------
    UnknownBoardError
        If there is no such contest.
    """
    return (memory or Memory()).of(("contest", name), lambda: _contest(connection, name))


def _contest(connection: duckdb.DuckDBPyConnection, name: str) -> Contest:
    found = declared(connection, name)
    described = {str(metric): str(direction) for metric, direction in connection.execute(_METRICS, [name]).fetchall()}
    return Contest(found.name, found.title, found.declaration, described)


@dataclass(slots=True)  # not frozen: an answer has thousands, and to make a frozen one takes five times as long
class Measured:
    """A metric over a window, with its 95 % interval; None is NULL, with the reason."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int = field(metadata={"description": "Cycles, or predictions for metrics pooled over tasks."})
    reason: str | None = field(metadata={"description": "Why there is no value."})
    coverage: float | None = field(metadata={"description": "Share of the window's outcomes that were predicted."})
    is_final: bool = field(metadata={"description": "False while outcomes of predictions are still to come."})


@dataclass(frozen=True)
class Standing:
    """A row of a board with the metrics of a window, and the primary metric in every window."""

    row: BoardRow
    metrics: Mapping[str, Measured]
    windows: Mapping[str, Measured]


@dataclass(frozen=True)
class Standings:
    """A board; ``is_declared`` says that ranks are those of the contest, not of what a reader asked for."""

    contest: Contest
    board: Board
    window: str
    rows: tuple[Standing, ...]
    total: int
    is_declared: bool


def standings(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *,
    as_of: datetime | None = None,
    category: str = OVERALL,
    window: str | None = None,
    rank_by: str | None = None,
    min_coverage: float | None = None,
    include_ensembles: bool = False,
    search: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    memory: Memory | None = None,
) -> Standings:
    """A board with every metric.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name, as_of, category, include_ensembles
        As for :func:`pipeline.reports.queries.boards.board`.
    window : str or None
        Whose metrics; None for the window that the board is ranked by.
    rank_by : str or None
        Another ``window.metric`` to rank by, by the same kernel; then there are no rank intervals and changes.
    min_coverage : float or None
        Another limit than the declared one.
    search : str or None
        Only models with this in their id, title or player; ranks are those among all.
    limit, offset
        Which rows.
    memory : Memory or None
        That of the publication: what a board is made of is read once for all its pages.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or none that early.
    UnknownKeyError
        If there is no such window or key.
    """
    memory = memory or Memory()
    of = contest(connection, name, memory)
    key = None if rank_by is None else of.key(rank_by)
    stored = stored_board(connection, of, as_of, category, memory)
    shown = of.window(window or stored.keys[0].partition(".")[0])
    part = Part(include_ensembles, search, limit, offset)
    is_declared = key is None and min_coverage is None
    if is_declared:
        listed = _as_declared(connection, stored, part)
    else:
        by = of.declared_order(stored.ranked) if key is None else RankBy(key)
        listed = ranked_anew(connection, stored, by, min_coverage, part, memory)
    values = _values(connection, stored, listed, shown, of.primary)
    rows = tuple(_standing(stored, listed, *placed, values) for placed in listed.rows)
    found = replace(stored.board([one.row for one in rows], listed.total), rank_by=listed.rank_by, keys=listed.keys)
    return Standings(of, found, shown, rows, listed.total, is_declared)


def _as_declared(connection: duckdb.DuckDBPyConnection, stored: StoredBoard, part: Part) -> ListedRows:
    """Some rows of a board as it is stored."""
    placed, total = stored.part(part)
    rows = stored.rows(connection, [model for _, model in placed])
    return ListedRows([(position, rows[model]) for position, model in placed], total, stored.rank_by, stored.keys)


def _standing(
    stored: StoredBoard, listed: ListedRows, position: int, row: StoredRow, values: Mapping[str, "_Values"]
) -> Standing:
    found = values[row.model_id]
    keys = {key: found.keys[key] for key in listed.keys if key in found.keys}
    return Standing(stored.row(position, row, keys), found.metrics, found.windows)


@dataclass(frozen=True)
class _Values:
    """What is shown of a model: metrics of a window by name, the primary one by window, and values of keys."""

    metrics: dict[str, Measured]
    windows: dict[str, Measured]
    keys: dict[str, KeyValue]


def _key_value(measured: Measured) -> KeyValue:
    return KeyValue(measured.value, measured.ci_low, measured.ci_high, measured.reason)


def model_windows(
    connection: duckdb.DuckDBPyConnection, name: str, model_id: str, as_of: datetime | None
) -> dict[tuple[str, str], Measured]:
    """Every metric of a model by window and metric, as of a board; none before its first, or where there is none."""
    values = {"competition": name, "overall": OVERALL, "as_of": as_of, "model": model_id}
    rows = connection.execute(_OF_MODEL, values).fetchall()
    return {(window, metric): Measured(*rest) for window, metric, *rest in rows}


def _values(
    connection: duckdb.DuckDBPyConnection, stored: StoredBoard, listed: ListedRows, window: str, primary: str
) -> dict[str, _Values]:
    """By model, what is shown of it."""
    cursor = connection.execute(
        _VALUES,
        {
            "competition": stored.of.name,
            "category": stored.category,
            "as_of": stored.as_of,
            "window": window,
            "metric": primary,
            "keys": list(listed.keys),
            "models": [row.model_id for _, row in listed.rows],
        },
    )
    keys = {tuple(key.split(".", 1)): key for key in listed.keys}
    values = {row.model_id: _Values({}, {}, {}) for _, row in listed.rows}
    for model, of_window, metric, *rest in cursor.fetchall():
        measured, of_model = Measured(*rest), values[model]
        if of_window == window:
            of_model.metrics[metric] = measured
        if metric == primary:
            of_model.windows[of_window] = measured
        if (of_window, metric) in keys:
            of_model.keys[keys[of_window, metric]] = _key_value(measured)
    return values
