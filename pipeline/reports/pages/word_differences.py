"""Two texts beside each other with the words marked that only one of them has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_PIECES = 4_000
"""Of both texts together; more are not compared, which takes time with the square of their number."""

Side = Literal["first", "second"]


@dataclass(frozen=True)
class Piece:
    """A part of a text, and whether the other text lacks it."""

    text: str
    is_own: bool


@dataclass(frozen=True)
class Differences:
    """Two texts in pieces; ``is_whole`` says that they were compared, and not too long for it."""

    first: tuple[Piece, ...]
    second: tuple[Piece, ...]
    is_whole: bool


def differences(first: str, second: str) -> Differences:
    """The words, signs and spaces of two texts that only one of them has, in the longest common order."""
    ours, theirs = _PIECE.findall(first), _PIECE.findall(second)
    if len(ours) + len(theirs) > _MOST_PIECES:
        return Differences((Piece(first, False),), (Piece(second, False),), False)
    matched = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return Differences(
        tuple(_joined((("".join(ours[a:b]), tag != "equal") for tag, a, b, _, _ in matched))),
        tuple(_joined((("".join(theirs[c:d]), tag != "equal") for tag, _, _, c, d in matched))),
        True,
    )


def _joined(pieces: Iterator[tuple[str, bool]]) -> Iterator[Piece]:
    for text, is_own in pieces:
        if text:
            yield Piece(text, is_own and not text.isspace())
