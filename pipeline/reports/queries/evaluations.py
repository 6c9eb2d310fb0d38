"""Evaluation sets of a competition: the board of each part, out of the published file or computed for a past moment."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from pipeline.reports.queries.catalog import UnknownBoardError, kind_of
from pipeline.tables import EVALUATIONS, EXCLUDED, OVERALL

if TYPE_CHECKING:
    from pipeline.competition.evaluations import EvaluationSpec

_NAMED = 12
_ROWS = """
    SELECT * FROM competition.evaluations
    WHERE competition = ? AND evaluation = coalesce(?, evaluation) AND "by" IN (coalesce(?, "by"), ?)
"""


@dataclass(frozen=True)
class Evaluated:
    """One metric of one model, with its 95 % interval; None is NULL, with the reason."""

    value: float | None
    n: int
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    reason: str | None


@dataclass(frozen=True)
class EvaluationRow:
    """One model on the board of an evaluation set; ranks are None where it has no value to be ranked by."""

    model_id: str
    is_ensemble: bool
    rank: int | None
    rank_with_ensembles: int | None
    rank_lo: int | None
    rank_hi: int | None
    tie_group: int | None
    n_submitted: int
    values: dict[str, Evaluated]


@dataclass(frozen=True)
class Excluded:
    """A model that takes no part in an evaluation set, and why."""

    model_id: str
    n_submitted: int
    reason: str


@dataclass(frozen=True)
class EvaluationBoard:
    """The models on the tasks of one part of an evaluation set, best first."""

    name: str
    title: str
    evaluation: str
    by: str
    part: str
    as_of: datetime | None
    rank_by: str | None
    metrics: tuple[str, ...]
    n_tasks: int
    rows: tuple[EvaluationRow, ...]
    excluded: tuple[Excluded, ...]


def evaluation_rows(
    connection: duckdb.DuckDBPyConnection, name: str, evaluation: str | None = None, by: str | None = None
) -> pd.DataFrame:
    """The published rows of evaluation sets of a competition.

    Parameters
    ----------
    connection : DuckDBPyConnection
        To the published file.
    name : str
        The competition.
    evaluation : str or None
        Of this set; of all by default.
    by : str or None
        Of the parts of this division, beside the whole; of all by default.

    Raises
    ------
    UnknownBoardError
        If there is no such competition.
    """
    _title(connection, name)
    return connection.execute(_ROWS, [name, evaluation, by, OVERALL]).df()


def evaluation_board(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rows: pd.DataFrame,
    evaluation: str,
    by: str = OVERALL,
    part: str = OVERALL,
    as_of: datetime | None = None,
) -> EvaluationBoard:
    """The board of one part of an evaluation set.

    Parameters
    ----------
    connection : DuckDBPyConnection
        To the published file.
    name : str
        The competition.
    rows : DataFrame
        Rows of its evaluation sets.
    evaluation, by, part : str
        The set, and the part of it; the whole by default.
    as_of : datetime, optional
        The moment that the rows speak for; None for what is published.

    Raises
    ------
    UnknownBoardError
        If there is no such set or part; the message lists those that there are.
    """
    title = _title(connection, name)
    columns = evaluation_spec(connection, name, evaluation).columns
    of_set = rows[rows["evaluation"] == evaluation]
    here = of_set[(of_set["by"] == by) & (of_set["part"] == part)]
    if here.empty and part != OVERALL:
        known = of_set.loc[of_set["by"] == by, "part"].unique().tolist()
        parts = [f"{by}={one}" for one in known] or of_set["by"].unique().tolist()
        raise UnknownBoardError(f"evaluation set {evaluation!r} has no part {by}={part}; it has: {_listed(parts)}")
    listed = here[here["ci_method"] != EXCLUDED]
    excluded = of_set[of_set["ci_method"] == EXCLUDED].drop_duplicates("model_id")
    ranked = listed.loc[listed["rank_with_ensembles"].notna(), "metric"]
    return EvaluationBoard(
        name,
        title,
        evaluation,
        by,
        part,
        as_of,
        None if ranked.empty else str(ranked.iloc[0]),
        tuple(column.name for column in columns),
        int(here["n_tasks"].max()) if len(here) else 0,
        _rows(listed),
        tuple(
            Excluded(row["model_id"], int(row["n_submitted"]), row["reason"])
            for row in excluded.sort_values("model_id").to_dict("records")
        ),
    )


def evaluation_names(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The evaluation sets that the published declaration of a competition has, in its order."""
    return [one["name"] for one in _declared(connection, name)]


def _declared(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    found = connection.execute("SELECT contract FROM catalog.boards WHERE board = ?", [name]).fetchone()
    return [] if found is None else json.loads(found[0]).get("evaluations", [])


def evaluation_spec(connection: duckdb.DuckDBPyConnection, name: str, evaluation: str) -> "EvaluationSpec":
    """An evaluation set as the published declaration of a competition has it.

    Raises
    ------
    UnknownBoardError
        If there is none of that name; the message lists those that there are.
    """
    from pipeline.competition.evaluations import EvaluationSpec

    for declared in _declared(connection, name):
        if declared["name"] == evaluation:
            return EvaluationSpec.model_validate(declared)
    known = _listed(evaluation_names(connection, name))
    raise UnknownBoardError(f"competition {name!r} has no evaluation set {evaluation!r}; it has: {known}")


def _title(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    kind, title = kind_of(connection, name)
    if kind != EVALUATIONS.schema:
        raise UnknownBoardError(f"board {name!r} is of kind {kind!r}, which has no evaluation sets")
    return title


def _rows(rows: pd.DataFrame) -> tuple[EvaluationRow, ...]:
    """Rows by model, the ranked first."""
    found = [_row(str(model), of_model) for model, of_model in rows.groupby("model_id", sort=True)]
    return tuple(sorted(found, key=lambda row: (row.rank_with_ensembles or math.inf, row.model_id)))


def _row(model_id: str, rows: pd.DataFrame) -> EvaluationRow:
    records = rows.to_dict("records")
    ranked = next((record for record in records if not pd.isna(record["rank_with_ensembles"])), records[0])
    return EvaluationRow(
        model_id,
        bool(records[0]["is_ensemble"]),
        rank=_whole(ranked["rank"]),
        rank_with_ensembles=_whole(ranked["rank_with_ensembles"]),
        rank_lo=_whole(ranked["rank_lo"]),
        rank_hi=_whole(ranked["rank_hi"]),
        tie_group=_whole(ranked["tie_group"]),
        n_submitted=int(records[0]["n_submitted"]),
        values={str(record["metric"]): _value(record) for record in records},
    )


def _value(record: dict[Any, Any]) -> Evaluated:
    value, low, high = (_number(record[name]) for name in ("value", "ci_low", "ci_high"))
    reason = None if pd.isna(record["reason"]) else str(record["reason"])
    return Evaluated(value, int(record["n"]), low, high, str(record["ci_method"]), reason)


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(map(repr, names[:_NAMED])) or "none") + more
