"""What a queue tells: runs by id and status, counts, and what nobody has delivered or published yet."""

from collections.abc import Mapping

from pipeline.experiments.running.queue_file import QueueFile
from pipeline.experiments.running.records import Kind, QueuedRun, Seen


class QueueView:
    """Questions to a queue, which change nothing.

    Parameters
    ----------
    file : QueueFile
    """

    def __init__(self, file: QueueFile) -> None:
        self._file = file

    @property
    def planned(self) -> str:
        """The name of the plan that is in the queue; empty for none."""
        with self._file.reading() as cursor:
            return str(cursor.execute("SELECT value FROM meta WHERE name = 'plan'").fetchone()[0])

    def run(self, run_id: str) -> QueuedRun | None:
        """A run by its id; None for one that is not in the queue."""
        with self._file.reading() as cursor:
            row = cursor.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else QueuedRun.of(row)

    def runs(self, status: str | None = None, since: int = 0) -> list[QueuedRun]:
        """Runs in the order in which they were put in.

        Parameters
        ----------
        status : str, optional
            Only those.
        since : int
            Only those that changed after this value of :attr:`change`.
        """
        with self._file.reading() as cursor:
            rows = cursor.execute(
                "SELECT * FROM runs WHERE change > ? AND (? IS NULL OR status = ?) ORDER BY number",
                (since, status, status),
            ).fetchall()
        return [QueuedRun.of(row) for row in rows]

    def unpublished(self, published: Mapping[str, Seen]) -> list[QueuedRun]:
        """Runs of which the queue knows other than a published file, in the order in which they were put in.

        Parameters
        ----------
        published : mapping of str to Seen
            By ``run_id`` the published status and time of ending; of the runs of the queue at least.
        """
        return [one for one in self.runs() if published.get(one.run_id) != (one.status, one.completed_at)]

    @property
    def run_ids(self) -> list[str]:
        """The runs that are in the queue, in the order in which they were put in."""
        with self._file.reading() as cursor:
            return [row["run_id"] for row in cursor.execute("SELECT run_id FROM runs ORDER BY number")]

    @property
    def change(self) -> int:
        """A count that rises with every change of runs and scores: equal counts, nothing new."""
        with self._file.reading() as cursor:
            return int(cursor.execute("SELECT value FROM meta WHERE name = 'change'").fetchone()[0])

    @property
    def counts(self) -> dict[str, int]:
        """Runs in the queue by status."""
        with self._file.reading() as cursor:
            rows = cursor.execute("SELECT status, count(*) AS n FROM runs GROUP BY status")
            return {row["status"]: row["n"] for row in rows}

    @property
    def waiting(self) -> dict[Kind, int]:
        """Waiting runs by model and parameters."""
        with self._file.reading() as cursor:
            rows = cursor.execute(
                "SELECT model, params, count(*) AS n FROM runs WHERE status = 'pending' "
                "GROUP BY model, params ORDER BY min(number)"
            )
            return {Kind(row["model"], row["params"]): row["n"] for row in rows}

    @property
    def n_undelivered(self) -> int:
        """Ended runs, and scores, that no file of the inbox has."""
        with self._file.reading() as cursor:
            return int(
                cursor.execute(
                    "SELECT (SELECT count(*) FROM runs WHERE delivered = 0 AND status NOT IN ('pending', 'running')) "
                    "+ (SELECT count(*) FROM scores WHERE delivered = 0)"
                ).fetchone()[0]
            )

    def undelivered(self, limit: int) -> list[QueuedRun]:
        """Ended runs that were not delivered as they are now, so many at most."""
        with self._file.reading() as cursor:
            rows = cursor.execute(
                "SELECT * FROM runs WHERE delivered = 0 AND status NOT IN ('pending', 'running') "
                "ORDER BY change, number LIMIT ?",
                (limit,),
            ).fetchall()
        return [QueuedRun.of(row) for row in rows]
