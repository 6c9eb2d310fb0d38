"""Services of one machine, each a process that is started again when it ends, until all are told to stop.

Each has a group of processes of its own, so that nothing that it started is left behind; when the supervisor itself is
killed, they are told to stop by the kernel.
"""

import ctypes
import os
import signal
import subprocess  # nosec B404 # our own commands alone, without a shell
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pipeline.operation.relaying import Output, Relay
from pipeline.processes import members

_POLL_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Service:
    """What is to be kept running.

    Parameters
    ----------
    name : str
        What messages call it.
    command : sequence of str
    environment : mapping of str to str
        All variables of its environment.
    folder : Path
        Where it is started.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True)
class Patience:
    """How long is waited for what.

    Parameters
    ----------
    first_pause, longest_pause : float
        Seconds before a service that ended is started again: doubled each time, up to the longest.
    steady : float
        Seconds after which a service that runs counts as well: the next pause is the first again.
    grace : float
        Seconds that a service has to end when it is told to, before it is killed.
    """

    first_pause: float = 1.0
    longest_pause: float = 60.0
    steady: float = 60.0
    grace: float = 30.0

    def pause(self, failures: int) -> float:
        """Seconds before the next start, after so many ends in a row, from 1."""
        return float(min(self.longest_pause, self.first_pause * 2.0 ** (min(failures, 60) - 1)))


@dataclass
class _Running:
    """A service, and how it fares."""

    service: Service
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    next_start: float = 0.0
    failures: int = 0
    groups: list[int] = field(default_factory=list)
    """Those of its processes, earlier ones as long as anything of them is left."""


@dataclass
class Supervisor:
    """Keeps services running.

    Parameters
    ----------
    services : sequence of Service
    say : function
        Where each event is told, in a sentence.
    patience : Patience
    relay : Relay, optional
        What takes the lines that services print; without it they go where this process prints.
    """

    services: Sequence[Service]
    say: Callable[[str], None]
    patience: Patience = field(default_factory=Patience)
    relay: Relay | None = None
    _outputs: list[Output] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _signal: int = 0

    def run(self) -> bool:
        """Start all services and keep them running until SIGTERM or SIGINT; whether all of them ended when told to.

        In the main thread only, which alone gets signals.
        """
        running = [_Running(service) for service in self.services]
        with self._signals():
            try:
                while not self._stopping.is_set():
                    for one in running:
                        self._look_after(one)
                    self._pass_on()
                    self._stopping.wait(_POLL_SECONDS)
                self.say(f"told to stop ({signal.Signals(self._signal).name})")
            finally:
                killed = self._stop(running)
        self.say(f"stopped; {', '.join(killed)} had to be killed" if killed else "stopped")
        return not killed

    def _look_after(self, one: _Running) -> None:
        """Start a service whose time has come; note that it ended."""
        moment = time.monotonic()
        if one.process is not None and one.process.poll() is not None:
            self._note_end(one, moment)
        if one.process is None and moment >= one.next_start:
            self._start(one, moment)

    def _start(self, one: _Running, moment: float) -> None:
        service = one.service
        one.started = moment
        one.groups = [group for group in one.groups if members(group)]
        try:
            one.process = subprocess.Popen(  # noqa: S603  # nosec B603 # our own commands
                list(service.command),
                env=dict(service.environment),
                cwd=service.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self.relay else None,
                stderr=subprocess.STDOUT if self.relay else None,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  (this process has one thread)
            )
        except OSError as error:
            self._plan(one, moment)
            self.say(f"{service.name} cannot be started: {error}; the next try is in {self._told_pause(one)}")
            return
        one.groups.append(one.process.pid)
        if self.relay and one.process.stdout:
            self._outputs.append(Output(service.name, os.dup(one.process.stdout.fileno()), self.relay))
            one.process.stdout.close()
        self.say(f"{service.name} started (process {one.process.pid})")

    def _pass_on(self) -> None:
        """Pass on what was printed; an output stays as long as anybody has its other end."""
        self._outputs = [one for one in self._outputs if one.pass_on()]

    def _note_end(self, one: _Running, moment: float) -> None:
        assert one.process is not None  # noqa: S101  # nosec B101 # asked for by whoever calls
        code, pid = one.process.returncode, one.process.pid
        _kill_group(pid, signal.SIGTERM)  # what it left behind would be in the way of the next one
        one.process = None
        lived = moment - one.started
        if lived >= self.patience.steady:
            one.failures = 0
        self._plan(one, moment)
        self.say(
            f"{one.service.name} (process {pid}) ended by itself after {lived:,.1f} s: {_told_code(code)}; "
            f"it is started again in {self._told_pause(one)}"
        )

    def _plan(self, one: _Running, moment: float) -> None:
        one.failures += 1
        one.next_start = moment + self.patience.pause(one.failures)

    def _told_pause(self, one: _Running) -> str:
        return f"{self.patience.pause(one.failures):g} s"

    def _stop(self, running: Sequence[_Running]) -> list[str]:
        """End all services: politely, then surely; the names of those that had to be killed."""
        left = [(one.service.name, one.process) for one in running if one.process is not None]
        for _, process in left:
            with suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + self.patience.grace
        killed = [name for name, process in left if not _ended(process, until, self._pass_on)]
        for group in (group for one in running for group in one.groups):
            _kill_group(group, signal.SIGKILL)
        for _, process in left:
            process.wait()
        self._pass_on()
        return killed

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {wanted: signal.signal(wanted, self._told_to_stop) for wanted in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for wanted, handler in before.items():
                signal.signal(wanted, handler)

    def _told_to_stop(self, number: int, _: FrameType | None) -> None:
        self._signal = number
        self._stopping.set()


def _ended(process: "subprocess.Popen[bytes]", until: float, meanwhile: Callable[[], None]) -> bool:
    """Whether a service and all that it started end in time; what outlives it is told to end, too."""
    was_told = False
    while time.monotonic() < until:
        meanwhile()
        if process.poll() is not None:
            if not members(process.pid):
                return True
            if not was_told:
                was_told = True
                _kill_group(process.pid, signal.SIGTERM)
        time.sleep(_POLL_SECONDS)
    return False


def _kill_group(leader: int, wanted: signal.Signals) -> None:
    if members(leader):
        with suppress(ProcessLookupError):
            os.killpg(leader, wanted)


def _told_code(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _end_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it is gone; Linux only."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
