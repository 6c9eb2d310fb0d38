"""The queue of an experiment: runs that wait, run or have ended and are not yet seen published.

Every transition is one transaction, so that processes and threads that work on the same queue never have the same run,
and a process that is killed leaves nothing half done: what it was at is pending again.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.clock import utc_now
from pipeline.experiments.identity import canonical_json
from pipeline.experiments.plan import PlannedRun
from pipeline.experiments.running.given import GivenScores, Verdicts
from pipeline.experiments.running.ledger import Ledger, settle_in
from pipeline.experiments.running.queue_file import QueueFile, next_number, worker_number
from pipeline.experiments.running.records import Kind, Outcome, QueuedRun, Seen, storable
from pipeline.experiments.running.times import as_text, as_time
from pipeline.experiments.running.view import QueueView
from pipeline.processes import Process

LEASE = timedelta(minutes=10)
"""A worker of another machine is taken for gone when it gave no sign for so long; on its own machine, at once."""
MOST_LOSSES = 3
"""A run that so many workers died of has failed."""
WORKER_LOST = "worker_lost"


class Queue(QueueView):
    """An open queue; threads may share it.

    Parameters
    ----------
    path : Path
    experiment : str
        Whose it is.
    make : bool
        Whether to make it where there is none.
    worker : Process, optional
        Who claims runs; this process by default.
    now : callable
        The time (UTC, without a zone).

    Attributes
    ----------
    ledger : Ledger
        The money.
    scores : GivenScores
    verdicts : Verdicts

    Raises
    ------
    FileNotFoundError
        If there is none and none is to be made.
    QueueError
        If the file cannot be used; so do all methods.
    """

    def __init__(
        self,
        path: Path,
        experiment: str,
        *,
        make: bool = True,
        worker: Process | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(QueueFile(path, experiment, make))
        worker = worker or Process.this()
        self._worker = (worker.host, worker.pid, worker.started)
        self._now = now
        self.path = path
        self.ledger = Ledger(self._file, worker, now)
        self.scores = GivenScores(self._file, now)
        self.verdicts = Verdicts(self._file, now)

    def __enter__(self) -> "Queue":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what is done is kept."""
        self._file.close()

    def add(self, runs: Iterable[PlannedRun], *, is_planned: bool = False, asked_by: str | None = None) -> list[str]:
        """Put runs in that are not there; those that somebody asked for one by one run before planned ones.

        Parameters
        ----------
        runs : iterable of PlannedRun
        is_planned : bool
            Whether the declaration asks for them.
        asked_by : str, optional
            Who does, otherwise.

        Returns
        -------
        list of str
            ``run_id`` of those that are new.
        """
        with self._file.transaction() as cursor:
            change, at = next_number(cursor, "change"), as_text(self._now())
            return [one.run_id for one in runs if _insert(cursor, one, is_planned, at, change, asked_by)]

    def plan(self, runs: Sequence[PlannedRun], done: Collection[tuple[str, int]], name: str) -> int:
        """Make planned runs those of a plan: new ones are added, and waiting ones that it no longer has go.

        Parameters
        ----------
        runs : sequence of PlannedRun
            All of them, done or not.
        done : collection of (config_hash, repeat)
            Runs that ended and are published.
        name : str
            What :attr:`planned` says from now on.

        Returns
        -------
        int
            Runs that were added.
        """
        wanted = {one.run_id for one in runs}
        with self._file.transaction() as cursor:
            change, at = next_number(cursor, "change"), as_text(self._now())
            waiting = cursor.execute("SELECT run_id FROM runs WHERE status = 'pending' AND is_planned").fetchall()
            gone = [(row["run_id"],) for row in waiting if row["run_id"] not in wanted]
            cursor.executemany("DELETE FROM runs WHERE run_id = ?", gone)
            added = sum(_insert(cursor, one, True, at, change) for one in runs if one.key not in done)
            cursor.execute("UPDATE meta SET value = ? WHERE name = 'plan'", (name,))
        return added

    def claim(self, limit: int = 1, kinds: Collection[Kind] | None = None) -> list[QueuedRun]:
        """Take waiting runs to work on them: nobody else gets them while this process lives.

        Parameters
        ----------
        limit : int
            So many at most.
        kinds : collection of Kind, optional
            Runs of these models and parameters only.
        """
        self.recover()
        chosen = "" if kinds is None else " AND json_array(model, params) IN (SELECT value FROM json_each(:kinds))"
        listed = json.dumps([json.dumps(one[:2], ensure_ascii=False, separators=(",", ":")) for one in kinds or ()])
        values = {"limit": limit, "kinds": listed, "at": as_text(self._now())}
        with self._file.transaction() as cursor:
            numbers = cursor.execute(
                f"SELECT number FROM runs WHERE status = 'pending'{chosen} "  # noqa: S608  # nosec B608 # its pieces are names of this module
                "ORDER BY is_planned, number LIMIT :limit",
                values,
            ).fetchall()
            if not numbers:
                return []
            values |= {
                "worker": worker_number(cursor, self._worker, str(values["at"])),
                "claim": next_number(cursor, "claim"),
                "change": next_number(cursor, "change"),
            }
            rows = [
                cursor.execute(
                    "UPDATE runs SET status = 'running', worker = :worker, claim = :claim, started_at = :at, "
                    "change = :change, delivered = 0 WHERE number = :number RETURNING *",
                    values | {"number": one["number"]},
                ).fetchone()
                for one in numbers
            ]
            return [QueuedRun.of(row) for row in rows]

    def give_back(self, claimed: QueuedRun) -> None:
        """Let a claimed run wait again, as if it had not been taken; unless it was cancelled meanwhile."""
        with self._file.transaction() as cursor:
            cursor.execute(
                "UPDATE runs SET status = 'pending', worker = NULL, started_at = NULL, change = ? "
                "WHERE run_id = ? AND claim = ? AND status = 'running'",
                (next_number(cursor, "change"), claimed.run_id, claimed.claim),
            )

    def finish(self, claimed: QueuedRun, outcome: Outcome) -> bool:
        """End a claimed run; False where it is no longer this one's to end.

        Of a run that was cancelled meanwhile only what it cost is kept. One that was taken for lost and waits again is
        ended all the same: it need not be run twice.
        """
        with self._file.transaction() as cursor:
            row = cursor.execute("SELECT * FROM runs WHERE run_id = ?", (claimed.run_id,)).fetchone()
            if row is None or (row["claim"] != claimed.claim and row["status"] != "pending"):
                return False
            is_cancelled = row["status"] == "cancelled"
            if not (is_cancelled or row["status"] in ("running", "pending")):
                return False
            at = self._now()
            ended = outcome if not is_cancelled else Outcome("cancelled", **_cost_of(outcome))
            _end(cursor, row, ended, as_time(row["completed_at"]) or at, claimed.started_at)
            return not is_cancelled

    def cancel(self, run_id: str) -> QueuedRun | None:
        """Cancel a run that waits or runs; one that has ended stays as it is.

        Returns
        -------
        QueuedRun or None
            As it is now; None for one that is not in the queue.
        """
        with self._file.transaction() as cursor:
            self._cancel(cursor, " AND run_id = ?", (run_id,))
            row = cursor.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            return None if row is None else QueuedRun.of(row)

    def cancel_all(self) -> int:
        """Cancel everything that waits or runs; how many that were."""
        with self._file.transaction() as cursor:
            return self._cancel(cursor, "", ())

    def _cancel(self, cursor: Any, which: str, values: tuple[object, ...]) -> int:
        cursor.execute(
            "UPDATE runs SET status = 'cancelled', completed_at = ?, change = ?, delivered = 0 "  # noqa: S608  # nosec B608 # its pieces are names of this module
            f"WHERE status IN ('pending', 'running'){which}",
            (as_text(self._now()), next_number(cursor, "change"), *values),
        )
        return int(cursor.rowcount)

    def is_mine(self, claimed: QueuedRun) -> bool:
        """Whether a claimed run still is: not cancelled, and not taken for lost."""
        with self._file.reading() as cursor:
            row = cursor.execute("SELECT status, claim FROM runs WHERE run_id = ?", (claimed.run_id,)).fetchone()
        return row is not None and (row["status"], row["claim"]) == ("running", claimed.claim)

    def retry(self, statuses: Collection[str] = ("failed",)) -> int:
        """Let runs wait again that ended so, and are still in the queue; how many that were."""
        with self._file.transaction() as cursor:
            cursor.execute(
                "UPDATE runs SET status = 'pending', worker = NULL, losses = 0, started_at = NULL, "
                "completed_at = NULL, duration_ms = NULL, tokens_in = NULL, tokens_out = NULL, cost = NULL, "
                "output = NULL, error = NULL, error_detail = NULL, stages = '[]', change = ?, delivered = 0 "
                "WHERE status IN (SELECT value FROM json_each(?)) AND status NOT IN ('pending', 'running')",
                (next_number(cursor, "change"), json.dumps(list(statuses))),
            )
            return int(cursor.rowcount)

    def beat(self) -> None:
        """Give a sign of life, for machines that cannot look whether this process is there."""
        with self._file.transaction() as cursor:
            worker_number(cursor, self._worker, as_text(self._now()) or "")

    def recover(self) -> int:
        """Take back what workers had that are gone: their runs wait again, their money is presumed spent.

        Returns
        -------
        int
            Runs that wait again, or have failed for the :data:`MOST_LOSSES` th time.
        """
        with self._file.reading() as cursor:
            gone = self._gone(cursor)
        if not gone:
            return 0
        with self._file.transaction() as cursor:
            return sum(self._take_back(cursor, number) for number in self._gone(cursor))

    def _gone(self, cursor: Any) -> list[int]:
        rows = cursor.execute(
            "SELECT * FROM workers WHERE number IN (SELECT worker FROM runs WHERE status = 'running') "
            "OR number IN (SELECT worker FROM holds)"
        ).fetchall()
        return [row["number"] for row in rows if self._is_gone(row)]

    def _is_gone(self, row: Mapping[str, Any]) -> bool:
        if (row["host"], row["pid"], row["started"]) == self._worker:
            return False
        worker = Process(row["host"], row["pid"], row["started"])
        is_elsewhere = worker.host != Process.this().host
        seen_at = as_time(row["seen_at"])
        return worker.is_gone or (is_elsewhere and seen_at is not None and self._now() - seen_at > LEASE)

    def _take_back(self, cursor: Any, worker: int) -> int:
        for hold in cursor.execute("DELETE FROM holds WHERE worker = ? RETURNING amount", (worker,)).fetchall():
            settle_in(cursor, hold["amount"], None)
        change = next_number(cursor, "change")
        rows = cursor.execute("SELECT * FROM runs WHERE status = 'running' AND worker = ?", (worker,)).fetchall()
        for row in rows:
            if row["losses"] + 1 >= MOST_LOSSES:
                said = f"{WORKER_LOST}: {MOST_LOSSES} processes ended while they were at it"
                _end(cursor, row, Outcome("failed", error=said), self._now(), as_time(row["started_at"]))
            cursor.execute(
                "UPDATE runs SET losses = losses + 1, worker = NULL, change = ?, "
                "status = CASE status WHEN 'running' THEN 'pending' ELSE status END, "
                "started_at = CASE status WHEN 'running' THEN NULL ELSE started_at END WHERE run_id = ?",
                (change, row["run_id"]),
            )
        return len(rows)

    def mark_delivered(self, runs: Collection[QueuedRun]) -> None:
        """Remember that they are in the inbox; what changed since then is to be delivered again."""
        with self._file.transaction() as cursor:
            cursor.executemany(
                "UPDATE runs SET delivered = change WHERE run_id = ? AND change = ?",
                [(one.run_id, one.change) for one in runs],
            )

    def withdraw(self, keys: Collection[tuple[str, int]]) -> int:
        """Take planned runs that wait out again, by (config_hash, repeat); how many there were."""
        with self._file.transaction() as cursor:
            return sum(
                cursor.execute(
                    "DELETE FROM runs WHERE status = 'pending' AND is_planned AND config_hash = ? AND repeat = ?", key
                ).rowcount
                for key in keys
            )

    def withdraw_answered(self, run_ids: Collection[str]) -> int:
        """Take runs out that wait and were answered otherwise, whoever asked for them; how many there were."""
        with self._file.transaction() as cursor:
            cursor.execute(
                "DELETE FROM runs WHERE status = 'pending' AND run_id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(run_ids)),),
            )
            return int(cursor.rowcount)

    def forget(self, runs: Mapping[str, Seen], scores: Collection[str]) -> int:
        """Drop what was delivered and is seen published just as it is here.

        Parameters
        ----------
        runs : mapping of str to Seen
            Published runs.
        scores : collection of str
            ``score_id`` of published scores.

        Returns
        -------
        int
            Runs and scores that were dropped.
        """
        with self._file.transaction() as cursor:
            delivered = cursor.execute(
                "SELECT run_id, status, completed_at FROM runs WHERE delivered AND status NOT IN ('pending', 'running')"
            ).fetchall()
            seen = [
                (row["run_id"],)
                for row in delivered
                if runs.get(row["run_id"]) == (row["status"], as_time(row["completed_at"]))
            ]
            cursor.executemany("DELETE FROM runs WHERE run_id = ?", seen)
            given = [(one,) for one in scores]
            before = cursor.execute("SELECT count(*) FROM scores").fetchone()[0]
            cursor.executemany("DELETE FROM scores WHERE delivered AND score_id = ?", given)
            after = cursor.execute("SELECT count(*) FROM scores").fetchone()[0]
        return len(seen) + int(before - after)


def _insert(
    cursor: Any, one: PlannedRun, is_planned: bool, at: str | None, change: int, asked_by: str | None = None
) -> bool:
    cursor.execute(
        "INSERT OR IGNORE INTO runs (run_id, config_hash, repeat, config, prompt, prompt_version, model, params, "
        "input_id, is_planned, status, created_at, change, asked_by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)",
        (
            one.run_id,
            one.config_hash,
            one.repeat,
            canonical_json(one.config.as_json),
            one.configuration.prompt,
            one.configuration.prompt_version,
            one.config.model,
            canonical_json(dict(one.config.params)),
            one.input_id,
            is_planned,
            at,
            change,
            asked_by,
        ),
    )
    return bool(cursor.rowcount)


def _end(cursor: Any, row: Mapping[str, Any], outcome: Outcome, at: datetime, started_at: datetime | None) -> None:
    """Write down how a run ended; its duration is from when it was begun."""
    took = None if started_at is None else (at - started_at).total_seconds() * 1000
    said = storable(vars(outcome))
    said["stages"] = json.dumps(said["stages"], ensure_ascii=False)
    times = {"started_at": as_text(started_at), "completed_at": as_text(at), "duration_ms": took}
    values = said | times | {"change": next_number(cursor, "change"), "delivered": 0, "worker": None}
    changes = ", ".join(f"{name} = :{name}" for name in values)
    cursor.execute(f"UPDATE runs SET {changes} WHERE run_id = :run_id", values | {"run_id": row["run_id"]})  # noqa: S608  # nosec B608 # its pieces are names of this module


def _cost_of(outcome: Outcome) -> dict[str, Any]:
    names = ("tokens_in", "tokens_out", "cost", "stages")
    return {name: getattr(outcome, name) for name in names}
