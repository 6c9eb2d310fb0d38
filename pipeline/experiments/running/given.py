"""Scores that were given to runs, and replies of judges, both kept in the queue."""

import json
import uuid
from collections.abc import Callable, Collection, Iterator, MutableMapping
from datetime import datetime
from typing import Any

from pipeline.experiments.running.queue_file import QueueFile, next_number
from pipeline.experiments.running.records import GivenScore, storable
from pipeline.experiments.running.times import as_text


class GivenScores:
    """Scores of runs, by people and by whoever was asked; they stay until they are seen published.

    Parameters
    ----------
    file : QueueFile
    now : callable
        The time (UTC, without a zone).
    """

    def __init__(self, file: QueueFile, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now

    def give(self, run_id: str, scorer: str, *, kind: str, version: str, **said: Any) -> GivenScore:
        """Keep a score of a run, of this very moment unless ``scored_at`` is given.

        Parameters
        ----------
        run_id, scorer, kind, version : str
        **said
            Other fields of :class:`GivenScore`.
        """
        given: dict[str, Any] = {"score_id": str(uuid.uuid4()), "scored_at": self._now(), **said}
        with self._file.transaction() as cursor:
            change = next_number(cursor, "change")
            score = GivenScore(run_id=run_id, scorer=scorer, kind=kind, version=version, **(given | {"change": change}))
            details = None if score.details is None else json.dumps(dict(score.details), ensure_ascii=False)
            row = vars(score) | {"scored_at": as_text(score.scored_at), "details": details}
            names = ", ".join(row)
            cursor.execute(
                f"INSERT INTO scores ({names}) VALUES ({', '.join(f':{name}' for name in row)})",  # noqa: S608  # nosec B608 # its pieces are names of this module
                row,
            )
        return score

    def all(self, run_id: str | None = None) -> list[GivenScore]:
        """Scores in the order in which they were given; of one run, if one is named."""
        where, values = ("", ()) if run_id is None else (" WHERE run_id = ?", (run_id,))
        with self._file.reading() as cursor:
            rows = cursor.execute(f"SELECT * FROM scores{where} ORDER BY number", values)  # noqa: S608  # nosec B608 # its pieces are names of this module
            return [GivenScore.of(row) for row in rows]

    def unpublished(self, published: Collection[str]) -> list[GivenScore]:
        """Scores whose ``score_id`` is not among those of the published file, in the order of giving."""
        there = frozenset(published)
        return [one for one in self.all() if one.score_id not in there]

    def undelivered(self, limit: int) -> list[GivenScore]:
        """Scores that were never delivered, in the order of giving; none of a run that itself is to be delivered first.

        Parameters
        ----------
        limit : int
            So many at most.
        """
        with self._file.reading() as cursor:
            rows = cursor.execute(
                "SELECT * FROM scores WHERE delivered = 0 AND NOT EXISTS "
                "(SELECT 1 FROM runs WHERE runs.run_id = scores.run_id AND runs.delivered = 0) ORDER BY number LIMIT ?",
                (limit,),
            )
            return [GivenScore.of(row) for row in rows]

    def mark_delivered(self, scores: Collection[GivenScore]) -> None:
        """Remember that they are in the inbox."""
        with self._file.transaction() as cursor:
            cursor.executemany(
                "UPDATE scores SET delivered = change WHERE score_id = ?", [(one.score_id,) for one in scores]
            )


class Verdicts(MutableMapping[str, str]):
    """Replies of judges by the identity of the question; what was answered is never asked again.

    Parameters
    ----------
    file : QueueFile
    now : callable
        The time (UTC, without a zone).
    """

    def __init__(self, file: QueueFile, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now

    def __getitem__(self, identity: str) -> str:
        with self._file.reading() as cursor:
            row = cursor.execute("SELECT reply FROM verdicts WHERE identity = ?", (identity,)).fetchone()
        if row is None:
            raise KeyError(identity)
        return str(row["reply"])

    def __setitem__(self, identity: str, reply: str) -> None:
        with self._file.transaction() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", (identity, storable(reply), as_text(self._now()))
            )

    def __delitem__(self, identity: str) -> None:
        with self._file.transaction() as cursor:
            cursor.execute("DELETE FROM verdicts WHERE identity = ?", (identity,))
            if not cursor.rowcount:
                raise KeyError(identity)

    def __iter__(self) -> Iterator[str]:
        with self._file.reading() as cursor:
            return iter([row["identity"] for row in cursor.execute("SELECT identity FROM verdicts ORDER BY identity")])

    def __len__(self) -> int:
        with self._file.reading() as cursor:
            return int(cursor.execute("SELECT count(*) FROM verdicts").fetchone()[0])
