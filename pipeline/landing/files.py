"""Reading files from outside, block by block, so that a file of any size takes little memory.

A row that cannot be read is given with its reason, never dropped; a file that cannot be read at all raises. A reader is
one generator of :class:`Block` and one line in ``_READERS``.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipeline.landing.blocks import Block, UnreadableFileError
from pipeline.landing.parquet_files import parquet
from pipeline.landing.text_files import json_lines, separated


def read_blocks(path: Path, wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a file, in order; at least one block, so that its columns are known even without rows.

    Parameters
    ----------
    path : Path
        Parquet (``.parquet``), CSV (``.csv``, ``.tsv``) or JSON lines (``.jsonl``, ``.ndjson``).
    wanted : sequence of str
        The columns to read; others only count as there.

    Raises
    ------
    UnreadableFileError
        If the file is empty, of another format, damaged, or has no or repeated column names.
    OSError
        If it is not there or may not be read.
    """
    require_format(path.name)
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty; give at least a line of column names")
    yield from _READERS[path.suffix.lower()](path, wanted)


def require_format(name: str) -> None:
    """Require a name whose ending is that of a format that can be read.

    Raises
    ------
    UnreadableFileError
        If it is not.
    """
    suffix = Path(name).suffix
    if suffix.lower() not in _READERS:
        raise UnreadableFileError(
            f"{suffix or 'a name without ending'} is no format that can be read; known: {', '.join(_READERS)}"
        )


def suffix_of(path: Path) -> str:
    """The ending of a name by which its format is known; empty for any other."""
    suffix = path.suffix.lower()
    return suffix if suffix in _READERS else ""


_READERS: dict[str, Callable[[Path, Sequence[str]], Iterator[Block]]] = {
    ".parquet": parquet,
    ".csv": separated,
    ".tsv": separated,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
}

ENDINGS = tuple(_READERS)
"""Of the names of files that can be read."""
