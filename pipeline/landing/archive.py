"""The archive: every file that was ever landed, once, under the hash of its content."""

import hashlib
import os
import shutil
from pathlib import Path

_CHUNK = 1 << 20


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal; a symbolic link is not followed.

    Raises
    ------
    OSError
        If it cannot be read, or is a symbolic link.
    """
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def archived(archive_dir: Path, board: str, sha256: str, suffix: str) -> Path:
    """Where the archive keeps a file of a board."""
    return archive_dir / board / f"{sha256}{suffix.lower()}"


def archive(path: Path, target: Path) -> None:
    """Move a file that was landed to its place in the archive; what is there already has the same content."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        path.unlink(missing_ok=True)
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.move(path, draft)  # a copy where the inbox is on another disk
    draft.replace(target)
