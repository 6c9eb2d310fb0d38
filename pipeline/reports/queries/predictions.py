"""Single predictions with what became of them."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

from pipeline.competition.peers import ENSEMBLE_PREFIX
from pipeline.reports.queries.page import Page, page
from pipeline.warehouse import Sql

_PREDICTIONS = Sql("""
    WITH predicted AS (
        SELECT * FROM competition.predictions
        UNION ALL SELECT * FROM competition.ensemble_predictions
    ), scored AS (
        SELECT * FROM competition.scores UNION ALL SELECT * FROM competition.ensemble_scores
    ), newest AS (
        SELECT model_id, cycle, horizon, subject, outcome, value, success, failed_reason, known_at FROM scored
        WHERE competition = $competition AND cycle BETWEEN $first AND $last
        QUALIFY known_at = max(known_at) OVER (PARTITION BY model_id, cycle, horizon, subject)
    )
    SELECT p.model_id, p.cycle, p.horizon, p.subject, p.target_time, p.output_type, p.output_type_id, p.value,
           p.received_at, p.is_late, p.is_imputed, s.outcome, s.value AS score, s.success, s.failed_reason,
           s.known_at AS scored_at
    FROM predicted AS p LEFT JOIN newest AS s USING (model_id, cycle, horizon, subject)
    WHERE p.competition = $competition AND p.cycle BETWEEN $first AND $last
    AND ($models IS NULL OR list_contains($models, p.model_id))
    AND ($subjects IS NULL OR list_contains($subjects, p.subject))
    AND ($ensembles OR NOT starts_with(p.model_id, $prefix))
    ORDER BY p.cycle, p.model_id, p.horizon, p.subject, try_cast(p.output_type_id AS DOUBLE), p.output_type_id
""")


def predictions(
    connection: duckdb.DuckDBPyConnection,
    competition: str,
    start: datetime,
    end: datetime,
    model_ids: Sequence[str] | None = None,
    subjects: Sequence[str] | None = None,
    *,
    include_ensembles: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> Page:
    """Predictions of cycles from ``start`` to ``end``, both included, with their outcome and score as known now.

    A distribution has a row for each of its numbers, all with the score of the whole. What is under embargo is in no
    published file, so it is not here. Virtual models that are named are there either
    way.
    """
    values = {
        "competition": competition,
        "first": start,
        "last": end,
        "models": None if model_ids is None else list(model_ids),
        "subjects": None if subjects is None else list(subjects),
        "ensembles": include_ensembles or model_ids is not None,
        "prefix": ENSEMBLE_PREFIX,
    }
    return page(connection, _PREDICTIONS, values, limit, offset)
