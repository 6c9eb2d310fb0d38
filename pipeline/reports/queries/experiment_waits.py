"""What keeps an experiment from being whole: runs that wait or failed, by model, and what failed ones say."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.reports.queries.experiment_tables import ExperimentTables

_UNFINISHED = """
    SELECT coalesce(c.model, ''), count_if(r.status = 'pending'), count_if(r.status = 'running'),
           count_if(r.status = 'failed'), count_if(r.status = 'cancelled'),
           coalesce(
               list_sort(list(DISTINCT CAST(c.parameters AS VARCHAR)) FILTER (
                   r.status = 'pending' AND c.parameters IS NOT NULL
               )), []
           )
    FROM {runs} AS r LEFT JOIN {configurations} AS c USING (experiment, configuration)
    WHERE r.experiment = ? AND r.status <> 'completed' GROUP BY 1 ORDER BY 1
"""
_ERRORS = """
    SELECT coalesce(error, ''), count(*) FROM {runs} WHERE experiment = ? AND status = 'failed'
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?
"""


@dataclass(frozen=True)
class Unfinished:
    """Runs of a model that have not completed, by status; ``pending_parameters`` are of those that wait, as JSON."""

    model: str
    n_pending: int
    n_running: int
    n_failed: int
    n_cancelled: int
    pending_parameters: Sequence[str]


def unfinished(tables: ExperimentTables, name: str) -> list[Unfinished]:
    """Runs that have not completed, by model; empty where all have."""
    return [Unfinished(*row) for row in tables.connection.execute(tables.sql(_UNFINISHED), [name]).fetchall()]


def errors(tables: ExperimentTables, name: str, most: int) -> list[tuple[str, int]]:
    """What failed runs say, the most frequent first, and how many say so."""
    return tables.connection.execute(tables.sql(_ERRORS), [name, most]).fetchall()
