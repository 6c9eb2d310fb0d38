"""Which process this is, and whether one that left its name behind still runs."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

STARTED_BY = "PODIUM_STARTED_BY"
"""The variable that tells a process who started it, as :meth:`Process.tell` says it."""


@dataclass(frozen=True)
class Process:
    """A process of some machine.

    Parameters
    ----------
    host : str
        The machine's name.
    pid : int
        Its number there, which the machine gives to another process once it has ended.
    started : str
        When it started, in ticks since the machine did, so that two with one number are told apart; empty where the
        system does not say.
    """

    host: str
    pid: int
    started: str = ""

    @classmethod
    def this(cls) -> "Process":
        """The one that asks."""
        return cls(socket.gethostname(), os.getpid(), _state_and_start(os.getpid())[1])

    @classmethod
    def told(cls, text: str) -> "Process | None":
        """The one that :meth:`tell` told of; None of an empty text."""
        return cls(**json.loads(text)) if text else None

    def tell(self) -> str:
        """What another process finds this one by."""
        return json.dumps(asdict(self))

    @property
    def is_gone(self) -> bool:
        """Whether it has surely ended; of another machine's process nobody here knows."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # it runs, as another user
        state, started = _state_and_start(self.pid)
        return state == "Z" or ("" not in (self.started, started) and self.started != started)


def members(group: int) -> list[int]:
    """The processes of a group that run; those that have ended, and nobody asked how, are left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            fields = _fields(int(entry.name))
            if fields and int(fields[2]) == group and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


def _state_and_start(pid: int) -> tuple[str, str]:
    """Fields 3 and 22 of ``/proc/<pid>/stat``; empty where there is none."""
    fields = _fields(pid)
    return (fields[0], fields[19]) if fields else ("", "")


def _fields(pid: int) -> list[str]:
    """The fields of ``/proc/<pid>/stat`` from the third on; none where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()  # the second field is the program's name, which may hold anything
