"""A whole cluster on this machine's loopback: servers, and workers in homes of their own with one data folder.

What a real one has, at its smallest: what is tried and tested here runs on several machines with other addresses.
"""

import os
import signal
import subprocess  # nosec B404 # our own command, never through a shell
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.cluster.servers import new_database, postgres, redis

_STOP_SECONDS = 30


@dataclass
class Cluster:
    """A cluster that is up.

    Parameters
    ----------
    folder : Path
        The data folder that all share; homes are in it, too, one for each worker.
    environment : mapping
        What every process of the cluster, and whoever starts runs on it, has in its environment.
    """

    folder: Path
    environment: Mapping[str, str]
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def home(self, name: str) -> dict[str, str]:
        """The environment of a process with a home of its own."""
        home = self.folder / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        own = {"HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}
        return {**os.environ, **self.environment, **own}

    def start_worker(self, name: str) -> None:
        """Start a worker, which writes what it does to ``<name>.log`` in its home."""
        environment = self.home(name)
        with (Path(environment["HOME"]) / f"{name}.log").open("ab") as log:
            self.workers[name] = subprocess.Popen(  # noqa: S603  # nosec B603 # our own command
                [self.podium, "worker", "--name", name],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that it can be ended with the processes that it started
            )

    def kill_worker(self, name: str) -> None:
        """End a worker and its processes as a machine that loses power does."""
        worker = self.workers.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def run(self, name: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start ``podium`` with these arguments in a home of its own."""
        return subprocess.Popen(  # noqa: S603  # nosec B603 # our own command
            [self.podium, *arguments],
            env=self.home(name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stop(self) -> None:
        """Let every worker finish what it is at, and end those that take long."""
        for worker in self.workers.values():
            with suppress(ProcessLookupError):
                worker.send_signal(signal.SIGTERM)
        for name, worker in list(self.workers.items()):
            try:
                worker.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill_worker(name)
        self.workers.clear()

    @property
    def podium(self) -> str:
        """The command of this environment."""
        return str(Path(sys.executable).with_name("podium"))


@contextmanager
def cluster(folder: Path, workers: Sequence[str] = ("one", "two"), **settings: str) -> Iterator[Cluster]:
    """A cluster with these workers, for as long as a block lasts.

    Parameters
    ----------
    folder : Path
        The data folder.
    workers : sequence of str
        Names of the workers.
    **settings
        Further variables of its environment.

    Raises
    ------
    ServerError
        If a server is not installed, or does not start.
    """
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        lake, history = new_database(server, "lake"), new_database(server, "history")
        environment = {
            "PODIUM_DATA_DIR": str(folder.resolve()),
            "PODIUM_WAREHOUSE": f"ducklake:postgres:{lake}",
            "PODIUM_EXECUTOR": "celery",
            "PODIUM_BROKER": stack.enter_context(redis()),
            "PODIUM_HISTORY": _url(history),
            "PODIUM_WORKER_LOST_SECONDS": "120",
            "PODIUM_LOCK_TIMEOUT": "600",
            **settings,
        }
        up = Cluster(folder, environment)
        stack.callback(up.stop)
        for name in workers:
            up.start_worker(name)
        yield up


def _url(address: str) -> str:
    """A libpq string as a URL."""
    of = dict(word.partition("=")[::2] for word in address.split())
    return f"postgresql://{of['user']}:{of['password']}@{of['host']}:{of['port']}/{of['dbname']}"
