"""Rows with categories in place of repeated values, at the speed of a scan.

DuckDB keeps a repeated text once for each segment of a table and hashes it once, where a cast to ENUM looks it up for
every row and a text for every row costs Python an object. So DuckDB gives a small hash of each value, chosen such that
no two values of the board share one, and a table here turns it into the category.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.tables import TableSpec
from pipeline.warehouse.frames import relation, times
from pipeline.warehouse.identifiers import Part, Sql, compose, join, quote
from pipeline.warehouse.ledger import seqs

_MOST_PLACES = 1 << 24
"""Of a table from hashes to categories; 14,000 distinct values or more may need larger ones."""
_TRIES = 200

Codes = npt.NDArray[np.signedinteger[Any]]


class TooManyValuesError(ValueError):
    """So many distinct values that no small hash tells them apart."""


@dataclass(frozen=True)
class _Group:
    """Columns that are coded together, as few combinations of them occur.

    Parameters
    ----------
    columns : tuple of str
    values : DataFrame
        The distinct combinations.
    category : array of int
        From the hash of a combination to its row in ``values``.
    """

    columns: tuple[str, ...]
    values: pd.DataFrame
    category: Codes

    def coded(self, hashes: npt.NDArray[np.int32]) -> dict[str, pd.Categorical]:
        """The columns, row by row."""
        rows = self.category[hashes]
        found = {}
        for name in self.columns:
            of_values, categories = pd.factorize(self.values[name], sort=True)  # -1 for NULL
            codes = of_values.astype(np.min_scalar_type(-max(1, len(categories))))[rows]
            found[name] = pd.Categorical.from_codes(codes, categories, validate=False)
        return found


def read_coded(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    board: str,
    cycles: Sequence[datetime],
    coded: Sequence[Sequence[str]],
    plain: Sequence[str],
) -> pd.DataFrame:
    """See :meth:`pipeline.warehouse.store.Store.read_coded`.

    Raises
    ------
    TooManyValuesError
        If some columns have too many distinct values.
    """
    with relation(connection, pa.table({"ledger_cycle": times(cycles, "cycle")})) as wanted:
        rows = _Rows(connection, spec, board, cycles, wanted)
        lists = rows.distinct(coded)
        groups = [
            _group(columns, lists.column(place), lists.column(place + len(coded)))
            for place, columns in enumerate(coded)
        ]
        hashes = [
            compose("(hash({columns}) % {places})::INTEGER", columns=group.columns, places=Sql(len(group.category)))
            for group in groups
        ]
        arrays = [
            column.to_numpy() for column in rows.query(join([*hashes, *(quote(column) for column in plain)])).columns
        ]
    frame: dict[str, Any] = dict(zip(plain, arrays[len(groups) :], strict=True))
    for group, hashed in zip(groups, arrays[: len(groups)], strict=True):
        frame |= group.coded(hashed)
    return pd.DataFrame(frame, copy=False)


class _Rows:
    """The rows of a board's cycles; ``wanted`` is a relation of these."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        spec: TableSpec,
        board: str,
        cycles: Sequence[datetime],
        wanted: Sql,
    ) -> None:
        self._connection = connection
        self._parts: dict[str, Part] = {
            "table": spec,
            "board": spec.board,
            "cycle": [spec.cycle or ""],
            "wanted": wanted,
        }
        first, last = min(cycles), max(cycles)
        self._parameters = [board, first, last]
        within = {cycle for cycle in seqs(connection, spec, board) if first <= cycle <= last}
        # Without other cycles in between, no row needs to be looked at for its cycle.
        is_span = within <= set(cycles)
        self._others = Sql(
            "" if is_span else compose("AND {cycle} IN (SELECT ledger_cycle FROM {wanted})", **self._parts)
        )

    def query(self, selected: Sql) -> Any:
        """What a SELECT of these rows gives, as an Arrow table."""
        return self._connection.execute(self._select(selected), self._parameters).to_arrow_table()

    def distinct(self, coded: Sequence[Sequence[str]]) -> Any:
        """One row: the list of the distinct combinations of every group of columns, then the hashes of each list."""
        names = [Sql(f"list_{place}") for place in range(len(coded))]
        lists = [
            compose("{list} AS {name}", list=_distinct(columns), name=name)
            for columns, name in zip(coded, names, strict=True)
        ]
        statement = compose(
            "SELECT {lists}, {hashes} FROM ({rows})",
            lists=join(names),
            hashes=join([_hashes(columns, name) for columns, name in zip(coded, names, strict=True)]),
            rows=self._select(join(lists)),
        )
        return self._connection.execute(statement, self._parameters).to_arrow_table()

    def _select(self, selected: Sql) -> Sql:
        return compose(
            "SELECT {selected} FROM {table} WHERE {board} = ? AND {cycle} BETWEEN ? AND ? {others}",
            selected=selected,
            others=self._others,
            **self._parts,
        )


def _distinct(columns: Sequence[str]) -> Sql:
    """The distinct combinations of some columns as one list; of a single column without the cost of a struct."""
    template = "list(DISTINCT {columns})" if len(columns) == 1 else "list(DISTINCT struct_pack({columns}))"
    return compose(template, columns=columns)


def _hashes(columns: Sequence[str], values: Sql) -> Sql:
    """The hashes of a list of distinct combinations, each as of the columns themselves."""
    fields = [Sql("one")] if len(columns) == 1 else [compose("one.{column}", column=column) for column in columns]
    return compose("list_transform({values}, lambda one: hash({fields}))", values=values, fields=join(fields))


def _group(columns: Sequence[str], lists: Any, hashed: Any) -> _Group:
    values = lists.combine_chunks().flatten()
    fields = values.flatten() if pa.types.is_struct(values.type) else [values]
    table = pa.table(fields, names=list(columns))
    hashes = hashed.combine_chunks().flatten().to_numpy()
    places = _places_apart(columns, hashes)
    category = np.zeros(places, dtype=np.min_scalar_type(-max(1, len(hashes))))
    category[hashes % np.uint64(places)] = np.arange(len(hashes))
    return _Group(tuple(columns), table.to_pandas(), category)


def _places_apart(columns: Sequence[str], hashes: npt.NDArray[np.uint64]) -> int:
    """A number of places, small rather than large, by which the remainders of all hashes differ."""
    places = max(1, len(hashes), len(hashes) ** 2 // 8)  # a table that a cache holds is worth some tries
    for attempt in range(_TRIES):
        if places > _MOST_PLACES:
            break
        if len(np.unique(hashes % np.uint64(places))) == len(hashes):
            return places
        places += 1 + attempt * places // _TRIES // 8
    raise TooManyValuesError(f"{', '.join(columns)} has {len(hashes):,} distinct values, too many to be coded")
