"""Whole tables of a published board, for what computes with them; what only shows them asks for less."""

from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from pipeline.reports.queries.boards import newest_moment
from pipeline.reports.queries.catalog import declared
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
    import pandas as pd

    from pipeline.competition.backtest import BoardRows

_TABLES: tuple[TableSpec, ...] = (
    *(TRUTH, FACTORS, CYCLE_METRICS),
    *(ENSEMBLE_PREDICTIONS, ENSEMBLE_METRICS, MEMBER_METRICS),
)


def contract_json(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The declaration that a published board was made by.

    Raises
    ------
    UnknownBoardError
        If there is no such board.
    """
    return declared(connection, name).declaration


_CYCLES_SINCE = """
    SELECT cycle, count(*) FROM competition.predictions
    WHERE competition = $board AND ($since IS NULL OR cycle >= (
        SELECT coalesce(max(cycle), $since) FROM competition.predictions
        WHERE competition = $board AND cycle < $since AND NOT is_late
    ))
    GROUP BY cycle ORDER BY cycle
"""
_ROWS_AT_ONCE = 500_000
"""Rows that are read at once, in whole cycles: while they are read they take several times what they take then."""


def first_cycle(connection: duckdb.DuckDBPyConnection, name: str, model_id: str) -> datetime | None:
    """The first cycle that a model of a board predicted; None when it has none."""
    statement = "SELECT min(cycle) FROM competition.predictions WHERE competition = ? AND model_id = ?"
    found: tuple[datetime | None, ...] = connection.execute(statement, [name, model_id]).fetchone() or (None,)
    return found[0]


def board_rows(
    connection: duckdb.DuckDBPyConnection, name: str, known_at: datetime, since: datetime | None = None
) -> "BoardRows":
    """All that is published of a board and a backtest needs.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the competition.
    known_at : datetime
        When the file was published, UTC.
    since : datetime, optional
        Of predictions, of which there are the most by far, only those from here on and of the cycle before; all
        without it.
    """
    from pipeline.competition.backtest import BoardRows  # its arithmetic is heavy, and most readers need none

    store = Store(connection)
    tables = {spec.name: store.read(spec, name, columns=_columns(spec)) for spec in _TABLES}
    tables[PREDICTIONS.name] = _predictions(store, name, since)
    return BoardRows(**tables, as_of=newest_moment(connection, name), known_at=known_at)


def _columns(spec: TableSpec) -> list[str]:
    return [name for name in spec.column_names if name != spec.board]


def _predictions(store: Store, name: str, since: datetime | None) -> "pd.DataFrame":
    """The predictions from a cycle on, and of the one before; all without it."""
    import pandas as pd

    parts: list[list[datetime]] = [[]]
    rows = 0
    for cycle, count in store.connection.execute(_CYCLES_SINCE, {"board": name, "since": since}).fetchall():
        if parts[-1] and rows + count > _ROWS_AT_ONCE:
            parts.append([])
            rows = 0
        parts[-1].append(cycle)
        rows += count
    return pd.concat([store.read(PREDICTIONS, name, part, _columns(PREDICTIONS)) for part in parts], ignore_index=True)


def titles(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    """What models are called; of several with the same title, their ids."""
    statement = (
        "SELECT model_id, if(count(*) OVER (PARTITION BY title) > 1, model_id, title)"
        " FROM competition.models WHERE competition = ? ORDER BY model_id"
    )
    return {model: title for model, title in connection.execute(statement, [name]).fetchall()}
