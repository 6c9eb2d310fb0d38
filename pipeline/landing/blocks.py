"""Some rows of a file from outside, those that could not be read with their reasons, and what all readers share."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

BLOCK_ROWS = 50_000
BLOCK_CHARACTERS = 16_000_000
_LONGEST_ORIGINAL = 10_000


class UnreadableFileError(ValueError):
    """A file of which no row can be taken; the message says why, and what to do."""


@dataclass(frozen=True)
class Refused:
    """A row that is not taken; ``kind`` is its reason without what is of this row alone, to count reasons by."""

    row_number: int
    reason: str
    original: str
    kind: str


@dataclass(frozen=True)
class Block:
    """Some rows of a file.

    Parameters
    ----------
    columns : tuple of str
        Every column of these rows.
    rows : DataFrame
        The columns that were wanted and are there, indexed by the rows' place in the file, from 1.
    unreadable : list of Refused
        Rows that could not be read.
    texts : list of str or None
        What each of ``rows`` looks like in the file; None where that is no text.
    """

    columns: tuple[str, ...]
    rows: pd.DataFrame
    unreadable: list[Refused] = field(default_factory=list)
    texts: list[str] | None = None

    def originals(self, numbers: "pd.Index[Any]") -> list[str]:
        """What some rows said, as text that can be stored."""
        if self.texts is not None:
            return [original(self.texts[place]) for place in self.rows.index.get_indexer(numbers)]
        records = self.rows.loc[numbers].to_dict("records")
        return [original(json.dumps(_said(record), default=str, ensure_ascii=False)) for record in records]


def check_columns(columns: Sequence[str]) -> None:
    """Raise an UnreadableFileError that lists the columns that are named twice."""
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise UnreadableFileError(f"columns are named twice: {', '.join(map(repr, repeated))}; give each its own name")


def printable(text: str) -> str:
    """Text that can be stored: bytes that are no UTF-8, half characters and NUL are escaped."""
    shown = text.encode(errors="surrogateescape") if _only_bytes(text) else text.encode(errors="backslashreplace")
    return shown.decode(errors="backslashreplace").replace("\0", "\\0")


def original(text: str) -> str:
    """What a row said, as text that can be stored: its beginning, where it is long."""
    return printable(text[:_LONGEST_ORIGINAL])[:_LONGEST_ORIGINAL]


def _said(record: dict[Any, Any]) -> dict[str, Any]:
    """A row of a frame as JSON can say it: what is missing is null."""
    return {
        str(name): None if pd.api.types.is_scalar(value) and pd.isna(value) else value for name, value in record.items()
    }


def _only_bytes(text: str) -> bool:
    """Whether every half character in a text stands for a byte that is no UTF-8."""
    return all("\udc80" <= half <= "\udcff" for half in re.findall("[\ud800-\udfff]", text))
