"""Which published boards are experiments; apart from what reads them, since commands ask it that must start fast."""

import duckdb

from pipeline.reports.queries.boards import kind_of
from pipeline.tables import EXPERIMENT_LEADERBOARD


def is_experiment(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a published board is an experiment.

    Raises
    ------
    UnknownBoardError
        If there is no such board.
    """
    return kind_of(connection, name)[0] == EXPERIMENT_LEADERBOARD.schema
