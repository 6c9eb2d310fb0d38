"""A ranking of language models as it is published: its declaration, its models in order, and what was measured of them.

It is read whole, once for a publication: lists are filtered and sorted in memory, see :mod:`ranking_lists`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from typing import Any

import duckdb
from pydantic import ValidationError

from pipeline.rankings.benchmarks import Area
from pipeline.rankings.declaration import Rankings
from pipeline.reports.queries.catalog import UnknownBoardError, board_names, kind_of
from pipeline.tables import LLM_LEADERBOARD
from pipeline.warehouse import Memory, compose

_CONTRACT = "SELECT contract FROM catalog.boards WHERE board = ?"
_BENCHMARKS = """
    SELECT benchmark, measure, title, measure_title, area, unit, direction, is_headline, n_models
    FROM llm.benchmarks WHERE ranking = ? ORDER BY benchmark, measure
"""
_ROWS = "SELECT {columns} FROM llm.leaderboard WHERE ranking = ? ORDER BY position"
_VALUES = """
    SELECT model, benchmark || '.' || measure, value FROM llm.results
    WHERE ranking = ? AND is_used AND value IS NOT NULL AND model IS NOT NULL
    ORDER BY model, benchmark, measure, source, raw_name
"""

_NOTES = """
    SELECT model, score, coverage, is_partial, missing, reason FROM llm.scores WHERE ranking = ?
"""

_AT_REST = "SELECT bool_and(is_converged) FROM llm.scores WHERE ranking = ? AND score = 'ability'"

FACTS = frozenset({Area.SPEED, Area.PRICE, Area.LIMITS})
"""Areas of what is no benchmark."""


class UnreadableRankingError(RuntimeError):
    """A ranking that another version of Podium published; the message says what to do."""


@dataclass(frozen=True)
class Benchmark:
    """A measure of a benchmark, or of a group of facts, that a ranking has values of."""

    benchmark: str
    measure: str
    title: str
    measure_title: str
    area: str
    unit: str
    direction: str
    is_headline: bool
    n_models: int

    @property
    def name(self) -> str:
        """``benchmark.measure``."""
        return f"{self.benchmark}.{self.measure}"

    @property
    def is_fact(self) -> bool:
        """Whether it is a speed, a price or a limit."""
        return self.area in FACTS

    @property
    def label(self) -> str:
        """What it is called: the benchmark alone where the measure is its headline."""
        measure = self.measure_title[:1].lower() + self.measure_title[1:]
        return self.title if self.is_headline else f"{self.title}, {measure}"


@dataclass(frozen=True)
class RankedModel:
    """A row of ``llm.leaderboard``; None is NULL. Its columns are explained there."""

    model: str
    position: int
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    loo_rank_lo: int | None
    loo_rank_hi: int | None
    tie_group: int | None
    coverage: float
    n_benchmarks: int
    n_sources: int
    is_partial: bool
    status: str
    ability: float | None
    ability_low: float | None
    ability_high: float | None
    coding: float | None
    performance: float | None
    value: float | None
    overall: float | None
    title: str
    organisation: str | None
    released_on: date | None
    open_weights: bool | None
    is_free: bool | None
    price_input: float | None
    price_output: float | None
    context: int | None
    ttft: float | None
    throughput: float | None
    quality: float | None
    benchmarks_at: datetime | None
    performance_at: datetime | None
    prices_at: datetime | None


@dataclass(frozen=True)
class Note:
    """What a score of a model rests on: the share of its weights whose parts are there, and which are not."""

    coverage: float
    is_partial: bool
    missing: str | None
    reason: str | None

    @property
    def lacks(self) -> tuple[str, ...]:
        """The parts that are not there."""
        return tuple(part.strip() for part in (self.missing or "").split(",") if part.strip())


@dataclass(frozen=True)
class Ranking:
    """A published ranking.

    Parameters
    ----------
    declared : Rankings
    benchmarks : mapping of str to Benchmark
        By ``benchmark.measure``: all that models have values of.
    rows : tuple of RankedModel
        In the order of display, unranked models last.
    values : mapping
        By model and ``benchmark.measure``: the figures that scores rest on.
    notes : mapping
        By model and score, what it rests on.
    is_converged : bool or None
        Whether the fit of abilities came to rest; None where there is none.
    """

    declared: Rankings
    benchmarks: Mapping[str, Benchmark]
    rows: tuple[RankedModel, ...]
    values: Mapping[str, Mapping[str, float]]
    notes: Mapping[str, Mapping[str, Note]]
    is_converged: bool | None = None

    @property
    def name(self) -> str:
        """Name of the ranking."""
        return self.declared.name

    @property
    def title(self) -> str:
        """Title to show."""
        return self.declared.title

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What the coding score is made of."""
        return tuple(self.declared.weights.coding)

    @cached_property
    def headlines(self) -> tuple[str, ...]:
        """What every model is shown with: the parts of the coding score, then what other benchmarks are known by."""
        known = [one.name for one in self.benchmarks.values() if one.is_headline and not one.is_fact]
        return tuple(dict.fromkeys([*self.parts, *known]))

    def of(self, row: RankedModel) -> dict[str, float | None]:
        """The values of a model of all headlines."""
        values = self.values.get(row.model, {})
        return {name: values.get(name) for name in self.headlines}

    def partial_scores(self, row: RankedModel) -> list[str]:
        """The scores of a model that are made of the parts that are there."""
        return [name for name, note in self.notes.get(row.model, {}).items() if note.is_partial]

    @cached_property
    def by_model(self) -> Mapping[str, RankedModel]:
        """The rows by model."""
        return {row.model: row for row in self.rows}


def ranking_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The published rankings of language models, sorted."""
    return [name for name in board_names(connection) if kind_of(connection, name)[0] == LLM_LEADERBOARD.schema]


def ranking(connection: duckdb.DuckDBPyConnection, memory: Memory, name: str) -> Ranking:
    """A published ranking; read once for a publication.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or it is of another kind.
    """
    return memory.of(("ranking", name), lambda: _read(connection, name))


def declared_ranking(connection: duckdb.DuckDBPyConnection, name: str) -> Rankings:
    """What a published ranking declares.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or it is of another kind.
    UnreadableRankingError
        If another version of Podium declared it, with fields that this one does not know.
    """
    kind, _ = kind_of(connection, name)
    if kind != LLM_LEADERBOARD.schema:
        known = ", ".join(ranking_names(connection)) or "none"
        raise UnknownBoardError(f"board {name!r} is no ranking of language models but of kind {kind}; known: {known}")
    ((contract,),) = connection.execute(_CONTRACT, [name]).fetchall()
    try:
        return Rankings.model_validate_json(contract)
    except ValidationError as error:
        what = f"{error.error_count()} fields of its declaration are not as this version of Podium knows them"
        raise UnreadableRankingError(f"ranking {name!r} cannot be read: {what}; `podium run {name}` anew") from error


def ranked_models(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[RankedModel, ...]:
    """The models of a published ranking, unranked ones last; none where it is not published."""
    selected = compose(_ROWS, columns=[field.name for field in fields(RankedModel)])
    return tuple(RankedModel(*row) for row in connection.execute(selected, [name]).fetchall())


def _read(connection: duckdb.DuckDBPyConnection, name: str) -> Ranking:
    declared = declared_ranking(connection, name)
    benchmarks = [Benchmark(*row) for row in connection.execute(_BENCHMARKS, [name]).fetchall()]
    return Ranking(
        declared,
        {one.name: one for one in benchmarks},
        ranked_models(connection, name),
        _by_model(connection.execute(_VALUES, [name]).fetchall()),
        _notes(connection.execute(_NOTES, [name]).fetchall()),
        next(iter(connection.execute(_AT_REST, [name]).fetchall()))[0],
    )


def _notes(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, Note]]:
    found: dict[str, dict[str, Note]] = {}
    for model, score, *note in rows:
        found.setdefault(model, {})[score] = Note(*note)
    return found


def _by_model(values: Sequence[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    """Values by model and measure; of several that are used the first in the order of sources."""
    found: dict[str, dict[str, float]] = {}
    for model, name, value in values:
        found.setdefault(model, {}).setdefault(name, value)
    return found
