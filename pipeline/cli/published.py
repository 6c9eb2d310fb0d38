"""The published file as commands open it: whatever keeps it from being read is one line with its remedy."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import duckdb

from pipeline.cli.errors import InputError
from pipeline.settings import settings
from pipeline.warehouse import NotPublishedError, open_published

if TYPE_CHECKING:
    from pipeline.competition import Contract


@contextmanager
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the newest publication.

    Raises
    ------
    NotPublishedError
        If nothing is published, or what is published is damaged.
    WarehouseBusyError
        If another process has the file open for writing.
    InputError
        If the folder cannot be read.
    """
    folder = settings().published_dir
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(open_published(folder))
        except NotPublishedError:
            raise
        except OSError as error:
            why = error.strerror or str(error)
            raise InputError(f"the published files in {folder} cannot be read: {why}; see PODIUM_DATA_DIR") from error
        yield connection


def published_contract(connection: duckdb.DuckDBPyConnection, name: str) -> "Contract":
    """The declaration that the published board was made by: one that changed since has not made a board yet.

    Raises
    ------
    InputError
        If this version cannot read it.
    """
    from pydantic import ValidationError

    from pipeline.competition import Contract
    from pipeline.reports.queries import contract_json

    try:
        return Contract.model_validate_json(contract_json(connection, name))
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        raise InputError(
            f"the published declaration of board {name!r} cannot be used here: {first}; `podium run {name}` publishes "
            f"it anew"
        ) from error
