"""The archive: every file that was ever landed, once, under the hash of its content."""

import errno
import hashlib
import os
import shutil
from pathlib import Path

from pipeline.landing.files import suffix_of

_CHUNK = 1 << 20


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


def _copy(path: Path, target: Path) -> None:
    """Copy whole or not at all; what an attempt that was killed left behind is written over."""
    draft = target.with_name(f".{target.name}.part")
    with path.open("rb") as reader, draft.open("wb") as writer:
        shutil.copyfileobj(reader, writer, _CHUNK)
        writer.flush()
        os.fsync(writer.fileno())
    draft.replace(target)
