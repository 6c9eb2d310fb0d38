"""One model of a ranking: every figure that sources publish of it, its scores, its names, and where it stood."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import duckdb

from pipeline.reports.queries.models import UnknownModelError
from pipeline.reports.queries.page import Query
from pipeline.reports.queries.ranking_lists import plain
from pipeline.reports.queries.rankings import RankedModel, Ranking
from pipeline.warehouse import Sql, compose

_FIGURES = """
    SELECT r.source, coalesce(s.title, r.source) AS source_title, r.raw_name, r.benchmark, r.measure,
           coalesce(b.title, r.benchmark) AS title, coalesce(b.measure_title, r.measure) AS measure_title,
           coalesce(b.area, '') AS area, r.value, r.reason, r.unit, r.n, r.se, r.config, r.channel, r.measured_on,
           r.source_updated_at, r.fetched_at, r.url, r.flags, r.is_used, r.left_out
    FROM llm.results AS r
    LEFT JOIN llm.benchmarks AS b USING (ranking, benchmark, measure)
    LEFT JOIN llm.fetch_status AS s ON s.ranking = r.ranking AND s.source = r.source
    WHERE r.ranking = ? AND r.model = ?
    ORDER BY r.benchmark, r.measure, r.is_used DESC, r.source, r.raw_name, r.config, r.channel
"""
_SCORES = """
    SELECT score, value, ci_low, ci_high, coverage, is_partial, missing, n_benchmarks, n_sources, reason,
           is_converged
    FROM llm.scores WHERE ranking = ? AND model = ?
    ORDER BY list_position(['ability', 'coding', 'performance', 'value', 'overall'], score)
"""
_NAMES = """
    SELECT source, raw_name, title, config, method, evidence, decided_at, is_system, url
    FROM llm.aliases WHERE ranking = ? AND model = ? AND status = 'accepted' ORDER BY source, raw_name
"""
_MODEL = """
    SELECT title, organisation, family, released_on, nullif(released_evidence, ''), open_weights,
           nullif(weights_evidence, ''), hugging_face_id, openrouter_id, models_dev_id, is_made
    FROM llm.models WHERE ranking = ? AND model = ?
"""
_KNOWN_ELSEWHERE = """
    SELECT model FROM llm.models
    WHERE ranking = ? AND lower(?) IN (lower(openrouter_id), lower(hugging_face_id), lower(models_dev_id))
"""
_HISTORY = Sql("""
    SELECT day, model, rank, rank_lo, rank_hi, loo_rank_lo, loo_rank_hi, coverage, n_benchmarks, n_sources, is_partial,
           status, ability, coding, performance, value, overall
    FROM llm.snapshots
    WHERE ranking = $ranking AND ($models IS NULL OR list_contains($models, model))
    AND ($start IS NULL OR day >= $start) AND ($end IS NULL OR day <= $end)
    ORDER BY day, coalesce(rank, 2147483647), model
""")
_EVER_STOOD = "SELECT DISTINCT model FROM llm.snapshots WHERE ranking = ? AND list_contains(?, model)"
_STANDINGS = "SELECT day, rank, rank_lo, rank_hi, status, {score} FROM ({history}) ORDER BY day"
_CLOSE, _LETTERS = 5, 2


@dataclass(frozen=True)
class Figure:
    """A published figure of a model: a row of ``llm.results`` with the titles of what it is about."""

    source: str
    source_title: str
    raw_name: str
    benchmark: str
    measure: str
    title: str
    measure_title: str
    area: str
    value: float | None
    reason: str | None
    unit: str
    n: int | None
    se: float | None
    config: str
    channel: str
    measured_on: date | None
    source_updated_at: datetime | None
    fetched_at: datetime
    url: str
    flags: str
    is_used: bool
    left_out: str | None


@dataclass(frozen=True)
class Score:
    """A score of a model: a row of ``llm.scores``."""

    score: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    coverage: float
    is_partial: bool
    missing: str | None
    n_benchmarks: int
    n_sources: int
    reason: str | None
    is_converged: bool | None


@dataclass(frozen=True)
class UsedName:
    """A name by which a source calls a model, and how that was decided."""

    source: str
    raw_name: str
    title: str | None
    config: str | None
    method: str
    evidence: str | None
    decided_at: datetime | None
    is_system: bool
    url: str | None


@dataclass(frozen=True)
class Release:
    """What is said of a model itself: a row of ``llm.models``."""

    title: str
    organisation: str | None
    family: str
    released_on: date | None
    released_evidence: str | None
    open_weights: bool | None
    weights_evidence: str | None
    hugging_face_id: str | None
    openrouter_id: str | None
    models_dev_id: str | None
    is_made: bool


@dataclass(frozen=True)
class ModelFacts:
    """Everything that is published of a model; ``row`` is None where it is on no board."""

    model: str
    release: Release
    row: RankedModel | None
    scores: tuple[Score, ...]
    figures: tuple[Figure, ...]
    names: tuple[UsedName, ...]


def model_facts(connection: duckdb.DuckDBPyConnection, of: Ranking, model: str) -> ModelFacts:
    """Everything that is published of a model, named by its own id or by the one that a catalogue has for it alone.

    Raises
    ------
    UnknownModelError
        If the ranking has no such model; the message names those whose ids are like it.
    """
    found = connection.execute(_MODEL, [of.name, model]).fetchone()
    if found is None:
        meant = _known_elsewhere(connection, of, model)
        if meant is not None:
            return model_facts(connection, of, meant)
        raise UnknownModelError(_not_there(connection, of, model))
    asked = [of.name, model]
    return ModelFacts(
        model,
        Release(*found),
        of.by_model.get(model),
        tuple(Score(*row) for row in connection.execute(_SCORES, asked).fetchall()),
        tuple(Figure(*row) for row in connection.execute(_FIGURES, asked).fetchall()),
        tuple(UsedName(*row) for row in connection.execute(_NAMES, asked).fetchall()),
    )


@dataclass(frozen=True)
class Standing:
    """Where a model stood on a day."""

    day: datetime
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    status: str
    value: float | None


def history(
    connection: duckdb.DuckDBPyConnection,
    of: Ranking,
    models: Sequence[str] | None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Query:
    """Where models stood by day, the best first; all models where None, and those too that are not listed any more.

    They are named as for :func:`model_facts`.

    Raises
    ------
    UnknownModelError
        If a model that is named never stood anywhere and is not of the ranking.
    """
    given = None if models is None else _that_stood(connection, of, models)
    return Query(_HISTORY, {"ranking": of.name, "models": given, "start": start, "end": end})


def standings_of(connection: duckdb.DuckDBPyConnection, of: Ranking, model: str) -> list[Standing]:
    """Where one model stood, by day; ``value`` is that of the score that ranks."""
    query = compose(_STANDINGS, score=str(of.declared.rank_by), history=_HISTORY)
    values: dict[str, Any] = {"ranking": of.name, "models": [model], "start": None, "end": None}
    return [Standing(*row) for row in connection.execute(query, values).fetchall()]


def _that_stood(connection: duckdb.DuckDBPyConnection, of: Ranking, models: Sequence[str]) -> list[str]:
    """The ids of models that are named, of which history may tell."""
    ever = _ever_stood(connection, of, [model for model in models if model not in of.by_model])
    found = []
    for model in models:
        is_own = model in of.by_model or model in ever
        meant = model if is_own else _known_elsewhere(connection, of, model)
        if meant is None:
            raise UnknownModelError(f"ranking {of.name!r} never had a model {model!r}; {_like_it(of, model)}")
        found.append(meant)
    return found


def _known_elsewhere(connection: duckdb.DuckDBPyConnection, of: Ranking, model: str) -> str | None:
    """The id of the only model that a catalogue calls so; None where there is none, or several."""
    found = connection.execute(_KNOWN_ELSEWHERE, [of.name, model]).fetchall()
    return found[0][0] if len(found) == 1 else None


def _ever_stood(connection: duckdb.DuckDBPyConnection, of: Ranking, models: Sequence[str]) -> set[str]:
    """Those of some models that history knows."""
    if not models:
        return set()
    return {row[0] for row in connection.execute(_EVER_STOOD, [of.name, list(models)]).fetchall()}


def _not_there(connection: duckdb.DuckDBPyConnection, of: Ranking, model: str) -> str:
    if _ever_stood(connection, of, [model]):
        where = f"/rankings/api/history?ranking={of.name}&models={quote(model, safe='/')}"
        return f"ranking {of.name!r} does not list model {model!r} any more; where it stood: {where}"
    return f"ranking {of.name!r} has no model {model!r}; {_like_it(of, model)}"


def _like_it(of: Ranking, model: str) -> str:
    wanted = plain(model.rpartition("/")[2])
    close = [row for row in of.rows if len(wanted) >= _LETTERS and wanted in plain(f"{row.model} {row.title}")]
    close.sort(key=lambda row: (plain(row.title) != wanted, len(row.model), row.position))
    return (
        f"like it: {', '.join(row.model for row in close[:_CLOSE])}"
        if close
        else f"it has {len(of.rows)} models, see /rankings/api/rankings"
    )


RANKED_FIELDS = tuple(field.name for field in fields(RankedModel))
"""The columns of a row of a ranking."""
