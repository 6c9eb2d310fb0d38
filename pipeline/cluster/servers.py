"""PostgreSQL and Redis out of Debian's packages, on loopback, in temporary folders, for as long as a block lasts.

For trying things out and for tests; a real cluster has servers of its own, which settings name. Each is started as a
child of this process on a free port, with a password made for it, and ended by its process id.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess  # nosec B404 # programs of ours and of the two servers, never through a shell
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.warehouse.advisory import driver

_USER = "podium"
_READY_SECONDS = 60.0
_POSTGRES_USER = "postgres"
"""Who Debian's package runs the server as: it refuses to run as root."""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "lc_messages": "C",  # DuckLake knows errors by their English words
    "max_connections": "200",
}


class ServerError(RuntimeError):
    """A server that is not installed or did not start; the message says what to do."""


def missing_servers() -> str:
    """What of the servers is not installed, and how it is; empty when nothing is missing."""
    missing = [name for name, path in (("postgresql", _initdb()), ("redis-server", _redis())) if path is None]
    return f"apt-get install {' '.join(missing)}" if missing else ""


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server with an empty database; its libpq string.

    Raises
    ------
    ServerError
        If it is not installed, or does not start.
    """
    initdb = _initdb()
    if initdb is None:
        raise ServerError("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="podium-postgres-") as name:
        folder, port, password = Path(name), _free_port(), secrets.token_urlsafe(24)
        user = _other_than_root(folder)
        given = folder / "password"
        given.write_text(password, encoding="utf-8")
        given.chmod(0o600)
        if user:
            shutil.chown(given, user)
        data = folder / "data"
        _run(
            [initdb, "-D", data, "-U", _USER, f"--pwfile={given}", "--auth=scram-sha-256", "--no-sync", "--locale=C"],
            user,
        )
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        address = f"host=127.0.0.1 port={port} user={_USER} password={password} dbname=postgres"
        command = [initdb.with_name("postgres"), "-D", data, "-p", port, *settings]
        with _running(command, folder / "log", user, signal.SIGINT, lambda: _answers(address)):
            yield address


def new_database(address: str, name: str) -> str:
    """Make an empty database on a server; its libpq string."""
    session = driver().connect(address)
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    session.close()
    return address.rpartition(" dbname=")[0] + f" dbname={name}"


@contextmanager
def redis() -> Iterator[str]:
    """A Redis server that keeps nothing on disk; its address.

    Raises
    ------
    ServerError
        If it is not installed, or does not start.
    """
    program = _redis()
    if program is None:
        raise ServerError("Redis is not installed: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="podium-redis-") as name:
        folder, port, password = Path(name), _free_port(), secrets.token_urlsafe(24)
        config = folder / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(
            f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n',
            encoding="utf-8",
        )
        with _running([program, config], folder / "log", None, signal.SIGTERM, lambda: _listens(port)):
            yield f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def _running(
    command: Sequence[object], log: Path, user: str | None, stop: signal.Signals, is_ready: Callable[[], bool]
) -> Iterator[None]:
    """A server, from when it answers to the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # nosec B603 # a server's own program
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # Ctrl-C ends what uses the server first
            **_as(user),
        )
    try:
        until = time.monotonic() + _READY_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > until:
                said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise ServerError(f"{Path(str(command[0])).name} did not start; it said:\n{said}")
            time.sleep(0.05)
        yield
    finally:
        _end(process, stop)


def _end(process: "subprocess.Popen[bytes]", stop: signal.Signals) -> None:
    """End a child, by force when it does not end when asked."""
    with suppress(ProcessLookupError):
        process.send_signal(stop)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: Sequence[object], user: str | None) -> None:
    done = subprocess.run(  # noqa: S603  # nosec B603 # a server's own program
        [str(part) for part in command], cwd="/", capture_output=True, text=True, check=False, **_as(user)
    )
    if done.returncode:
        raise ServerError(f"{Path(str(command[0])).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def _other_than_root(folder: Path) -> str | None:
    """Who runs PostgreSQL, which has the folder then; None for whoever this is."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_POSTGRES_USER)
    except KeyError:
        raise ServerError(f"PostgreSQL does not run as root, and there is no user {_POSTGRES_USER}") from None
    shutil.chown(folder, _POSTGRES_USER)
    return _POSTGRES_USER


def _as(user: str | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _initdb() -> Path | None:
    """PostgreSQL's program that makes a server's folder: on the path, or of Debian's newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found)
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(versions, key=lambda path: float(path.parent.parent.name), default=None)


def _redis() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _answers(address: str) -> bool:
    with suppress(driver().OperationalError):
        driver().connect(address, connect_timeout=2).close()
        return True
    return False
