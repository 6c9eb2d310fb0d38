"""A board with every metric of its models, ranked as the contest declares or by what a reader asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction, RankBy, Ranking, RankingKey, WeightedKey, eligibility, rank_contestants
from pipeline.reports.queries.boards import (
    Board,
    BoardRow,
    Declared,
    KeyValue,
    StoredBoard,
    declared,
    key_values,
    ranked_in,
    stored_board,
)
from pipeline.reports.queries.listing import Order, Part, StoredRow
from pipeline.tables import OVERALL
from pipeline.warehouse import Memory

FloatArray = npt.NDArray[np.float64]

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

_KEY = """
    SELECT model_id, value, reason, coverage, n, n_scored, cycles_absent FROM competition.snapshots
    WHERE competition = $competition AND category = $category AND as_of = $as_of
    AND window_name = $window AND metric = $metric
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
        rank_by = self.contract["leaderboard"]["rank_by"]
        return (rank_by if isinstance(rank_by, str) else next(iter(rank_by))).partition(".")[0]

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
        found = {}
        for one in self.contract.get("categories", ()):
            rank_by = ranked_in(self.contract, one["by"])["rank_by"]
            first = rank_by if isinstance(rank_by, str) else next(iter(rank_by))
            found[str(one["by"])] = first.partition(".")[2]
        return found

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
    shown = of.window(window)
    key = None if rank_by is None else of.key(rank_by)
    stored = stored_board(connection, of, as_of, category, memory)
    part = Part(include_ensembles, search, limit, offset)
    is_declared = key is None and min_coverage is None
    listed = (
        _as_declared(connection, stored, part)
        if is_declared
        else _ranked_anew(connection, of, stored, key, min_coverage, part)
    )
    values = _values(connection, stored, listed, shown, of.primary)
    rows = tuple(_standing(stored, listed, *placed, values) for placed in listed.rows)
    found = replace(stored.board([one.row for one in rows], listed.total), rank_by=listed.rank_by, keys=listed.keys)
    return Standings(of, found, shown, rows, listed.total, is_declared)


@dataclass(frozen=True)
class _Listed:
    """Rows of a board with their places, how many there are without limit and offset, and what they are ranked by."""

    rows: Sequence[tuple[int, StoredRow]]
    total: int
    rank_by: str
    keys: tuple[str, ...]


def _as_declared(connection: duckdb.DuckDBPyConnection, stored: StoredBoard, part: Part) -> _Listed:
    """Some rows of a board as it is stored."""
    placed, total = stored.part(part)
    rows = stored.rows(connection, [model for _, model in placed])
    return _Listed([(position, rows[model]) for position, model in placed], total, stored.rank_by, stored.keys)


def _standing(
    stored: StoredBoard, listed: _Listed, position: int, row: StoredRow, values: Mapping[str, "_Values"]
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
    connection: duckdb.DuckDBPyConnection, stored: StoredBoard, listed: _Listed, window: str, primary: str
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


def _ranked_anew(
    connection: duckdb.DuckDBPyConnection,
    of: Contest,
    stored: StoredBoard,
    key: RankingKey | None,
    min_coverage: float | None,
    part: Part,
) -> _Listed:
    """Some rows of a board in another order: by another key, or with another limit of coverage."""
    spec = stored.ranked
    by = of.declared_order(spec) if key is None else RankBy(key)
    first = by.primary.parts[0].name
    counted = _counted(connection, stored, first)
    models = stored.order.models
    columns, undefined = _columns(connection, stored, by, counted)
    reasons = eligibility(
        [_number(counted, model, "coverage") for model in models],
        [_number(counted, model, "n_scored") for model in models],
        min_coverage=spec["min_coverage"] if min_coverage is None else min_coverage,
        min_predictions=spec["min_predictions"],
        inactive=[_number(counted, model, "cycles_absent") >= (spec["inactive_after"] or np.inf) for model in models],
    )
    for each in by.primary.parts:
        reasons[np.isnan(columns[each.name])] = None  # why there is no value says more
    virtual = stored.order.are_ensembles
    ranking = rank_contestants(models, columns, by, virtual=virtual, ineligible=reasons.tolist(), undefined=undefined)
    best_first = ranking.order.tolist()
    order = Order([models[at] for at in best_first], [virtual[at] for at in best_first])
    placed, total = part.of(order, stored.names)
    rows = stored.rows(connection, [model for _, model in placed])
    at = dict(zip(models, range(len(models)), strict=True))
    listed = [(position, _ranked_row(rows[model], ranking, at[model], counted)) for position, model in placed]
    return _Listed(listed, total, by.primary.name, tuple(columns))


def _ranked_row(row: StoredRow, ranking: Ranking, at: int, counted: Mapping[str, Mapping[str, Any]]) -> StoredRow:
    """A row with its place in another order, of which there are no intervals and changes."""
    known = counted.get(row.model_id, {})
    return row._replace(
        rank=int(ranking.rank[at]) or None,
        rank_with_ensembles=int(ranking.rank_with_ensembles[at]) or None,
        rank_change=None,
        rank_lo=None,
        rank_hi=None,
        tie_group=None,
        n_cycles=None,
        n_effective=None,
        rank_method="not_the_declared_order",
        rank_key=_or_none(ranking.key[at]),
        coverage=known.get("coverage"),
        n=int(known.get("n") or 0),
        status=str(ranking.status[at]),
    )


def _counted(connection: duckdb.DuckDBPyConnection, stored: StoredBoard, key: str) -> dict[str, dict[str, Any]]:
    """By model: value of a key, why there is none, and what eligibility is judged by."""
    window, _, metric = key.partition(".")
    values = {"competition": stored.of.name, "category": stored.category, "as_of": stored.as_of}
    cursor = connection.execute(_KEY, {**values, "window": window, "metric": metric})
    names = [column[0] for column in cursor.description or []]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def _columns(
    connection: duckdb.DuckDBPyConnection,
    stored: StoredBoard,
    by: RankBy,
    counted: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, FloatArray], dict[str, list[str | None]]]:
    """Values of every key, NaN where undefined, and why."""
    first, *others = [part.name for key in by.keys for part in key.parts]
    models = stored.order.models
    columns = {first: np.array([_number(counted, model, "value") for model in models])}
    undefined: dict[str, list[str | None]] = {first: [counted.get(model, {}).get("reason") for model in models]}
    beside = key_values(connection, stored, others, models) if others else {}
    for name in others:
        values = [beside.get(model, {}).get(name) for model in models]
        columns[name] = np.array([np.nan if one is None or one.value is None else one.value for one in values])
        undefined[name] = [None if one is None else one.reason for one in values]
    return columns, undefined


def _number(counted: Mapping[str, Mapping[str, Any]], model: str, name: str) -> float:
    found = counted.get(model, {}).get(name)
    return float("nan") if found is None else float(found)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
