"""The queues of experiments, open as long as the server is, and what they hold at a moment."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline.experiments.running import GivenScore, Money, Queue, QueuedRun, QueueError

_ENDING = ".sqlite"
_log = logging.getLogger(__name__)
T = TypeVar("T")


class QueueUnusableError(RuntimeError):
    """A queue that cannot be read or written now; the server's log says why."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a queue holds.

    Parameters
    ----------
    key : tuple of int
        Equal ones are of the same file and the same count of changes.
    runs : mapping of str to QueuedRun
        By id, in the order in which they were put in.
    scores : tuple of GivenScore
        In the order of giving.
    """

    key: tuple[int, ...] = ()
    runs: Mapping[str, QueuedRun] = field(default_factory=dict)
    scores: tuple[GivenScore, ...] = ()


@dataclass
class _Opened:
    queue: Queue
    inode: int
    snapshot: Snapshot = field(default_factory=Snapshot)
    guard: threading.Lock = field(default_factory=threading.Lock)


class Queues:
    """The queues in a folder, each opened when it is first needed.

    Parameters
    ----------
    folder : Path
        Where ``<experiment>.sqlite`` are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._opened: dict[str, _Opened] = {}

    def snapshots(self) -> tuple[dict[str, Snapshot], dict[str, QueueUnusableError]]:
        """What all queues hold, by experiment, and why others cannot be read, by the name of their file.

        What was forgotten since it was seen published may be there still: the publication goes before it.
        """
        held: dict[str, Snapshot] = {}
        unusable_ones: dict[str, QueueUnusableError] = {}
        for name in sorted(path.stem for path in self._folder.glob(f"*{_ENDING}")):
            try:
                held[name] = _using(name, self._snapshot, name)
            except QueueUnusableError as error:
                unusable_ones[name] = error
        return held, unusable_ones

    def money(self, name: str) -> Money | None:
        """What all calls of an experiment came to; None where it has no queue.

        Raises
        ------
        QueueUnusableError
            If its queue cannot be read.
        """
        if not (self._folder / f"{name}{_ENDING}").exists():
            return None
        return _using(name, lambda: self._open(name, False).queue.ledger.money)

    def queue(self, name: str) -> Queue:
        """The queue of an experiment; made where there is none.

        Raises
        ------
        QueueUnusableError
            If it cannot be opened or made.
        """
        return _using(name, self._open, name, True).queue

    def close(self) -> None:
        """Close all of them."""
        with self._guard:
            for one in self._opened.values():
                one.queue.close()
            self._opened.clear()

    def _open(self, name: str, make: bool) -> _Opened:
        path = self._folder / f"{name}{_ENDING}"
        with self._guard:
            known = self._opened.get(name)
            if known is not None and path.exists() and path.stat().st_ino == known.inode:
                return known
            if known is not None:  # moved away, or another file in its place
                known.queue.close()
                del self._opened[name]
            queue = Queue(path, name, make=make)
            found = self._opened[name] = _Opened(queue, path.stat().st_ino)
            return found

    def _snapshot(self, name: str) -> Snapshot:
        try:
            opened = self._open(name, False)
        except FileNotFoundError:
            return Snapshot()
        with opened.guard:
            change = opened.queue.change
            before = opened.snapshot
            if before.key != (opened.inode, change):
                since = before.key[1] if before.key else -1
                runs = dict(before.runs) | {one.run_id: one for one in opened.queue.runs(since=since)}
                there = {run_id: runs[run_id] for run_id in opened.queue.run_ids if run_id in runs}
                scores = tuple(opened.queue.scores.all())
                opened.snapshot = Snapshot((opened.inode, change), there, scores)
            return opened.snapshot


def _using(name: str, use: Callable[..., T], *given: object) -> T:
    try:
        return use(*given)
    except (QueueError, OSError) as error:
        raise unusable(name, error) from error


def unusable(name: str, error: Exception) -> QueueUnusableError:
    """What is told of a queue that fails; why is for the log, since it names places."""
    _log.error("the queue of experiment %r: %s", name, error)
    return QueueUnusableError(
        f"the queue of experiment {name!r} cannot be used now; tell the operator: the server's log says why"
    )
