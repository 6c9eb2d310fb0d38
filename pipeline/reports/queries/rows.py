"""Whole tables of a published board, for what computes with them; what only shows them asks for less."""

from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from pipeline.reports.queries.boards import declared
from pipeline.tables import (
    CYCLE_METRICS,
    ENSEMBLE_METRICS,
    ENSEMBLE_PREDICTIONS,
    FACTORS,
    MEMBER_METRICS,
    PREDICTIONS,
    TRUTH,
    TableSpec,
)
from pipeline.warehouse import Store

if TYPE_CHECKING:
    from pipeline.competition.backtest import BoardRows

_TABLES: tuple[TableSpec, ...] = (
    *(PREDICTIONS, TRUTH, FACTORS, CYCLE_METRICS),
    *(ENSEMBLE_PREDICTIONS, ENSEMBLE_METRICS, MEMBER_METRICS),
)


def contract_json(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The declaration that a published board was made by.

    Raises
    ------
    UnknownBoardError
        If there is no such board.
    """
    return declared(connection, name)[1]


def board_rows(connection: duckdb.DuckDBPyConnection, name: str, known_at: datetime) -> "BoardRows":
    """All that is published of a board and a backtest needs.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the competition.
    known_at : datetime
        When the file was published, UTC.
    """
    from pipeline.competition.backtest import BoardRows  # its arithmetic is heavy, and most readers need none

    store = Store(connection)
    tables = {
        spec.name: store.read(spec, name, columns=[one for one in spec.column_names if one != spec.board])
        for spec in _TABLES
    }
    found = connection.execute("SELECT max(as_of) FROM competition.leaderboard WHERE competition = ?", [name])
    return BoardRows(**tables, as_of=(found.fetchone() or (None,))[0], known_at=known_at)


def titles(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    """What models are called; of several with the same title, their ids."""
    statement = (
        "SELECT model_id, if(count(*) OVER (PARTITION BY title) > 1, model_id, title)"
        " FROM competition.models WHERE competition = ? ORDER BY model_id"
    )
    return {model: title for model, title in connection.execute(statement, [name]).fetchall()}
