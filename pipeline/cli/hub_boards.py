"""What a hub's own published file says: the board of each target, and what was refused of the hub's files."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from pipeline.reports.queries import EvaluationBoard, evaluation_board, evaluation_rows
from pipeline.warehouse import Store

if TYPE_CHECKING:
    from pipeline.competition import Contract

_EXAMPLES = 5
"""So many files are named with the reason, for each rule."""

_REFUSED = """
    WITH refused AS (
        SELECT split_part(r.reason, ':', 1) AS rule, f.name AS file, count(*) FILTER (r.row_number > 0) AS n_rows,
            arg_min(substr(r.reason, strpos(r.reason, ':') + 2), r.row_number) AS reason
        FROM quarantine.rows AS r
        JOIN (
            SELECT * FROM competition.files WHERE competition = ?
            QUALIFY row_number() OVER (PARTITION BY name ORDER BY file_number DESC) = 1
        ) AS f USING (competition, file_number)
        WHERE f.status <> 'gone'
        GROUP BY ALL
    )
    SELECT rule, sum(n_rows), count(*), list(file ORDER BY file)[:?], list(reason ORDER BY file)[:?]
    FROM refused GROUP BY rule ORDER BY sum(n_rows) DESC, rule
"""


@dataclass(frozen=True)
class RefusedFile:
    """A file of which something was refused, and the first reason given."""

    file: str
    reason: str


@dataclass(frozen=True)
class Refused:
    """What breaks a rule in the files that a hub has now.

    Attributes
    ----------
    rule : str
    n_rows : int
        Rows refused; 0 where whole files were.
    n_files : int
    examples : tuple of RefusedFile
        The first by name, five at most.
    """

    rule: str
    n_rows: int
    n_files: int
    examples: tuple[RefusedFile, ...]


def refused_by_rule(store: Store, board: str) -> list[Refused]:
    """What is refused of a hub's files for a target, by rule; out of the working file, which has files' names."""
    found = store.connection.execute(_REFUSED, [board, _EXAMPLES, _EXAMPLES]).fetchall()
    return [
        Refused(str(rule), int(n_rows), int(n_files), tuple(map(RefusedFile, files, reasons)))
        for rule, n_rows, n_files, files, reasons in found
    ]


def board_of_target(
    connection: duckdb.DuckDBPyConnection, contract: "Contract", evaluation: str | None, as_of: datetime | None
) -> EvaluationBoard | None:
    """The board of a target: of the evaluation set that is named, or of its first; None where it has no such set.

    Parameters
    ----------
    connection : DuckDB connection
        To the hub's published file.
    contract : Contract
    evaluation : str or None
    as_of : datetime or None
        Outcomes as they were known then; by default as they are.
    """
    names = [spec.name for spec in contract.evaluations]
    chosen = names[0] if evaluation is None else evaluation
    if chosen not in names:
        return None
    if as_of is None:
        rows = evaluation_rows(connection, contract.name)
    else:
        from pipeline.components.evaluation_tables import evaluations_of

        rows = evaluations_of(Store(connection), contract, as_of)
    return evaluation_board(connection, contract.name, rows, chosen, as_of=as_of)
