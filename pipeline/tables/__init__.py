"""The specification of every table, as pure data."""

from pipeline.tables.competition import (
    COMPETITION_TABLES,
    CYCLE_METRICS,
    FACTORS,
    LEADERBOARD,
    MODEL_VERSIONS,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    TRUTH,
)
from pipeline.tables.landing import (
    FACTOR_ROWS,
    FILES,
    INBOX_TABLES,
    LANDING_TABLES,
    MODEL_ROWS,
    PREDICTION_ROWS,
    QUARANTINE,
    SUBJECT_ROWS,
    SUBMISSIONS,
    TRUTH_ROWS,
)
from pipeline.tables.spec import WHOLE, Column, Input, TableSpec, Via
from pipeline.tables.system import BOARDS, BUILDS, CHANGES, LEDGER, METRICS, SCHEMA_VERSION, SYSTEM_TABLES

ALL_TABLES = (*COMPETITION_TABLES, *INBOX_TABLES, *LANDING_TABLES, QUARANTINE, *SYSTEM_TABLES)

__all__ = [
    "ALL_TABLES",
    "BOARDS",
    "BUILDS",
    "CHANGES",
    "COMPETITION_TABLES",
    "CYCLE_METRICS",
    "FACTORS",
    "FACTOR_ROWS",
    "FILES",
    "INBOX_TABLES",
    "LANDING_TABLES",
    "LEADERBOARD",
    "LEDGER",
    "METRICS",
    "MODELS",
    "MODEL_ROWS",
    "MODEL_VERSIONS",
    "PREDICTIONS",
    "PREDICTION_ROWS",
    "QUARANTINE",
    "SCHEMA_VERSION",
    "SCORES",
    "SNAPSHOTS",
    "SUBJECTS",
    "SUBJECT_ROWS",
    "SUBMISSIONS",
    "SYSTEM_TABLES",
    "TRUTH",
    "TRUTH_ROWS",
    "WHOLE",
    "Column",
    "Input",
    "TableSpec",
    "Via",
]
