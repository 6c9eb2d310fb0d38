"""The archive of what was fetched: raw bodies under their hashes, and a small JSON file for each snapshot of a source.

A snapshot is all documents of one fetch of a source. Its JSON file is written last and whole, so a snapshot that is
there is there completely; bodies that no snapshot names are what a kill left, and go with the next one::

    <folder>/<source>/snapshots/20260402T060343.269980Z-0a1b2c3d4e5f.json
    <folder>/<source>/bodies/<sha256>
"""

import hashlib
import io
import json
import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.landing.archive import content_hash, write_whole
from pipeline.landing.fetching.fetch import Validators
from pipeline.landing.fetching.folders import SnapshotError, folder_of, locked, sync

_log = logging.getLogger(__name__)

A_FILE = "a file"
"""The place of a document that somebody put in a folder: no publisher was asked for it."""


class Verdict(StrEnum):
    """What became of a snapshot."""

    UNJUDGED = "unjudged"
    GOOD = "good"
    REFUSED = "refused"


@dataclass(frozen=True)
class Body:
    """A document as it was fetched.

    Parameters
    ----------
    name : str
        The name that its source knows it by.
    place : str
        Host and path of its URL; :data:`A_FILE` for one that was in a folder.
    url_hash : str
        SHA-256 of its whole URL, which is not kept: a query may hold a secret.
    content : bytes
    status : int
        200, or 304 for one that was kept before.
    content_type : str
    validators : Validators
    fetched_at : datetime
        UTC, without a zone.
    modified_at : datetime or None
        Of a file, when it was last changed; UTC, without a zone.
    """

    name: str
    place: str
    url_hash: str
    content: bytes = field(repr=False)
    status: int
    content_type: str
    validators: Validators
    fetched_at: datetime
    modified_at: datetime | None = None

    @property
    def sha256(self) -> str:
        """Hash of its content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class KeptBody:
    """What a snapshot says of a document of it; see :class:`Body`."""

    name: str
    place: str
    url_hash: str
    sha256: str
    size_bytes: int
    status: int
    content_type: str
    etag: str
    last_modified: str
    fetched_at: datetime
    modified_at: datetime | None = None

    @classmethod
    def of(cls, body: Body) -> "KeptBody":
        """A document without its content."""
        return cls(
            body.name,
            body.place,
            body.url_hash,
            body.sha256,
            len(body.content),
            body.status,
            body.content_type,
            body.validators.etag,
            body.validators.last_modified,
            body.fetched_at,
            body.modified_at,
        )

    @property
    def validators(self) -> Validators:
        """What its publisher knows this version by."""
        return Validators(self.etag, self.last_modified)


@dataclass(frozen=True)
class Snapshot:
    """All documents of one fetch of a source.

    Parameters
    ----------
    source : str
    name : str
        Of its file: its time and the beginning of its hash.
    fetched_at : datetime
        When it was complete (UTC, without a zone).
    checked_at : datetime
        When its publisher was last found to have just this: the same, or later.
    bodies : tuple of KeptBody
    verdict : Verdict
    reasons : tuple of str
        Why it was refused.
    """

    source: str
    name: str
    fetched_at: datetime
    checked_at: datetime
    bodies: tuple[KeptBody, ...]
    verdict: Verdict = Verdict.UNJUDGED
    reasons: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the names and hashes of its documents, in hexadecimal."""
        return _hash_of(self.bodies)

    @property
    def is_of_files(self) -> bool:
        """Whether all of it was in a folder, and nothing came from its publisher."""
        return all(one.place == A_FILE for one in self.bodies)


class Snapshots:
    """The snapshots of all sources in a folder.

    Parameters
    ----------
    folder : Path
        Made when something is kept.
    keep : int
        Snapshots of a source that stay, the newest; the last good one stays besides.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep

    def keep(self, source: str, bodies: Sequence[Body]) -> Snapshot:
        """Keep what one fetch brought, before anybody reads it.

        What is byte for byte the last good or the newest snapshot becomes no other one: that one is returned, with its
        verdict, as checked just now.

        Raises
        ------
        ValueError
            If there are no bodies, two have one name, or the source has a name that no folder should have.
        OSError
            If it cannot be written.
        """
        if not bodies or len({one.name for one in bodies}) < len(bodies):
            names = ", ".join(one.name for one in bodies) or "none"
            raise ValueError(
                f"{source}: a snapshot is of one or more documents, each with its own name; given: {names}"
            )
        now = max(one.fetched_at for one in bodies)
        kept = tuple(KeptBody.of(one) for one in sorted(bodies, key=lambda one: one.name))
        with self._locked(source):
            for body in bodies:
                self._write_body(source, body)
            same = self._same(source, _hash_of(kept))
            if same:
                return self._write(replace(same, checked_at=now, bodies=kept))
            name = f"{now:%Y%m%dT%H%M%S.%fZ}-{_hash_of(kept)[:12]}"
            snapshot = self._write(Snapshot(source, name, now, now, kept))
            self._prune(source)
        return snapshot

    def judge(self, snapshot: Snapshot, verdict: Verdict, reasons: Sequence[str] = ()) -> Snapshot:
        """Note what became of a snapshot; one that is good stays until the next good one.

        A verdict may be changed: a publisher may really have shrunk, and a person then says that the snapshot is good.

        Raises
        ------
        ValueError
            If it is refused without a reason, or anything else with one.
        SnapshotError
            If it is not there any more.
        OSError
            If it cannot be written.
        """
        if (verdict == Verdict.REFUSED) != bool(reasons):
            raise ValueError(f"{snapshot.name}: a snapshot is refused with reasons, and nothing else has any")
        with self._locked(snapshot.source):
            there = _read_snapshot(self._path(snapshot), snapshot.source)
            if there is None:
                raise SnapshotError(f"{self._path(snapshot)} was removed; fetch {snapshot.source} again")
            judged = self._write(replace(there, verdict=verdict, reasons=tuple(reasons)))
            self._prune(snapshot.source)
        return judged

    def all(self, source: str) -> list[Snapshot]:
        """The snapshots of a source, oldest first; a file that is damaged is passed over, and logged."""
        return [one for path in self._paths(source) if (one := _read_snapshot(path, source))]

    def newest(self, source: str) -> Snapshot | None:
        """The snapshot that was kept last, whatever became of it."""
        return next(reversed(self.all(source)), None)

    def last_good(self, source: str) -> Snapshot | None:
        """The newest snapshot that is good and whose bodies are there."""
        good = (one for one in reversed(self.all(source)) if one.verdict == Verdict.GOOD and self._is_there(one))
        return next(good, None)

    def read(self, snapshot: Snapshot) -> dict[str, bytes]:
        """The documents of a snapshot, by name.

        Raises
        ------
        SnapshotError
            If one is missing or damaged.
        """
        return {one.name: self._read_body(snapshot, one) for one in snapshot.bodies}

    def _read_body(self, snapshot: Snapshot, body: KeptBody) -> bytes:
        path = self._body_path(snapshot.source, body.sha256)
        remedy = f"remove {self._path(snapshot)}, and fetch {snapshot.source} again"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SnapshotError(f"{path}: {body.name} cannot be read ({error.strerror}); {remedy}") from error
        if hashlib.sha256(content).hexdigest() != body.sha256:
            raise SnapshotError(f"{path}: {body.name} is not what was fetched: its hash differs; {remedy}")
        return content

    def _is_there(self, snapshot: Snapshot) -> bool:
        return all(self._body_path(snapshot.source, one.sha256).is_file() for one in snapshot.bodies)

    def _paths(self, source: str) -> list[Path]:
        return sorted((self._source_folder(source) / "snapshots").glob("[!.]*.json"))

    def _same(self, source: str, sha256: str) -> Snapshot | None:
        """The last good snapshot or the newest one, where it has this hash."""
        candidates = (self.last_good(source), self.newest(source))
        return next((one for one in candidates if one and one.sha256 == sha256), None)

    def _write_body(self, source: str, body: Body) -> None:
        path = self._body_path(source, body.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or content_hash(path) != body.sha256:
            write_whole(path, io.BytesIO(body.content))

    def _write(self, snapshot: Snapshot) -> Snapshot:
        path = self._path(snapshot)
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {"sha256": snapshot.sha256} | asdict(snapshot)
        text = json.dumps(said, ensure_ascii=False, indent=1, default=datetime.isoformat)
        sync(self._source_folder(snapshot.source) / "bodies")
        write_whole(path, io.BytesIO(text.encode()))
        sync(path.parent)
        return snapshot

    def _prune(self, source: str) -> None:
        """Remove snapshots that are too many, then bodies that belong to none."""
        good = self.last_good(source)
        for old in self.all(source)[: -self._keep]:
            if old != good:
                self._path(old).unlink(missing_ok=True)
        staying = self.all(source)
        if len(staying) == len(self._paths(source)):  # a damaged one may still be mended: what it names stays, too
            _remove_others(
                self._source_folder(source) / "bodies", {body.sha256 for one in staying for body in one.bodies}
            )
            _remove_others(self._source_folder(source) / "snapshots", {f"{one.name}.json" for one in staying})

    def _source_folder(self, source: str) -> Path:
        return folder_of(self._folder, source)

    def _path(self, snapshot: Snapshot) -> Path:
        return self._source_folder(snapshot.source) / "snapshots" / f"{snapshot.name}.json"

    def _body_path(self, source: str, sha256: str) -> Path:
        return self._source_folder(source) / "bodies" / sha256

    def _locked(self, source: str) -> AbstractContextManager[None]:
        return locked(self._source_folder(source))


def _hash_of(bodies: Sequence[KeptBody]) -> str:
    lines = sorted(f"{one.sha256} {one.name}" for one in bodies)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _read_snapshot(path: Path, source: str) -> Snapshot | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        bodies = tuple(_kept_body(one) for one in said["bodies"])
        return Snapshot(
            source,
            path.stem,
            _time(said["fetched_at"]),
            _time(said["checked_at"]),
            bodies,
            Verdict(said["verdict"]),
            tuple(said["reasons"]),
        )
    except FileNotFoundError:  # pruned since it was listed
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("%s is no snapshot that can be read (%s) and is passed over; remove it", path, error)
        return None


def _kept_body(said: dict[str, Any]) -> KeptBody:
    modified_at = said.get("modified_at")
    times = {"fetched_at": _time(said["fetched_at"]), "modified_at": _time(modified_at) if modified_at else None}
    return KeptBody(**said | times)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _remove_others(folder: Path, staying: Collection[str]) -> None:
    for path in folder.iterdir():
        if path.name not in staying:
            path.unlink(missing_ok=True)
