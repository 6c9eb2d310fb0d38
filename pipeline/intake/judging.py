"""A file judged for a board's inbox without landing it: what a check says, and what a submission is answered with."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.competition import Contract
from pipeline.declaration import BoardDeclaration
from pipeline.intake.reading import Reading
from pipeline.landing import Intake, Verdict, check_file
from pipeline.landing.blocks import printable
from pipeline.landing.staging import STAGED
from pipeline.settings import settings
from pipeline.warehouse import compose, connect_in_memory

_IN_INBOX = "it is a symbolic link inside the inbox, where none is followed; drop the file itself"


@dataclass(frozen=True)
class Late:
    """Predictions that come after their deadlines: how many, and the first and last of those deadlines."""

    n_rows: int
    first_deadline: datetime
    last_deadline: datetime


@dataclass(frozen=True)
class Unread:
    """A column that nothing is read from, and the optional column that it may have been meant for."""

    column: str
    meant: str | None


@dataclass(frozen=True)
class Judgement:
    """What would become of a file.

    Parameters
    ----------
    file : Path
    contract : BoardDeclaration
        Of the board.
    folder : str
        Folder of the inbox that it is judged for.
    received_at : datetime
        When it is taken to arrive, UTC.
    verdicts : tuple of Verdict
        One for each kind that is read from it.
    late : Late or None
    unread : tuple of Unread
        Columns that no kind reads.
    notes : tuple of str
        What could not be checked, and why.
    """

    file: Path
    contract: BoardDeclaration
    folder: str
    received_at: datetime
    verdicts: tuple[Verdict, ...]
    late: Late | None = None
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether nothing of it would be refused."""
        return all(verdict.status == "accepted" for verdict in self.verdicts)

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it would be taken."""
        return all(
            verdict.unreadable is not None or (verdict.n_rejected and not verdict.n_accepted)
            for verdict in self.verdicts
        )


def judge(path: Path, contract: BoardDeclaration, folder: str, received_at: datetime, reading: Reading) -> Judgement:
    """Judge a file as landing would, were it received then.

    Parameters
    ----------
    path : Path
        A file that is there and can be opened; a symbolic link outside the inbox is followed, as delivering a copy
        would.
    contract : BoardDeclaration
        Of the board.
    folder : str
        Folder of its inbox.
    received_at : datetime
        UTC, without a zone.
    reading : Reading
        How files of the folder are read.
    """
    intakes, notes = reading.intakes, reading.notes
    if path.is_symlink() and path.parent.resolve().is_relative_to(settings().inbox_dir.resolve()):
        return judged_unreadable(path, contract, folder, received_at, Reading(intakes), _IN_INBOX)
    late = None
    verdicts: tuple[Verdict, ...] = ()
    with connect_in_memory() as connection:
        for intake in intakes:
            verdict = check_file(connection, path, intake, received_at)
            verdicts += (verdict,)
            if verdict.n_late and isinstance(contract, Contract):
                late = _late(connection, contract, verdict.n_late)
    return Judgement(path, contract, folder, received_at, verdicts, late, _unread(verdicts, intakes), notes)


def judged_unreadable(
    path: Path, contract: BoardDeclaration, folder: str, received_at: datetime, reading: Reading, reason: str
) -> Judgement:
    """The judgement of a file that is not read, for a reason; otherwise as for :func:`judge`."""
    verdicts = tuple(Verdict(intake.kind, unreadable=reason) for intake in reading.intakes)
    return Judgement(path, contract, folder, received_at, verdicts, notes=reading.notes)


def as_record(judged: Judgement) -> dict[str, Any]:
    """A judgement as JSON has it."""
    return {
        "file": printable(str(judged.file)),
        "board": judged.contract.name,
        "folder": judged.folder,
        "received_at": judged.received_at,
        "accepted": judged.is_accepted,
        "kinds": [verdict_record(verdict) for verdict in judged.verdicts],
        "late": judged.late,
        "unread": [{"column": printable(one.column), "meant": one.meant} for one in judged.unread],
        "notes": judged.notes,
    }


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """What is taken of a file as JSON has it."""
    return {
        "kind": verdict.kind,
        "rows": verdict.n_rows,
        "accepted": verdict.n_accepted,
        "rejected": verdict.n_rejected,
        "late": verdict.n_late,
        "unreadable": None if verdict.unreadable is None else printable(verdict.unreadable),
        "reasons": [{"example": example, "rows": rows} for example, rows in verdict.reasons],
        "refused": [{"row": row, "reason": reason, "original": original} for row, reason, original in verdict.examples],
    }


def _late(connection: duckdb.DuckDBPyConnection, contract: Contract, n_rows: int) -> Late:
    """The deadlines that the rows just judged missed."""
    found = connection.execute(compose("SELECT min(cycle), max(cycle) FROM {rows} WHERE is_late", rows=STAGED))
    first, last = found.fetchone() or (None, None)
    deadline = contract.predictions.deadline
    return Late(n_rows, first + deadline, last + deadline)


def _unread(verdicts: Sequence[Verdict], intakes: Sequence[Intake]) -> tuple[Unread, ...]:
    """Columns that no kind reads, with the column that a typo may have meant."""
    readable = [verdict for verdict in verdicts if verdict.unreadable is None]
    if not readable:
        return ()
    optional = [field.column for intake in intakes for field in intake.fields if not field.required]
    found = []
    for column in readable[0].unread:
        if all(column in verdict.unread for verdict in readable):
            meant = difflib.get_close_matches(column.strip().lower(), optional, n=1, cutoff=0.8)
            found.append(Unread(column, meant[0] if meant else None))
    return tuple(found)
