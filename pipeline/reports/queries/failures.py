"""Functions of a board that failed: metrics, strategies and filters that left an error in place of what they give."""

import json
from dataclasses import dataclass
from typing import Literal

import duckdb

_OF_METRICS = """
    SELECT metric, first(source ORDER BY cycle, source), count(DISTINCT (model_id, cycle)), count(DISTINCT cycle),
           first(reason ORDER BY cycle, source, model_id)
    FROM (
        SELECT 'cycle_metrics' AS source, competition, cycle, model_id, metric, reason FROM competition.cycle_metrics
        UNION ALL
        SELECT 'ensemble_metrics', competition, cycle, model_id, metric, reason FROM competition.ensemble_metrics
        UNION ALL
        SELECT 'member_metrics', competition, cycle, model_id, metric, reason FROM competition.member_metrics
        UNION ALL
        SELECT 'snapshots', competition, as_of, model_id, s.metric, reason
        FROM competition.snapshots AS s JOIN catalog.metrics AS m ON m.board = s.competition AND m.metric = s.metric
        WHERE m.pool = 'series'
    )
    WHERE competition = ? AND (reason = 'error' OR starts_with(reason, 'error: '))
    GROUP BY metric
    ORDER BY metric
"""
"""What series gives is undefined in snapshots only; of other metrics these repeat what the cycles say."""

_OF_ENSEMBLES = """
    SELECT ensemble, if(starts_with(fallback, 'error: filter: '), 'filter', 'strategy') AS kind, count(*),
           count(DISTINCT cycle), first(fallback ORDER BY cycle, horizon, model_id)
    FROM competition.ensemble_weights
    WHERE competition = ? AND starts_with(fallback, 'error: ')
    GROUP BY ensemble, kind
    ORDER BY ensemble, kind
"""


@dataclass(frozen=True)
class FailedFunction:
    """A function that failed somewhere on a board.

    Parameters
    ----------
    kind : str
        ``metric``, ``strategy`` or ``filter``.
    function : str
        Its name, or dotted path.
    ensemble : str or None
        Whose strategy or filter it is.
    table : str
        Where the errors are, in the schema ``competition``.
    values, cycles : int
        How many values are undefined, or weights not what was asked for, and of how many cycles (of metrics of series:
        moments).
    first : str
        What the earliest one says.
    """

    kind: Literal["metric", "strategy", "filter"]
    function: str
    ensemble: str | None
    table: str
    values: int
    cycles: int
    first: str


def failed_functions(connection: duckdb.DuckDBPyConnection, board: str) -> tuple[FailedFunction, ...]:
    """The functions of a board that failed, by what a published file holds; none where a table is not in it.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    board : str
        Name of the competition.
    """
    try:
        metrics = connection.execute(_OF_METRICS, [board]).fetchall()
        ensembles = connection.execute(_OF_ENSEMBLES, [board]).fetchall()
        declared = connection.execute("SELECT contract FROM catalog.boards WHERE board = ?", [board]).fetchone()
    except duckdb.CatalogException:  # an older Podium published the file
        return ()
    failed = [FailedFunction("metric", name, None, *found) for name, *found in metrics]
    for name, kind, *found in ensembles:
        function = _declared(declared[0], name, kind) if declared else name
        failed.append(FailedFunction(kind, function, name, "ensemble_weights", *found))
    return tuple(failed)


def _declared(contract: str, ensemble: str, kind: str) -> str:
    """The strategy or filter of an ensemble."""
    named = {one["name"]: one for one in json.loads(contract)["ensembles"]}
    return str(named[ensemble][kind])
