"""Checking a file, and landing it: the same judgement, once without and once with writing.

Landing one file is one transaction: its rows, the refused ones, its line in the table of files and the ledger.
Killed at any point, the file is either still to be landed, or landed and only to be moved to the archive.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.clock import utc_now
from pipeline.landing.archive import Arrival, archive, archived, content_hash, note_arrival
from pipeline.landing.blocks import UnreadableFileError, printable
from pipeline.landing.files import require_format
from pipeline.landing.inbox import Delivery
from pipeline.landing.intake import Intake
from pipeline.landing.staging import REFUSED, STAGED, Counts, stage
from pipeline.tables import TableSpec
from pipeline.warehouse import Part, Sql, Store, compose, join, literal, quote, relation

_SHOWN = 20
_INCOMING = quote("podium_incoming")
_NO_FILE = "it is a symbolic link, or something else that is no file; drop the file itself"


@dataclass(frozen=True)
class Verdict:
    """What is taken of a file, what is refused, and why.

    Parameters
    ----------
    kind : str
        What was looked for in it.
    n_rows, n_accepted, n_rejected, n_late : int
        Rows of the file; late ones are among those accepted.
    reasons : tuple of (str, int)
        Why rows are refused, one example of each kind of reason, and how many rows it is; most first.
    examples : tuple of (int, str, str)
        Row number, reason and original of the first refused rows.
    unread : tuple of str
        Columns of the file that nothing is read from.
    unreadable : str or None
        Why no row can be taken at all.
    """

    kind: str
    n_rows: int = 0
    n_accepted: int = 0
    n_rejected: int = 0
    n_late: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    examples: tuple[tuple[int, str, str], ...] = ()
    unread: tuple[str, ...] = ()
    unreadable: str | None = None

    @property
    def status(self) -> str:
        """``accepted``, ``partly``, ``rejected`` or ``unreadable: <reason>``."""
        if self.unreadable is not None:
            return f"unreadable: {self.unreadable}"
        if not self.n_rejected:
            return "accepted"
        return "partly" if self.n_accepted else "rejected"


@dataclass(frozen=True)
class Landed:
    """What landing a file did.

    Parameters
    ----------
    delivery : Delivery
    verdicts : tuple of Verdict
    is_new : bool
        False when the same content had been landed before.
    numbers : mapping of str to int
        By kind, the number of the line in the table of files that speaks of it, written now or before.
    """

    delivery: Delivery
    verdicts: tuple[Verdict, ...]
    is_new: bool
    numbers: Mapping[str, int]


def check_file(
    connection: duckdb.DuckDBPyConnection, path: Path, intake: Intake, received_at: datetime, name: str | None = None
) -> Verdict:
    """Say what would be refused and why, without landing it.

    Parameters
    ----------
    connection : DuckDB connection
        Of any database; only temporary tables are made.
    path : Path
        The file.
    intake : Intake
    received_at : datetime
        When it is taken to arrive, UTC.
    name : str, optional
        What it came as, where it has another name now: an archive keeps no ending that is of no known format.
    """
    try:
        require_format(name or path.name)
        counts = stage(connection, path, intake, received_at)
    except UnreadableFileError as error:
        return Verdict(intake.kind, unreadable=printable(str(error)))
    return _verdict(connection, intake.kind, counts)


def land_file(store: Store, delivery: Delivery, intakes: Sequence[Intake], archive_dir: Path) -> Landed | None:
    """Take the rows of a file and move it to the archive; None when it changed or went away meanwhile.

    The same content a second time changes nothing, unless rows of it had been refused and now more are taken, or a
    later file had replaced it: then it is landed like another file, as of its new arrival. What it gave before stays.

    Parameters
    ----------
    store : Store
        The open warehouse.
    delivery : Delivery
        The file.
    intakes : sequence of Intake
        What to read from it.
    archive_dir : Path
        Where originals are kept.

    Raises
    ------
    PermissionError
        If the file may not be read.
    """
    with suppress(_ChangedMeanwhileError, FileNotFoundError):
        if not delivery.is_unchanged:
            return None
        sha256 = content_hash(delivery.path) if delivery.is_file else ""
        landed = _land(store, delivery, intakes, sha256)
        with suppress(FileNotFoundError):
            note_arrival(archive_dir, delivery, sha256, landed.numbers)
            if delivery.is_file:
                archive(delivery.path, archived(archive_dir, delivery.board, sha256, delivery.path))
            else:
                delivery.path.unlink()
        return landed
    return None


def land_again(store: Store, arrival: Arrival, intakes: Sequence[Intake]) -> Landed | None:
    """Take the rows of a file of the archive, as of its arrival, for a warehouse that does not have them any more.

    Its lines get the numbers that they had, and kinds that it had no line for get none. None when its content is not
    what it was.
    """
    delivery, sha256, numbers = arrival.delivery, arrival.sha256, arrival.numbers
    if delivery.is_file and content_hash(delivery.path) != sha256:
        return None
    had = [intake for intake in intakes if intake.kind in numbers or not numbers]
    with suppress(_ChangedMeanwhileError, FileNotFoundError):
        return _land(store, delivery, had, sha256, numbers)
    return None


class _ChangedMeanwhileError(Exception):
    """A file that was written to while it was read."""


def _land(
    store: Store, delivery: Delivery, intakes: Sequence[Intake], sha256: str, numbers: Mapping[str, int] | None = None
) -> Landed:
    had = numbers or {}
    with store.transaction():
        landings = [_Landing(store, delivery, intake, sha256, had.get(intake.kind)) for intake in intakes]
        verdicts = tuple(landing.run() for landing in landings)
        if sha256 and not delivery.is_unchanged:
            raise _ChangedMeanwhileError
    found = {one.intake.kind: one.number for one in landings if one.number is not None}
    return Landed(delivery, verdicts, any(landing.is_new for landing in landings), found)


class _Landing:
    """One file landed for one kind, inside a transaction.

    ``number`` is that of its line; given for one that is landed again, under the number that it had.
    """

    def __init__(
        self, store: Store, delivery: Delivery, intake: Intake, sha256: str, number: int | None = None
    ) -> None:
        self.store, self.delivery, self.intake, self.sha256 = store, delivery, intake, sha256
        self._had = None if number is None or self._is_of_another(number) else number
        self.number = self._had
        self.is_new = False

    def run(self) -> Verdict:
        """Judge the file and write what it gives."""
        before = self._before()
        is_replaced = before is not None and self._had is None and self._is_replaced()
        if before is not None and not is_replaced and (self._had is not None or before.status == "accepted"):
            return before
        verdict = self._judge()
        if before is None or is_replaced or verdict.n_accepted > before.n_accepted:
            self.is_new = True
            self._write(verdict)
        return verdict

    def _is_replaced(self) -> bool:
        """Whether a later file says something else of what this content spoke of last: then saying it again is news."""
        if not self.intake.replaces:
            return False
        table = self.intake.table
        statement = compose(
            "SELECT EXISTS (FROM {table} AS own SEMI JOIN {table} AS later"
            " ON {same} AND later.file_number > own.file_number"
            " WHERE own.{own_board} = ? AND own.file_number = (SELECT max(file_number) FROM {files}"
            "  WHERE {board} = ? AND kind = ? AND sha256 = ?))",
            table=table,
            own_board=table.board,
            same=join(
                [compose("later.{c} = own.{c}", c=name) for name in (table.board, *self.intake.replaces)], " AND "
            ),
            **self._of_files,
        )
        board = self.delivery.board
        found = self.store.connection.execute(statement, [board, board, self.intake.kind, self.sha256]).fetchone()
        return bool(found and found[0])

    def _judge(self) -> Verdict:
        if not self.delivery.is_file:
            return Verdict(self.intake.kind, unreadable=_NO_FILE)
        connection, delivery = self.store.connection, self.delivery
        return check_file(connection, delivery.path, self.intake, delivery.received_at, delivery.name)

    def _before(self) -> "Verdict | None":
        """What the same content gave when it was landed before, at best; its line is this file's too."""
        statement = compose(
            "SELECT file_number, kind, n_rows, n_accepted, n_rejected FROM {files}"
            " WHERE {board} = ? AND kind = ? AND sha256 = ? AND (sha256 <> '' OR (name, received_at) = (?, ?))"
            " AND file_number = coalesce(?, file_number)"
            " ORDER BY status = 'accepted' DESC, n_accepted DESC, file_number DESC LIMIT 1",
            **self._of_files,
        )
        delivery = self.delivery
        given = [delivery.board, self.intake.kind, self.sha256, delivery.name, delivery.received_at, self._had]
        found = self.store.connection.execute(statement, given).fetchone()
        if found is None:
            return None
        self.number = int(found[0])
        return Verdict(*found[1:])

    def _write(self, verdict: Verdict) -> None:
        number = self.number = self._next_number() if self._had is None else self._had
        if verdict.unreadable is None:
            constant = [
                compose(", {value} AS {c}", value=literal(v), c=name) for name, v in self.intake.constant.items()
            ]
            taken = compose(
                "SELECT * EXCLUDE (is_late){constant} FROM {staged}", staged=STAGED, constant=join(constant, "")
            )
            refused = compose("SELECT * EXCLUDE (kind) FROM {refused}", refused=REFUSED)
            self._add(self.intake.table, taken, number)
        else:
            template = "SELECT 0 AS row_number, {reason} AS reason, NULL::VARCHAR AS original"
            refused = compose(template, reason=literal(verdict.unreadable))
        self._add(self.intake.refused, self._of_kind(refused), number)
        with relation(self.store.connection, self._line(verdict)) as line:
            self._add(self.intake.files, self._of_kind(compose("SELECT * FROM {line}", line=line)), number)

    def _of_kind(self, rows: Sql) -> Sql:
        return compose("SELECT {kind} AS kind, * FROM ({rows})", kind=literal(self.intake.kind), rows=rows)

    def _add(self, spec: TableSpec, rows: Sql, number: int) -> None:
        """Add rows, given without the board's name and the file's number."""
        self.store.connection.execute(
            compose(
                "CREATE OR REPLACE TEMP VIEW {incoming} AS"
                " SELECT {name} AS {board}, {number} AS file_number, * FROM ({rows})",
                incoming=_INCOMING,
                name=literal(self.delivery.board),
                board=spec.board,
                number=Sql(str(int(number))),
                rows=rows,
            )
        )
        self.store.add(spec, self.delivery.board, _INCOMING)

    def _line(self, verdict: Verdict) -> pa.Table:
        line = {
            "name": self.delivery.name,
            "sha256": self.sha256,
            "size_bytes": self.delivery.size_bytes,
            "received_at": self.delivery.received_at,
            "landed_at": utc_now(),
            "n_rows": verdict.n_rows,
            "n_accepted": verdict.n_accepted,
            "n_rejected": verdict.n_rejected,
            "n_late": verdict.n_late,
            "status": verdict.status,
        }
        return pa.Table.from_pylist([line])

    def _next_number(self) -> int:
        statement = compose("SELECT coalesce(max(file_number), 0) + 1 FROM {files} WHERE {board} = ?", **self._of_files)
        found = self.store.connection.execute(statement, [self.delivery.board]).fetchone()
        return int(found[0]) if found else 1

    def _is_of_another(self, number: int) -> bool:
        """Whether a number is that of another content by now: of what came while this one could not be landed again."""
        statement = compose(
            "SELECT count(*) FROM {files} WHERE {board} = ? AND file_number = ? AND (kind, sha256) <> (?, ?)",
            **self._of_files,
        )
        given = [self.delivery.board, number, self.intake.kind, self.sha256]
        found = self.store.connection.execute(statement, given).fetchone()
        return bool(found and found[0])

    @property
    def _of_files(self) -> dict[str, Part]:
        """The table of the files' lines, and its column of the board's name."""
        return {"files": self.intake.files, "board": self.intake.files.board}


def _verdict(connection: duckdb.DuckDBPyConnection, kind: str, counts: Counts) -> Verdict:
    reasons = connection.execute(
        compose(
            "SELECT arg_min(reason, row_number), count(*) FROM {refused} GROUP BY kind"
            " ORDER BY count(*) DESC, min(row_number) LIMIT ?",
            refused=REFUSED,
        ),
        [_SHOWN],
    ).fetchall()
    examples = connection.execute(
        compose("SELECT row_number, reason, original FROM {refused} ORDER BY row_number LIMIT ?", refused=REFUSED),
        [_SHOWN],
    ).fetchall()
    return Verdict(
        kind,
        counts.n_rows,
        counts.n_accepted,
        counts.n_rejected,
        counts.n_late,
        tuple((str(reason), int(number)) for reason, number in reasons),
        tuple((int(number), str(reason), str(original)) for number, reason, original in examples),
        counts.unread,
    )
