"""What lies in a hub's folders now: how large each file is and when it changed, without reading any."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from upath import UPath

from pipeline.competition.hub.config import Hub
from pipeline.competition.hub.files import METADATA, Submission, Unusable, submissions
from pipeline.competition.hub.targets import AUXILIARY, TARGET_DATA

CONFIGURATION = "hub-config"
_CHANGED = ("mtime", "LastModified", "last_modified", "updated", "created")
"""What file systems call the time of the last change."""


@dataclass(frozen=True)
class HubFile:
    """A file in the folder of submissions.

    Parameters
    ----------
    name : str
        Its path within the hub.
    size_bytes : int
    changed_at : datetime or None
        When it was written last, UTC without a zone; None where its file system does not say.
    what : Submission or Unusable
    """

    name: str
    size_bytes: int
    changed_at: datetime | None
    what: Submission | Unusable

    @property
    def state(self) -> tuple[str, int, datetime | None]:
        """What is another one when the file changed."""
        return self.name, self.size_bytes, self.changed_at


def listed(hub: Hub) -> list[HubFile]:
    """The files in the folder of submissions; of two that a model has for one round, the first by name is taken.

    Errors as :func:`pipeline.competition.hub.files.submissions`.
    """
    found = []
    taken: dict[tuple[str, str], str] = {}
    for one in submissions(hub):
        what = one
        if isinstance(one, Submission):
            first = taken.setdefault((one.model_id, one.round_id), one.path.name)
            if first != one.path.name:
                what = Unusable(one.path, f"the model has another file for this round, {first}; keep one")
        size, changed_at = _size_and_change(one.path)
        found.append(HubFile(one.path.relative_to(hub.path).as_posix(), size, changed_at, what))
    return found


def state_of(files: Iterable[HubFile]) -> str:
    """A digest that is another one when a submission is added, changed or taken away."""
    return _digest(sorted(repr(one.state) for one in files))


def configuration_state(hub: Hub) -> str:
    """A digest of a hub's configuration, by content."""
    return _digest([path.read_bytes().hex() for path in _below(hub.path / CONFIGURATION)])


def outcomes_state(hub: Hub) -> str:
    """A digest that is another one when target data are added, changed or taken away."""
    return _state_below(hub, [hub.path / TARGET_DATA, hub.path / AUXILIARY])


def models_state(hub: Hub) -> str:
    """A digest that is another one when what teams say of their models changes."""
    return _state_below(hub, [hub.path / METADATA])


def _state_below(hub: Hub, folders: Sequence[UPath]) -> str:
    files = [path for folder in folders for path in _below(folder)]
    return _digest([repr((path.relative_to(hub.path).as_posix(), *_size_and_change(path))) for path in files])


def _below(folder: UPath) -> list[UPath]:
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=str)


def _size_and_change(path: UPath) -> tuple[int, datetime | None]:
    info = path.fs.info(path.path)
    changed = next((info[name] for name in _CHANGED if info.get(name) is not None), None)
    if isinstance(changed, int | float):
        changed = datetime.fromtimestamp(changed, UTC)
    elif isinstance(changed, str):
        changed = datetime.fromisoformat(changed)
    if changed is not None and changed.tzinfo is not None:
        changed = changed.astimezone(UTC).replace(tzinfo=None)
    return int(info.get("size") or 0), changed


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
