"""How files of a folder of an inbox are read, by what is known of the board now, and what could not be checked."""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from pipeline.competition import Contract
from pipeline.competition.declaration import INBOX
from pipeline.intake.folders import folders
from pipeline.intake.known import Known, NothingKnown, PublishedKnown, StoreKnown
from pipeline.landing import Intake, pending
from pipeline.settings import settings
from pipeline.tables import BOARDS
from pipeline.warehouse import (
    NotPublishedError,
    WarehouseBusyError,
    WarehouseFiles,
    WarehouseVersionError,
    compose,
    open_published,
)

_IN_USE = "The working file is in use, so this is by what was published last."


@dataclass(frozen=True)
class Reading:
    """How files of one folder are read.

    Parameters
    ----------
    intakes : tuple of Intake
        One for each kind of rows that is read from them.
    notes : tuple of str
        What cannot be checked, or by what it is, a sentence each.
    """

    intakes: tuple[Intake, ...]
    notes: tuple[str, ...] = ()


Given = Callable[[Known], tuple[Intake, ...]]


def reading_by_files(contract: Contract, folder: str) -> Reading:
    """How files are read by the working file, which knows most; while a run has it open, by the published file.

    Parameters
    ----------
    contract : Contract
        Of the board.
    folder : str
        Folder of its inbox.
    """
    given = _given(contract, folder)
    closed = _closed(contract, folder)
    if not closed and contract.horizon_length is not None:
        return Reading(given(NothingKnown()))
    notes = _waiting_registrations(contract) if closed else ()
    intakes, is_busy = _from_working_file(contract, given)
    if intakes is not None:
        return Reading(intakes, notes)
    intakes = _from_published_file(contract, given)
    if intakes is not None:
        return Reading(intakes, (*((_IN_USE,) if is_busy else ()), *notes))
    unchecked = f"{' and '.join(closed)} cannot be checked: nothing of {contract.name} ran yet".capitalize()
    opened = _given(contract, folder, _opened(contract))
    return Reading(opened(NothingKnown()), ((f"{unchecked}.",) if closed else ()) + notes)


def reading_by_published(connection: duckdb.DuckDBPyConnection, contract: Contract, folder: str) -> Reading:
    """How files are read by what is published alone, for who must not wait for the working file.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file that has the board.
    contract : Contract
        Of the board.
    folder : str
        Folder of its inbox.
    """
    return Reading(_given(contract, folder)(PublishedKnown(connection, contract.name)))


def _given(contract: Contract, folder: str, declared: Contract | None = None) -> Given:
    """From what is known to how files are read."""
    return lambda known: tuple(intake_of(declared or contract, known) for intake_of in folders(contract)[folder])


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
