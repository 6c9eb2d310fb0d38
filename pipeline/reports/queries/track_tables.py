"""The tables of judged tracks as the report API gives them: every row that there is, in a stable order."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.reports.queries.page import Query
from pipeline.tables import ALL_TOPICS_ID, OFFICIAL, TRACK_LEADERBOARD
from pipeline.warehouse import Sql

_TRACKS = Sql("""
    WITH runs AS (
        SELECT track, judge, any_value(measure) AS measure, count(*) AS n_runs, max(n_topics + n_missing) AS n_topics
        FROM judging.leaderboard GROUP BY track, judge
    ), files AS (
        SELECT track, judge, count(*) AS n_files, count(*) FILTER (status <> 'accepted') AS n_refused
        FROM judging.files GROUP BY track, judge
    )
    SELECT b.board AS track, b.title, coalesce(r.judge, f.judge, $official) AS judge, r.measure,
           coalesce(r.n_runs, 0) AS n_runs, coalesce(r.n_topics, 0) AS n_topics,
           coalesce(f.n_files, 0) AS n_files, coalesce(f.n_refused, 0) AS n_refused
    FROM catalog.boards AS b
    LEFT JOIN (runs AS r FULL JOIN files AS f USING (track, judge)) ON coalesce(r.track, f.track) = b.board
    WHERE b.kind = $kind ORDER BY b.board, judge <> $official, judge
""")

_MEASURES = Sql("""
    SELECT judge, run_id, topic_id, measure, value FROM judging.measures
    WHERE track = $track AND ($judges IS NULL OR list_contains($judges, judge))
    AND ($runs IS NULL OR list_contains($runs, run_id)) AND ($measures IS NULL OR list_contains($measures, measure))
    AND ($topics IS NULL OR list_contains($topics, topic_id))
    ORDER BY judge, run_id, topic_id, measure
""")

_CORRELATIONS = Sql("""
    SELECT judge, truth_measure, judge_measure, method, topic_id, value, n_runs, n_topics, se, ci_low, ci_high,
           ci_method, reason
    FROM judging.correlations
    WHERE track = $track AND ($judges IS NULL OR list_contains($judges, judge))
    AND ($measures IS NULL OR list_contains($measures, truth_measure))
    AND list_contains($topics, topic_id)
    ORDER BY judge, truth_measure, judge_measure, method, topic_id
""")

_COMPARISONS = Sql("""
    SELECT judge, measure, run_id, other_run_id, n_topics, n_left_out, difference, wins, ties, losses, statistic, p,
           p_adjusted, better, test, correction, reason
    FROM judging.comparisons
    WHERE track = $track AND ($judges IS NULL OR list_contains($judges, judge))
    AND ($measures IS NULL OR list_contains($measures, measure))
    AND ($runs IS NULL OR list_has_any($runs, [run_id, other_run_id]))
    ORDER BY judge, measure, run_id, other_run_id
""")

_FILES = Sql("""
    SELECT judge, name, role, sha256, size_bytes, format, n_rows, n_runs, n_differences, status, reason
    FROM judging.files WHERE track = $track AND ($judges IS NULL OR list_contains($judges, judge))
    ORDER BY judge, name
""")


@dataclass(frozen=True)
class TrackSelection:
    """Which rows of a track's tables: of these judges, runs, measures and topics; of all where None.

    Parameters
    ----------
    track : str
    judges, runs, measures, topics : sequence of str or None
    """

    track: str
    judges: Sequence[str] | None = None
    runs: Sequence[str] | None = None
    measures: Sequence[str] | None = None
    topics: Sequence[str] | None = None

    def values(self, *names: str) -> dict[str, object]:
        """The track and some of the rest, as a statement takes them."""
        chosen = {name: getattr(self, name) for name in names}
        return {"track": self.track} | {name: None if one is None else list(one) for name, one in chosen.items()}


def tracks() -> Query:
    """Every board of every published track: what ranks it, how many runs and topics it has, and of how many files."""
    return Query(_TRACKS, {"kind": TRACK_LEADERBOARD.schema, "official": OFFICIAL})


def measures(selected: TrackSelection) -> Query:
    """The value of every run, topic and measure; a topic that a run lacks is NULL."""
    return Query(_MEASURES, selected.values("judges", "runs", "measures", "topics"))


def correlations(selected: TrackSelection) -> Query:
    """How well judges predict the official ranking, by pairs of measures; over all topics unless some are named."""
    values = selected.values("judges", "measures")
    return Query(_CORRELATIONS, values | {"topics": list(selected.topics or [ALL_TOPICS_ID])})


def comparisons(selected: TrackSelection) -> Query:
    """Pairs of runs: who is better, on how many topics, and whether by chance."""
    return Query(_COMPARISONS, selected.values("judges", "runs", "measures"))


def files(selected: TrackSelection) -> Query:
    """The files that boards are made of, and those that were refused, with the reason."""
    return Query(_FILES, selected.values("judges"))
