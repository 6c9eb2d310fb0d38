"""Dagster's own home under ``data/dagster_home``: made on first use, telemetry off, one writing run at a time."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.errors import InputError
from pipeline.processes import Process
from pipeline.settings import settings

if TYPE_CHECKING:
    import dagster as dg

_DAGSTER_YAML = """\
# Written by `podium` because there was none; change it as you like.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1  # the warehouse has one writer; further runs wait in the queue
"""
_QUIET = """\
python_logs:
  python_log_level: INFO  # what runs print under `podium dev`; the UI has every event all the same
"""
_ON_POSTGRES = """\
# Written by `podium` because there was none and PODIUM_HISTORY is set; change it as you like.
telemetry:
  enabled: false
nux:
  enabled: false
storage:
  postgres:
    postgres_url:
      env: PODIUM_HISTORY
concurrency:
  runs:
    max_concurrent_runs: 10
run_monitoring:
  enabled: true
"""
_UP = "up.lock"
_HOST, _PID, _STARTED = "podium/host", "podium/pid", "podium/started"

# Dagster copies a step's output by processes of its own, which Ctrl-C reaches too: their tracebacks then fill the
# terminal. A run of `podium run` has a log file for that; runs from the UI keep Dagster's way.
_OVERRIDES = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}


def named_home() -> Path:
    """Where the folder of runs and events is, or would be."""
    return Path(os.environ.get("DAGSTER_HOME") or settings().dagster_home).expanduser().resolve()


def dagster_home() -> Path:
    """The folder of runs and events, set as ``DAGSTER_HOME``; one that is set already is respected, made absolute.

    Raises
    ------
    InputError
        If it cannot be made, or not be written in.
    """
    home = named_home()
    require_folder(home, "DAGSTER_HOME" if os.environ.get("DAGSTER_HOME") else "PODIUM_DATA_DIR")
    config = home / "dagster.yaml"
    if not config.exists() or config.read_bytes() == _DAGSTER_YAML.encode():  # as it was written by earlier versions
        config.write_text((_ON_POSTGRES if settings().history else _DAGSTER_YAML) + _QUIET, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def while_nothing_is_up(home: Path) -> Iterator[None]:
    """Keep ``podium up`` from running with a history for a ``with`` block; without the folder there is none that could.

    Raises
    ------
    InputError
        If it runs.
    """
    import filelock

    if not home.is_dir():
        yield
        return
    lock = filelock.FileLock(home / _UP, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise InputError(f"`podium up` runs with the history in {home}; stop it first") from None
    try:
        yield
    finally:
        lock.release()


def require_folder(folder: Path, variable: str) -> None:
    """Make a folder, if it is not there, that can be written in.

    Raises
    ------
    InputError
        If that is not possible; the message names the folder and the variable that decides where it is.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK | os.X_OK) else "no permission to write in it"
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise InputError(f"the folder {folder} cannot be used: {why}; set {variable} to one you may write in")


def require_hook() -> None:
    """Refuse a hook for alerts that is not there, before anything could fail.

    Raises
    ------
    InputError
        If ``PODIUM_ALERT`` names none.
    """
    from pipeline.health import hook_of
    from pipeline.registry import UnknownNameError

    try:
        hook_of(settings())
    except (UnknownNameError, ImportError) as error:
        raise InputError(f"PODIUM_ALERT cannot be used: {error}") from None


def require_shared_warehouse() -> None:
    """Refuse workers where one process alone can write, before a run waits for them, who do not begin there.

    Raises
    ------
    InputError
        If ``PODIUM_EXECUTOR`` names workers and tables are in a DuckDB file.
    """
    if settings().executor and settings().lake_catalog is None:
        raise InputError(
            "a DuckDB file has one writer; workers need PODIUM_WAREHOUSE=ducklake:postgres:<libpq string>, or leave "
            "PODIUM_EXECUTOR empty"
        )


def run_tags() -> dict[str, str]:
    """Tags of a run that say which process executes it."""
    me = Process.this()
    return {_HOST: me.host, _PID: str(me.pid), _STARTED: me.started}


@contextmanager
def open_instance(home: Path) -> Iterator["dg.DagsterInstance"]:
    """Dagster's instance in its home; runs there whose process is gone are reported as failed first.

    Raises
    ------
    InputError
        If its configuration cannot be read, or its history not be used, then or in the block; the message says which
        file to mend or move away.
    """
    import dagster as dg
    from dagster._core.instance.ref import InstanceRef

    with ExitStack() as stack:
        try:
            reference = InstanceRef.from_dir(str(home), overrides=_OVERRIDES)
            instance = stack.enter_context(dg.DagsterInstance.from_ref(reference))
            report_dead_runs(instance)
        except Exception as error:  # of Dagster, of YAML, of SQLAlchemy: all of them are about these files
            raise InputError(_why_unusable(home, error)) from error
        try:
            yield instance
        except Exception as error:
            if not _is_about_history(error):
                raise
            raise InputError(_why_unusable(home, error)) from error


def report_dead_runs(instance: "dg.DagsterInstance") -> None:
    """Report runs of ``podium run`` on this machine as failed whose process is gone, killed before it could do so.

    They would count as running for ever, and keep every run from the UI or a schedule waiting in the queue.
    """
    import dagster as dg

    status = dg.DagsterRunStatus
    unfinished = dg.RunsFilter(
        statuses=[status.STARTING, status.STARTED, status.CANCELING], tags={_HOST: socket.gethostname()}
    )
    for run in instance.get_runs(unfinished):
        pid = run.tags.get(_PID, "")
        if pid.isdecimal() and Process(run.tags[_HOST], int(pid), run.tags.get(_STARTED, "")).is_gone:
            message = f"process {pid} of this run ended without a word, killed perhaps; what it had finished is kept"
            instance.report_run_failed(run, message)


def _is_about_history(error: Exception) -> bool:
    return type(error).__module__.startswith(("sqlalchemy", "sqlite3"))


def _why_unusable(home: Path, error: Exception) -> str:
    if _is_about_history(error):
        return (
            f"Dagster's history in {home / 'history'} cannot be used: {str(error).splitlines()[0]}; make room, "
            f"let it be written, or move the folder away to begin a new history (no board is kept there)"
        )
    words = " ".join(str(error).split()).partition(" Expected:")[0]  # all that a configuration can have follows
    return f"Dagster cannot be configured by {home / 'dagster.yaml'}: {words}; mend it, or remove it to get a new one"
