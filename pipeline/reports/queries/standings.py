"""A board with every metric of its models, ranked as the contest declares or by what a reader asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey, eligibility, rank_contestants
from pipeline.reports.queries.boards import (
    Board,
    BoardRow,
    Declared,
    Part,
    board_of,
    declared,
    ranked_in,
)
from pipeline.tables import OVERALL

FloatArray = npt.NDArray[np.float64]

_METRICS = "SELECT metric, direction FROM catalog.metrics WHERE board = ?"

_VALUES = """
    SELECT model_id, window_name, metric, value, ci_low, ci_high, n, reason, coverage, is_final
    FROM competition.snapshots
    WHERE competition = $competition AND category = $category AND as_of = $as_of
    AND (window_name = $window OR metric = $metric) AND model_id IN (SELECT unnest($models))
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


def contest(connection: duckdb.DuckDBPyConnection, name: str) -> Contest:
    """What a published contest declares.

    Raises
    ------
    UnknownBoardError
        If there is no such contest.
    """
    found = declared(connection, name)
    described = {str(metric): str(direction) for metric, direction in connection.execute(_METRICS, [name]).fetchall()}
    return Contest(found.name, found.title, found.declaration, described)


@dataclass(frozen=True)
class Measured:
    """The value of a metric over a window; None is NULL, with the reason."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    reason: str | None
    coverage: float | None
    is_final: bool


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

    Raises
    ------
    UnknownBoardError
        If there is no such board, or none that early.
    UnknownKeyError
        If there is no such window or key.
    """
    of = contest(connection, name)
    shown = of.window(window)
    key = None if rank_by is None else of.key(rank_by)
    is_declared = key is None and min_coverage is None
    part = Part(include_ensembles, search, limit, offset)
    if is_declared:
        found = board_of(connection, of, as_of, category, part)
    else:
        whole = board_of(connection, of, as_of, category, Part(include_ensembles=True))
        found = _part(_ranked_anew(connection, of, whole, key, min_coverage), part)
    values = _values(connection, of, found, shown, [row.model_id for row in found.rows])
    rows = tuple(Standing(row, *values.get(row.model_id, ({}, {}))) for row in found.rows)
    return Standings(of, found, shown, rows, found.total, is_declared)


def _part(found: Board, part: Part) -> Board:
    """Some rows of a whole board."""
    of_kinds = [row for row in found.rows if part.include_ensembles or not row.is_ensemble]
    placed = [replace(row, position=position) for position, row in enumerate(of_kinds, start=1)]
    listed = [row for row in placed if part.search is None or part.search.casefold() in _searched(row)]
    last = None if part.limit is None else part.offset + part.limit
    return replace(found, rows=tuple(listed[part.offset : last]), total=len(listed))


def _searched(row: BoardRow) -> str:
    return "\x1f".join((row.model_id, row.title, row.player)).casefold()


def model_windows(
    connection: duckdb.DuckDBPyConnection, name: str, model_id: str, as_of: datetime | None
) -> dict[tuple[str, str], Measured]:
    """Every metric of a model by window and metric, as of a board; none before its first, or where there is none."""
    values = {"competition": name, "overall": OVERALL, "as_of": as_of, "model": model_id}
    rows = connection.execute(_OF_MODEL, values).fetchall()
    return {(window, metric): Measured(*rest) for window, metric, *rest in rows}


def _values(
    connection: duckdb.DuckDBPyConnection, of: Contest, found: Board, window: str, models: Sequence[str]
) -> dict[str, tuple[dict[str, Measured], dict[str, Measured]]]:
    """By model: the metrics of a window by name, and the primary metric by window."""
    cursor = connection.execute(
        _VALUES,
        {
            "competition": of.name,
            "category": found.category,
            "as_of": found.as_of,
            "window": window,
            "metric": of.primary,
            "models": list(models),
        },
    )
    values: dict[str, tuple[dict[str, Measured], dict[str, Measured]]] = {}
    for model, of_window, metric, *rest in cursor.fetchall():
        metrics, windows = values.setdefault(model, ({}, {}))
        measured = Measured(*rest)
        if of_window == window:
            metrics[metric] = measured
        if metric == of.primary:
            windows[of_window] = measured
    return values


def _ranked_anew(
    connection: duckdb.DuckDBPyConnection,
    of: Contest,
    found: Board,
    key: RankingKey | None,
    min_coverage: float | None,
) -> Board:
    """The models of a board in another order: by another key, or with another limit of coverage."""
    spec = ranked_in(of.contract, found.category)
    by = of.declared_order(spec) if key is None else RankBy(key)
    first = by.primary.parts[0].name
    window, _, metric = first.partition(".")
    counted = _counted(connection, of, found, window, metric)
    models = [row.model_id for row in found.rows]
    columns, undefined = _columns(found, by, counted)
    reasons = eligibility(
        [_number(counted, model, "coverage") for model in models],
        [_number(counted, model, "n_scored") for model in models],
        min_coverage=spec["min_coverage"] if min_coverage is None else min_coverage,
        min_predictions=spec["min_predictions"],
        inactive=[_number(counted, model, "cycles_absent") >= (spec["inactive_after"] or np.inf) for model in models],
    )
    for part in by.primary.parts:
        reasons[np.isnan(columns[part.name])] = None  # why there is no value says more
    virtual = [row.is_ensemble for row in found.rows]
    ranking = rank_contestants(models, columns, by, virtual=virtual, ineligible=reasons.tolist(), undefined=undefined)
    rows = [
        replace(
            row,
            position=int(ranking.position[at]),
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
            coverage=counted.get(row.model_id, {}).get("coverage"),
            n=int(counted.get(row.model_id, {}).get("n") or 0),
            status=str(ranking.status[at]),
        )
        for at, row in enumerate(found.rows)
    ]
    ordered = tuple(rows[at] for at in ranking.order)
    return replace(found, rank_by=by.primary.name, keys=tuple(columns), rows=ordered)


def _counted(
    connection: duckdb.DuckDBPyConnection, of: Contest, found: Board, window: str, metric: str
) -> dict[str, dict[str, Any]]:
    """By model: value of a key, why there is none, and what eligibility is judged by."""
    values = {"competition": of.name, "category": found.category, "as_of": found.as_of}
    cursor = connection.execute(_KEY, {**values, "window": window, "metric": metric})
    names = [column[0] for column in cursor.description or []]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def _columns(
    found: Board, by: RankBy, counted: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, FloatArray], dict[str, list[str | None]]]:
    """Values of every key, NaN where undefined, and why."""
    columns: dict[str, FloatArray] = {}
    undefined: dict[str, list[str | None]] = {}
    parts = [part.name for key in by.keys for part in key.parts]
    for name in parts:
        if name == parts[0]:
            columns[name] = np.array([_number(counted, row.model_id, "value") for row in found.rows])
            undefined[name] = [counted.get(row.model_id, {}).get("reason") for row in found.rows]
        else:
            values = [row.values.get(name) for row in found.rows]
            columns[name] = np.array([np.nan if one is None or one.value is None else one.value for one in values])
            undefined[name] = [None if one is None else one.reason for one in values]
    return columns, undefined


def _number(counted: Mapping[str, Mapping[str, Any]], model: str, name: str) -> float:
    found = counted.get(model, {}).get(name)
    return float("nan") if found is None else float(found)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
