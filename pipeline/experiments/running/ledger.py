"""The money of an experiment: what was spent, what running calls may cost, and the ceiling that both stay under."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pipeline.experiments.running.queue_file import QueueFile, worker_number
from pipeline.experiments.running.times import as_text
from pipeline.processes import Process


@dataclass(frozen=True)
class Money:
    """US dollars, over everything that was ever run.

    Parameters
    ----------
    spent : float
        Sum of known costs.
    presumed : float
        The most that calls can have cost of which nobody knows what they did: broken off, or without usage.
    held : float
        The most that running calls can cost.
    n_unknown : int
        Calls of unknown cost that had no limit either.
    """

    spent: float
    presumed: float
    held: float
    n_unknown: int

    @property
    def at_most(self) -> float:
        """What all of it can come to."""
        return self.spent + self.presumed + self.held


class Ledger:
    """The money of one queue.

    Parameters
    ----------
    file : QueueFile
    worker : Process
        Who holds money through it.
    now : callable
        The time (UTC, without a zone).
    """

    def __init__(self, file: QueueFile, worker: Process, now: Callable[[], datetime]) -> None:
        self._file = file
        self._worker = (worker.host, worker.pid, worker.started)
        self._now = now

    @property
    def money(self) -> Money:
        """How it stands."""
        with self._file.reading() as cursor:
            rows = cursor.execute("SELECT name, value FROM meta WHERE name IN ('spent', 'presumed', 'n_unknown')")
            values = {row["name"]: row["value"] for row in rows}
            held = cursor.execute("SELECT coalesce(sum(amount), 0.0) FROM holds").fetchone()[0]
        return Money(float(values["spent"]), float(values["presumed"]), float(held), int(values["n_unknown"]))

    def hold(self, most: float | None, ceiling: float | None) -> int | None:
        """Set aside what a call can cost, if the ceiling allows for it; None where it does not.

        Parameters
        ----------
        most : float or None
            The most it can cost; None where nobody knows, which no ceiling allows for.
        ceiling : float or None
            What everything may cost; None for no limit.

        Returns
        -------
        int or None
            What to give to :meth:`settle` afterwards.
        """
        if ceiling is not None and most is None:
            return None
        with self._file.transaction() as cursor:
            if ceiling is not None and most:
                total = cursor.execute(
                    "SELECT (SELECT sum(value) FROM meta WHERE name IN ('spent', 'presumed')) "
                    "+ (SELECT coalesce(sum(amount), 0.0) FROM holds)"
                ).fetchone()[0]
                if total + most > ceiling:
                    return None
            worker = worker_number(cursor, self._worker, as_text(self._now()) or "")
            cursor.execute("INSERT INTO holds (worker, amount) VALUES (?, ?)", (worker, most))
            return int(cursor.lastrowid or 0)

    def settle(self, held: int, cost: float | None) -> None:
        """Say what a call cost; None where nobody knows: it is presumed to have cost the most it could.

        A hold that is settled already, as those of a worker that was taken for gone are, stays as it is.
        """
        with self._file.transaction() as cursor:
            found = cursor.execute("DELETE FROM holds WHERE number = ? RETURNING amount", (held,)).fetchone()
            if found is not None:
                settle_in(cursor, found["amount"], cost)


def settle_in(cursor: sqlite3.Cursor, held: float | None, cost: float | None) -> None:
    """Book a call within a transaction: its cost or, where nobody knows, the most it could."""
    if cost is not None:
        _add(cursor, "spent", cost)
    elif held is not None:
        _add(cursor, "presumed", held)
    else:
        _add(cursor, "n_unknown", 1)


def _add(cursor: sqlite3.Cursor, name: str, amount: float) -> None:
    cursor.execute("UPDATE meta SET value = value + ? WHERE name = ?", (amount, name))
