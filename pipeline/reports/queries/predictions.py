"""Single predictions with what became of them."""

from collections.abc import Sequence

from pipeline.reports.queries.page import Query
from pipeline.reports.queries.series import Selection
from pipeline.warehouse import Sql

_PREDICTIONS = Sql("""
    WITH predicted AS (
        SELECT * FROM competition.predictions
        UNION ALL SELECT * FROM competition.ensemble_predictions
    ), scored AS (
        SELECT * FROM competition.scores UNION ALL SELECT * FROM competition.ensemble_scores
    ), newest AS (
        SELECT model_id, cycle, horizon, subject, outcome, value, success, failed_reason, known_at FROM scored
        WHERE competition = $competition
        AND ($first IS NULL OR cycle >= $first) AND ($last IS NULL OR cycle <= $last)
        AND ($models IS NULL OR list_contains($models, model_id))
        AND ($subjects IS NULL OR list_contains($subjects, subject))
        QUALIFY known_at = max(known_at) OVER (PARTITION BY model_id, cycle, horizon, subject)
    )
    SELECT p.model_id, p.cycle, p.horizon, p.subject, p.target_time, p.output_type, p.output_type_id, p.value,
           p.received_at, p.is_late, p.is_imputed, s.outcome, s.value AS score, s.success, s.failed_reason,
           s.known_at AS scored_at
    FROM predicted AS p LEFT JOIN newest AS s USING (model_id, cycle, horizon, subject)
    WHERE p.competition = $competition
    AND ($first IS NULL OR p.cycle >= $first) AND ($last IS NULL OR p.cycle <= $last)
    AND ($models IS NULL OR list_contains($models, p.model_id))
    AND ($subjects IS NULL OR list_contains($subjects, p.subject))
    AND ($ensembles OR NOT starts_with(p.model_id, $prefix))
    ORDER BY p.cycle, p.model_id, p.horizon, p.subject, try_cast(p.output_type_id AS DOUBLE), p.output_type_id
""")


def predictions(selection: Selection, subjects: Sequence[str] | None = None) -> Query:
    """Predictions with their outcome and score as known now; ``start`` and ``end`` are of their cycles.

    A distribution has a row for each of its numbers, all with the score of the whole. What is under embargo is in no
    published file, so it is not here.
    """
    return Query(_PREDICTIONS, {**selection.values, "subjects": None if subjects is None else list(subjects)})
