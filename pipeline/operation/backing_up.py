"""A backup: a folder with everything that a Podium cannot make again, as it was at one moment.

The warehouse, the logs of arrivals and the inbox are copied under the lock; files of the archive never change, so they
are copied after it. All is written under a hidden name, the manifest last; only then does the folder get its own name.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.clock import utc_now
from pipeline.declaration import BoardDeclaration
from pipeline.landing import pending
from pipeline.operation.errors import OperationError
from pipeline.operation.manifest import Manifest, Waiting, entries_of
from pipeline.operation.rebuilding import FOLDER, READ_IN_PLACE
from pipeline.processes import Process
from pipeline.settings import Settings
from pipeline.warehouse import WarehouseFiles
from pipeline.warehouse.engine import clone
from pipeline.warehouse.publish import sync
from pipeline.warehouse.published import CURRENT

DATA, DECLARATIONS = "data", "declarations"
"""The folders in a backup: of the data folder, and of one's own boards."""
_PART = ".part"
_MADE_AGAIN = (FOLDER, "hubs", "health")
"""Folders in the data folder that commands and runs make again."""
_SQLITE = (".db", ".sqlite")
_OF_SQLITE = tuple(f"{ending}{log}" for ending in _SQLITE for log in ("-wal", "-shm", "-journal"))
"""Files beside one of SQLite, which a copy of it holds already."""


@dataclass
class Backup:
    """What is backed up.

    Parameters
    ----------
    settings : Settings
        Where everything is.
    declared : mapping of str to BoardDeclaration
        The boards.
    files : WarehouseFiles
        The warehouse.
    with_history : bool
        Whether Dagster's history of runs is, too.
    """

    settings: Settings
    declared: Mapping[str, BoardDeclaration]
    files: WarehouseFiles
    with_history: bool = False

    def write(self, target: Path) -> Manifest:
        """Write a backup into a folder that is not there yet, or empty.

        Raises
        ------
        OperationError
            If there is something in the folder, it is in the data folder or cannot be made, or there are no data.
        NotAFileError
            If the tables are in DuckLake: it would be a backup without them.
        WarehouseBusyError, WarehouseDamagedError
            If the warehouse cannot be copied.
        OSError
            If something cannot be read, or the backup not be written; nothing of that name is there then.
        """
        self.files.require_file()
        target = target.absolute()
        self._refuse(target)
        draft = _draft(target)
        try:
            manifest = self._fill(draft)
            os.sync()
            manifest.write(draft)
            sync(draft)
            draft.rename(target)
            sync(target.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return manifest

    def _refuse(self, target: Path) -> None:
        if not self.settings.data_dir.is_dir():
            raise OperationError(
                f"there is no data folder {self.settings.data_dir}; let PODIUM_DATA_DIR name the one to back up"
            )
        if target.resolve().is_relative_to(self.settings.data_dir.resolve()):
            raise OperationError(f"{target} is in the data folder, and would be lost with it; name another place")
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            raise OperationError(f"there is something in {target} already; name a folder that is new or empty")

    def _fill(self, draft: Path) -> Manifest:
        data, source = draft / DATA, self.settings
        data.mkdir()
        with self.files.lock.hold("backing up"):
            tables = self._copy_warehouse(data / "warehouse")
            for log in sorted(source.archive_dir.glob("*.jsonl")):
                _copy(log, data / "archive" / log.name)
            _copy(source.inbox_dir, data / "inbox")
            waiting = list(self._waiting(data))
        _copy(source.archive_dir, data / "archive")
        self._copy_published(data / "published")
        _copy(source.keys_dir, data / "keys")
        self._copy_dagster(data / "dagster_home")
        for path in self._others():
            _copy(path, data / path.name)
        if source.defs_dir is not None:
            _copy(source.defs_dir.resolve(), draft / DECLARATIONS)
        return Manifest(version("podium"), tables, utc_now(), tuple(entries_of(draft)), tuple(waiting))

    def _copy_warehouse(self, folder: Path) -> int:
        """Copy the warehouse; the version of its tables, 0 when there is none."""
        if not self.files.path.exists():
            return 0
        copy = folder / self.files.path.name
        self.files.copy_to(copy, "backing up")
        return WarehouseFiles(copy, folder).version()

    def _waiting(self, data: Path) -> Iterator[Waiting]:
        """The files of the inbox that will be landed, as far as they were copied."""
        for board in self.declared.values():
            if board.kind in READ_IN_PLACE:
                continue
            for one in pending(self.settings.inbox_dir, board.name, tuple(board.folders)):
                place = Path("inbox") / board.name / one.folder / one.path.name
                if one.is_file and one.is_unchanged and (data / place).is_file():
                    path = (Path(DATA) / place).as_posix()
                    yield Waiting(path, board.name, one.folder, one.name, one.received_at)

    def _copy_published(self, folder: Path) -> None:
        """Copy the version that is current, and the link to it."""
        with suppress(OSError):
            current = (self.settings.published_dir / CURRENT).readlink()
            _copy(self.settings.published_dir / current, folder / current)
            (folder / CURRENT).symlink_to(current)

    def _copy_dagster(self, folder: Path) -> None:
        """Copy Dagster's configuration, and its history if that is wanted."""
        home = self.settings.dagster_home
        if self.with_history:
            _copy(home, folder)
        else:
            _copy(home / "dagster.yaml", folder / "dagster.yaml")

    def _others(self) -> list[Path]:
        """What else is in the data folder, such as people's decisions and files that declarations name."""
        own = self.settings
        known = {own.warehouse_path.parent, own.published_dir, own.inbox_dir, own.archive_dir, own.keys_dir}
        known |= {own.dagster_home, *(own.data_dir.resolve() / name for name in _MADE_AGAIN)}
        return [
            path
            for path in sorted(own.data_dir.resolve().iterdir())
            if path not in known and not path.name.startswith((".", "replaced-")) and path.suffix != ".lock"
        ]


def _draft(target: Path) -> Path:
    """Make the folder in which a backup is written; what earlier ones left there is removed."""
    draft = target.with_name(f".{target.name}.{os.getpid()}{_PART}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        draft.mkdir(mode=0o700)  # it has what only the operator may read: keys, predictions before their deadline
    except OSError as error:
        raise OperationError(
            f"the folder {target} cannot be made: {error.strerror or error}; name one where you may write"
        ) from error
    return draft


def _copy(source: Path, target: Path) -> None:
    """Copy a file, a link or a folder with its rights; what is there already, or vanishes meanwhile, is left out."""
    if source.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.iterdir()):
            if not path.name.endswith((".lock", *_OF_SQLITE)):
                _copy(path, target / path.name)
        shutil.copymode(source, target)
    elif source.is_file() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if source.suffix in _SQLITE and _is_sqlite(source):
                _copy_sqlite(source, target)
            else:
                clone(source, target)
            shutil.copymode(source, target)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite file that may be written to meanwhile, as it was at one moment."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def _remove_leftovers(target: Path) -> None:
    """Remove what backups to the same place left behind when they were killed."""
    for path in target.parent.glob(f".{target.name}.*{_PART}"):
        pid = path.name.removeprefix(f".{target.name}.").removesuffix(_PART)
        if pid.isdecimal() and Process(Process.this().host, int(pid)).is_gone:
            shutil.rmtree(path, ignore_errors=True)
