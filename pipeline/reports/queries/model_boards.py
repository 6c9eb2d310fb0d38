"""A ranking of language models as commands show it: models in order, the sources below, and names to decide on."""

from dataclasses import dataclass, fields
from datetime import date, datetime

import duckdb

from pipeline.reports.queries.boards import UnknownBoardError, board_names, kind_of
from pipeline.tables import LLM_LEADERBOARD
from pipeline.warehouse import compose

_ROWS = "SELECT {columns} FROM llm.leaderboard WHERE ranking = ? ORDER BY position"
_SOURCES = "SELECT {columns} FROM llm.fetch_status WHERE ranking = ? ORDER BY source"
_NAMES = """
    SELECT a.source, a.raw_name, a.model, a.status, a.method, a.evidence, a.candidates, coalesce(u.n_results, 0)
    FROM llm.aliases AS a
    LEFT JOIN llm.unmatched AS u USING (ranking, source, raw_name)
    WHERE a.ranking = ? AND NOT a.is_system
    ORDER BY coalesce(u.n_results, 0) DESC, a.source, a.raw_name
"""
_MODELS = "SELECT model FROM llm.models WHERE ranking = ? ORDER BY model"


@dataclass(frozen=True)
class ModelRow:
    """A model on a ranking; a row of ``llm.leaderboard``, whose columns are explained there. None is NULL."""

    model: str
    position: int
    rank_by: str
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    loo_rank_lo: int | None
    loo_rank_hi: int | None
    ability: float | None
    ability_low: float | None
    ability_high: float | None
    coding: float | None
    performance: float | None
    value: float | None
    overall: float | None
    coverage: float
    n_benchmarks: int
    n_sources: int
    is_partial: bool
    status: str
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


@dataclass(frozen=True)
class SourceRow:
    """What is said of a source; a row of ``llm.fetch_status``, whose columns are explained there. None is NULL."""

    source: str
    title: str
    home: str
    licence: str | None
    attribution: str | None
    status: str
    checked_at: datetime
    fetched_at: datetime | None
    source_updated_at: datetime | None
    n_results: int
    n_models: int
    n_unread: int
    why: str | None
    version: str | None
    days: int


@dataclass(frozen=True)
class ModelBoard:
    """A published ranking: its models in order, unranked ones last, and its sources."""

    name: str
    title: str
    rank_by: str
    rows: tuple[ModelRow, ...]
    sources: tuple[SourceRow, ...]


@dataclass(frozen=True)
class NamedModel:
    """A name that a source gives a single model, what it means, and how many figures wait for a decision."""

    source: str
    raw_name: str
    model: str | None
    status: str
    method: str
    evidence: str | None
    candidates: str | None
    n_results: int


def is_ranking(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a published board is a ranking of language models.

    Raises
    ------
    UnknownBoardError
        If there is no such board.
    """
    return kind_of(connection, name)[0] == LLM_LEADERBOARD.schema


def published_rankings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The published rankings of language models, sorted."""
    return [name for name in board_names(connection) if is_ranking(connection, name)]


def model_board(connection: duckdb.DuckDBPyConnection, name: str) -> ModelBoard:
    """A published ranking.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or it is of another kind.
    """
    kind, title = kind_of(connection, name)
    if kind != LLM_LEADERBOARD.schema:
        known = ", ".join(published_rankings(connection)) or "none"
        raise UnknownBoardError(f"board {name!r} is no ranking of language models but of kind {kind}; known: {known}")
    columns = compose(_ROWS, columns=[one.name for one in fields(ModelRow)])
    rows = tuple(ModelRow(*row) for row in connection.execute(columns, [name]).fetchall())
    rank_by = rows[0].rank_by if rows else ""
    return ModelBoard(name, title, rank_by, rows, source_rows(connection, name))


def n_ranked(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """How many models a ranking ranks; 0 where it is not published."""
    counted = connection.execute("SELECT count(rank) FROM llm.leaderboard WHERE ranking = ?", [name]).fetchone()
    return int(counted[0]) if counted else 0


def source_rows(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[SourceRow, ...]:
    """The sources of a ranking, by name; none where it is not published."""
    columns = compose(_SOURCES, columns=[one.name for one in fields(SourceRow)])
    return tuple(SourceRow(*row) for row in connection.execute(columns, [name]).fetchall())


def named_models(connection: duckdb.DuckDBPyConnection, name: str) -> list[NamedModel]:
    """Every name of a single model in a ranking's sources; those for which most figures wait first."""
    return [NamedModel(*row) for row in connection.execute(_NAMES, [name]).fetchall()]


def model_ids(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The ids of all models that any source of a ranking has a name of."""
    return [row[0] for row in connection.execute(_MODELS, [name]).fetchall()]
