"""Bringing back a backup: every hash first, then everything beside its place, then into place.

Files that waited in the inbox go to the archive, with a line in the log of arrivals that says when they arrived: in the
inbox they would count as arriving now, after their deadline perhaps. The next run lands them from there.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.landing.archive import archive, archived, note_arrival
from pipeline.landing.inbox import Delivery
from pipeline.operation.backing_up import DATA
from pipeline.operation.errors import OperationError
from pipeline.operation.manifest import Manifest, Waiting
from pipeline.processes import Process
from pipeline.settings import Settings
from pipeline.warehouse import WarehouseFiles
from pipeline.warehouse.engine import clone
from pipeline.warehouse.migrations import MIGRATIONS

_DRAFT = ".restore-"
_LAST = ("warehouse", "published")
"""What comes into place after all else: a run can make it again from that."""


@dataclass
class Restore:
    """A backup, and where it goes.

    Parameters
    ----------
    settings : Settings
        Where everything goes.
    source : Path
        The folder of the backup.
    files : WarehouseFiles
        The warehouse to be.
    """

    settings: Settings
    source: Path
    files: WarehouseFiles

    @property
    def _data_dir(self) -> Path:
        return self.settings.data_dir.resolve()

    def run(self, aside: str | None = None) -> Manifest:
        """Bring the backup back; tables of an earlier version are upgraded.

        Parameters
        ----------
        aside : str, optional
            The folder in the data folder into which what is there now is moved; without it that must be nothing.

        Raises
        ------
        OperationError
            If it is no whole and undamaged backup, a newer Podium wrote it, there is something in its place, or the
            data folder cannot be made.
        NotAFileError
            If tables are kept in DuckLake: those of the backup would be read by nobody.
        WarehouseBusyError
            If somebody writes the warehouse.
        OSError
            If it cannot be written.
        """
        self.files.require_file()
        manifest = Manifest.read(self.source)
        self._refuse_newer(manifest)
        manifest.verify(self.source)
        self._make_data_dir()
        with self.files.lock.hold("restoring a backup"):
            self._make_room(manifest, aside)
            draft = self._lay_out(manifest)
            for path in sorted(draft.iterdir(), key=lambda path: (path.name in _LAST, path.name)):
                self._put(path)
            draft.rmdir()
        if manifest.tables:
            with self.files.write("restoring a backup"):
                pass  # an earlier version's tables are upgraded
        return manifest

    def _refuse_newer(self, manifest: Manifest) -> None:
        latest = MIGRATIONS[-1].version
        if manifest.tables > latest:
            raise OperationError(
                f"the backup is of Podium {manifest.podium}, with tables of version {manifest.tables}; this one knows "
                f"versions up to {latest}; install the newer Podium"
            )

    def _make_data_dir(self) -> None:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OperationError(
                f"the folder {self._data_dir} cannot be made: {error.strerror or error}; let PODIUM_DATA_DIR name one "
                f"where you may write"
            ) from error

    def _make_room(self, manifest: Manifest, aside: str | None) -> None:
        """Refuse to write over anything, or move it aside."""
        for left in self._data_dir.glob(f"{_DRAFT}*"):
            if Process(Process.this().host, int(left.name.removeprefix(_DRAFT))).is_gone:
                shutil.rmtree(left, ignore_errors=True)
        taken = [path for name in _names(manifest) if _holds(path := self._data_dir / name)]
        if taken and aside is None:
            raise OperationError(
                f"there is something in {', '.join(map(str, taken))} already; restore into another PODIUM_DATA_DIR, or "
                f"say --replace: what is there is kept aside then"
            )
        for path in taken:
            place = self._data_dir / str(aside) / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            _move(path, place)

    def _lay_out(self, manifest: Manifest) -> Path:
        """Everything as it will be, in a folder beside its place."""
        draft = self._data_dir / f"{_DRAFT}{os.getpid()}"
        draft.mkdir()
        entries = [one for one in manifest.entries if one.path.startswith(f"{DATA}/")]
        for entry in entries:
            target = draft / entry.path.removeprefix(f"{DATA}/")
            if entry.kind == "folder":
                target.mkdir()
            elif entry.kind == "link":
                target.symlink_to(entry.target)
            else:
                clone(self.source / entry.path, target)
        hashes = {one.path: one.sha256 for one in entries}
        for waiting in manifest.waiting:
            _arrive(waiting, hashes[waiting.path], draft)
        for entry in reversed(entries):  # a folder's rights after what is in it was written
            target = draft / entry.path.removeprefix(f"{DATA}/")
            if entry.kind != "link" and target.exists():
                target.chmod(entry.mode)
        os.sync()
        return draft

    def _put(self, path: Path) -> None:
        target = self._data_dir / path.name
        if not target.exists():
            path.rename(target)
            return
        for one in sorted(path.iterdir()):  # the lock of the warehouse is held in its folder
            one.rename(target / one.name)
        path.rmdir()


def _arrive(waiting: Waiting, sha256: str, draft: Path) -> None:
    """Put a file that waited where a run takes it from as of its arrival."""
    path = draft / waiting.path.removeprefix(f"{DATA}/")
    delivery = Delivery.of(path, waiting.board, waiting.folder, waiting.received_at, waiting.name)
    note_arrival(draft / "archive", delivery, sha256, {})
    archive(path, archived(draft / "archive", waiting.board, sha256, path))


def _names(manifest: Manifest) -> list[str]:
    """What a backup has in the data folder."""
    names = (one.path.removeprefix(f"{DATA}/") for one in manifest.entries if one.path.startswith(f"{DATA}/"))
    return sorted({name for name in names if "/" not in name})


def _is_lock(path: Path) -> bool:
    return path.name.endswith((".lock", ".lock.holder"))


def _holds(path: Path) -> bool:
    """Whether there is anything that would be written over."""
    if path.is_dir() and not path.is_symlink():
        return any(not _is_lock(one) for one in path.iterdir())
    return path.exists() or path.is_symlink()


def _move(path: Path, place: Path) -> None:
    """Move what is there, but for a lock that is held."""
    if not path.is_dir() or path.is_symlink():
        path.rename(place)
        return
    place.mkdir(parents=True)
    for one in sorted(path.iterdir()):
        if not _is_lock(one):
            one.rename(place / one.name)
    place.chmod(path.stat().st_mode)
