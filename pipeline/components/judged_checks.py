"""What must hold of a judged track's tables, as asset checks that say which rows break it."""

from pipeline.components.checks import Check, keys_unique, ranks_well_formed
from pipeline.tables import COMPARISONS, CORRELATIONS, MEASURES, TRACK_FILES, TRACK_LEADERBOARD, TableSpec

_OF_TABLE: dict[TableSpec, tuple[Check, ...]] = {
    TRACK_FILES: (
        Check(
            "every_file_is_read",
            "No file was refused (a warning: the board is made without it).",
            "SELECT judge, name, reason FROM judging.files WHERE track = ? AND status <> 'accepted' ORDER BY ALL",
            blocking=False,
        ),
        Check(
            "printed_aggregates_follow_from_topics",
            "What files print for all topics together is what their topics sum up to, as far as rounding tells (a "
            "warning: the tables have what topics sum up to).",
            "SELECT judge, name, n_differences FROM judging.files WHERE track = ? AND n_differences > 0 ORDER BY ALL",
            blocking=False,
        ),
    ),
    MEASURES: (
        Check(
            "every_run_has_every_topic",
            "No run lacks a topic that it should have (a warning).",
            """
            SELECT judge, run_id, count(DISTINCT topic_id) AS n_missing, first(topic_id ORDER BY topic_id) AS first
            FROM judging.measures
            WHERE track = ? AND value IS NULL AND topic_id <> 'all'
            GROUP BY judge, run_id
            ORDER BY judge, run_id
            """,
            blocking=False,
        ),
    ),
    TRACK_LEADERBOARD: (
        ranks_well_formed(
            TRACK_LEADERBOARD, "runs", ("run_id",), ("judge",), also=("(rank IS NULL) <> (value IS NULL)",)
        ),
        Check(
            "rank_intervals_hold_the_rank",
            "What a run's rank could be includes what it is, within the ranks there are; without an interval, the "
            "method says why.",
            """
            SELECT judge, run_id, rank, rank_lo, rank_hi, tie_group, rank_method
            FROM (
                SELECT *, count(rank) OVER (PARTITION BY judge) AS ranked FROM judging.leaderboard WHERE track = ?
            )
            WHERE NOT (1 <= rank_lo AND rank_lo <= rank AND rank <= rank_hi AND rank_hi <= ranked)
               OR tie_group <> rank_lo
               OR (rank_lo IS NULL) <> (rank_hi IS NULL)
               OR (rank_method = 'holm') <> (rank_lo IS NOT NULL)
            """,
        ),
    ),
    CORRELATIONS: (
        Check(
            "correlations_are_between_minus_one_and_one",
            "A correlation and its interval are between -1 and 1; exactly those without a value say why.",
            """
            SELECT judge, truth_measure, judge_measure, method, topic_id, value, ci_low, ci_high, reason
            FROM judging.correlations
            WHERE track = ? AND (
                NOT (abs(value) <= 1 + 1e-12 AND abs(ci_low) <= 1 + 1e-12 AND abs(ci_high) <= 1 + 1e-12)
                OR (value IS NULL) <> (reason IS NOT NULL)
            )
            """,
        ),
        Check(
            "every_judge_is_compared",
            "Every judge's ranking of the runs is correlated with the official one (a warning).",
            """
            SELECT judge, max(n_runs) AS n_runs, first(reason ORDER BY truth_measure, judge_measure, method) AS reason
            FROM judging.correlations
            WHERE track = ? AND topic_id = 'all'
            GROUP BY judge
            HAVING count(value) = 0
            ORDER BY judge
            """,
            blocking=False,
        ),
    ),
    COMPARISONS: (
        Check(
            "pairs_are_well_formed",
            "Each pair is compared once; its topics are won, tied or lost; p values are between 0 and 1, and never "
            "smaller for allowing for other pairs.",
            """
            SELECT judge, measure, run_id, other_run_id, n_topics, wins, ties, losses, p, p_adjusted, reason
            FROM judging.comparisons AS one
            WHERE track = ? AND (
                run_id = other_run_id
                OR wins + ties + losses <> n_topics
                OR NOT (0 <= p AND p <= 1 AND p <= p_adjusted + 1e-12 AND p_adjusted <= 1)
                OR (p IS NULL) <> (reason IS NOT NULL)
                OR better NOT IN (run_id, other_run_id)
                OR EXISTS (
                    SELECT 1 FROM judging.comparisons AS other
                    WHERE other.track = one.track AND other.judge = one.judge AND other.measure = one.measure
                      AND other.run_id = one.other_run_id AND other.other_run_id = one.run_id
                )
            )
            """,
        ),
    ),
}


def of_table(spec: TableSpec) -> list[Check]:
    """The checks of a table: that its key is unique, and those of its own."""
    return [keys_unique(spec), *_OF_TABLE.get(spec, ())]
