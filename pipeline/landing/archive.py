"""The archive: every file that was ever landed, once, under the hash of its content, and a log of all arrivals.

With both, a warehouse that was lost, or restored from an older copy, takes again what it does not have any more, under
the numbers that its files had. What is no file, such as a symbolic link, is in the log only.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.landing.files import suffix_of
from pipeline.landing.inbox import Delivery

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """A file as it once arrived.

    Parameters
    ----------
    sha256 : str
        Hash of its content; empty for what is no file.
    delivery : Delivery
        What arrived, at its place in the archive.
    numbers : mapping of str to int
        The number of its line in the table of files, by kind; empty where the log does not say, as it once did not.
    """

    sha256: str
    delivery: Delivery
    numbers: Mapping[str, int]


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal; a symbolic link is not followed.

    Raises
    ------
    OSError
        If it cannot be read, or is a symbolic link.
    """
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # never wait for a pipe
    with os.fdopen(descriptor, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def archived(archive_dir: Path, board: str, sha256: str, name: str | Path) -> Path:
    """Where the archive keeps a file of a board that arrived under some name; only an ending that is known is kept."""
    return archive_dir / board / f"{sha256}{suffix_of(Path(name))}"


def archive(path: Path, target: Path) -> None:
    """Move a file that was landed to its place in the archive; what is there already has the same content."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        path.unlink()
        return
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(path, target)  # the inbox is on another disk
        path.unlink()


def note_arrival(archive_dir: Path, delivery: Delivery, sha256: str, numbers: Mapping[str, int]) -> None:
    """Add an arrival to the log, before its file is moved; a kill in between leaves it there twice, harmlessly."""
    line = {
        "sha256": sha256,
        "file": archived(archive_dir, delivery.board, sha256, delivery.path).name if delivery.is_file else None,
        "folder": delivery.folder,
        "name": delivery.name,
        "received_at": delivery.received_at.isoformat(),
        "size_bytes": delivery.size_bytes,
        "numbers": dict(numbers),
    }
    archive_dir.mkdir(parents=True, exist_ok=True)
    with _log(archive_dir, delivery.board).open("ab+") as log:
        log.write(f"{_line_break(log)}{json.dumps(line, ensure_ascii=False)}\n".encode())
        log.flush()
        os.fsync(log.fileno())


def _line_break(log: BinaryIO) -> str:
    """What ends a line that a full disk or a power cut left unfinished, so that the next one can be read."""
    if not log.seek(0, os.SEEK_END):
        return ""
    log.seek(-1, os.SEEK_END)
    return "" if log.read(1) == b"\n" else "\n"


def arrivals(archive_dir: Path, board: str, named: str = "") -> Iterator[Arrival]:
    """All that ever arrived for a board, in the order of landing; of files, those that are in the archive.

    With ``named``, plain ASCII, only what has this in its name or folder: the other lines are not read closely.
    """
    path = _log(archive_dir, board)
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        if named not in text:
            continue
        try:
            line = json.loads(text)
        except ValueError:  # cut off by a kill or a full disk; then the file is still in the inbox
            continue
        delivery = _delivery(archive_dir, board, line)
        if delivery is not None and (named in delivery.name or named in delivery.folder):
            yield Arrival(line["sha256"], delivery, line.get("numbers", {}))


def _delivery(archive_dir: Path, board: str, line: dict[str, Any]) -> Delivery | None:
    """What a line of the log speaks of; None for a file that is not in the archive."""
    received_at = datetime.fromisoformat(line["received_at"])
    if line["file"] is None:
        nowhere = archive_dir / board / "no file"
        return Delivery(board, line["folder"], nowhere, received_at, line["size_bytes"], 0, False, line["name"])
    file = archive_dir / board / line["file"]
    return Delivery.of(file, board, line["folder"], received_at, line["name"]) if file.exists() else None


def _log(archive_dir: Path, board: str) -> Path:
    return archive_dir / f"{board}.arrivals.jsonl"


def write_whole(target: Path, content: BinaryIO) -> None:
    """Write a file whole or not at all; what an attempt that was killed left behind is written over."""
    draft = target.with_name(f".{target.name}.part")
    with draft.open("wb") as writer:
        shutil.copyfileobj(content, writer, _CHUNK)
        writer.flush()
        os.fsync(writer.fileno())
    draft.replace(target)


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as reader:
        write_whole(target, reader)
