"""A SELECT and its values, which a route or a page asks for all rows of, or for some."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.warehouse import Sql, compose

_ALL = 2**62


@dataclass(frozen=True)
class Addition:
    """What would be dear for all rows of a query, and is added to those of a page.

    Parameters
    ----------
    template : str
        A SELECT from ``{page}``, in the same order.
    values : mapping of str to object
        By the names of its placeholders, where the query does not have them.
    """

    template: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Query:
    """A question to the published file.

    Parameters
    ----------
    sql : Sql
        A SELECT, ordered by what tells all rows apart, or pages would overlap.
    values : mapping of str to object
        By the names of its ``$name`` placeholders.
    addition : Addition or None
    """

    sql: Sql
    values: Mapping[str, object]
    addition: Addition | None = None

    def rows(
        self, connection: duckdb.DuckDBPyConnection, part: Sql, values: Mapping[str, object] | None = None
    ) -> pa.Table:
        """Some of its rows, with what is added to them; ``values`` are those that ``part`` has besides."""
        given = {**self.values, **(values or {})}
        if self.addition is None:
            return connection.execute(part, given).to_arrow_table()
        shown = compose(self.addition.template, page=part)
        return connection.execute(shown, {**given, **self.addition.values}).to_arrow_table()


@dataclass(frozen=True, eq=False)
class Page:
    """Rows of a table from ``offset`` on.

    Parameters
    ----------
    rows : Table
    total : int
        How many rows there are without limit and offset.
    limit : int or None
        How many were asked for at most; None for all.
    offset : int
    """

    rows: pa.Table
    total: int
    limit: int | None
    offset: int

    def records(self) -> list[dict[str, Any]]:
        """The rows as mappings of column to value; None is NULL."""
        records: list[dict[str, Any]] = self.rows.to_pylist()
        return records


def page(connection: duckdb.DuckDBPyConnection, query: Query, limit: int | None = None, offset: int = 0) -> Page:
    """Some rows of a query.

    Parameters
    ----------
    connection : DuckDB connection
    query : Query
    limit : int or None
        At most so many; None for all.
    offset : int
        After so many.
    """
    if limit is None and not offset:
        rows = query.rows(connection, query.sql)
        return Page(rows, rows.num_rows, limit, offset)
    count = compose("SELECT count(*) FROM ({query})", query=query.sql)
    ((total,),) = connection.execute(count, dict(query.values)).fetchall()
    part = compose("{query} LIMIT $limit OFFSET $offset", query=query.sql)
    rows = query.rows(connection, part, {"limit": _ALL if limit is None else limit, "offset": offset})
    return Page(rows, int(total), limit, offset)


def page_of(table: pa.Table, limit: int | None = None, offset: int = 0) -> Page:
    """Some rows of a table that was computed; as for :func:`page`."""
    return Page(table.slice(offset, limit), table.num_rows, limit, offset)
