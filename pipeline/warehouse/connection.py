"""Opening DuckDB files: the only place that does, always with the settings' limits, always closed again."""

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipeline.settings import settings
from pipeline.warehouse.lock import WarehouseBusyError

_POLL_SECONDS = 0.05
_HOLDER = re.compile(r"\(PID (\d+)\)")
_DAMAGED = ("not a valid DuckDB database", "Corrupt database file", "Corrupt WAL file", "Could not read enough bytes")


class WarehouseDamagedError(RuntimeError):
    """The working file cannot be read; the message names it, and what to do."""


@contextmanager
def connect(
    path: Path,
    *,
    read_only: bool,
    timeout: float = 0.0,
    config: Mapping[str, Any] | None = None,
    is_published: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the DuckDB file at ``path``, closed when the block ends, also by an exception.

    Parameters
    ----------
    path : Path
        The file; created, with its folder, unless ``read_only``.
    read_only : bool
        Readers do not exclude one another; a writer excludes everyone.
    timeout : float
        Seconds to wait while another process has the file open.
    config : mapping, optional
        DuckDB settings on top of those of :class:`pipeline.settings.Settings`.
    is_published : bool
        Whether it is a published file, which nobody should have open for writing.

    Raises
    ------
    WarehouseBusyError
        If the file is open elsewhere after ``timeout``: in another process (named by its pid), or in this one with
        another configuration.
    FileNotFoundError
        If ``read_only`` and there is no file.
    duckdb.Error
        If the file is not a DuckDB file this version can read (see :func:`is_damage`), or DuckDB refuses a setting.
    """
    if read_only and not path.exists():
        raise FileNotFoundError(f"there is no DuckDB file {path}; run `podium run` first")
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = _open(path, read_only, timeout, _configuration(config), is_published)
    try:
        prepare(connection)
        yield connection
    finally:
        connection.close()


def is_damage(error: duckdb.Error, path: Path) -> bool:
    """Whether an error of DuckDB says that the file at ``path`` is damaged.

    Not so: a refused setting, a full disk, another version's file, or damage of another file that the message names.
    """
    text = str(error)
    is_another = '"' in text and path.name not in text
    return isinstance(error, duckdb.SerializationException) or (
        any(sign in text for sign in _DAMAGED) and not is_another
    )


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Work on the working file at ``path``, opening included; when DuckDB finds it damaged, the error says what to do.

    Raises
    ------
    WarehouseDamagedError
        If it is damaged.
    """
    try:
        yield
    except duckdb.Error as error:
        if not is_damage(error, path):
            raise
        raise WarehouseDamagedError(
            f"the working file {path} is damaged ({error}). Remove it, with a {path.name}.wal beside it, and run "
            f"`podium run` again: everything is computed anew, and what is published stays until then"
        ) from error


@contextmanager
def connect_in_memory(config: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database of its own, in memory; what exceeds the limit spills to a temporary folder.

    Parameters
    ----------
    config : mapping, optional
        As of :func:`connect`.
    """
    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        connection = duckdb.connect(":memory:", config=_configuration({"temp_directory": folder, **(config or {})}))
        try:
            prepare(connection)
            yield connection
        finally:
            connection.close()


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Times are UTC, and no statement that takes long draws a bar into what is printed."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")


def _configuration(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    configuration: dict[str, Any] = {
        "memory_limit": settings().memory_limit,
        "autoinstall_known_extensions": "false",
    }
    if settings().threads:
        configuration["threads"] = settings().threads
    return configuration | dict(extra or {})


def _open(
    path: Path, read_only: bool, timeout: float, config: dict[str, Any], is_published: bool
) -> duckdb.DuckDBPyConnection:
    start = time.monotonic()
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise
            waited = time.monotonic() - start
            if waited >= timeout:
                raise WarehouseBusyError(_busy(path, str(error), waited, is_published)) from error
        except duckdb.ConnectionException as error:
            if "different configuration" not in str(error):
                raise
            raise WarehouseBusyError(
                f"the warehouse is busy: {path} is open in this very process with another configuration "
                f"(wanted: {'read-only' if read_only else 'read-write'}, {config}). Close that connection first."
            ) from error
        time.sleep(_POLL_SECONDS)


def _busy(path: Path, error: str, waited: float, is_published: bool) -> str:
    holder = _HOLDER.search(error)
    who = f"process {holder[1]}" if holder else "another process"
    if is_published:
        return (
            f"{path} is open for writing in {who}; close it there, and open published files read-only "
            f"(read_only=True, duckdb -readonly)"
        )
    return (
        f"the warehouse is busy: {path} is open in {who}, which does not use Podium's lock; waited {waited:.1f} s. "
        f"Close it there; to only read, open the published file instead."
    )
