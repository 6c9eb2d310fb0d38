"""Feeding a reader: made-up files one after another, and what is no good end of reading one."""

import faulthandler
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipeline_tests.fuzz.mutations import mutated
from pipeline_tests.fuzz.targets import Target

SECONDS = 20
"""For one file; a reader that is not back then hangs."""
_MOST_FAILURES = 5
"""After which a reader is fed no more."""
_LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Failure:
    """A file that was neither read nor refused with a reason."""

    number: int
    file: str
    why: str
    where: str


@dataclass
class Found:
    """What became of the files."""

    n: int = 0
    n_read: int = 0
    n_refused: int = 0
    longest: float = 0.0
    failures: list[Failure] = field(default_factory=list)


def fed(name: str, target: Target, numbers: Iterable[int], seed: str, folder: Path) -> Found:
    """Feed a reader.

    Parameters
    ----------
    name : str
        Its name.
    target : Target
    numbers : iterable of int
        Which files to make: number, name and seed decide each, whatever was made before.
    seed : str
    folder : Path
        An empty one.
    """
    found = Found()
    with target.opened(folder) as read:
        for number in numbers:
            file, content = made_up(name, target, number, seed)
            start = time.monotonic()
            try:
                _in_time(partial(read, file, content))
                found.n_read += 1
            except target.refusals as error:
                found.n_refused += 1
                if not str(error).strip() or len(str(error)) > _LONGEST_REASON:
                    found.failures.append(Failure(number, file, f"refused with {str(error)[:100]!r}", ""))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                where = traceback.format_exception(error)[-2].strip().replace("\n", " ")
                found.failures.append(Failure(number, file, f"{type(error).__name__}: {error}"[:300], where))
            found.n += 1
            found.longest = max(found.longest, time.monotonic() - start)
            if len(found.failures) >= _MOST_FAILURES:
                break
    return found


def made_up(name: str, target: Target, number: int, seed: str) -> tuple[str, bytes]:
    """The name and the content of a file."""
    chance = random.Random(f"{seed}:{name}:{number}")
    file = chance.choice(sorted(target.files))
    return file, mutated(target.files[file], chance, list(target.files.values()))


def _in_time(read: Callable[[], None]) -> None:
    """Read within the time, or fail: Python that hangs by an exception, other code with a trace of all threads."""

    def late(*_: object) -> None:
        raise TimeoutError(f"no end after {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
    try:
        read()
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
