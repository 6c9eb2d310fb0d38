"""Virtual models over time: whom they were made of, and how they stood beside those."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.competition.peers import ENSEMBLE_PREFIX
from pipeline.reports.queries.page import Query
from pipeline.tables import OVERALL
from pipeline.warehouse import Sql

_WEIGHTS = Sql("""
    SELECT w.cycle, w.horizon, w.ensemble, w.model_id, coalesce(m.title, w.model_id) AS model_name,
           w.weight, w.n_history, w.fallback
    FROM competition.ensemble_weights AS w LEFT JOIN competition.models AS m USING (competition, model_id)
    WHERE w.competition = $competition AND ($ensembles IS NULL OR list_contains($ensembles, w.ensemble))
    AND ($first IS NULL OR w.cycle >= $first) AND ($last IS NULL OR w.cycle <= $last)
    ORDER BY w.cycle, w.horizon, w.ensemble, w.model_id
""")

_HISTORY = Sql("""
    WITH board AS (
        SELECT as_of, model_id, is_ensemble, rank, rank_with_ensembles, rank_key, coverage, n
        FROM competition.leaderboard WHERE competition = $competition AND category = $overall
        AND ($first IS NULL OR as_of >= $first) AND ($last IS NULL OR as_of <= $last)
    ), members AS (
        SELECT as_of, count(rank) AS n_ranked, arg_min(rank_key, rank) AS best_member,
               median(rank_key) FILTER (rank IS NOT NULL) AS median_member
        FROM board WHERE NOT is_ensemble GROUP BY as_of
    )
    SELECT b.as_of, b.model_id, coalesce(m.title, b.model_id) AS model_name, b.rank_with_ensembles, b.rank_key,
           b.coverage, b.n, s.n_ranked, s.best_member, s.median_member
    FROM board AS b LEFT JOIN members AS s USING (as_of)
    LEFT JOIN competition.models AS m ON m.competition = $competition AND m.model_id = b.model_id
    WHERE b.is_ensemble AND ($models IS NULL OR list_contains($models, b.model_id))
    ORDER BY b.as_of, b.model_id
""")

_SAMPLED = Sql("""
    WITH of_ensemble AS (
        SELECT * FROM competition.ensemble_weights
        WHERE competition = $competition AND ensemble = $ensemble AND cycle <= $as_of
    ), cycles AS (
        SELECT cycle, row_number() OVER (ORDER BY cycle DESC) - 1 AS back, count(*) OVER () AS n
        FROM of_ensemble GROUP BY cycle
    )
    SELECT w.cycle, w.model_id, coalesce(m.title, w.model_id), w.weight, w.n_history, w.fallback
    FROM of_ensemble AS w JOIN cycles AS c USING (cycle)
    LEFT JOIN competition.models AS m ON m.competition = w.competition AND m.model_id = w.model_id
    WHERE c.back % greatest(1, ceil(c.n / $points)::BIGINT) = 0
    AND w.horizon = (SELECT min(horizon) FROM of_ensemble)
    ORDER BY w.cycle, w.weight DESC, w.model_id
""")


def weights(
    competition: str,
    ensembles: Sequence[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Query:
    """The weight of every member, cycle by cycle (``start`` to ``end``, both included); all ensembles by default."""
    named = None if ensembles is None else list(ensembles)
    return Query(_WEIGHTS, {"competition": competition, "ensembles": named, "first": start, "last": end})


def history(
    competition: str,
    ensembles: Sequence[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Query:
    """How ensembles stood on the board, moment by moment, beside the best and the median of the ranked real models."""
    models = None if ensembles is None else [f"{ENSEMBLE_PREFIX}{name}__" for name in ensembles]
    values = {"competition": competition, "overall": OVERALL, "models": models, "first": start, "last": end}
    return Query(_HISTORY, values)


@dataclass(frozen=True)
class Weight:
    """The share of a member in one cycle."""

    cycle: datetime
    model_id: str
    title: str
    weight: float
    n_history: int
    fallback: str | None


def sampled_weights(
    connection: duckdb.DuckDBPyConnection, competition: str, ensemble: str, as_of: datetime, points: int
) -> list[Weight]:
    """The weights of an ensemble's members in some cycles up to a moment, at even distances, the newest among them.

    Of several horizons the first.
    """
    values = {"competition": competition, "ensemble": ensemble, "as_of": as_of, "points": points}
    return [Weight(*row) for row in connection.execute(_SAMPLED, values).fetchall()]
