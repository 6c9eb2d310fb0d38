"""The published file as commands open it: whatever keeps it from being read is one line with its remedy."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import duckdb

from pipeline.cli.errors import InputError
from pipeline.settings import settings
from pipeline.warehouse import NotPublishedError, open_published


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
