"""Files made out of good ones: bytes turned, parts cut, doubled or taken from another, words put in."""

import random
from collections.abc import Callable, Sequence

WORDS: tuple[bytes, ...] = (
    *(b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b'"', b'""', b"'", b",", b";", b"\t", b"|", b"\\"),
    *(b"{", b"}", b"[", b"]", b":", b"- ", b"&a ", b"*a", b"!!python/object:os.system ", b"#", b"%", b"null", b"~"),
    *(b"nan", b"inf", b"-inf", b"1e999", b"-0", b"1e-320", b"0x10", b"1_000", b"9" * 40, b"true", b"2024-02-30"),
    *(b"0001-01-01", b"9999-12-31T23:59:60Z", b"1970-01-01", b"../../x", b"\xc3\xa9", b"\xed\xa0\x80", b"\xe2\x80\xae"),
    *(b"=1+1", b"<script>", b"'; DROP TABLE x; --", b"A" * 5000, b"(" * 300, b"[" * 3000, b'{"a":' * 300),
)
_MOST = 300_000
"""Bytes of a file, at most."""

Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def _turned(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    made = bytearray(content or b"\x00")
    for _ in range(chance.choice((1, 1, 2, 8))):
        made[chance.randrange(len(made))] = chance.randrange(256)
    return bytes(made)


def _cut(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    first, last = _part(content, chance)
    return content[:first] + content[last:]


def _ended(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    return content[: chance.randint(0, len(content))]


def _doubled(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    first, last = _part(content, chance)
    return content[:last] + content[first:last] * chance.choice((1, 2, 50)) + content[last:]


def _worded(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    first, last = _part(content, chance, 12)
    return content[:first] + chance.choice(WORDS) + content[chance.choice((first, last)) :]


def _spliced(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(list(others))
    first, last = _part(other, chance)
    at = chance.randint(0, len(content))
    return content[:at] + other[first:last] + content[at:]


def _cell(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """Another word in place of one."""
    lines = content.splitlines(keepends=True) or [b""]
    number = chance.randrange(len(lines))
    for mark in chance.sample((b",", b":", b" ", b"\t"), 4):
        parts = lines[number].split(mark)
        if len(parts) > 1:
            parts[chance.randrange(len(parts))] = chance.choice(WORDS)
            lines[number] = mark.join(parts)
            break
    return b"".join(lines)


CHANGES: tuple[Change, ...] = (_turned, _cut, _ended, _doubled, _worded, _worded, _spliced, _cell, _cell, _cell)


def mutated(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A file made out of another by one to four changes.

    Parameters
    ----------
    content : bytes
        The good file.
    chance : Random
        What decides.
    others : sequence of bytes
        Good files that parts may be taken from.
    """
    for _ in range(chance.choice((1, 1, 2, 4))):
        content = chance.choice(CHANGES)(content, chance, others)[:_MOST]
    return content


def _part(content: bytes, chance: random.Random, most: int = 200) -> tuple[int, int]:
    first = chance.randint(0, len(content))
    return first, min(len(content), first + chance.randint(0, most))
