"""What people decided of names, as a CSV that they may also write by hand: one decision a line, none ever taken out."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.rankings.identity import Decision, Status

COLUMNS = ("source", "raw_name", "model", "status", "evidence", "decided_at")


class DecisionsError(ValueError):
    """A file of decisions that cannot be read; the message says which line and what it should be."""


def read_decisions(text: str, called: str) -> list[Decision]:
    """The decisions of a file, in its order.

    Parameters
    ----------
    text : str
        CSV with the header of :data:`COLUMNS`.
    called : str
        What messages call the file.

    Raises
    ------
    DecisionsError
        If a column is missing or not known, or a line is no decision.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(rows, None)
        if header is None or [one.strip() for one in header] != list(COLUMNS):
            first = ",".join(header or ()) or "empty"
            raise DecisionsError(f"{called}: its first line should be {','.join(COLUMNS)}; it is {first}")
        return list(_decisions(rows, called))
    except csv.Error as error:
        raise DecisionsError(f"{called}, line {rows.line_num}: {error}; mend the line") from error


def decision_line(decision: Decision) -> str:
    """A decision as a line of the file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(
        [
            decision.source,
            decision.raw_name,
            decision.release_id,
            decision.status.value,
            decision.evidence,
            f"{decision.decided_at.isoformat(timespec='seconds')}Z",
        ]
    )
    return out.getvalue()


def _decisions(rows: Iterator[list[str]], called: str) -> Iterator[Decision]:
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        place = f"{called}, line {rows.line_num}"  # type: ignore[attr-defined]  # of a csv reader
        if len(cells) != len(COLUMNS):
            raise DecisionsError(f"{place}: {len(cells)} cells, where {len(COLUMNS)} should be: {','.join(COLUMNS)}")
        try:
            yield _decision({name: cell.strip() for name, cell in zip(COLUMNS, cells, strict=True)})
        except ValueError as error:
            raise DecisionsError(f"{place}: {error}") from error


def _decision(row: dict[str, str]) -> Decision:
    if not row["source"] or not row["raw_name"]:
        raise ValueError("it names no source or no name")
    try:
        status = Status(row["status"])
    except ValueError:
        raise ValueError(f"status {row['status']!r}; a decision is accepted or rejected") from None
    try:
        decided_at = datetime.fromisoformat(row["decided_at"])
    except ValueError:
        raise ValueError(f"decided_at {row['decided_at']!r} is no ISO time; write 2026-01-31T12:00:00Z") from None
    if decided_at.tzinfo is not None:
        decided_at = decided_at.astimezone(UTC).replace(tzinfo=None)
    return Decision(row["source"], row["raw_name"], row["model"].lower(), status, row["evidence"], decided_at)
