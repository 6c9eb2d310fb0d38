"""The warehouse: one DuckDB file that is written, one that is read, and the ledger of what changed.

The Dagster resource is :class:`pipeline.warehouse.resource.Warehouse`, kept out of here so that readers start fast.
"""

from pipeline.warehouse.connection import connect, connect_in_memory
from pipeline.warehouse.frames import RowsError, now, relation
from pipeline.warehouse.identifiers import Part, Sql, compose, literal, quote
from pipeline.warehouse.lock import WarehouseBusyError, WriteLock
from pipeline.warehouse.migrations import WarehouseVersionError
from pipeline.warehouse.publish import PublishError
from pipeline.warehouse.published import (
    NotPublishedError,
    Publication,
    PublishedReader,
    current_publication,
    open_published,
)
from pipeline.warehouse.store import Change, Dirty, InsteadOf, Store
from pipeline.warehouse.warehouse import WarehouseFiles

__all__ = [
    "Change",
    "Dirty",
    "InsteadOf",
    "NotPublishedError",
    "Part",
    "Publication",
    "PublishError",
    "PublishedReader",
    "RowsError",
    "Sql",
    "Store",
    "WarehouseBusyError",
    "WarehouseFiles",
    "WarehouseVersionError",
    "WriteLock",
    "compose",
    "connect",
    "connect_in_memory",
    "current_publication",
    "literal",
    "now",
    "open_published",
    "quote",
    "relation",
]
