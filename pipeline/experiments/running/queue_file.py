"""The file of a queue: SQLite, made whole or not at all, and every change of it one transaction.

The file is in WAL mode, so that readers and writers of one machine do not wait for each other; it belongs on a disk of
that machine. It is synced at every commit: a run that was paid for is not forgotten when the power fails.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

VERSION = 1
"""Of the tables below; a file of another one is refused."""

_APPLICATION_ID = 0x506F6451  # "PodQ"
_BUSY_SECONDS = 30.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE workers (
    number INTEGER PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL, seen_at TEXT NOT NULL,
    UNIQUE (host, pid, started)
);
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, config_hash TEXT NOT NULL, repeat INTEGER NOT NULL,
    asked_by TEXT, config TEXT NOT NULL, prompt TEXT NOT NULL, prompt_version TEXT NOT NULL, model TEXT NOT NULL,
    params TEXT NOT NULL, input_id TEXT NOT NULL, is_planned INTEGER NOT NULL, status TEXT NOT NULL,
    created_at TEXT NOT NULL, started_at TEXT, completed_at TEXT, duration_ms REAL, tokens_in INTEGER,
    tokens_out INTEGER, cost REAL, output TEXT, error TEXT, error_detail TEXT, stages TEXT NOT NULL DEFAULT '[]',
    worker INTEGER REFERENCES workers (number), claim INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL, delivered INTEGER NOT NULL DEFAULT 0,
    UNIQUE (config_hash, repeat)
);
CREATE INDEX runs_by_status ON runs (status, is_planned, number);
CREATE INDEX runs_by_change ON runs (change);
CREATE TABLE scores (
    number INTEGER PRIMARY KEY, score_id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL, scorer TEXT NOT NULL,
    kind TEXT NOT NULL, rater TEXT, version TEXT NOT NULL, identity TEXT, value REAL, reason TEXT, details TEXT,
    scored_at TEXT NOT NULL, change INTEGER NOT NULL, delivered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX scores_by_run ON scores (run_id);
CREATE TABLE verdicts (identity TEXT PRIMARY KEY, reply TEXT NOT NULL, given_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE holds (number INTEGER PRIMARY KEY, worker INTEGER NOT NULL REFERENCES workers (number), amount REAL);
"""
_FIRST = {"change": 0, "claim": 0, "spent": 0.0, "presumed": 0.0, "n_unknown": 0, "plan": ""}


class QueueError(RuntimeError):
    """A queue that cannot be used; the message names its file and says what to do."""


class QueueDamagedError(QueueError):
    """The file is no queue of Podium, or is damaged."""


class QueueVersionError(QueueError):
    """Another version of Podium made the file."""


class QueueBusyError(QueueError):
    """Another process has been writing for long."""


class QueueFile:
    """An open file.

    Parameters
    ----------
    path : Path
    experiment : str
        Whose queue it is.
    make : bool
        Whether to make it where there is none.

    Raises
    ------
    FileNotFoundError
        If there is none and none is to be made.
    QueueError
        If it cannot be used.
    """

    def __init__(self, path: Path, experiment: str, make: bool = True) -> None:
        self.path = path
        self._lock = threading.RLock()
        if not path.exists():
            if not make:
                raise FileNotFoundError(path)
            with self._telling():
                _make(path, experiment)
        with self._telling():
            self._connection = _connect(path)
            try:
                self._check(experiment)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close it; what is committed stays."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """Change something, all of it or nothing; others wait meanwhile.

        Raises
        ------
        QueueError
            If the file cannot be written.
        """
        with self._lock, self._telling(), closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # what made SQLite itself take everything back
                    cursor.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """Read, all of it as of one moment.

        Raises
        ------
        QueueError
            If the file cannot be read.
        """
        with self._lock, self._telling(), closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            finally:
                with suppress(sqlite3.Error):
                    cursor.execute("ROLLBACK")

    def _check(self, experiment: str) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION_ID:
            raise QueueDamagedError(f"{self.path} is no queue of Podium; move it elsewhere, and a new one is made")
        if version != VERSION:
            raise QueueVersionError(
                f"{self.path} is a queue of version {version}, this Podium has version {VERSION}; use the Podium that "
                f"made it, or move the file elsewhere and a new one is made"
            )
        (owner,) = self._connection.execute("SELECT value FROM meta WHERE name = 'experiment'").fetchone()
        if owner != experiment:
            raise QueueDamagedError(
                f"{self.path} is the queue of experiment {owner!r}, not of {experiment!r}; give it back its name"
            )

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of SQLite as those of a queue, which say what to do."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _DAMAGED:
                raise QueueDamagedError(
                    f"{self.path} is no queue, or a damaged one ({error}); move it elsewhere, and a new one is made: "
                    f"runs that are landed stay, those that had not been delivered are run again"
                ) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise QueueBusyError(
                    f"{self.path} has been written by another process for {_BUSY_SECONDS:g} s; try again"
                ) from error
            raise QueueError(f"{self.path} cannot be used ({error}); see to its disk and its permissions") from error


def next_number(cursor: sqlite3.Cursor, name: str) -> int:
    """Count on by one, within a transaction."""
    cursor.execute("UPDATE meta SET value = value + 1 WHERE name = ? RETURNING value", (name,))
    return int(cursor.fetchone()[0])


def worker_number(cursor: sqlite3.Cursor, worker: tuple[str, int, str], seen_at: str) -> int:
    """The number of a worker, who is given one at first; the queue knows from now on that it was there then."""
    cursor.execute(
        "INSERT INTO workers (host, pid, started, seen_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at RETURNING number",
        (*worker, seen_at),
    )
    return int(cursor.fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path, experiment: str) -> None:
    """Make a queue beside its place and give it its name; another process may be the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}.part")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.executescript(_TABLES)
            rows = {"experiment": experiment, **_FIRST}.items()
            connection.executemany("INSERT INTO meta VALUES (?, ?)", list(rows))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
