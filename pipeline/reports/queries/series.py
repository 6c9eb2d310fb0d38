"""What a board says over time: scores of models by window, single metrics, whole rows of snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.competition.peers import ENSEMBLE_PREFIX
from pipeline.reports.queries.page import Addition, Query
from pipeline.tables import OVERALL, TableSpec
from pipeline.warehouse import Sql, compose

_SUMMARY = Sql("""
    SELECT b.model_id, coalesce(m.title, b.model_id) AS model_name, coalesce(m.player, '') AS player_name,
           b.rank, b.rank_with_ensembles, b.status, b.as_of,
           map_from_entries(list((s.window_name || '.' || s.metric, s.value) ORDER BY s.window_name, s.metric))
               AS metrics
    FROM competition.leaderboard AS b
    JOIN competition.snapshots AS s USING (competition, as_of, category, model_id)
    LEFT JOIN competition.models AS m USING (competition, model_id)
    WHERE b.competition = $competition AND b.category = $overall AND b.as_of = $as_of
    AND ($ensembles OR NOT b.is_ensemble)
    GROUP BY ALL ORDER BY min(b.position), b.model_id
""")


@dataclass(frozen=True)
class Selection:
    """Which rows of a board's history are asked for; None is all.

    Parameters
    ----------
    competition : str
    model_ids : sequence of str or None
    start, end : datetime or None
        Moments of boards, UTC, both included.
    include_ensembles : bool
        Virtual models too; those that ``model_ids`` name are there either way.
    """

    competition: str
    model_ids: Sequence[str] | None = None
    start: datetime | None = None
    end: datetime | None = None
    include_ensembles: bool = False

    @property
    def values(self) -> dict[str, object]:
        """The values of ``_WHERE``."""
        models = None if self.model_ids is None else list(self.model_ids)
        return {
            "competition": self.competition,
            "models": models,
            "first": self.start,
            "last": self.end,
            "ensembles": self.include_ensembles or models is not None,
            "prefix": ENSEMBLE_PREFIX,
        }


_WHERE = Sql("""
    s.competition = $competition AND ($models IS NULL OR list_contains($models, s.model_id))
    AND ($first IS NULL OR s.as_of >= $first) AND ($last IS NULL OR s.as_of <= $last)
    AND ($ensembles OR NOT starts_with(s.model_id, $prefix))
""")

_SCORES = compose(
    """
    SELECT s.as_of, s.category, s.model_id, coalesce(m.title, s.model_id) AS model_name,
           coalesce(m.player, '') AS player_name,
           s.metric,
           map_from_entries(list((s.window_name, s.value) ORDER BY s.window_name)) AS scores,
           max(s.value) FILTER (s.window_name = 'recent') AS score_recent,
           max(s.value) FILTER (s.window_name = 'steady') AS score_steady,
           max(s.value) FILTER (s.window_name = 'anchor') AS score_anchor
    FROM competition.snapshots AS s LEFT JOIN competition.models AS m USING (competition, model_id)
    WHERE {where} AND s.metric = list_extract($metrics, list_position($parts, split_part(s.category, '=', 1)))
    GROUP BY ALL ORDER BY s.as_of, s.category, s.model_id
""",
    where=_WHERE,
)

_SNAPSHOTS = compose(
    """
    SELECT s.* EXCLUDE (competition) FROM competition.snapshots AS s
    WHERE {where} AND ($category IS NULL OR s.category = $category)
    AND ($window IS NULL OR s.window_name = $window) AND ($metrics IS NULL OR list_contains($metrics, s.metric))
    ORDER BY s.as_of, s.category, s.model_id, s.window_name, s.metric
""",
    where=_WHERE,
)

_RANKS = compose(
    """
    SELECT s.as_of, s.category, s.model_id, s.rank, s.rank_with_ensembles, s.rank_change, s.rank_lo, s.rank_hi,
           s.rank_key, s.coverage, s.n, s.status
    FROM competition.leaderboard AS s
    WHERE {where} AND s.category = $category
    ORDER BY s.as_of, s.model_id
""",
    where=_WHERE,
)

_WITH_SCORES = """
    SELECT p.*,
           max(v.value) FILTER (v.window_name = 'recent') AS score_recent,
           max(v.value) FILTER (v.window_name = 'steady') AS score_steady,
           max(v.value) FILTER (v.window_name = 'anchor') AS score_anchor,
           map_from_entries(list((v.window_name, v.value) ORDER BY v.window_name)) AS scores
    FROM ({page}) AS p LEFT JOIN (
        SELECT as_of, model_id, window_name, value FROM competition.snapshots
        WHERE competition = $competition AND category = $category AND metric = $metric
        AND ($models IS NULL OR list_contains($models, model_id))
    ) AS v USING (as_of, model_id)
    GROUP BY ALL ORDER BY p.as_of, p.model_id
"""
"""Of a page of ranks: snapshots are many, and are read at its moments only."""


def scores(selection: Selection, metrics: Mapping[str, str]) -> Query:
    """A metric of models in every window, moment by moment.

    ``metrics`` names it by what divides the contest: ``overall`` for the whole, ``horizon`` and ``subject`` for parts.
    """
    return Query(_SCORES, {**selection.values, "parts": list(metrics), "metrics": list(metrics.values())})


def snapshots(
    selection: Selection,
    *,
    category: str | None = None,
    window: str | None = None,
    metrics: Sequence[str] | None = None,
) -> Query:
    """Rows of snapshots as they are stored."""
    only = None if metrics is None else list(metrics)
    return Query(_SNAPSHOTS, {**selection.values, "category": category, "window": window, "metrics": only})


def ranks(selection: Selection, metric: str, category: str = OVERALL) -> Query:
    """Where models stood on the boards of a category, with a metric in every window."""
    return Query(_RANKS, {**selection.values, "category": category}, Addition(_WITH_SCORES, {"metric": metric}))


def summary(competition: str, as_of: datetime | None, *, include_ensembles: bool = False) -> Query:
    """Every metric over every window of every model, as of a board: a row for each model."""
    values = {"competition": competition, "overall": OVERALL, "ensembles": include_ensembles, "as_of": as_of}
    return Query(_SUMMARY, values)


def newest_days(
    connection: duckdb.DuckDBPyConnection, competition: str, table: TableSpec, days: int = 7
) -> tuple[datetime | None, datetime | None]:
    """The last so many days that a table has rows of, by its cycles; None, None where it has none."""
    query = compose(
        "SELECT max({cycle}) - to_days(?), max({cycle}) FROM {table} WHERE competition = ?",
        cycle=table.cycle or "",
        table=table,
    )
    first, last = connection.execute(query, [days, competition]).fetchall()[0]
    return first, last
