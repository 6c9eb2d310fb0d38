"""What a rebuilt warehouse may have otherwise than the one that it is compared with: here and nowhere else, with why.

Columns are named once for all tables, so that a new kind of board with the same columns needs nothing.
"""

from pipeline.tables import BUILDS, CHANGES, LEDGER, SCHEMA_VERSION

TABLES: dict[str, str] = {
    LEDGER.qualified_name: "numbers of changes count what happened, and a rebuild does in one step what took many",
    CHANGES.qualified_name: "it tells how rows came about, step by step, not what they are",
    BUILDS.qualified_name: "it tells when marts were built, and after which change",
    SCHEMA_VERSION.qualified_name: "it tells when the file was made or migrated",
    "marts.freshness": "it is made of the numbers and times of changes",
}
"""Tables that are not compared."""

COLUMNS: dict[str, str] = {
    "landed_at": "when the rows of a file were taken, which a rebuild does again; when it arrived is compared",
}
"""Columns that are not compared, in whatever table."""
