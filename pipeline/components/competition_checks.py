"""What must hold of a competition's tables."""

from pipeline.components.checks import Check, keys_unique, ranks_well_formed
from pipeline.tables import (
    CYCLE_METRICS,
    ENSEMBLE_METRICS,
    ENSEMBLE_WEIGHTS,
    EVALUATIONS,
    FILES,
    LEADERBOARD,
    MEMBER_METRICS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBMISSIONS,
    TableSpec,
)
from pipeline.warehouse import Sql, compose

_RESOLVED = """
    SELECT DISTINCT p.model_id, p.cycle, p.horizon, p.subject, p.output_type
    FROM competition.predictions AS p
    JOIN competition.truth AS t
      ON t.competition = p.competition AND t.subject = p.subject AND t.target_time = p.target_time
     AND t.horizon IN (-1, p.horizon)
    WHERE p.competition = ? AND NOT p.is_late AND t.value IS NOT NULL
"""
_SCORED = "SELECT DISTINCT model_id, cycle, horizon, subject, output_type FROM competition.scores WHERE competition = ?"


def _no_metric_failed(spec: TableSpec, condition: str = "true") -> Check:
    return Check(
        "no_metric_failed",
        "No metric failed: none left an error in place of a value (a warning).",
        compose(
            """
        SELECT metric, count(DISTINCT (model_id, {cycle})) AS n_values, count(DISTINCT {cycle}) AS n_cycles,
            first(reason ORDER BY {cycle}, model_id) AS first_error
        FROM {table}
        WHERE competition = ? AND (reason = 'error' OR starts_with(reason, 'error: ')) AND {condition}
        GROUP BY metric
        ORDER BY metric
        """,
            cycle=str(spec.cycle),
            table=spec,
            condition=Sql(condition),
        ),
        blocking=False,
    )


_OF_SERIES = "metric IN (SELECT metric FROM catalog.metrics WHERE board = ? AND pool = 'series')"
"""What a snapshot says of other metrics, the cycles said already."""


_OF_TABLE: dict[TableSpec, tuple[Check, ...]] = {
    FILES: (
        Check(
            "rows_of_files_add_up",
            "Every row of a file was taken or refused: quarantine.rows has each refused one, and every prediction that "
            "was taken is kept.",
            """
            SELECT f.file_number, f.kind, f.name, f.n_rows, f.n_accepted, f.n_rejected,
                coalesce(q.n, 0) AS n_in_quarantine, p.n AS n_predictions
            FROM competition.files AS f
            LEFT JOIN (
                SELECT file_number, count(*) AS n FROM quarantine.rows
                WHERE competition = ? AND row_number > 0 GROUP BY file_number
            ) AS q USING (file_number)
            LEFT JOIN (
                SELECT file_number, count(*) AS n FROM landing.prediction_rows
                WHERE competition = ? GROUP BY file_number
            ) AS p USING (file_number)
            WHERE f.competition = ? AND (
                f.n_rows <> f.n_accepted + f.n_rejected
                OR f.n_rejected <> coalesce(q.n, 0)
                OR (f.kind = 'predictions' AND f.n_accepted <> coalesce(p.n, 0))
            )
            """,
        ),
    ),
    SUBMISSIONS: (
        Check(
            "one_submission_counts",
            "Of a model's submissions to a cycle exactly one counts, it supersedes all others, and it is late only "
            "when all are.",
            """
            SELECT model_id, cycle, count(*) AS submissions,
                count(*) FILTER (superseded_by IS NULL) AS counting,
                max(file_number) FILTER (superseded_by IS NULL) AS counts
            FROM competition.submissions
            WHERE competition = ?
            GROUP BY model_id, cycle
            HAVING counting <> 1
                OR max(superseded_by) <> counts
                OR min(superseded_by) <> counts
                OR bool_or(is_late AND superseded_by IS NULL) <> bool_and(is_late)
            """,
        ),
    ),
    PREDICTIONS: (
        Check(
            "what_stands_in_was_submitted",
            "Every imputed prediction was made for an earlier cycle, in time, by a model that has nothing else in this "
            "one.",
            """
            SELECT p.model_id, p.cycle, p.horizon, p.subject, p.output_type_id, p.value, p.received_at
            FROM competition.predictions AS p
            WHERE p.competition = ? AND p.is_imputed AND (
                p.is_late
                OR EXISTS (
                    SELECT 1 FROM competition.predictions AS own
                    WHERE own.competition = ? AND NOT own.is_imputed
                      AND own.model_id = p.model_id AND own.cycle = p.cycle
                )
                OR NOT EXISTS (
                    SELECT 1 FROM competition.predictions AS own
                    WHERE own.competition = ? AND NOT own.is_imputed AND NOT own.is_late
                      AND own.model_id = p.model_id AND own.horizon = p.horizon AND own.subject = p.subject
                      AND own.output_type_id = p.output_type_id
                      AND own.value = p.value AND own.received_at = p.received_at AND own.cycle < p.cycle
                )
            )
            """,
        ),
    ),
    SCORES: (
        Check(
            "no_late_prediction_is_scored",
            "No prediction received after its deadline has a score.",
            """
            SELECT DISTINCT p.model_id, p.cycle, p.horizon, p.subject, p.received_at, p.deadline
            FROM competition.scores AS s
            JOIN competition.predictions AS p USING (competition, model_id, cycle, horizon, subject, output_type)
            WHERE s.competition = ? AND p.received_at > p.deadline
            """,
        ),
        Check(
            "scores_match_resolved_predictions",
            "Every prediction in time whose outcome is known has a score or a reason, and nothing else has.",
            compose(
                """
            SELECT 'not scored' AS problem, * FROM ({resolved} EXCEPT {scored})
            UNION ALL
            SELECT 'not resolved' AS problem, * FROM ({scored} EXCEPT {resolved})
            """,
                resolved=Sql(_RESOLVED),
                scored=Sql(_SCORED),
            ),
        ),
    ),
    CYCLE_METRICS: (
        Check(
            "coverage_per_cycle",
            "In every cycle, the models that took part scored at least half of the outcomes known (a warning).",
            """
            SELECT cycle, sum(numerator) / sum(denominator) AS coverage
            FROM (
                SELECT * FROM competition.cycle_metrics
                WHERE competition = ? AND metric = 'coverage' AND category = 'overall' AND NOT is_imputed
                QUALIFY row_number() OVER (PARTITION BY model_id, cycle ORDER BY known_at DESC) = 1
            )
            GROUP BY cycle
            HAVING sum(numerator) / sum(denominator) < 0.5
            """,
            blocking=False,
        ),
        _no_metric_failed(CYCLE_METRICS),
    ),
    ENSEMBLE_METRICS: (_no_metric_failed(ENSEMBLE_METRICS),),
    MEMBER_METRICS: (_no_metric_failed(MEMBER_METRICS),),
    SNAPSHOTS: (_no_metric_failed(SNAPSHOTS, _OF_SERIES),),
    ENSEMBLE_WEIGHTS: (
        Check(
            "no_strategy_or_filter_failed",
            "No strategy or filter failed: none left its ensemble with equal weights, or everybody in it (a warning).",
            """
            SELECT ensemble, count(*) AS n_weights, count(DISTINCT cycle) AS n_cycles,
                first(fallback ORDER BY cycle, horizon, model_id) AS first_error
            FROM competition.ensemble_weights
            WHERE competition = ? AND starts_with(fallback, 'error: ')
            GROUP BY ensemble
            ORDER BY ensemble
            """,
            blocking=False,
        ),
    ),
    LEADERBOARD: (
        ranks_well_formed(
            LEADERBOARD,
            "models",
            ("model_id", "rank"),
            ("as_of", "category"),
            rank="rank_with_ensembles",
            columns={
                "expected_of_real": "rank() OVER (board ORDER BY rank NULLS LAST)",
                "step": "dense_rank() OVER (PARTITION BY as_of, category, rank IS NULL ORDER BY rank)",
                "step_with_ensembles": "dense_rank() OVER (PARTITION BY as_of, category, rank IS NULL"
                " ORDER BY rank_with_ensembles)",
            },
            also=(
                "rank <> expected_of_real",
                "(rank IS NOT NULL AND step <> step_with_ensembles)",
                "(status = 'ranked' AND NOT is_ensemble) <> (rank IS NOT NULL)",
            ),
        ),
        Check(
            "rank_intervals_hold_the_rank",
            "What a model's rank could be includes what it is, within the ranks there are; without an interval, the "
            "method says why.",
            """
            SELECT as_of, category, model_id, rank, rank_lo, rank_hi, tie_group, rank_method
            FROM (
                SELECT *, count(rank) OVER (PARTITION BY as_of, category) AS ranked
                FROM competition.leaderboard
                WHERE competition = ?
            )
            WHERE NOT (1 <= rank_lo AND rank_lo <= rank AND rank <= rank_hi AND rank_hi <= ranked)
               OR tie_group <> rank_lo
               OR (rank_lo IS NULL) <> (rank_hi IS NULL)
               OR (rank_method = 'holm') <> (rank_lo IS NOT NULL)
               OR (rank_method = 'unranked') <> (status <> 'ranked')
               OR (rank_method = 'virtual') <> (status = 'ranked' AND is_ensemble)
            """,
        ),
    ),
    EVALUATIONS: (
        Check(
            "evaluations_say_why",
            "Every value of an evaluation set is within its interval or has none, and without a value there is a "
            "reason.",
            """
            SELECT evaluation, "by", part, model_id, metric, value, ci_low, ci_high, ci_method, reason
            FROM competition.evaluations
            WHERE competition = ? AND (
                (value IS NULL) <> (reason IS NOT NULL)
                OR NOT (ci_low <= value AND value <= ci_high)
                OR (ci_method = 'ewc') <> (ci_low IS NOT NULL)
                OR n > n_submitted OR n_submitted > n_tasks
            )
            """,
        ),
        Check(
            "evaluation_ranks_are_well_formed",
            "A rank is one more than the number of better models, what it could be includes it, and the excluded have "
            "none.",
            """
            SELECT evaluation, "by", part, model_id, metric, rank, rank_with_ensembles, rank_lo, rank_hi
            FROM (
                SELECT *,
                    rank() OVER (board ORDER BY rank NULLS LAST) AS expected,
                    rank() OVER (board ORDER BY rank_with_ensembles NULLS LAST) AS expected_with_ensembles
                FROM competition.evaluations
                WHERE competition = ?
                WINDOW board AS (PARTITION BY evaluation, "by", part, metric)
            )
            WHERE rank <> expected
               OR rank_with_ensembles <> expected_with_ensembles
               OR NOT (1 <= rank_lo AND rank_lo <= rank AND rank <= rank_hi)
               OR tie_group <> rank_lo
               OR (rank_with_ensembles IS NOT NULL AND value IS NULL)
            """,
        ),
    ),
}


def of_table(spec: TableSpec) -> list[Check]:
    """The checks of a table: that its key is unique, and those of its own."""
    return [keys_unique(spec), *_OF_TABLE.get(spec, ())]
