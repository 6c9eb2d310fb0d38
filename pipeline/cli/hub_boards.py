"""What a hub's own published file says: the board of each target, and what was refused of the hub's files."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from pipeline.reports.queries import EvaluationBoard, evaluation_board, evaluation_rows
from pipeline.warehouse import Store

if TYPE_CHECKING:
    from pipeline.competition import Contract

_REFUSED = """
    SELECT split_part(r.reason, ':', 1) AS rule, count(*), count(DISTINCT r.file_number),
        arg_min(r.reason, (r.file_number, r.row_number))
    FROM quarantine.rows AS r
    JOIN (
        SELECT * FROM competition.files WHERE competition = ?
        QUALIFY row_number() OVER (PARTITION BY name ORDER BY file_number DESC) = 1
    ) AS f USING (competition, file_number)
    WHERE f.status <> 'gone'
    GROUP BY rule ORDER BY count(*) DESC, rule
"""


@dataclass(frozen=True)
class Refused:
    """How many rows of the files that a hub has now break a rule, in how many files, and the first reason given."""

    rule: str
    n_rows: int
    n_files: int
    example: str


def refused_by_rule(store: Store, board: str) -> list[Refused]:
    """What is refused of a hub's files for a target, by rule; out of the working file, which has files' names."""
    rows = store.connection.execute(_REFUSED, [board]).fetchall()
    return [Refused(str(rule), int(n_rows), int(n_files), str(example)) for rule, n_rows, n_files, example in rows]


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
