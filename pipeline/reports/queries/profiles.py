"""One model: how it is registered, where it stands and stood, and what it did cycle by cycle."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.competition.peers import ENSEMBLE_PREFIX, is_virtual
from pipeline.reports.queries.models import model_name, tables_of
from pipeline.tables import OVERALL
from pipeline.warehouse import compose

_REGISTERED = """
    SELECT model_id, title, player, kind, designated, version, licence, description, first_seen
    FROM competition.models WHERE competition = ? AND model_id = ?
"""

_VERSIONS = """
    SELECT first_cycle, version FROM competition.model_versions
    WHERE competition = ? AND model_id = ? ORDER BY first_cycle
"""

_PLACE = """
    SELECT as_of, rank, rank_with_ensembles, rank_change, rank_lo, rank_hi, n_cycles, n_effective, rank_key, coverage,
           n, status
    FROM competition.leaderboard
    WHERE competition = $competition AND category = $overall AND as_of = $as_of AND model_id = $model
"""

_RANKS = """
    SELECT as_of, rank, rank_lo, rank_hi, rank_with_ensembles FROM competition.leaderboard
    WHERE competition = $competition AND category = $overall AND model_id = $model AND as_of <= $as_of
    ORDER BY as_of
"""

_CONTRIBUTIONS = """
    SELECT ensemble, cycle, value FROM competition.member_metrics
    WHERE competition = $competition AND category = $overall AND model_id = $model AND metric = 'contribution'
    AND cycle >= $first AND known_at <= $as_of
    QUALIFY known_at = max(known_at) OVER (PARTITION BY ensemble, cycle)
    ORDER BY ensemble, cycle
"""

_AROUND = """
    WITH predicted AS (
        SELECT DISTINCT cycle FROM {table} WHERE competition = $competition AND model_id = $model AND cycle <= $last
    ), here AS (SELECT coalesce(max(cycle) FILTER (cycle <= $at), min(cycle)) AS cycle FROM predicted)
    SELECT here.cycle, max(predicted.cycle) FILTER (predicted.cycle < here.cycle),
           min(predicted.cycle) FILTER (predicted.cycle > here.cycle)
    FROM here LEFT JOIN predicted ON true GROUP BY here.cycle
"""

_PREDICTED = """
    WITH scored AS (
        SELECT horizon, subject, prediction, outcome, value, success, failed_reason FROM {scores}
        WHERE competition = $competition AND model_id = $model AND cycle = $cycle AND known_at <= $as_of
        QUALIFY known_at = max(known_at) OVER (PARTITION BY horizon, subject)
    )
    SELECT p.horizon, p.subject, coalesce(any_value(t.title), p.subject), any_value(p.target_time),
           any_value(p.output_type),
           list(p.output_type_id ORDER BY try_cast(p.output_type_id AS DOUBLE), p.output_type_id),
           list(p.value ORDER BY try_cast(p.output_type_id AS DOUBLE), p.output_type_id), bool_or(p.is_late),
           bool_or(p.is_imputed), any_value(s.prediction), any_value(s.outcome), any_value(s.value),
           any_value(s.success), any_value(s.failed_reason), count(*) OVER ()
    FROM {predictions} AS p LEFT JOIN scored AS s USING (horizon, subject)
    LEFT JOIN competition.subjects AS t ON t.competition = p.competition AND t.subject = p.subject
    WHERE p.competition = $competition AND p.model_id = $model AND p.cycle = $cycle
    GROUP BY p.horizon, p.subject ORDER BY p.horizon, p.subject LIMIT $limit OFFSET $offset
"""


@dataclass(frozen=True)
class Registered:
    """A model as it is registered."""

    model_id: str
    title: str
    player: str
    kind: str
    designated: bool
    version: str
    licence: str | None
    description: str | None
    first_seen: datetime | None

    @property
    def is_ensemble(self) -> bool:
        """Whether it is virtual."""
        return is_virtual(self.model_id)

    @property
    def ensemble(self) -> str:
        """The declared name of an ensemble; empty of a real model."""
        return self.model_id.removeprefix(ENSEMBLE_PREFIX).removesuffix("__") if self.is_ensemble else ""


@dataclass(frozen=True)
class Place:
    """Where a model stood on a board; fields are those of its row."""

    as_of: datetime
    rank: int | None
    rank_with_ensembles: int | None
    rank_change: int | None
    rank_lo: int | None
    rank_hi: int | None
    n_cycles: int | None
    n_effective: float | None
    rank_key: float | None
    coverage: float | None
    n: int
    status: str

    @property
    def is_ranked(self) -> bool:
        """Whether it has a rank, of virtual models that among all."""
        return self.status == "ranked"


@dataclass(frozen=True)
class RankThen:
    """A rank at one moment, with those that it could have been; of virtual models the rank among all counts."""

    as_of: datetime
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    rank_with_ensembles: int | None


@dataclass(frozen=True)
class Cycles:
    """A cycle that a model predicted, and those beside it; None where there is none."""

    here: datetime
    earlier: datetime | None
    later: datetime | None


@dataclass(frozen=True)
class Predicted:
    """A prediction of one cycle with what became of it; of a distribution ``ids`` and ``values`` are its numbers."""

    horizon: int
    subject: str
    subject_title: str
    target_time: datetime
    output_type: str
    ids: list[str]
    values: list[float]
    is_late: bool
    is_imputed: bool
    point: float | None
    outcome: float | None
    score: float | None
    success: bool | None
    failed_reason: str | None


def registered(connection: duckdb.DuckDBPyConnection, competition: str, model_id: str) -> Registered:
    """A model as it is registered.

    Raises
    ------
    UnknownModelError
        If there is none of that id.
    """
    model_name(connection, competition, model_id)
    return Registered(*connection.execute(_REGISTERED, [competition, model_id]).fetchall()[0])


def versions(connection: duckdb.DuckDBPyConnection, competition: str, model_id: str) -> list[tuple[datetime, str]]:
    """The versions of a model in order, each with its first cycle."""
    return connection.execute(_VERSIONS, [competition, model_id]).fetchall()


def place(connection: duckdb.DuckDBPyConnection, competition: str, model_id: str, as_of: datetime) -> Place | None:
    """Where a model stands on the board of a moment; None where it is not on it yet."""
    found = connection.execute(_PLACE, _asked(competition, model_id, as_of)).fetchone()
    return None if found is None else Place(*found)


def ranks_until(
    connection: duckdb.DuckDBPyConnection, competition: str, model_id: str, as_of: datetime
) -> list[RankThen]:
    """The ranks of a model on every board up to a moment."""
    rows = connection.execute(_RANKS, _asked(competition, model_id, as_of)).fetchall()
    return [RankThen(*row) for row in rows]


def contributions(
    connection: duckdb.DuckDBPyConnection, competition: str, model_id: str, first: datetime, as_of: datetime
) -> dict[str, list[tuple[datetime, float]]]:
    """What a model added to every ensemble, by cycle from ``first`` on, where that is defined."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    asked = {**_asked(competition, model_id, as_of), "first": first}
    for ensemble, cycle, value in connection.execute(_CONTRIBUTIONS, asked).fetchall():
        if value is not None:
            found.setdefault(ensemble, []).append((cycle, value))
    return found


def cycles_around(
    connection: duckdb.DuckDBPyConnection, competition: str, model_id: str, at: datetime, last: datetime
) -> Cycles | None:
    """The newest cycle that a model predicted by then, or its first, of those up to ``last``; None without any."""
    query = compose(_AROUND, table=tables_of(model_id)[0])
    asked = {"competition": competition, "model": model_id, "at": at, "last": last}
    found = connection.execute(query, asked).fetchone()
    return None if found is None or found[0] is None else Cycles(*found)


def predicted(
    connection: duckdb.DuckDBPyConnection,
    competition: str,
    model_id: str,
    cycle: datetime,
    as_of: datetime,
    limit: int,
    offset: int,
) -> tuple[list[Predicted], int]:
    """What a model predicted for a cycle, with outcomes and scores as known at a moment; and how many there are."""
    predictions, scores = tables_of(model_id)
    query = compose(_PREDICTED, predictions=predictions, scores=scores)
    asked = {"competition": competition, "model": model_id, "cycle": cycle, "as_of": as_of}
    rows = connection.execute(query, {**asked, "limit": limit, "offset": offset}).fetchall()
    return [Predicted(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def subject_titles(connection: duckdb.DuckDBPyConnection, competition: str) -> dict[str, str]:
    """What the subjects of a contest are called."""
    statement = "SELECT subject, title FROM competition.subjects WHERE competition = ?"
    return dict(connection.execute(statement, [competition]).fetchall())


def _asked(competition: str, model_id: str, as_of: datetime) -> dict[str, object]:
    return {"competition": competition, "overall": OVERALL, "model": model_id, "as_of": as_of}
