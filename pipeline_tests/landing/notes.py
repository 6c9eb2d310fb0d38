"""A kind of file that knows no contest: notes of a writer on a day, with a number each."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd

from pipeline.landing import Agreement, Delivery, FileField, Intake, pending
from pipeline.tables import TRUTH_ROWS

NOTES = TRUTH_ROWS
"""Any landing table will do."""


def accepted(rows: pd.DataFrame, received_at: datetime) -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Refuse subjects that begin with a hash, and call those that begin with an exclamation mark late."""
    refused = rows["subject"].str.startswith("#")
    stored = rows.assign(received_at=received_at, is_late=rows["subject"].str.startswith("!"))
    reasons = rows.loc[refused, "subject"].map(lambda subject: f"subject {subject!r} begins with a hash")
    return stored[~refused].rename_axis("row_number").reset_index(), reasons


def intake(
    *,
    once: bool = False,
    agreement: Agreement | None = None,
    rules: Callable[[pd.DataFrame, datetime], tuple[pd.DataFrame, "pd.Series[str]"]] = accepted,
    kind: str = "truth",
) -> Intake:
    """How notes become rows."""
    return Intake(
        kind=kind,
        table=NOTES,
        fields=(
            FileField("subject", "VARCHAR", "subject"),
            FileField("target_time", "TIMESTAMP", "day"),
            FileField("horizon", "INTEGER", "horizon", required=False, default=1),
            FileField("known_at", "TIMESTAMP", "known_at", required=False, nullable=True),
            FileField("value", "DOUBLE", "value", nullable=True),
        ),
        rules=rules,
        unique=("subject", "target_time", "horizon", "known_at"),
        once=once,
        agreement=agreement,
    )


def drop(inbox: Path, content: str | bytes, name: str = "file.csv", folder: str = "truth", board: str = "toy") -> Path:
    """Put a file into the inbox."""
    path = inbox / board / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def waiting(inbox: Path, *folders: str, board: str = "toy") -> list[Delivery]:
    """What waits in the inbox."""
    return pending(inbox, board, folders or ("truth",))
