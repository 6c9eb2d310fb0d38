"""Which files a track's boards are made of, as they lie there now: in the inbox, or where the declaration names them.

They are read in place and stay there: they are boards that somebody maintains, not deliveries.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.judging import Content, Track, folder_of
from pipeline.landing import Delivery, is_left_alone, pending
from pipeline.settings import settings

Role = Literal["results", "topics"]

_MAGIC = "*?["
"""What makes a path a pattern."""


@dataclass(frozen=True)
class TrackFile:
    """A file of a track.

    Parameters
    ----------
    judge : str
        Whose board it is of.
    role : str
        ``results``, or ``topics``: it names those that runs should have.
    name : str
        What tables call it.
    path : Path
        Where it is, or should be.
    delivery : Delivery or None
        The file as it lies there; None where there is none.
    """

    judge: str
    role: Role
    name: str
    path: Path
    delivery: Delivery | None

    @property
    def is_settled(self) -> bool:
        """Whether it has not been changed for a while, so that it is whole."""
        return self.delivery is None or self.delivery.is_settled

    def content(self) -> Content:
        """What is in it."""
        if self.delivery is None:
            return Content(self.path, self.name, None, None, "there is no such file")
        if not self.delivery.is_file:
            why = "it is no regular file, such as a link; put a copy there, or name its path in `files`"
            return Content(self.path, self.name, None, None, why)
        return Content.of(self.path, self.name)


def track_files(track: Track) -> list[TrackFile]:
    """The files of all boards of a track, by board and name; one that is named and not there is listed too."""
    found = [one for judge in track.boards for one in _of_board(track, judge)]
    count = Counter((one.judge, one.name) for one in found)
    return [
        one if count[one.judge, one.name] == 1 else TrackFile(one.judge, one.role, str(one.path), *_place(one))
        for one in found
    ]


def state_of(files: Sequence[TrackFile]) -> str:
    """A digest that is another one when a file is added, changed or taken away; nothing is read for it."""
    seen = [
        (one.judge, str(one.path), one.delivery and (one.delivery.size_bytes, one.delivery.changed_ns)) for one in files
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def _of_board(track: Track, judge: str) -> Iterator[TrackFile]:
    declared = track.boards[judge]
    if declared.qrels is not None:
        yield from (_file(judge, "topics", path) for path in _matching(declared.qrels))
    if not declared.files:
        waiting = pending(settings().inbox_dir, track.name, (folder_of(judge),))
        yield from (
            TrackFile(judge, "results", _name(one.path), one.path, one) for one in sorted(waiting, key=_by_name)
        )
        return
    paths = dict.fromkeys(path for named in declared.files for path in _matching(named))
    yield from (_file(judge, "results", path) for path in paths)


def _matching(named: str) -> list[Path]:
    """The files that a path names: itself, those in a folder, or those that a pattern matches."""
    given, data = Path(named).expanduser(), settings().data_dir.resolve()
    path = data / given
    if path.is_dir():
        return _whole(path.iterdir())
    if path.exists() or not set(named) & set(_MAGIC):
        return [path]
    base, pattern = (Path(given.anchor), given.relative_to(given.anchor)) if given.is_absolute() else (data, given)
    return _whole(base.glob(str(pattern)))


def _whole(paths: Iterable[Path]) -> list[Path]:
    """The files among some paths, sorted, without hidden ones and those that are not finished."""
    return sorted(one for one in paths if one.is_file() and not is_left_alone(one.name))


def _file(judge: str, role: Role, path: Path) -> TrackFile:
    """A file that the declaration names, links followed."""
    try:
        delivery = Delivery.of(path.resolve(), judge, role)
    except OSError:
        delivery = None
    return TrackFile(judge, role, _name(path), path, delivery)


def _name(path: Path) -> str:
    """The path from the data folder; elsewhere the folder and the name only, since tables are published."""
    data = settings().data_dir.resolve()
    return path.relative_to(data).as_posix() if path.is_relative_to(data) else f"{path.parent.name}/{path.name}"


def _by_name(delivery: Delivery) -> str:
    return delivery.path.name


def _place(file: TrackFile) -> tuple[Path, Delivery | None]:
    return file.path, file.delivery
