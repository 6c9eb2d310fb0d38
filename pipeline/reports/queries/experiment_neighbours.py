"""What others made of the input of a run: the newest run of every other configuration."""

from dataclasses import dataclass

from pipeline.reports.queries.experiment_runs import RunDetail
from pipeline.reports.queries.experiment_tables import ExperimentTables

_OTHERS = """
    SELECT r.run_id, r.repeat, r.configuration, coalesce(c.title, r.configuration), r.status, b.score, b.rank, r.output
    FROM {runs} AS r
    LEFT JOIN {configurations} AS c USING (experiment, configuration)
    LEFT JOIN {run_board} AS b USING (experiment, run_id)
    WHERE r.experiment = $experiment AND r.input_id = $input_id AND r.configuration <> $configuration
    QUALIFY row_number() OVER (
        PARTITION BY r.configuration ORDER BY r.status = 'completed' DESC, r.created_at DESC NULLS LAST, r.repeat DESC
    ) = 1
    ORDER BY if(b.rank IS NULL, NULL, b.score) DESC NULLS LAST, c.title, r.configuration LIMIT $most
"""


@dataclass(frozen=True)
class Neighbour:
    """A run of the same input by another configuration; ``score`` and ``rank`` are None without one."""

    run_id: str
    repeat: int
    configuration: str
    title: str
    status: str
    score: float | None
    rank: int | None
    output: str | None


def neighbours(tables: ExperimentTables, of: RunDetail, most: int) -> list[Neighbour]:
    """Runs of the same input, one of each other configuration, the best first: a completed one, and the newest."""
    asked = {
        "experiment": of.experiment,
        "input_id": of.input_id,
        "configuration": of.configuration,
        "most": most,
    }
    return [Neighbour(*row) for row in tables.connection.execute(tables.sql(_OTHERS), asked).fetchall()]
