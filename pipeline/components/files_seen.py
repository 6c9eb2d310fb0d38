"""What an asset that reads files where they lie has seen of them: a digest of their state, for which none is read."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.components.automation import Seen
from pipeline.landing import Delivery, is_left_alone

FILES_SEEN = "podium/files_seen"
"""The metadata in which an asset says which state of its files it read."""


def seen_of(paths: Iterable[Path]) -> Seen:
    """The state of some files, links followed; one that is not there is part of it, too."""
    found = dict.fromkeys(sorted(paths))
    there: dict[Path, Delivery] = {}
    for path in found:
        with suppress(OSError):
            there[path] = Delivery.of(path.resolve(), "", "")
    state = [(str(path), (one := there.get(path)) and (one.size_bytes, one.changed_ns)) for path in found]
    digest = hashlib.sha256(repr(state).encode()).hexdigest()[:16]
    return Seen(digest, len(there), sum(not one.is_settled for one in there.values()))


def seen_in(folder: Path) -> Seen:
    """The state of the files of a folder, without hidden ones, unfinished ones and folders in it."""
    paths: list[Path] = []
    with suppress(OSError):
        paths = [path for path in folder.iterdir() if path.is_file() and not is_left_alone(path.name)]
    return seen_of(paths)
