"""What landing is told about a kind of file: its columns, the table its rows go to, and the rules that rows must meet.

Pure declarations; the contest's own rules are functions that it is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from pipeline.tables import FILES, QUARANTINE, TableSpec

Rules = Callable[[pd.DataFrame, datetime], tuple[pd.DataFrame, "pd.Series[str]"]]
"""From rows with the columns of the fields, indexed by row number, and the time of arrival: the rows to store, with
``row_number`` and the table's own columns, and the reasons of those refused, by row number."""

RENAME = "rename them, or declare what they are called under `columns`"
"""What to do about a file without a column that can have another name there."""


@dataclass(frozen=True)
class FileField:
    """One column of a kind of file.

    Parameters
    ----------
    name : str
        What Podium calls it.
    type : str
        Its DuckDB type: VARCHAR, DOUBLE, INTEGER, BIGINT, BOOLEAN, TIMESTAMP or JSON; or LABEL, a VARCHAR that files
        may write as a number; TEXT, a VARCHAR of any length that is kept as it is; DOCUMENT, such a text or JSON.
    column : str
        What the files call it.
    required : bool
        Whether a file without it is refused.
    nullable : bool
        Whether a row without a value is accepted.
    default : object
        The value in files without the column.
    remedy : str
        What to do about a file without the column.
    """

    name: str
    type: str
    column: str
    required: bool = True
    nullable: bool = False
    default: object = None
    remedy: str = RENAME


@dataclass(frozen=True)
class Agreement:
    """Rows with the same ``group`` must have one ``column``.

    Parameters
    ----------
    group : tuple of str
    column : str
    known : DataFrame
        The values agreed already, with the columns of ``group`` and ``column``; otherwise a file's first row decides.
    """

    group: tuple[str, ...]
    column: str
    known: pd.DataFrame


@dataclass(frozen=True)
class Together:
    """Rows that stand or fall together, and what they must be.

    Parameters
    ----------
    group : tuple of str
        Columns of the table; rows that share them all are one group.
    judge : function
        From the stored columns of whole groups, with ``row_number``, to the reasons of rows refused, by row number.
    """

    group: tuple[str, ...]
    judge: Callable[[pd.DataFrame], "pd.Series[str]"]


@dataclass(frozen=True)
class Intake:
    """How files of one kind become rows.

    Parameters
    ----------
    kind : str
        What is read from them: predictions, truth...
    table : TableSpec
        The table that accepted rows go to; it has ``file_number`` and ``row_number``.
    fields : tuple of FileField
        The columns; others are left unread.
    rules : function
        What rows must meet besides the types of their columns.
    unique : tuple of str
        Columns of the table that no two rows of a file may share.
    replaces : tuple of str
        Columns of the table by which rows of a later file stand for those of an earlier one: a file that was replaced
        may be landed again. None for rows that stand for themselves.
    once : bool
        Whether identical rows are one statement, stored once; otherwise each after the first is refused.
    agreement : Agreement or None
        What rows must agree upon.
    together : Together or None
        What rows must be together, of those that nothing else refuses.
    constant : mapping of str to str
        Columns of the table that are the same in every row of such files.
    files : TableSpec
        The table of the lines that say what became of each file.
    refused : TableSpec
        The table that refused rows go to.
    """

    kind: str
    table: TableSpec
    fields: tuple[FileField, ...]
    rules: Rules
    unique: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    once: bool = False
    agreement: Agreement | None = None
    together: Together | None = None
    constant: Mapping[str, str] = field(default_factory=dict)
    files: TableSpec = FILES
    refused: TableSpec = QUARANTINE

    @property
    def stored(self) -> tuple[str, ...]:
        """The table's columns that rows themselves have: not the board's name, the file's number, what is constant."""
        others = (self.table.board, "file_number", *self.constant)
        return tuple(name for name in self.table.column_names if name not in others)
