"""What is known of a board before a file of it is read: who and what is registered, which target times are agreed."""

from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import pandas as pd

from pipeline.tables import (
    MODEL_ROWS,
    MODELS,
    PREDICTION_ROWS,
    PREDICTIONS,
    SUBJECT_ROWS,
    SUBJECTS,
    TableSpec,
)
from pipeline.warehouse import Store, compose


class Known(Protocol):
    """What is known of a board before a file of it is read."""

    def registered(self, spec: TableSpec, column: str) -> frozenset[str]:
        """Who or what is registered."""

    def target_times(self) -> pd.DataFrame:
        """The target time of every cycle and horizon predicted so far: cycle, horizon, target_time."""


@dataclass(frozen=True)
class StoreKnown:
    """What a warehouse knows of a board."""

    store: Store
    board: str

    def registered(self, spec: TableSpec, column: str) -> frozenset[str]:
        """Who or what registered itself by a file."""
        statement = compose("SELECT DISTINCT {column} FROM {table} WHERE competition = ?", column=[column], table=spec)
        return frozenset(self.store.query(statement, [self.board])[column])

    def target_times(self) -> pd.DataFrame:
        """The target time of every cycle and horizon predicted so far."""
        statement = compose(
            "SELECT cycle, horizon, min(target_time) AS target_time FROM {table} WHERE competition = ? GROUP BY ALL",
            table=PREDICTION_ROWS,
        )
        return self.store.query(statement, [self.board])


@dataclass(frozen=True)
class PublishedKnown:
    """What the published file knows of a board."""

    connection: duckdb.DuckDBPyConnection
    board: str

    def registered(self, spec: TableSpec, column: str) -> frozenset[str]:
        """Who or what takes part."""
        table = {MODEL_ROWS: MODELS, SUBJECT_ROWS: SUBJECTS}[spec]
        return frozenset(
            self._query("SELECT DISTINCT {column} FROM {table} WHERE competition = ?", table, column)[column]
        )

    def target_times(self) -> pd.DataFrame:
        """The target time of every cycle and horizon predicted so far."""
        statement = (
            "SELECT cycle, horizon, min(target_time) AS {column} FROM {table} WHERE competition = ? GROUP BY ALL"
        )
        return self._query(statement, PREDICTIONS, "target_time")

    def _query(self, template: str, table: TableSpec, column: str) -> pd.DataFrame:
        statement = compose(template, table=table, column=[column])
        return self.connection.execute(statement, [self.board]).df()


class NothingKnown:
    """What is known of a board before its first run."""

    def registered(self, spec: TableSpec, column: str) -> frozenset[str]:  # noqa: ARG002
        """Nobody and nothing."""
        return frozenset()

    def target_times(self) -> pd.DataFrame:
        """No rows."""
        types: dict[str, Any] = {"cycle": "datetime64[us]", "horizon": "int32", "target_time": "datetime64[us]"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
