"""Boards of an experiment: its runs in order; configurations, models or prompts in order; how their scores spread."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.experiments import GROUPINGS
from pipeline.reports.queries.experiment_tables import ExperimentTables, with_json
from pipeline.reports.queries.experiments import DeclaredScorer, scorers_of
from pipeline.reports.queries.standings import UnknownKeyError
from pipeline.tables import EXPERIMENT_LEADERBOARD
from pipeline.warehouse import Sql, compose

_LEADERBOARD = [name for name in EXPERIMENT_LEADERBOARD.column_names if name not in ("experiment", "grouping")]
_ROWS = """
    SELECT {columns} FROM {leaderboard}
    WHERE experiment = $experiment AND grouping = $grouping
    AND ($search IS NULL OR contains(lower(concat_ws(chr(31), contestant, title)), lower($search)))
    ORDER BY position
"""
_SCORERS = """
    SELECT contestant, scorer, weight, value, sd, n_scored, n_unscored FROM {scorer_summary}
    WHERE experiment = ? AND grouping = ?
"""
_CONTESTANT = {
    "configuration": "r.configuration",
    "model": "c.model",
    "prompt": "c.prompt || '@' || c.prompt_version",
}
_RANKED = """
    SELECT b.position, b.rank, b.run_id, r.config_hash, r.repeat, r.configuration, c.title, r.input_id,
           CAST(r.config AS VARCHAR) AS config, r.status AS run_status, b.score, b.coverage, b.n_scorers,
           b.missing_scorers, b.unweighted_scorers, r.duration_ms, r.tokens_in, r.tokens_out, r.cost, b.status
    FROM {run_board} AS b
    JOIN {runs} AS r USING (experiment, run_id)
    LEFT JOIN {configurations} AS c USING (experiment, configuration)
    {scored}
    WHERE b.experiment = $experiment AND r.status = 'completed' AND b.score IS NOT NULL
    ORDER BY {order} LIMIT $limit OFFSET $offset
"""
_SORTED_BY = {
    "title": "c.title {way}, r.input_id {way}, r.repeat {way}",
    "score": "b.score {way} NULLS LAST",
    "coverage": "b.coverage {way} NULLS LAST",
    "cost": "r.cost {way} NULLS LAST",
    "duration": "r.duration_ms {way} NULLS LAST",
    "tokens_in": "r.tokens_in {way} NULLS LAST",
    "tokens_out": "r.tokens_out {way} NULLS LAST",
}
SORTED_BY_SCORER = "scorer."
"""What the order of runs by a scorer's values begins with; the scorer's name follows."""
_COUNTED = """
    SELECT count(*), count(b.rank) FROM {run_board} AS b JOIN {runs} AS r USING (experiment, run_id)
    WHERE b.experiment = ? AND r.status = 'completed' AND b.score IS NOT NULL
"""
_VALUES = """
    WITH latest AS (
        SELECT run_id, scorer, rater, value FROM {scores}
        WHERE experiment = $experiment AND is_latest AND value IS NOT NULL AND {only}
    ), rated AS (SELECT DISTINCT run_id, scorer FROM latest WHERE rater > 0)
    SELECT run_id, scorer, least(greatest(avg(value), 0), 1) AS value
    FROM latest LEFT JOIN rated USING (run_id, scorer)
    WHERE latest.rater > 0 OR rated.run_id IS NULL
    GROUP BY run_id, scorer
"""
KEPT_RUNS = """
    kept AS (
        SELECT r.run_id, r.configuration, r.input_id, r.repeat, r.status, r.output, r.error,
               if(b.rank IS NULL, NULL, b.score) AS score, {contestant} AS contestant
        FROM {runs} AS r
        JOIN {configurations} AS c USING (experiment, configuration)
        LEFT JOIN {run_board} AS b USING (experiment, run_id)
        WHERE r.experiment = $experiment
        QUALIFY $newest_repeats IS NULL OR row_number() OVER (
            PARTITION BY r.configuration, r.input_id ORDER BY r.created_at DESC NULLS LAST, r.repeat DESC
        ) <= $newest_repeats
    )
"""
"""A query's runs that newer repeats of the same do not replace, with their scores where these count."""
_DISTRIBUTION = """
    WITH {kept}, binned AS (
        SELECT contestant, score,
               least(floor(round(score * $bins, 9))::INTEGER, $bins - 1) AS bin
        FROM kept WHERE score IS NOT NULL
    )
    SELECT contestant, count(*), avg(score), stddev_samp(score), min(score), quantile_cont(score, 0.25), median(score),
           quantile_cont(score, 0.75), max(score), list(bin)
    FROM binned WHERE $contestants IS NULL OR list_contains($contestants, contestant)
    GROUP BY contestant
"""


@dataclass(frozen=True)
class ScorerValue:
    """What a scorer says of a contestant's completed runs; None is NULL."""

    weight: float | None
    value: float | None
    sd: float | None
    n_scored: int
    n_unscored: int


@dataclass(frozen=True)
class ContestantRow:
    """A configuration, model or prompt on a board; columns are those of experiments.leaderboard; None is NULL."""

    contestant: str
    title: str
    position: int
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    tie_group: int | None
    rank_method: str
    score: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    sd: float | None
    median: float | None
    n_zero: int
    n_full: int
    n_scored: int
    n_runs: int
    n_failed: int
    n_cancelled: int
    n_unfinished: int
    n_inputs: int
    n_inputs_missing: int
    coverage: float
    cost: float | None
    total_cost: float | None
    n_cost: int
    duration_ms: float | None
    median_duration_ms: float | None
    tokens_in: float | None
    tokens_out: float | None
    status: str


@dataclass(frozen=True)
class Contestant:
    """A row of a board with what each scorer says; a scorer that never scored is there, with a value of None."""

    row: ContestantRow
    scorers: Mapping[str, ScorerValue]


@dataclass(frozen=True)
class ExperimentBoard:
    """Contestants of an experiment in order.

    Parameters
    ----------
    name, title, grouping : str
    scorers : tuple of DeclaredScorer
        Columns, in the order of the declaration.
    rows : tuple of Contestant
    n_waiting : int
        Runs and scores that the rows lack: more than can be ranked again at once.
    """

    name: str
    title: str
    grouping: str
    scorers: tuple[DeclaredScorer, ...]
    rows: tuple[Contestant, ...]
    n_waiting: int = 0


@dataclass(frozen=True)
class RankedRun:
    """A completed run that some scorer scored, on the board of runs; ``values`` are by scorer; None is NULL."""

    position: int
    rank: int | None
    run_id: str
    config_hash: str
    repeat: int
    configuration: str
    title: str
    input_id: str
    config: Mapping[str, Any]
    run_status: str
    score: float
    coverage: float
    n_scorers: int
    missing_scorers: str | None
    unweighted_scorers: str | None
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    status: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class RunBoard:
    """Runs of an experiment in order; ``total`` without the cut, of which ``n_ranked`` are ranked."""

    name: str
    title: str
    scorers: tuple[DeclaredScorer, ...]
    rows: tuple[RankedRun, ...]
    total: int
    n_ranked: int


@dataclass(frozen=True)
class Distribution:
    """How the scores of a contestant's runs spread.

    Parameters
    ----------
    contestant : str
    n : int
        Runs that count.
    mean, minimum, quartile_1, median, quartile_3, maximum : float
    sd : float or None
        (n - 1); None of one run.
    counts : tuple of int
        Runs by bin: equal parts of 0 to 1, of which the last has 1 in it.
    """

    contestant: str
    n: int
    mean: float
    sd: float | None
    minimum: float
    quartile_1: float
    median: float
    quartile_3: float
    maximum: float
    counts: tuple[int, ...]


def board(tables: ExperimentTables, name: str, grouping: str, search: str | None = None) -> ExperimentBoard:
    """Configurations, models or prompts of an experiment in order, the unranked last with the reason.

    Parameters
    ----------
    tables : ExperimentTables
    name : str
        Name of the experiment.
    grouping : str
        ``configuration``, ``model`` or ``prompt``.
    search : str, optional
        Only those with this in their name or title, whatever its case; ranks are those among all.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    UnknownKeyError
        If the grouping is another one.
    """
    of = tables.of(name)
    _require_grouping(grouping)
    values: dict[str, dict[str, ScorerValue]] = {}
    for contestant, scorer, *value in tables.connection.execute(tables.sql(_SCORERS), [name, grouping]).fetchall():
        values.setdefault(contestant, {})[scorer] = ScorerValue(*value)
    asked = {"experiment": name, "grouping": grouping, "search": search}
    found = tables.connection.execute(tables.sql(_ROWS, columns=_LEADERBOARD), asked).fetchall()
    named = [ContestantRow(**dict(zip(_LEADERBOARD, row, strict=True))) for row in found]
    rows = tuple(Contestant(row, values.get(row.contestant, {})) for row in named)
    return ExperimentBoard(name, of.title, grouping, scorers_of(of), rows, tables.n_behind.get(name, 0))


def run_board(
    tables: ExperimentTables, name: str, limit: int | None = None, offset: int = 0, sort: str = ""
) -> RunBoard:
    """Completed runs of an experiment that some scorer scored, in order; the unranked last with the reason.

    Parameters
    ----------
    tables : ExperimentTables
    name : str
    limit : int, optional
    offset : int
    sort : str
        Another order, such as ``cost`` or ``scorer.exact``, from the greatest with ``-`` before; runs without a value
        come last, ranks stay.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    UnknownKeyError
        If runs cannot be sorted so.
    """
    of, ask = tables.of(name), tables.connection.execute
    asked: dict[str, Any] = {"experiment": name, "limit": 2**62 if limit is None else limit, "offset": offset}
    order, scored = _order(tables, scorers_of(of), sort)
    if sort.removeprefix("-").startswith(SORTED_BY_SCORER):
        asked["scorer"] = sort.removeprefix("-").removeprefix(SORTED_BY_SCORER)
    rows = ask(tables.sql(_RANKED, order=order, scored=scored), asked).fetchall()
    values = values_of(tables, name, [row[2] for row in rows])
    total, n_ranked = ask(tables.sql(_COUNTED), [name]).fetchall()[0]
    ranked = tuple(RankedRun(*[*with_json(row, 8), values.get(row[2], {})]) for row in rows)
    return RunBoard(name, of.title, scorers_of(of), ranked, total, n_ranked)


def values_of(tables: ExperimentTables, name: str, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """What each scorer says of some runs: by run and scorer, the mean of people where people rated it."""
    values: dict[str, dict[str, float]] = {}
    of_runs = tables.sql(_VALUES, only=Sql("list_contains($runs, run_id)"))
    asked = {"experiment": name, "runs": list(run_ids)}
    for run_id, scorer, value in tables.connection.execute(of_runs, asked).fetchall():
        values.setdefault(run_id, {})[scorer] = value
    return values


def _order(tables: ExperimentTables, scorers: Sequence[DeclaredScorer], sort: str) -> tuple[Sql, Sql]:
    """How runs are ordered, and what has to be joined for it."""
    by, way = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    if not by:
        return Sql("b.position"), Sql("")
    known = [*_SORTED_BY, *(SORTED_BY_SCORER + one.name for one in scorers)]
    if by not in known:
        raise UnknownKeyError(f"cannot sort runs by {sort!r}; sort by one of {', '.join(known)}, with - before it")
    if by in _SORTED_BY:
        return Sql(f"{_SORTED_BY[by].format(way=way)}, b.position"), Sql("")
    values = tables.sql(_VALUES, only=Sql("scorer = $scorer"))
    joined = compose("LEFT JOIN ({values}) AS v ON v.run_id = b.run_id", values=values)
    return Sql(f"v.value {way} NULLS LAST, b.position"), joined


def distributions(
    tables: ExperimentTables,
    name: str,
    grouping: str,
    bins: int = 20,
    contestants: Sequence[str] | None = None,
) -> dict[str, Distribution]:
    """How scores of contestants spread over their runs that count, by contestant.

    Parameters
    ----------
    tables : ExperimentTables
    name, grouping : str
    bins : int
        Equal parts of 0 to 1.
    contestants : sequence of str, optional
        Only these.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    UnknownKeyError
        If the grouping is another one.
    """
    asked = {
        **kept_values(tables, name),
        "bins": bins,
        "contestants": None if contestants is None else list(contestants),
    }
    statement = tables.sql(_DISTRIBUTION, kept=kept_runs(tables, grouping))
    found = tables.connection.execute(statement, asked).fetchall()
    return {row[0]: Distribution(*[*row[:-1], tuple(map(row[-1].count, range(bins)))]) for row in found}


def kept_runs(tables: ExperimentTables, grouping: str) -> Sql:
    """The part ``kept AS (...)`` of a query: runs by contestant, but those that newer repeats replace.

    Raises
    ------
    UnknownKeyError
        If the grouping is no known one.
    """
    _require_grouping(grouping)
    return tables.sql(KEPT_RUNS, contestant=Sql(_CONTESTANT[grouping]))


def kept_values(tables: ExperimentTables, name: str) -> dict[str, Any]:
    """The values of its placeholders.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    """
    declaration = json.loads(tables.of(name).declaration)
    return {"experiment": name, "newest_repeats": declaration.get("newest_repeats")}


def _require_grouping(grouping: str) -> None:
    if grouping not in GROUPINGS:
        raise UnknownKeyError(f"experiments are not grouped by {grouping!r}; known: {', '.join(GROUPINGS)}")
