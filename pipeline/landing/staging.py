"""A file read into temporary tables, its rows judged: what checking and landing a file have in common.

Temporary tables spill to disk, so a file larger than the memory allowed is judged like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from pipeline.landing.blocks import Refused, printable
from pipeline.landing.conform import check_columns, conform, refusals, without_values
from pipeline.landing.files import read_blocks
from pipeline.landing.intake import Intake
from pipeline.warehouse import Part, Sql, compose, literal, quote, relation

STAGED = quote("podium_staged")
"""Rows that are taken: the columns of the table that rows have, and ``is_late``."""
REFUSED = quote("podium_refused")
"""Rows that are not: row_number, reason, original, kind (of reason)."""

_SHOWN = 100
_ROWS_AT_ONCE = 500_000
"""Rows that are judged together at a time, about."""
_FOUND = quote("podium_found")
_REPEATED = quote("podium_repeated")
_REPEATED_KEYS = "SELECT hash({key}) AS key_hash FROM {staged} GROUP BY 1 HAVING count(*) > 1"
"""Few, and small: only rows with one of these hashes are looked at closely."""
_REPEATS = (
    "SELECT row_number, CASE WHEN is_same THEN printf('repeats row %d of the file; remove one of them', first_row)"
    " ELSE printf('one of %d rows of the file that have the same %s and differ, the first is row %d; keep one',"
    " n, ?::VARCHAR, first_row) END AS reason, CASE WHEN is_same THEN 'repeated' ELSE 'contradicted' END AS kind"
    " FROM (SELECT row_number, count(*) OVER of_key AS n, min(row_number) OVER of_key AS first_row,"
    "  min(hash({said})) OVER of_key = max(hash({said})) OVER of_key AS is_same"
    "  FROM {staged} WHERE hash({key}) IN (FROM {repeated}) WINDOW of_key AS (PARTITION BY {key}))"
    " WHERE n > 1 AND NOT (is_same AND (?::BOOLEAN OR row_number = first_row))"
)
_LEAVE_OUT = (
    "DELETE FROM {staged} WHERE rowid IN (SELECT id FROM (SELECT rowid AS id, row_number() OVER of_key AS place"
    " FROM {staged} WHERE hash({key}) IN (FROM {repeated})"
    " WINDOW of_key AS (PARTITION BY {key} ORDER BY row_number)) WHERE place > 1)"
)
_DISAGREES = (
    "SELECT row_number, printf('%s is %s, but %s in other rows with the same %s', ?::VARCHAR,"
    " staged.{column}::VARCHAR, expected::VARCHAR, ?::VARCHAR) AS reason, 'disagreeing' AS kind"
    " FROM (SELECT *, coalesce(agreed, arg_min({column}, row_number) OVER (PARTITION BY {group})) AS expected"
    "  FROM {staged} LEFT JOIN {known} USING ({group})) AS staged"
    " WHERE staged.{column} <> expected"
)


@dataclass(frozen=True)
class Counts:
    """How many rows of a file became what, and which of its columns were left unread."""

    n_rows: int
    n_rejected: int
    n_late: int
    unread: tuple[str, ...] = ()

    @property
    def n_accepted(self) -> int:
        """Rows that were taken, identical ones counted each."""
        return self.n_rows - self.n_rejected


def stage(connection: duckdb.DuckDBPyConnection, path: Path, intake: Intake, received_at: datetime) -> Counts:
    """Read a file into :data:`STAGED` and :data:`REFUSED`.

    Parameters
    ----------
    connection : DuckDB connection
        Its temporary tables of these names are replaced.
    path : Path
        The file.
    intake : Intake
        What it should hold.
    received_at : datetime
        When it arrived, UTC.

    Raises
    ------
    UnreadableFileError
        If no row of it can be taken.
    """
    staging = _Staging(connection, intake)
    wanted = tuple(dict.fromkeys(field.column for field in intake.fields))
    n_rows = 0
    unread: dict[str, None] = {}
    for number, block in enumerate(read_blocks(path, wanted)):
        if number == 0:
            check_columns([printable(name) for name in block.columns], intake.fields)
        unread |= dict.fromkeys(printable(name) for name in block.columns[:_SHOWN] if name not in wanted)
        n_rows += len(block.rows) + len(block.unreadable)
        conformed = conform(block, intake.fields)
        stored, reasons = intake.rules(conformed.rows, received_at)
        staging.take(stored)
        staging.refuse([*block.unreadable, *conformed.refused, *refusals(block, reasons, without_values(reasons))])
    staging.settle_repeats()
    staging.refuse_disagreeing()
    staging.refuse_together()
    return Counts(n_rows, staging.count_refused(), staging.count_late(), tuple(unread)[:_SHOWN])


class _Staging:
    """The temporary tables of one file, and the judgements that need all of its rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, intake: Intake) -> None:
        self.connection = connection
        self.intake = intake
        self.parts: dict[str, Part] = {
            "staged": STAGED,
            "refused": REFUSED,
            "found": _FOUND,
            "repeated": _REPEATED,
            "fields": _struct([name for name in intake.stored if name not in ("row_number", "received_at")]),
            "key": intake.unique,
            "said": [name for name in intake.stored if name != "row_number"],
            "columns": [*intake.stored, "is_late"],
            "table": intake.table,
        }
        self._run("CREATE OR REPLACE TEMP TABLE {staged} ({types}, is_late BOOLEAN)", types=_columns(intake))
        self._run(
            "CREATE OR REPLACE TEMP TABLE {refused} (row_number BIGINT, reason VARCHAR, original VARCHAR, kind VARCHAR)"
        )

    def take(self, rows: pd.DataFrame) -> None:
        """Keep rows that meet the rules."""
        if rows.empty:
            return
        rows = rows if "is_late" in rows else rows.assign(is_late=False)
        with relation(self.connection, pa.Table.from_pandas(rows, preserve_index=False)) as name:
            self._run("INSERT INTO {staged} ({columns}) SELECT {columns} FROM {name}", name=name)

    def refuse(self, rows: Sequence[Refused]) -> None:
        """Keep rows that do not."""
        if not rows:
            return
        columns = {
            "row_number": pa.array([one.row_number for one in rows], pa.int64()),
            "reason": pa.array([one.reason for one in rows], pa.string()),
            "original": pa.array([one.original for one in rows], pa.string()),
            "kind": pa.array([one.kind for one in rows], pa.string()),
        }
        with relation(self.connection, pa.table(columns)) as name:
            self._run("INSERT INTO {refused} SELECT * FROM {name}", name=name)

    def settle_repeats(self) -> None:
        """Judge rows that share what no two may share.

        Of rows that say different things none is taken: which one is meant, nobody knows. Of identical ones the first
        is; the others are refused, or left out where repeating a statement is no mistake.
        """
        self._run("CREATE OR REPLACE TEMP TABLE {repeated} AS " + _REPEATED_KEYS)
        self._refuse_staged(_REPEATS, ", ".join(self.intake.unique), self.intake.once)
        self._run(_LEAVE_OUT)

    def refuse_disagreeing(self) -> None:
        """Refuse rows that contradict those stored before, or the first of their file, in what must be agreed."""
        agreement = self.intake.agreement
        if agreement is None:
            return
        known = agreement.known.rename(columns={agreement.column: "agreed"})
        with relation(self.connection, pa.Table.from_pandas(known, preserve_index=False)) as name:
            self.parts |= {"group": agreement.group, "column": agreement.column, "known": name}
            self._refuse_staged(_DISAGREES, agreement.column, ", ".join(agreement.group))

    def refuse_together(self) -> None:
        """Refuse rows that are not what they must be together; as many groups at a time as memory allows."""
        together = self.intake.together
        if together is None:
            return
        parts = -(-int(self._run("SELECT count(*) FROM {staged}")[0][0]) // _ROWS_AT_ONCE)
        select = "SELECT {stored} FROM {staged} WHERE hash({group}) % ? = ? ORDER BY row_number"
        statement = compose(select, **self.parts | {"group": together.group, "stored": list(self.intake.stored)})
        for part in range(parts):
            reasons = together.judge(self.connection.execute(statement, [parts, part]).df())
            if reasons.empty:
                continue
            judged = {
                "row_number": pa.array(reasons.index, pa.int64()),
                "reason": pa.array(reasons.tolist(), pa.string()),
                "kind": pa.array([reason.partition(":")[0] for reason in reasons], pa.string()),
            }
            with relation(self.connection, pa.table(judged)) as name:
                self.parts["judged"] = name
                self._refuse_staged("SELECT * FROM {judged}")

    def count_refused(self) -> int:
        """Rows refused."""
        return int(self._run("SELECT count(*) FROM {refused}")[0][0])

    def count_late(self) -> int:
        """Rows taken that are late."""
        return int(self._run("SELECT count(*) FROM {staged} WHERE is_late")[0][0])

    def _refuse_staged(self, found: str, *parameters: object) -> None:
        """Move the rows that a SELECT of row_number, reason and kind finds; what they said is given as understood."""
        self._run("CREATE OR REPLACE TEMP TABLE {found} AS " + found, *parameters)
        self._run(
            "INSERT INTO {refused} SELECT row_number, any_value(found.reason), to_json(any_value({fields})),"
            " any_value(found.kind) FROM {staged} AS staged JOIN {found} AS found USING (row_number)"
            " GROUP BY row_number"
        )
        self._run("DELETE FROM {staged} WHERE row_number IN (SELECT row_number FROM {found})")

    def _run(self, template: str, *parameters: object, **parts: Part) -> list[tuple[Any, ...]]:
        statement = compose(template, **{**self.parts, **parts})
        return self.connection.execute(statement, list(parameters)).fetchall()


def _struct(names: Sequence[str]) -> Sql:
    return Sql("{" + ", ".join(f"{literal(name)}: staged.{quote(name)}" for name in names) + "}")


def _columns(intake: Intake) -> Sql:
    types = {column.name: column.type for column in intake.table.columns}
    return Sql(", ".join(f"{quote(name)} {types[name]}" for name in intake.stored))
