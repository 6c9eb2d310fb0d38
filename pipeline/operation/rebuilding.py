"""A warehouse built from scratch out of what is kept, in a folder of its own, beside the present one.

Kept are the files of the archive with the log of their arrivals, what sources of rankings were seen to publish, the
files that boards read in place, and what people decided. The folder looks like a data folder: whatever computes
boards there computes them as it always does, and can harm nothing outside.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import filelock

from pipeline.declaration import BoardDeclaration
from pipeline.operation import known_differences
from pipeline.operation.errors import OperationError
from pipeline.operation.only_here import OnlyHere, take_over
from pipeline.settings import Settings
from pipeline.tables import BOARDS
from pipeline.warehouse import Difference, Store, WarehouseFiles, compare, compose, made_by_other_code
from pipeline.warehouse.engine import clone

FOLDER = "rebuild"
"""The folder in the data folder."""
READ_IN_PLACE = ("judging",)
"""Kinds of boards whose files stay in the inbox; of others the inbox holds what did not arrive yet."""
_ARRIVALS = ".arrivals.jsonl"


@dataclass(frozen=True)
class TakenOver:
    """Facts of a board that only the warehouse keeps."""

    board: str
    table: str
    why: str


@dataclass(frozen=True)
class Report:
    """A rebuilt warehouse beside the present one.

    Parameters
    ----------
    boards : tuple of str
        The boards that were rebuilt.
    tables : tuple of Difference
        Every table that has rows of them.
    taken_over : tuple of TakenOver
        What could not be rebuilt, so that it is the same on both sides.
    not_declared : tuple of str
        Boards of the present warehouse that nothing declares, so that the rebuilt one does not have them.
    out_of_date : tuple of str
        Tables of the present warehouse that were made by other code or another declaration.
    path : Path
        The rebuilt file.
    """

    boards: tuple[str, ...]
    tables: tuple[Difference, ...]
    taken_over: tuple[TakenOver, ...]
    not_declared: tuple[str, ...]
    out_of_date: tuple[str, ...]
    path: Path

    @property
    def differing(self) -> list[Difference]:
        """The tables that differ."""
        return [one for one in self.tables if not one.is_equal]


@dataclass
class Rebuild:
    """One rebuild, in the order of its methods.

    Parameters
    ----------
    settings : Settings
        Where the present warehouse is, and all that is kept.
    boards : mapping of str to BoardDeclaration
        The boards to rebuild, by name.
    declared : mapping of str to BoardDeclaration
        All that are declared.
    files : WarehouseFiles
        The present warehouse.
    """

    settings: Settings
    boards: Mapping[str, BoardDeclaration]
    declared: Mapping[str, BoardDeclaration]
    files: WarehouseFiles
    _taken_over: list[TakenOver] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where all of it is made; what an earlier rebuild left there is removed."""
        return self.settings.data_dir.resolve() / FOLDER

    @property
    def data_dir(self) -> Path:
        """The data folder in which boards are to be computed: ``PODIUM_DATA_DIR`` for whoever does."""
        return self.folder / "data"

    @property
    def present(self) -> Path:
        """A copy of the present warehouse, as it was when the rebuild began, in this version's tables."""
        return self.folder / "present" / self.files.path.name

    @property
    def rebuilt(self) -> Path:
        """The rebuilt warehouse."""
        return self.data_dir / "warehouse" / self.files.path.name

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other rebuilds of the same data folder out for a ``with`` block.

        Raises
        ------
        OperationError
            If another one is being made.
        """
        lock = filelock.FileLock(self.folder.with_name(f"{FOLDER}.lock"), timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise OperationError(
                f"another rebuild is being made in {self.folder}; wait until it ends, or stop it"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def prepare(self) -> None:
        """Copy the present warehouse and the logs of arrivals at one moment, and lay out what boards are computed of.

        Raises
        ------
        FileNotFoundError
            If there is no present warehouse.
        WarehouseBusyError, WarehouseDamagedError, WarehouseVersionError
            If it cannot be copied, or read.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        with self.files.lock.hold("copying it for a rebuild"):
            self.files.copy_to(self.present, "copying it for a rebuild")
            self._lay_out_archive()
        self._lay_out_inbox()
        self._link_the_rest()
        with self._opened(self.present) as present, self._opened(self.rebuilt) as rebuilt:
            for board in self.boards.values():
                self._taken_over += [_told(board, one) for one in take_over(present, rebuilt, board)]

    def compare(self) -> Report:
        """The rebuilt warehouse beside the present one.

        Raises
        ------
        FileNotFoundError
            If nothing was computed.
        """
        without, ignored = known_differences.TABLES, known_differences.COLUMNS
        return Report(
            boards=tuple(sorted(self.boards)),
            tables=tuple(compare(self.present, self.rebuilt, self.boards, without=without, ignored=ignored)),
            taken_over=tuple(self._taken_over),
            not_declared=tuple(sorted(self._boards_there() - set(self.declared))),
            out_of_date=tuple(made_by_other_code(self.present, self.rebuilt, self.boards)),
            path=self.rebuilt,
        )

    def replace(self, called: str) -> Path:
        """Put the rebuilt warehouse in the place of the present one, and publish it; where the old one is now.

        What landed since the rebuild began is in the archive: the next run lands it again.

        Parameters
        ----------
        called : str
            What the folder of the old one is called, such as the time.

        Raises
        ------
        OperationError
            If not all boards were rebuilt: the others would be gone.
        WarehouseBusyError
            If another process or thread writes longer than the timeout.
        """
        left_out = sorted(set(self.declared) - set(self.boards))
        if left_out:
            raise OperationError(
                f"only {', '.join(sorted(self.boards))} were rebuilt, so {', '.join(left_out)} would be gone; "
                f"rebuild all boards, without naming any, to replace the warehouse"
            )
        aside = self.files.path.parent / called / self.files.path.name
        with self.files.lock.hold("replacing it by a rebuilt one"):
            self.files.replace_by(self.rebuilt, aside)
            self.files.publish(set(self.declared), force=True)
        return aside

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _opened(self, path: Path) -> AbstractContextManager[Store]:
        return WarehouseFiles(path, self.folder / "published").write("a rebuild")

    def _boards_there(self) -> set[str]:
        with WarehouseFiles(self.present, self.folder / "published").read() as store:
            return set(store.query(compose("SELECT board FROM {table}", table=BOARDS))["board"])

    def _lay_out_archive(self) -> None:
        """Links to the files of boards, which nobody changes; copies of the logs and of all that is written to."""
        archive, source = self.data_dir / "archive", self.settings.archive_dir
        archive.mkdir(parents=True)
        for path in sorted(source.iterdir()) if source.is_dir() else ():
            if not path.is_dir():
                clone(path, archive / path.name)
            elif (source / f"{path.name}{_ARRIVALS}").exists():
                (archive / path.name).symlink_to(path)
            else:
                shutil.copytree(path, archive / path.name, copy_function=_cloned)

    def _lay_out_inbox(self) -> None:
        """What boards read in place; the rest of the inbox did not arrive yet."""
        inbox = self.data_dir / "inbox"
        inbox.mkdir()
        for board in self.boards.values():
            place = self.settings.inbox_dir / board.name
            if board.kind in READ_IN_PLACE and place.is_dir():
                (inbox / board.name).symlink_to(place)

    def _link_the_rest(self) -> None:
        """Whatever else is in the data folder, such as decisions and files that declarations name by it."""
        own = {self.folder.name, *(path.name for path in _written(self.settings))}
        for path in sorted(self.settings.data_dir.resolve().iterdir()):
            if path.name not in own and path.is_dir():
                (self.data_dir / path.name).symlink_to(path)


def _written(settings: Settings) -> tuple[Path, ...]:
    """The folders that whoever computes boards writes."""
    return (
        settings.warehouse_path.parent,
        settings.published_dir,
        settings.inbox_dir,
        settings.archive_dir,
        settings.dagster_home,
        settings.keys_dir,
        settings.health_dir,
    )


def _told(board: BoardDeclaration, one: OnlyHere) -> TakenOver:
    return TakenOver(board.name, one.spec.qualified_name, one.why)


def _cloned(source: str, target: str) -> str:
    clone(Path(source), Path(target))
    return target
