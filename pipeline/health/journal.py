"""The file of the state of everything: written whole or not at all, by one process at a time."""

import json
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import filelock
from pydantic import TypeAdapter, ValidationError

from pipeline.health.states import AssetState, CheckState, Failure, Health, JobState

FILE = "health.json"
_LOCK = "health.lock"
_PATIENCE = 30.0
"""Seconds to wait for another process that writes it."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Journal:
    """The state of everything, in a folder.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = folder / _LOCK

    def read(self) -> Health:
        """What is known; nothing where there is no file, or one that cannot be read: then the log says so.

        Everything in it is seen again with the next runs.
        """
        try:
            found = json.loads(self._path.read_bytes())
            return Health(
                assets={one.asset: one for one in _read(AssetState, found["assets"])},
                checks={(one.asset, one.check): one for one in _read(CheckState, found["checks"])},
                jobs={one.job: one for one in _read(JobState, found["jobs"])},
                failures={one.key: one for one in _read(Failure, found["failures"])},
            )
        except FileNotFoundError:
            return Health()
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            _log.warning("%s cannot be read (%s): what it said is forgotten", self._path, type(error).__name__)
            return Health()

    def change(self, by: Callable[[Health], Health]) -> Health:
        """Replace what is known by what a function makes of it.

        Raises
        ------
        OSError
            If it cannot be written.
        filelock.Timeout
            If another process writes for longer than half a minute.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self._lock, timeout=_PATIENCE):
            before = self.read()
            now = by(before)
            if now != before:
                self._write(now)
        return now

    def telling(self) -> filelock.FileLock:
        """What whoever tells a hook holds meanwhile, so that nothing is told twice."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(self._path.with_name("telling.lock"), timeout=0)

    def _write(self, health: Health) -> None:
        content = {
            "assets": _written(AssetState, health.assets.values()),
            "checks": _written(CheckState, health.checks.values()),
            "jobs": _written(JobState, health.jobs.values()),
            "failures": _written(Failure, health.failures.values()),
        }
        draft = self._path.with_name(f".{FILE}.part")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            draft.chmod(0o600)  # messages of checks may show what is under embargo
        draft.replace(self._path)


def _read(kind: type[T], rows: object) -> list[T]:
    return TypeAdapter(list[kind]).validate_python(rows)  # type: ignore[valid-type]  # a type is known at run time only


def _written(kind: type[T], rows: Iterable[T]) -> Any:
    return TypeAdapter(list[kind]).dump_python(list(rows), mode="json")  # type: ignore[valid-type]
