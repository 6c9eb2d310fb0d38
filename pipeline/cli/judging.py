"""A file judged for a board's inbox without landing it: what ``podium check`` prints and ``podium submit`` asks for."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from pipeline.cli.errors import InputError
from pipeline.competition import Contract
from pipeline.competition.declaration import INBOX
from pipeline.components.inbox import Known, folders
from pipeline.components.inbox_tables import StoreKnown
from pipeline.landing import Intake, Verdict, check_file, pending
from pipeline.landing.staging import STAGED
from pipeline.settings import settings
from pipeline.tables import BOARDS, MODEL_ROWS, MODELS, PREDICTIONS, SUBJECT_ROWS, SUBJECTS, TableSpec
from pipeline.warehouse import (
    NotPublishedError,
    WarehouseBusyError,
    WarehouseFiles,
    WarehouseVersionError,
    compose,
    connect_in_memory,
    open_published,
)

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
    contract : Contract
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
    contract: Contract
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


def judge(path: Path, contract: Contract, folder: str, received_at: datetime) -> Judgement:
    """Judge a file as landing would, were it received then.

    Parameters
    ----------
    path : Path
        The file; a symbolic link outside the inbox is followed, as delivering a copy would.
    contract : Contract
        Of the board.
    folder : str
        Folder of its inbox.
    received_at : datetime
        UTC, without a zone.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be opened.
    """
    require_file(path)
    intakes, notes = _intakes(contract, folder)
    if path.is_symlink() and path.parent.resolve().is_relative_to(settings().inbox_dir.resolve()):
        verdicts = tuple(Verdict(intake.kind, unreadable=_IN_INBOX) for intake in intakes)
        return Judgement(path, contract, folder, received_at, verdicts)
    late = None
    verdicts = ()
    with connect_in_memory() as connection:
        for intake in intakes:
            verdict = check_file(connection, path, intake, received_at)
            verdicts += (verdict,)
            if verdict.n_late:
                late = _late(connection, contract, verdict.n_late)
    return Judgement(path, contract, folder, received_at, verdicts, late, _unread(verdicts, intakes), notes)


def require_file(path: Path) -> None:
    """Refuse what is no file that can be opened.

    Raises
    ------
    InputError
        Saying what it is instead.
    """
    if not path.exists():
        what = "is a symbolic link to nothing" if path.is_symlink() else "does not exist"
        raise InputError(f"{str(path)!r} {what}; give the path of a file")
    if not path.is_file():
        what = "folder" if path.is_dir() else "device or pipe"
        raise InputError(f"{str(path)!r} is a {what}; give the path of a file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be opened: {error.strerror}") from error


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


def _intakes(contract: Contract, folder: str) -> tuple[tuple[Intake, ...], tuple[str, ...]]:
    """How files of a folder are read, by what is known of the board now, and what is not known.

    The working file knows most; while a run has it open, the published file must do.
    """

    def given(known: Known, declared: Contract = contract) -> tuple[Intake, ...]:
        return tuple(intake_of(declared, known) for intake_of in folders(contract)[folder])

    closed = _closed(contract, folder)
    if not closed and contract.horizon_length is not None:
        return given(_Nothing()), ()
    notes = _waiting_registrations(contract) if closed else ()
    intakes, is_busy = _from_working_file(contract, given)
    if intakes is not None:
        return intakes, notes
    intakes = _from_published_file(contract, given)
    if intakes is not None:
        by = ("The working file is in use, so this is by what was published last.",) if is_busy else ()
        return intakes, (*by, *notes)
    unchecked = f"{' and '.join(closed)} cannot be checked: nothing of {contract.name} ran yet".capitalize()
    return given(_Nothing(), _opened(contract)), ((f"{unchecked}.",) if closed else ()) + notes


Given = Callable[[Known], tuple[Intake, ...]]


def _from_working_file(contract: Contract, given: Given) -> tuple[tuple[Intake, ...] | None, bool]:
    """How files are read by what the working file knows; None when it cannot tell, and whether it is in use."""
    try:
        with WarehouseFiles(lock_timeout=0).read() as store:
            if _has_run(store.connection, contract):
                return given(StoreKnown(store, contract.name)), False
    except WarehouseBusyError:
        return None, True
    except (FileNotFoundError, WarehouseVersionError, duckdb.CatalogException):  # a table may be newer than the file
        pass
    return None, False


def _from_published_file(contract: Contract, given: Given) -> tuple[Intake, ...] | None:
    try:
        with open_published(settings().published_dir) as connection:
            if _has_run(connection, contract):
                return given(PublishedKnown(connection, contract.name))
    except (NotPublishedError, duckdb.CatalogException):
        pass
    return None


def _closed(contract: Contract, folder: str) -> tuple[str, ...]:
    """Who and what must be registered before a file of this folder."""
    if folder != contract.predictions.files or contract.predictions.source != INBOX:
        return ()
    parts = (("models", contract.models), ("subjects", contract.subjects))
    return tuple(name for name, part in parts if part.registration == "closed")


def _opened(contract: Contract) -> Contract:
    """The contract with open registration."""
    anybody = {"registration": "open"}
    return contract.model_copy(
        update={
            "models": contract.models.model_copy(update=anybody),
            "subjects": contract.subjects.model_copy(update=anybody),
        }
    )


def _waiting_registrations(contract: Contract) -> tuple[str, ...]:
    waiting = pending(settings().inbox_dir, contract.name, (contract.models.files, contract.subjects.files))
    if not waiting:
        return ()
    return (
        f"Registrations wait in the inbox ({waiting[0].name}) and do not count yet: podium run {contract.name} "
        f"lands them.",
    )


def _has_run(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    statement = compose("SELECT count(*) FROM {boards} WHERE board = ?", boards=BOARDS)
    found = connection.execute(statement, [contract.name]).fetchone()
    return bool(found and found[0])


@dataclass(frozen=True)
class PublishedKnown:
    """What the published file knows of a board."""

    connection: duckdb.DuckDBPyConnection
    board: str

    def registered(self, spec: TableSpec, column: str) -> frozenset[str]:
        """Who or what takes part."""
        table = {MODEL_ROWS: MODELS, SUBJECT_ROWS: SUBJECTS}[spec]
        return frozenset(
            self._query("SELECT DISTINCT {column} FROM {table} WHERE competition = ?", table, column)[column]
        )

    def target_times(self) -> pd.DataFrame:
        """The target time of every cycle and horizon predicted so far."""
        statement = (
            "SELECT cycle, horizon, min(target_time) AS {column} FROM {table} WHERE competition = ? GROUP BY ALL"
        )
        return self._query(statement, PREDICTIONS, "target_time")

    def _query(self, template: str, table: TableSpec, column: str) -> pd.DataFrame:
        statement = compose(template, table=table, column=[column])
        return self.connection.execute(statement, [self.board]).df()


class _Nothing:
    """What is known of a board before its first run."""

    def registered(self, spec: TableSpec, column: str) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def target_times(self) -> pd.DataFrame:
        types: dict[str, Any] = {"cycle": "datetime64[us]", "horizon": "int32", "target_time": "datetime64[us]"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
