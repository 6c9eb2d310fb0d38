"""The warehouse: one DuckDB file that is written, one that is read, and the ledger of what changed.

The Dagster resource is :class:`pipeline.warehouse.resource.Warehouse`, kept out of here so that readers start fast.
"""

from pipeline.warehouse.comparison import Difference, Example, compare, made_by_other_code
from pipeline.warehouse.connection import WarehouseDamagedError, connect, connect_in_memory
from pipeline.warehouse.frames import RowsError, relation, to_arrow, to_pandas
from pipeline.warehouse.identifiers import Part, Sql, compose, join, literal, quote
from pipeline.warehouse.lock import WarehouseBusyError, WriteLock
from pipeline.warehouse.memory import Memory
from pipeline.warehouse.migrations import WarehouseVersionError
from pipeline.warehouse.published import (
    NotPublishedError,
    Publication,
    PublishedDamagedError,
    current_publication,
    open_published,
)
from pipeline.warehouse.reader import PublishedReader, Reading
from pipeline.warehouse.store import Change, Dirty, Store
from pipeline.warehouse.warehouse import NotAFileError, WarehouseFiles

__all__ = [
    "Change",
    "Difference",
    "Dirty",
    "Example",
    "Memory",
    "NotAFileError",
    "NotPublishedError",
    "Part",
    "Publication",
    "PublishedDamagedError",
    "PublishedReader",
    "Reading",
    "RowsError",
    "Sql",
    "Store",
    "WarehouseBusyError",
    "WarehouseDamagedError",
    "WarehouseFiles",
    "WarehouseVersionError",
    "WriteLock",
    "compare",
    "compose",
    "connect",
    "connect_in_memory",
    "current_publication",
    "join",
    "literal",
    "made_by_other_code",
    "open_published",
    "quote",
    "relation",
    "to_arrow",
    "to_pandas",
]
