"""What must hold of an experiment's tables, as asset checks that say which rows break it."""

from pipeline.components.checks import Check, keys_unique, ranks_well_formed
from pipeline.tables import (
    EXPERIMENT_AGREEMENT,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_FILES,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORES,
    TableSpec,
)

_OF_TABLE: dict[TableSpec, tuple[Check, ...]] = {
    EXPERIMENT_FILES: (
        Check(
            "rows_of_files_add_up",
            "Every row of a file was taken or refused: landing has each one that was taken, quarantine.experiment_rows "
            "each that was refused.",
            """
            SELECT f.file_number, f.kind, f.name, f.n_rows, f.n_accepted, f.n_rejected,
                coalesce(q.n, 0) AS n_in_quarantine, coalesce(r.n, 0) AS n_landed
            FROM experiments.files AS f
            LEFT JOIN (
                SELECT file_number, count(*) AS n FROM quarantine.experiment_rows
                WHERE experiment = ? AND row_number > 0 GROUP BY file_number
            ) AS q USING (file_number)
            LEFT JOIN (
                SELECT file_number, count(*) AS n FROM (
                    SELECT file_number FROM landing.run_rows WHERE experiment = ?
                    UNION ALL
                    SELECT file_number FROM landing.score_rows WHERE experiment = ?
                ) GROUP BY file_number
            ) AS r USING (file_number)
            WHERE f.experiment = ? AND (
                f.n_rows <> f.n_accepted + f.n_rejected
                OR f.n_rejected <> coalesce(q.n, 0)
                OR f.n_accepted <> coalesce(r.n, 0)
            )
            """,
        ),
    ),
    EXPERIMENT_RUNS: (
        Check(
            "runs_are_of_known_configurations_and_inputs",
            "Every run names a configuration and an input that are there, and a status that is known.",
            """
            SELECT r.run_id, r.configuration, r.input_id, r.status
            FROM experiments.runs AS r
            LEFT JOIN experiments.configurations AS c USING (experiment, configuration)
            LEFT JOIN experiments.inputs AS i USING (experiment, input_id)
            WHERE r.experiment = ? AND (
                c.configuration IS NULL OR i.input_id IS NULL
                OR r.status NOT IN ('pending', 'running', 'completed', 'failed', 'cancelled')
            )
            """,
        ),
        Check(
            "amounts_of_runs_are_not_negative",
            "Repeats count from 1, and no time, token or cost is below 0.",
            """
            SELECT run_id, repeat, duration_ms, tokens_in, tokens_out, cost
            FROM experiments.runs
            WHERE experiment = ? AND (
                repeat < 1 OR duration_ms < 0 OR tokens_in < 0 OR tokens_out < 0 OR cost < 0
                OR completed_at < started_at
            )
            """,
        ),
    ),
    EXPERIMENT_SCORES: (
        Check(
            "scores_are_from_0_to_1",
            "Every score is from 0 to 1, or has no value and says why, is of a known run, and exactly the newest by a "
            "scorer and a rater is called so.",
            """
            SELECT run_id, scorer, rater, number, value, reason, is_latest
            FROM (
                SELECT s.*, r.run_id IS NULL AS is_stray,
                    row_number() OVER of_rater AS place, count(*) OVER (PARTITION BY s.run_id, s.scorer, s.rater) AS n
                FROM experiments.scores AS s
                LEFT JOIN experiments.runs AS r USING (experiment, run_id)
                WHERE s.experiment = ?
                WINDOW of_rater AS (PARTITION BY s.run_id, s.scorer, s.rater ORDER BY s.scored_at, s.number)
            )
            WHERE is_stray OR value < 0 OR value > 1 OR (value IS NULL) <> (reason IS NOT NULL)
               OR number <> place OR is_latest <> (place = n)
            """,
        ),
        Check(
            "no_scorer_failed",
            "No scorer failed: none left a run unscored because of an error of its own (a warning; it is tried again).",
            """
            SELECT scorer, count(*) AS n_runs, first(details ORDER BY run_id) AS first_error
            FROM experiments.scores
            WHERE experiment = ? AND reason = 'scorer_failed' AND is_latest
            GROUP BY scorer
            ORDER BY scorer
            """,
            blocking=False,
        ),
    ),
    EXPERIMENT_RUN_BOARD: (
        Check(
            "board_has_every_run",
            "Every run is on the board once, and only completed ones are ranked.",
            """
            SELECT run_id, r.status, b.status AS on_board
            FROM (SELECT * FROM experiments.runs WHERE experiment = ?) AS r
            FULL JOIN (SELECT * FROM experiments.run_board WHERE experiment = ?) AS b USING (run_id)
            WHERE r.run_id IS NULL OR b.run_id IS NULL OR (b.status = 'ranked' AND r.status <> 'completed')
            """,
        ),
        ranks_well_formed(EXPERIMENT_RUN_BOARD, "runs", ("run_id",)),
    ),
    EXPERIMENT_LEADERBOARD: (
        Check(
            "board_agrees_with_runs",
            "In every grouping contestants have no more runs than there are, of each status, and what they cost.",
            """
            SELECT l.*, r.*
            FROM (
                SELECT grouping, sum(n_runs) AS n_runs, sum(n_scored) AS n_scored, sum(n_failed) AS n_failed,
                    sum(n_unfinished) AS n_unfinished, sum(total_cost) AS total_cost
                FROM experiments.leaderboard WHERE experiment = ? GROUP BY grouping
            ) AS l, (
                SELECT count(*) AS runs, count(*) FILTER (status = 'completed') AS completed,
                    count(*) FILTER (status = 'failed') AS failed,
                    count(*) FILTER (status IN ('pending', 'running')) AS unfinished, sum(cost) AS costs
                FROM experiments.runs WHERE experiment = ?
            ) AS r
            WHERE l.n_runs > r.runs OR l.n_scored > r.completed OR l.n_failed > r.failed
               OR l.n_unfinished > r.unfinished OR l.total_cost > r.costs * (1 + 1e-9)
            """,
        ),
        ranks_well_formed(
            EXPERIMENT_LEADERBOARD,
            "ones",
            ("contestant", "rank_lo", "rank_hi"),
            ("grouping",),
            also=("NOT (rank_lo <= rank AND rank <= rank_hi)", "NOT (ci_low <= score AND score <= ci_high)"),
        ),
    ),
    EXPERIMENT_COMPARISONS: (
        Check(
            "comparisons_are_of_known_configurations",
            "Both sides of a comparison are configurations; wins, ties and losses are all the inputs that both have.",
            """
            SELECT o.configuration, o.baseline, o.n_inputs, o.wins, o.ties, o.losses
            FROM experiments.comparisons AS o
            LEFT JOIN experiments.configurations AS c USING (experiment, configuration)
            LEFT JOIN experiments.configurations AS b ON b.experiment = o.experiment AND b.configuration = o.baseline
            WHERE o.experiment = ? AND (
                c.configuration IS NULL OR b.configuration IS NULL OR o.wins + o.ties + o.losses <> o.n_inputs
            )
            """,
        ),
    ),
    EXPERIMENT_AGREEMENT: (
        Check(
            "agreement_says_why",
            "Every coefficient has a value of at most 1, or none and says why.",
            """
            SELECT scorer, coefficient, level, value, reason
            FROM experiments.agreement
            WHERE experiment = ? AND (value > 1 OR (value IS NULL) <> (reason IS NOT NULL))
            """,
        ),
    ),
}


def of_table(spec: TableSpec) -> list[Check]:
    """The checks of a table: that its key is unique, and those of its own."""
    return [keys_unique(spec), *_OF_TABLE.get(spec, ())]
