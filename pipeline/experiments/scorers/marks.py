"""Marks of Markdown, and code fences, in texts that nobody vouches for: found in time that grows as the text does.

A pattern that backtracks takes hours over a long run of brackets; a model that answers with one must not stop scoring.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

Mark = Literal["heading", "list", "table", "link", "bold", "quote", "code"]

_FENCE = re.compile(r"^(?:`{3,}+|~{3,}+)", re.MULTILINE)
_OPENED = re.compile(r"\s*+```[\w+-]*+[ \t]*+\n")
_CODE = re.compile(r"`[^`\n]++`")
_LINE_MARKS: Mapping[str, re.Pattern[str]] = {
    "heading": re.compile(r"^ {0,3}+#{1,6}+[ \t]++\S", re.MULTILINE),
    "list": re.compile(r"^[ \t]*+(?:[-*+]|\d{1,9}+[.)])[ \t]++\S", re.MULTILINE),
    "table": re.compile(
        r"^[ \t]*+\|.*\n[ \t]*+\|?+[ \t]*+:?+-++:?+[ \t]*+(?:\|[ \t]*+:?+-++:?+[ \t]*+)*+\|?+[ \t]*+$", re.MULTILINE
    ),
    "quote": re.compile(r"^ {0,3}+>[ \t]?\S", re.MULTILINE),
}
_ADDRESS_END = re.compile(r"[)\s]")
_TITLE = re.compile(r"(?:\s++\"[^\"\n]*+\")?+\)")
_BOLD = tuple((re.compile(rf"{one}(?=\S)"), re.compile(rf"(?<=\S)(?={one})")) for one in (r"\*\*", "__"))


def has_mark(text: str, mark: Mark) -> bool:
    """Whether a text has a mark of Markdown, outside of blocks of code."""
    if mark == "code":
        return any(True for _ in _blocks(text)) or _CODE.search(text) is not None
    bare = _without_blocks(text)
    if mark == "link":
        return _has_link(bare)
    if mark == "bold":
        return any(_has_bold(line) for line in bare.split("\n"))
    return _LINE_MARKS[mark].search(bare) is not None


def unfenced(text: str) -> str:
    """What is in the code fence that a whole text is in; the text itself where it is in none."""
    opened, whole = _OPENED.match(text), text.rstrip()
    if opened is None or not whole.endswith("```") or len(whole) < opened.end() + 3:
        return text
    return whole[opened.end() : -3].rstrip(" \t").removesuffix("\n")


def _without_blocks(text: str) -> str:
    kept, at = [], 0
    for start, end in _blocks(text):
        kept.append(text[at:start])
        at = end
    return "".join([*kept, text[at:]])


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Where fenced code begins and ends; a fence that no later line closes is none.

    It is closed by one that is as long; where there is none so long, by the longest.
    """
    fences = [(found.start(), found[0][0], len(found[0])) for found in _FENCE.finditer(text)]
    longest_later = _longest_later(fences)
    number = 0
    while number < len(fences):
        start, letter, length = fences[number]
        needed = min(length, longest_later[number])
        number += 1
        if needed:
            while fences[number][1] != letter or fences[number][2] < needed:
                number += 1
            yield start, fences[number][0] + needed
            number += 1


def _longest_later(fences: list[tuple[int, str, int]]) -> list[int]:
    """For each fence the length of the longest of its letter after it; 0 where there is none."""
    found, longest = [], {"`": 0, "~": 0}
    for _, letter, length in reversed(fences):
        found.append(longest[letter])
        longest[letter] = max(longest[letter], length)
    return found[::-1]


def _has_link(text: str) -> bool:
    """Whether there is ``[text](address)``, with or without a title."""
    segment_start, address_end, is_closed = 0, -1, False
    for found in re.finditer(r"\]\(", text):
        segment = text[segment_start : found.start()]
        segment = segment[max(segment.rfind("]"), segment.rfind("\n")) + 1 :]
        segment_start = found.start() + 1
        if found.end() > address_end:
            ended = _ADDRESS_END.search(text, found.end())
            address_end = len(text) if ended is None else ended.start()
            is_closed = ended is not None and _TITLE.match(text, address_end) is not None
        if is_closed and address_end > found.end() and "[" in segment[:-1]:
            return True
    return False


def _has_bold(line: str) -> bool:
    for opening, closing in _BOLD:
        opened = opening.search(line)
        closed = max((one.start() for one in closing.finditer(line)), default=-1)
        if opened is not None and closed > opened.end():
            return True
    return False
