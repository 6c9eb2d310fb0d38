"""The files of one board: which of them can be read, why others cannot, and what those that can say together."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.judging.boards import TrackError
from pipeline.judging.declaration import BoardFiles
from pipeline.leaderboard import MeasureSpec, OnMissing
from pipeline.leaderboard.board.rounding import aggregate_differences
from pipeline.leaderboard.formats import FileRead, FormatError, Loaded, put_together, read_files, topics_of_qrels

_CHUNK = 1 << 20
QRELS = "qrels"
"""What stands for the format of a file that names topics."""
CHANGED = "it was written to while it was read; it is read again in the next run"


@dataclass(frozen=True)
class Content:
    """A file as it was found.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        What tables call it.
    sha256 : str or None
        Hash of its content; None where it cannot be read.
    size_bytes : int or None
        Its size.
    reason : str or None
        Why it cannot be read.
    """

    path: Path
    name: str
    sha256: str | None
    size_bytes: int | None
    reason: str | None = None

    @classmethod
    def of(cls, path: Path, name: str) -> "Content":
        """A file as it is now."""
        digest, size = hashlib.sha256(), 0
        try:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except OSError as error:
            return cls(path, name, None, None, f"it cannot be opened: {error.strerror or error}")
        return cls(path, name, digest.hexdigest(), size)


@dataclass(frozen=True)
class Verdict:
    """What was read of a file.

    Parameters
    ----------
    content : Content
        The file.
    format : str or None
        Its format.
    n_rows, n_runs : int
        Rows of a run and a topic, ``all`` among them; runs. Of a file that names topics, their number, and 0.
    measures : tuple of str
        The measures in it.
    n_differences : int
        Printed aggregates that its topics do not sum up to, beyond what rounding explains.
    reason : str or None
        Why nothing of it is taken; None where it is.
    """

    content: Content
    format: str | None = None
    n_rows: int = 0
    n_runs: int = 0
    measures: tuple[str, ...] = ()
    n_differences: int = 0
    reason: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the board is made with it."""
        return self.reason is None


def topics_in(content: Content) -> tuple[Verdict, tuple[str, ...] | None]:
    """What a file that names topics says; no topics where it cannot be read."""
    if content.reason is not None:
        return Verdict(content, reason=content.reason), None
    try:
        topics = topics_of_qrels(content.path)
    except (ValueError, OSError) as error:
        return Verdict(content, reason=_why([content], error)), None
    return Verdict(content, QRELS, n_rows=len(topics)), topics


def judged(
    contents: Sequence[Content],
    declared: BoardFiles,
    meanings: Collection[MeasureSpec] = (),
    topics: Collection[str] | None = None,
) -> list[Verdict]:
    """Judge each file of a board alone, then all together; one that cannot be read, or contradicts another, is refused.

    Each is read once.

    Parameters
    ----------
    contents : sequence of Content
        The files.
    declared : BoardFiles
        What the declaration says of them.
    meanings : collection of MeasureSpec
        Measures whose meaning is declared.
    topics : collection of str, optional
        The topics that every run should have: a file with others is refused.
    """
    files: dict[int, FileRead] = {}
    found = []
    for place, content in enumerate(contents):
        verdict, read_of_it = _judged_alone(content, declared, meanings, topics)
        found.append(verdict)
        if read_of_it is not None:
            files[place] = read_of_it
    while len(files) > 1:
        try:
            _together(list(files.values()), meanings, topics)
        except FormatError as error:
            blamed = _blamed(files, error)
            if blamed is None:
                raise
            del files[blamed]
            found[blamed] = replace(found[blamed], n_rows=0, n_runs=0, reason=_why(contents, error))
        else:
            break
    return found


def read(
    contents: Sequence[Content],
    declared: BoardFiles,
    meanings: Collection[MeasureSpec] = (),
    topics: Collection[str] | None = None,
) -> Loaded:
    """The board of some files, its ``all`` rows as they are printed.

    Raises
    ------
    FormatError
        If files contradict each other, or one cannot be read; the message names it and the line.
    ValueError
        If there are topics that are not expected.
    """
    return _together(read_files([one.path for one in contents], format=declared.format), meanings, topics)


def _together(files: Sequence[FileRead], meanings: Collection[MeasureSpec], topics: Collection[str] | None) -> Loaded:
    """The board of files that were read; of what is declared that counts which the files have."""
    names = {name for one in files for name in one.measures}
    return put_together(
        files,
        expected_topic_ids=topics,
        on_missing=OnMissing.FIX_AGGREGATE,
        declared=[one for one in meanings if one.name in names],
    )


def read_unchanged(
    contents: Sequence[Content],
    declared: BoardFiles,
    meanings: Collection[MeasureSpec] = (),
    topics: Collection[str] | None = None,
) -> Loaded:
    """The same for files that were judged before, unless one is another by now.

    Raises
    ------
    TrackError
        If one was changed since.
    """
    found = read(contents, declared, meanings, topics)
    changed = [one.name for one in contents if Content.of(one.path, one.name).sha256 != one.sha256]
    if changed:
        raise TrackError(f"{', '.join(changed)}: written to since its verdict; run again")
    return found


def _judged_alone(
    content: Content, declared: BoardFiles, meanings: Collection[MeasureSpec], topics: Collection[str] | None
) -> tuple[Verdict, FileRead | None]:
    """What a file says by itself, and its content where it is accepted."""
    if content.reason is not None:
        return Verdict(content, reason=content.reason), None
    try:
        (file,) = read_files([content.path], format=declared.format)
        found = _together([file], meanings, topics)
        if Content.of(content.path, content.name).sha256 != content.sha256:
            return Verdict(content, reason=CHANGED), None
    except (ValueError, OSError) as error:
        return Verdict(content, reason=_why([content], error)), None
    verdict = Verdict(
        content,
        str(found.formats[content.path]),
        n_rows=len(found.board.entries),
        n_runs=len(found.board.run_ids),
        measures=found.board.measures,
        n_differences=len(aggregate_differences(found.board, len(topics or ()))),
    )
    return verdict, file


def _blamed(files: Mapping[int, FileRead], error: FormatError) -> int | None:
    """The place of the file that an error names first; None where it names none."""
    return next((place for place, one in files.items() if str(error).startswith(f"{one.path}:")), None)


def _why(contents: Sequence[Content], error: Exception) -> str:
    """What an error says of files, by their names in the tables, which are published: paths are not."""
    said = str(error)
    for one in sorted(contents, key=lambda one: len(str(one.path)), reverse=True):
        said = said.replace(str(one.path), one.name)
    return " ".join(said.split())
