"""The lock of a warehouse that several machines write: advisory locks of the PostgreSQL server that has its catalog.

The server releases them when the session of their holder ends, however it ends; so they hold across machines and
survive no crash. Three kinds, always taken in this order: the whole warehouse (shared by writers of parts), one part,
and the turn to change tables, which a transaction holds and nothing else. A session says who it is in the statement
that it ran last, where the server shows it to those who wait.
"""

import importlib
import json
import logging
import os
import re
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pipeline.processes import Process
from pipeline.warehouse.lock import Holder, WarehouseBusyError

Session: TypeAlias = Any
"""A connection of psycopg2, which is imported only where it is used."""

_log = logging.getLogger(__name__)
_QUIET_SECONDS = 1.0
"""How long a wait goes without a word."""
_WHOLE, _PART, _TURN = 0x706F64, 0x706F65, 0x706F66
"""Numbers of the kinds of locks, unlikely to be those of another program in the same database."""
_NOTE = re.compile(r"^/\* podium: (.*?) \*/", re.DOTALL)
_SHOWN = 100
"""Characters of a purpose that are shown."""
_ALONE, _WITH_OTHERS = "SELECT pg_advisory_lock(%s, %s)", "SELECT pg_advisory_lock_shared(%s, %s)"
_HOLDERS = """
SELECT a.query FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid() AND l.classid = %s AND l.objid::bigint = %s
 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.backend_start LIMIT 1
"""


class AdvisoryLock:
    """The right to write a warehouse whose catalog is in PostgreSQL.

    Parameters
    ----------
    catalog : str
        The libpq string of the catalog's database.
    name : str
        The warehouse in messages, without a password.
    timeout : float
        Seconds to wait for another holder.
    """

    def __init__(self, catalog: str, name: str, timeout: float) -> None:
        self.name, self.timeout = name, timeout
        self._catalog = catalog
        self._gate = threading.RLock()
        self._session: Session | None = None
        self._note = b""
        self._pid = 0
        self._purposes: list[str] = []

    def acquire(self, purpose: str) -> None:
        """Take the whole warehouse; re-entrant, each ``acquire`` needs its ``release``.

        Raises
        ------
        WarehouseBusyError
            If another session holds all or a part of it longer than the timeout.
        """
        self._enter(purpose, None)

    def release(self) -> None:
        """Give back one ``acquire``; the last one ends the session.

        Raises
        ------
        RuntimeError
            If this process does not hold it.
        """
        if not self._purposes:
            raise RuntimeError(f"this process does not hold {self.name}: release() without acquire()")
        self._purposes.pop()
        if not self._purposes:
            self._end()

    @contextmanager
    def hold(self, purpose: str, part: str | None = None) -> Iterator[None]:
        """Hold the whole warehouse, or one part of it, for a ``with`` block.

        Inside a block that holds it already this changes nothing.

        Raises
        ------
        WarehouseBusyError
            If another session holds it longer than the timeout.
        """
        self._enter(purpose, part)
        try:
            yield
        finally:
            self.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn to change tables, for the ``with`` block of one transaction; inside :meth:`hold` only.

        Raises
        ------
        WarehouseBusyError
            If another transaction keeps its turn longer than the timeout.
        RuntimeError
            If this process holds no part of the warehouse.
        """
        if self._session is None or self._pid != os.getpid():
            raise RuntimeError(f"a transaction on {self.name} outside of write(); the lock must be held")
        self._wait(_ALONE, _TURN, 0, time.monotonic())
        try:
            yield
        finally:
            with suppress(driver().Error):  # a session that is lost has no lock any more
                self._ask("SELECT pg_advisory_unlock(%s, %s)", _TURN, 0)

    @contextmanager
    def gate(self, purpose: str) -> Iterator[None]:
        """Keep the other threads of this process out for a ``with`` block; re-entrant within its thread.

        Raises
        ------
        WarehouseBusyError
            If another thread stays longer than the timeout.
        """
        if not self._gate.acquire(timeout=self.timeout):
            doing = self._purposes[-1] if self._purposes else "reading"
            raise WarehouseBusyError(
                f"the warehouse is busy: another thread of this process {os.getpid()} ({doing}) has {self.name}; "
                f"{purpose} cannot start"
            )
        try:
            yield
        finally:
            self._gate.release()

    def holder(self) -> Holder | None:
        """Who holds the warehouse or a part of it, on whatever machine; None when nobody does."""
        with _connected(self._catalog) as session, session.cursor() as cursor:
            cursor.execute(_HOLDERS, [_WHOLE, 0])
            found = cursor.fetchone()
        return None if found is None else _holder(found[0])

    def _enter(self, purpose: str, part: str | None) -> None:
        if self._pid != os.getpid():  # a session cannot be shared with the process that this one was forked from
            self._session, self._purposes, self._pid = None, [], os.getpid()
        if not self._purposes:
            self._begin(purpose, part)
        self._purposes.append(purpose)

    def _begin(self, purpose: str, part: str | None) -> None:
        start = time.monotonic()
        self._session = _connect(self._catalog)
        self._note = _note(purpose)
        try:
            self._wait(_ALONE if part is None else _WITH_OTHERS, _WHOLE, 0, start)
            if part is not None:
                self._wait(_ALONE, _PART, _number(part), start)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _wait(self, taking: str, kind: int, number: int, start: float) -> None:
        """Take one lock, and say who has it when that takes a while."""
        patience = min(_QUIET_SECONDS, self.timeout)
        if self._took(taking, kind, number, patience):
            return
        if self.timeout > patience:
            _log.warning("waiting up to %.0f s for %s, which has the warehouse", self.timeout, self._who(kind, number))
            if self._took(taking, kind, number, self.timeout - patience):
                return
        raise WarehouseBusyError(
            f"the warehouse is busy: {self.name} is held by {self._who(kind, number)}; "
            f"waited {time.monotonic() - start:.1f} s. Wait for it to end, stop it, or wait longer with "
            f"PODIUM_LOCK_TIMEOUT (seconds)."
        )

    def _took(self, taking: str, kind: int, number: int, seconds: float) -> bool:
        try:
            self._ask("SELECT set_config('lock_timeout', %s, false)", f"{max(1, round(seconds * 1000))}ms")
            self._ask(taking, kind, number)
        except driver().errors.LockNotAvailable:
            return False
        return True

    def _who(self, kind: int, number: int) -> str:
        found = self._ask(_HOLDERS, kind, number % (1 << 32))
        holder = _holder(found[0]) if found else None
        return "another session, which does not say who it is" if holder is None else str(holder)

    def _ask(self, statement: str, *parameters: object) -> Any:
        """The first row that a statement gives; the note goes before it, where those who wait look for it."""
        if self._session is None:
            raise RuntimeError(f"no session holds {self.name}")
        with self._session.cursor() as cursor:
            cursor.execute(self._note + cursor.mogrify(statement, list(parameters)))
            return cursor.fetchone()


def _note(purpose: str) -> bytes:
    """Who this is, as a comment of SQL; short, as the server shows the beginning of a statement only."""
    me = Process.this()
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    text = json.dumps(asdict(Holder(me.pid, me.host, purpose[:_SHOWN], since, me.started)))
    return f"/* podium: {text.replace('*', chr(92) + 'u002a')} */ ".encode()  # a comment in it would have to end in it


def _holder(query: str) -> Holder | None:
    """Who a session's last statement says that it is."""
    found = _NOTE.match(query)
    try:
        return Holder(**json.loads(found[1])) if found else None
    except (ValueError, TypeError):
        return None


def _number(part: str) -> int:
    """A part's number as PostgreSQL takes it; two parts that share one only wait for one another."""
    number = zlib.crc32(part.encode())
    return number - (1 << 32) if number >= 1 << 31 else number


def _connect(catalog: str) -> Session:
    """A session in which every statement is a transaction; the server ends it a minute after its machine is gone."""
    session = driver().connect(catalog, application_name="podium", connect_timeout=10)
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3")
    return session


@contextmanager
def _connected(catalog: str) -> Iterator[Session]:
    session = _connect(catalog)
    try:
        yield session
    finally:
        session.close()


def driver() -> Any:
    """The module psycopg2.

    Raises
    ------
    RuntimeError
        If it is not installed.
    """
    try:
        importlib.import_module("psycopg2.errors")
        return importlib.import_module("psycopg2")
    except ImportError as error:
        raise RuntimeError(
            "a catalog in PostgreSQL needs packages that are not installed: pip install 'podium[scale]'"
        ) from error
