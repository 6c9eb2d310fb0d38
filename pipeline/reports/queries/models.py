"""Models as they are registered, how many predictions they made and how good single ones were."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.competition.peers import ENSEMBLE_PREFIX, is_virtual
from pipeline.reports.queries.page import Query
from pipeline.tables import (
    ENSEMBLE_PREDICTIONS,
    ENSEMBLE_SCORES,
    OVERALL,
    PREDICTIONS,
    SCORES,
    TableSpec,
)
from pipeline.warehouse import Sql, compose

_MODELS = Sql("""
    SELECT m.model_id, m.title AS model_name, m.player AS player_name, m.kind, m.designated, m.version, m.licence,
           m.description, m.first_seen, b.rank, b.rank_with_ensembles, b.rank_lo, b.rank_hi, b.rank_key, b.coverage,
           b.n, coalesce(b.status, 'unranked: no_board_yet') AS status
    FROM competition.models AS m
    LEFT JOIN competition.leaderboard AS b
        ON b.competition = m.competition AND b.category = $overall AND b.as_of = $as_of AND b.model_id = m.model_id
    WHERE m.competition = $competition AND ($ensembles OR NOT starts_with(m.model_id, $prefix))
    ORDER BY b.position NULLS LAST, m.model_id
""")

_COUNTS = """
    WITH made AS (
        SELECT cycle, bool_or(is_late) AS is_late, bool_or(is_imputed) AS is_imputed
        FROM {table} WHERE competition = $competition AND model_id = $model
        AND ($as_of IS NULL OR cycle <= $as_of)
        GROUP BY cycle, horizon, subject
    )
    SELECT count(*), count(*) FILTER (is_late), count(*) FILTER (is_imputed), min(cycle), max(cycle) FROM made
"""

_SCORED = """
    WITH newest AS (
        SELECT subject, value, success, failed_reason FROM {table}
        WHERE competition = $competition AND model_id = $model AND ($as_of IS NULL OR known_at <= $as_of)
        QUALIFY known_at = max(known_at) OVER (PARTITION BY cycle, horizon, subject)
    )
    SELECT subject, count(*) FILTER (success), count(*) FILTER (NOT success), avg(value) FILTER (success),
           mode(failed_reason) FILTER (NOT success)
    FROM newest GROUP BY subject ORDER BY subject
"""


class UnknownModelError(LookupError):
    """A model that is not in a competition; the message lists names like it."""


@dataclass(frozen=True)
class SubjectScore:
    """How a model's predictions of one subject did; the mean of their scores is None where there is none."""

    subject: str
    n_scored: int
    n_failed: int
    mean_score: float | None
    failed_reason: str | None


@dataclass(frozen=True)
class ModelRecord:
    """What a model handed in and how it was scored, prediction by prediction.

    A distribution is one prediction, however many numbers it has.
    """

    n_predictions: int
    n_late: int
    n_imputed: int
    first_cycle: datetime | None
    last_cycle: datetime | None
    subjects: tuple[SubjectScore, ...]

    @property
    def n_scored(self) -> int:
        """Predictions with a score."""
        return sum(one.n_scored for one in self.subjects)

    @property
    def n_failed(self) -> int:
        """Predictions whose outcome is known and that have no score."""
        return sum(one.n_failed for one in self.subjects)

    @property
    def mean_score(self) -> float | None:
        """Mean score of single predictions; None where there is none."""
        scored = [(one.mean_score, one.n_scored) for one in self.subjects if one.mean_score is not None]
        return sum(mean * n for mean, n in scored) / sum(n for _, n in scored) if scored else None

    def ordered(self, *, lower_is_better: bool) -> list[str]:
        """The subjects that have scores, the best first."""
        scored = [(one.mean_score, one.subject) for one in self.subjects if one.mean_score is not None]
        sign = 1 if lower_is_better else -1
        return [subject for _, subject in sorted((sign * mean, subject) for mean, subject in scored)]


def models(competition: str, as_of: datetime | None, *, include_ensembles: bool = False) -> Query:
    """Every model with its place on the board of a moment, the best first; None of a contest without boards."""
    values = {
        "competition": competition,
        "overall": OVERALL,
        "as_of": as_of,
        "ensembles": include_ensembles,
        "prefix": ENSEMBLE_PREFIX,
    }
    return Query(_MODELS, values)


def model_name(connection: duckdb.DuckDBPyConnection, competition: str, model_id: str) -> tuple[str, str]:
    """Title and player of a model.

    Raises
    ------
    UnknownModelError
        If there is none of that id.
    """
    statement = "SELECT title, player FROM competition.models WHERE competition = ? AND model_id = ?"
    found = connection.execute(statement, [competition, model_id]).fetchone()
    if found is None:
        near = connection.execute(
            "SELECT model_id FROM competition.models WHERE competition = ?"
            " ORDER BY jaro_winkler_similarity(model_id, ?) DESC, model_id LIMIT 5",
            [competition, model_id],
        ).fetchall()
        names = ", ".join(name for (name,) in near) or "none"
        raise UnknownModelError(f"competition {competition!r} has no model {model_id!r}; the nearest: {names}")
    return str(found[0]), str(found[1])


def tables_of(model_id: str) -> tuple[TableSpec, TableSpec]:
    """The tables that the predictions and the scores of a model are in."""
    return (ENSEMBLE_PREDICTIONS, ENSEMBLE_SCORES) if is_virtual(model_id) else (PREDICTIONS, SCORES)


def record(
    connection: duckdb.DuckDBPyConnection, competition: str, model_id: str, as_of: datetime | None = None
) -> ModelRecord:
    """Predictions and scores of a model, real or virtual, as known at a moment; now without it."""
    made, scores = tables_of(model_id)
    values = {"competition": competition, "model": model_id, "as_of": as_of}
    predictions = compose(_COUNTS, table=made)
    scored = compose(_SCORED, table=scores)
    n_predictions, n_late, n_imputed, first, last = connection.execute(predictions, values).fetchall()[0]
    subjects = tuple(SubjectScore(*row) for row in connection.execute(scored, values).fetchall())
    return ModelRecord(n_predictions, n_late, n_imputed, first, last, subjects)
