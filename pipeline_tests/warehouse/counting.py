"""How many statements something takes: what sends one for each cycle is told by their number, not by a clock."""

from dataclasses import dataclass, replace
from typing import Any

import duckdb

from pipeline.warehouse import Store


@dataclass
class Counting:
    """A connection that counts what it is told to execute; all else is the connection's."""

    connection: duckdb.DuckDBPyConnection
    statements: int = 0

    def execute(self, *arguments: Any, **named: Any) -> duckdb.DuckDBPyConnection:
        self.statements += 1
        return self.connection.execute(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def counted(store: Store) -> tuple[Store, Counting]:
    """The same store, and what counts its statements from now on."""
    counting = Counting(store.connection)
    return replace(store, connection=counting), counting
