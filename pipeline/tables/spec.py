"""What a table's specification is: columns, key, comments, and which tables its rows are computed from.

Pure data, no SQL: the warehouse turns a specification into DDL, checks and ledger queries, dbt sources are
generated from it, and the Dagster assets show it as their column schema.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WHOLE = datetime(1970, 1, 1)
"""The ledger's cycle of a table that has no cycles: the whole table changes as one."""

_PANDAS_TYPES = {
    "VARCHAR": ("str", "str"),
    "JSON": ("str", "str"),
    "DOUBLE": ("float64", "float64"),
    "INTEGER": ("int32", "Int32"),
    "BIGINT": ("int64", "Int64"),
    "BOOLEAN": ("bool", "boolean"),
    "TIMESTAMP": ("datetime64[us]", "datetime64[us]"),
    "DATE": ("datetime64[s]", "datetime64[s]"),
}
"""By DuckDB's type: where there is always a value, and where there may be none."""


class Via(StrEnum):
    """How the cycles of an input are matched with the cycles of the table computed from it (its closure)."""

    SAME = "same"
    """Cycle by cycle."""
    TARGET_TIME = "target_time"
    """The input's cycles are target times; a cycle needs those that its predictions name."""
    KNOWN_BY = "known_by"
    """The table's cycles are times of knowledge; each needs every fact of the input known by then."""
    KNOWN_BY_DEADLINE = "known_by_deadline"
    """A cycle needs every fact of the input that was known by the deadline of its predictions."""
    DAY_BEFORE = "day_before"
    """The newest cycle of the input at least 24 hours earlier."""
    PREVIOUS = "previous"
    """The previous cycle of the competition: the newest earlier one with a prediction in time; of predictions only."""
    ALONGSIDE = "alongside"
    """Cycle by cycle, of cycles that another input has: it makes no cycle by itself."""


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type and what it means. Times are UTC, without a zone in the type.

    What is ``private`` is NULL in published files. Where a column ``quotes`` what others may not read yet, published
    files have ``…`` in its place.
    """

    name: str
    type: str
    comment: str
    nullable: bool = False
    private: bool = False
    quotes: bool = False

    @property
    def dtype(self) -> str:
        """The pandas type of its values, whatever they are."""
        return _PANDAS_TYPES[self.type][self.nullable]


@dataclass(frozen=True)
class Input:
    """A table whose rows another is computed from, and how their cycles are matched."""

    table: str
    via: Via = Via.SAME


@dataclass(frozen=True)
class TableSpec:
    """One table, shared by all boards of a kind.

    Parameters
    ----------
    schema, name : str
        Where it lives in DuckDB.
    comment : str
        What one row is.
    columns : tuple of Column
        In order; the first is the board's name.
    key : tuple of str
        Columns that name a row. DuckLake knows no constraints, so asset checks and dbt tests hold it.
    cycle : str or None
        The column that the ledger counts changes by; None when the table changes as one.
    known_at : str or None
        The column that says when a row became known, for tables that keep every version of a fact.
    inputs : tuple of Input
        What its rows are computed from.
    private : bool
        Whether it is never published.
    embargoed : bool
        Whether rows of a cycle are published only when the board's embargo is over.
    """

    schema: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    cycle: str | None = None
    known_at: str | None = None
    inputs: tuple[Input, ...] = ()
    private: bool = False
    embargoed: bool = False

    @property
    def board(self) -> str:
        """The column that holds the board's name: the first."""
        return self.columns[0].name

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def qualified_name(self) -> str:
        """``schema.name``, for messages and metadata."""
        return f"{self.schema}.{self.name}"
