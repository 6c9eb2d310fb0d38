"""Threads that work off tasks, until there are none or somebody asks to stop: then what runs may end, for a while."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

R = TypeVar("R")

GRACE_SECONDS = 8.0
"""Calls that run when somebody asks to stop may take so long to end; less than what stopping a container allows."""
_LOOK_SECONDS = 0.5


@dataclass(eq=False)
class Task(Generic[R]):
    """Something to do.

    Parameters
    ----------
    work : callable
        Does it; takes the event that breaks it off.
    stop : Event
        Set when nobody waits for it any more.
    """

    work: Callable[[threading.Event], R]
    stop: threading.Event = field(default_factory=threading.Event)


class Crew(Generic[R]):
    """Works off tasks, so many at once.

    Parameters
    ----------
    size : int
        Threads.
    stop : Event
        Set by whoever wants it to end early.
    look : callable
        Called with the tasks that run, now and then: the place to break one off.
    clock : callable
        Seconds that only rise.
    """

    def __init__(
        self,
        size: int,
        stop: threading.Event,
        look: Callable[[Sequence[Task[R]]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._stop = stop
        self._look = look
        self._clock = clock

    def work(self, more: Callable[[int, int], Sequence[Task[R]]], took: Callable[[R], None]) -> None:
        """Work until no more tasks come and none runs, or until told to stop.

        What interrupts the thread that calls this is raised again, once what runs has ended or was broken off.

        Parameters
        ----------
        more : callable
            From the number of tasks that are wanted, and of those that run, to so many tasks at most.
        took : callable
            Takes each result, in this thread.
        """
        running: dict[Future[R], Task[R]] = {}
        with ThreadPoolExecutor(self._size, thread_name_prefix="experiment") as pool:
            try:
                while not self._stop.is_set():
                    for task in more(self._size - len(running), len(running)):
                        running[pool.submit(task.work, task.stop)] = task
                    if not running:
                        return
                    self._collect(running, took, _LOOK_SECONDS)
                    self._look(list(running.values()))
                self._end(running, took)
            except BaseException:
                try:
                    self._end(running, took)
                finally:
                    _break_off(running)
                raise

    def _end(self, running: dict[Future[R], Task[R]], took: Callable[[R], None]) -> None:
        """Let what runs end, or break it off after a while."""
        until = self._clock() + GRACE_SECONDS
        while running and self._clock() < until:
            self._collect(running, took, _LOOK_SECONDS)
        _break_off(running)
        while running:
            self._collect(running, took, None)

    def _collect(self, running: dict[Future[R], Task[R]], took: Callable[[R], None], seconds: float | None) -> None:
        done, _ = wait(running, timeout=seconds, return_when=FIRST_COMPLETED)
        for one in done:
            del running[one]
            took(one.result())


def _break_off(running: dict[Future[R], Task[R]]) -> None:
    for task in running.values():
        task.stop.set()
