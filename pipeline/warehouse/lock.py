"""The inter-process lock of the warehouse: one process writes at a time, and everyone can tell which.

The kernel releases it when its holder dies, however it dies. A note beside it says who holds it; the note is only
for messages, a stale one harms nothing.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import filelock

from pipeline.processes import Process

_log = logging.getLogger(__name__)
_QUIET_SECONDS = 1.0
"""How long a wait goes without a word."""


class WarehouseBusyError(RuntimeError):
    """Another process (or thread) has the warehouse; the message names it, and what to do."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, as its note says."""

    pid: int
    host: str
    purpose: str
    since: str
    started: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.purpose}, since {self.since})"

    @property
    def is_gone(self) -> bool:
        """Whether the process that left the note has died on this machine without taking it away."""
        return Process(self.host, self.pid, self.started).is_gone


@dataclass
class _Held:
    """What this process knows of one lock file; shared by every :class:`WriteLock` on it."""

    file: filelock.FileLock
    mutex: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.RLock = field(default_factory=threading.RLock)
    purposes: list[str] = field(default_factory=list)
    pid: int = field(default_factory=os.getpid)


_known: dict[Path, _Held] = {}
_known_guard = threading.Lock()


def _held(path: Path) -> _Held:
    with _known_guard:
        held = _known.get(path)
        if held is None or held.pid != os.getpid():
            held = _known[path] = _Held(filelock.FileLock(path, thread_local=False))
        return held


class WriteLock:
    """The right to write the warehouse, for this process.

    Re-entrant: all locks of a process on the same path are one, and each ``acquire`` needs its ``release``. Threads of
    one process are kept apart by :meth:`gate`, not by the lock, so that a run may take it in one thread and give it
    back in another.

    Parameters
    ----------
    path : Path
        The lock file; its folder is created.
    timeout : float
        Seconds to wait for another holder.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = Path(path).resolve()
        self.timeout = timeout

    @property
    def held(self) -> bool:
        """Whether this process holds the lock."""
        return bool(_held(self.path).purposes)

    @property
    def note_path(self) -> Path:
        """The file in which the holder says who it is."""
        return self.path.with_name(self.path.name + ".holder")

    def acquire(self, purpose: str) -> None:
        """Take the lock, waiting for another process up to the timeout.

        Raises
        ------
        WarehouseBusyError
            If the other process still holds it then.
        """
        held = _held(self.path)
        start = time.monotonic()
        if not held.mutex.acquire(timeout=self.timeout + 1):
            raise self._busy(start, "another thread of this process is waiting for it already")
        try:
            if not held.purposes:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._wait_for(held.file)
                    self._leave_note(purpose)
                except filelock.Timeout:
                    raise self._busy(start, self._who()) from None
                except BaseException:
                    held.file.release()
                    raise
            held.purposes.append(purpose)
        finally:
            held.mutex.release()

    def release(self) -> None:
        """Give back one ``acquire``; the last one lets other processes in.

        Raises
        ------
        RuntimeError
            If this process does not hold the lock.
        """
        held = _held(self.path)
        with held.mutex:
            if not held.purposes:
                raise RuntimeError(f"this process does not hold {self.path}: release() without acquire()")
            held.purposes.pop()
            if not held.purposes:
                with suppress(FileNotFoundError):
                    self.note_path.unlink()
                held.file.release()

    @contextmanager
    def hold(self, purpose: str) -> Iterator[None]:
        """Hold the lock for a ``with`` block.

        Raises
        ------
        WarehouseBusyError
            If another process holds it longer than the timeout.
        """
        self.acquire(purpose)
        try:
            yield
        finally:
            self.release()

    @contextmanager
    def gate(self, purpose: str) -> Iterator[None]:
        """Keep the other threads of this process out for a ``with`` block; re-entrant within its thread.

        Raises
        ------
        WarehouseBusyError
            If another thread stays longer than the timeout.
        """
        held = _held(self.path)
        start = time.monotonic()
        if not held.gate.acquire(timeout=self.timeout):
            doing = held.purposes[-1] if held.purposes else "reading"
            raise self._busy(start, f"another thread of this process {os.getpid()} ({doing}); {purpose} cannot start")
        try:
            yield
        finally:
            held.gate.release()

    def holder(self) -> Holder | None:
        """Who says to hold the lock; None without a readable note."""
        try:
            return Holder(**json.loads(self.note_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _wait_for(self, file: filelock.FileLock) -> None:
        """Take the lock file, and say who has it when that takes a while; may raise ``filelock.Timeout``."""
        patience = min(_QUIET_SECONDS, self.timeout)
        try:
            file.acquire(timeout=patience, poll_interval=0.05)
        except filelock.Timeout:
            if self.timeout <= patience:
                raise
            _log.warning("waiting up to %.0f s for %s, which has the warehouse", self.timeout, self._who())
            file.acquire(timeout=self.timeout - patience, poll_interval=0.05)

    def _leave_note(self, purpose: str) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        me = Process.this()
        note = Holder(me.pid, me.host, purpose, since, me.started)
        draft = self.note_path.with_name(f"{self.note_path.name}.{os.getpid()}")
        draft.write_text(json.dumps(asdict(note)), encoding="utf-8")
        draft.replace(self.note_path)

    def _who(self) -> str:
        holder = self.holder()
        if holder is None:
            return "a process that left no note"
        if holder.is_gone:
            return f"a process that left no note (the note there is of {holder}, which is gone)"
        return str(holder)

    def _busy(self, start: float, who: str) -> WarehouseBusyError:
        return WarehouseBusyError(
            f"the warehouse is busy: {self.path} is held by {who}; waited {time.monotonic() - start:.1f} s. "
            f"Wait for it to end, stop it, or wait longer with PODIUM_LOCK_TIMEOUT (seconds)."
        )
