"""The specification of every table, as pure data."""

from pipeline.tables.competition import (
    COMPETITION_TABLES,
    CYCLE_METRICS,
    FACTORS,
    LEADERBOARD,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    TRUTH,
)
from pipeline.tables.spec import WHOLE, Column, Input, TableSpec, Via
from pipeline.tables.system import BOARDS, BUILDS, CHANGES, LEDGER, METRICS, SCHEMA_VERSION, SYSTEM_TABLES

ALL_TABLES = COMPETITION_TABLES + SYSTEM_TABLES

__all__ = [
    "ALL_TABLES",
    "BOARDS",
    "BUILDS",
    "CHANGES",
    "COMPETITION_TABLES",
    "CYCLE_METRICS",
    "FACTORS",
    "LEADERBOARD",
    "LEDGER",
    "METRICS",
    "MODELS",
    "PREDICTIONS",
    "SCHEMA_VERSION",
    "SCORES",
    "SNAPSHOTS",
    "SUBJECTS",
    "SYSTEM_TABLES",
    "TRUTH",
    "WHOLE",
    "Column",
    "Input",
    "TableSpec",
    "Via",
]
