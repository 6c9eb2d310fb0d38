"""The boards of a hub as the command line shows them: one for each target, and what was refused of its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from rich.text import Text

from pipeline.cli.output import MISSING, Column, counted, day, print_table
from pipeline.competition.evaluations import OVERALL, EvaluationSpec

EXCLUDED = "excluded"
_CELL = "{:.3f}"
_WHOLE = 100


@dataclass(frozen=True)
class HubRow:
    """One model on the board of an evaluation set."""

    model_id: str
    rank: int | None
    rank_lo: int | None
    rank_hi: int | None
    values: Mapping[str, float | None]
    n: int
    n_submitted: int
    excluded: str | None
    reason: str | None


@dataclass(frozen=True)
class HubBoard:
    """The board of an evaluation set of one target.

    Parameters
    ----------
    target, board, title, evaluation : str
    evaluations : sequence of str
        All sets of the target.
    ranked_by : str or None
    columns : sequence of str
    as_of : datetime or None
        What was known when; None for all that is known.
    n_tasks : int
        Of the set.
    rows : sequence of HubRow
        In the order of ranks, excluded models last.
    """

    target: str
    board: str
    title: str
    evaluation: str
    evaluations: Sequence[str]
    ranked_by: str | None
    columns: Sequence[str]
    as_of: datetime | None
    n_tasks: int
    rows: Sequence[HubRow]


def board_of(rows: pd.DataFrame, spec: EvaluationSpec, **about: Any) -> HubBoard:
    """The board of a set, from the rows of ``evaluations`` that are of it.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``competition.evaluations``.
    spec : EvaluationSpec
        The set.
    **about
        The other fields of the board.
    """
    own = rows[(rows["evaluation"] == spec.name) & (rows["by"] == OVERALL)]
    found = [_row(str(model), of_model, spec) for model, of_model in own.groupby("model_id", sort=True)]
    last = float("inf")
    found.sort(key=lambda one: (one.excluded is not None, last if one.rank is None else one.rank, one.model_id))
    ranked = spec.ranked_by
    return HubBoard(
        evaluation=spec.name,
        ranked_by=None if ranked is None else ranked.name,
        columns=[column.name for column in spec.columns],
        n_tasks=int(own["n_tasks"].max()) if len(own) else 0,
        rows=found,
        **about,
    )


def _row(model: str, rows: pd.DataFrame, spec: EvaluationSpec) -> HubRow:
    values = {str(row["metric"]): _number(row["value"]) for _, row in rows.iterrows()}
    first = rows.iloc[0]
    ranks = rows.dropna(subset=["rank"])
    whole = (
        [None, None, None] if ranks.empty else [_whole(ranks.iloc[0][name]) for name in ("rank", "rank_lo", "rank_hi")]
    )
    excluded = str(first["reason"]) if (rows["ci_method"] == EXCLUDED).all() else None
    reasons = rows.loc[rows["value"].isna(), "reason"].dropna()
    ranked = spec.ranked_by
    of_rank = rows[rows["metric"] == ranked.name] if ranked is not None else rows
    return HubRow(
        model,
        whole[0],
        whole[1],
        whole[2],
        values,
        int(of_rank["n"].max()),
        int(first["n_submitted"]),
        excluded,
        None if excluded is not None or reasons.empty else str(reasons.iloc[0]),
    )


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def print_hub_board(found: HubBoard) -> None:
    """Print a board as a table, and below it which models are excluded and why."""
    listed = [row for row in found.rows if row.excluded is None]
    moment = "" if found.as_of is None else f", as known {day(found.as_of)}"
    by = f"ranked by {found.ranked_by}; " if found.ranked_by else ""
    title = f"{found.title}\n{found.evaluation}{moment}: {by}{counted(found.n_tasks, 'task')}"
    columns = [
        Column("rank", [MISSING if row.rank is None else str(row.rank) for row in listed], rank=0),
        Column("could be", [_could_be(row) for row in listed], rank=3),
        Column(
            "model",
            [row.model_id if row.reason is None else f"{row.model_id} ({row.reason})" for row in listed],
            True,
            0,
        ),
        *(
            Column(_header(name), [_shown(name, row.values.get(name)) for row in listed], rank=1 + at // 3)
            for at, name in enumerate(found.columns)
        ),
        Column("n", [f"{row.n:,}" for row in listed], rank=2),
    ]
    print_table(columns, Text(title), dim=[row.rank is None for row in listed])


def excluded_told(found: HubBoard) -> list[str]:
    """Which models a board excludes, by reason."""
    return [f"{row.model_id}: {row.excluded}" for row in found.rows if row.excluded is not None]


def _could_be(row: HubRow) -> str:
    return MISSING if row.rank_lo is None else f"{row.rank_lo}-{row.rank_hi}"


def _header(name: str) -> str:
    words = name.replace("_scaled_relative_skill", " rel.").replace("_relative_skill", " rel. to field")
    return words.replace("interval_coverage_", "cover ").replace("_", " ")


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return MISSING
    if name.startswith("interval_coverage"):
        return f"{_WHOLE * value:.1f} %"
    return f"{value:,.1f}" if abs(value) >= _WHOLE else _CELL.format(value)


@dataclass(frozen=True)
class Refused:
    """How many rows of a hub's files break a rule."""

    rule: str
    n_rows: int
    n_files: int
    example: str


_REFUSED = """
    SELECT split_part(r.reason, ':', 1) AS rule, count(*), count(DISTINCT r.file_number), arg_min(r.reason, r.row_number)
    FROM quarantine.rows AS r
    JOIN (
        SELECT * FROM competition.files WHERE competition = ?
        QUALIFY row_number() OVER (PARTITION BY name ORDER BY file_number DESC) = 1
    ) AS f USING (competition, file_number)
    WHERE f.status <> 'gone'
    GROUP BY 1 ORDER BY 2 DESC, 1
"""


def refused_by_rule(store: Store, board: str) -> list[Refused]:
    """What is refused of the files that a hub has now, by rule."""
    rows = store.connection.execute(_REFUSED, [board]).fetchall()
    return [Refused(str(rule), int(n_rows), int(n_files), str(example)) for rule, n_rows, n_files, example in rows]


def read_boards(store: Store, contest: Contest, evaluation: str | None, as_of: datetime | None) -> HubBoard:
    """The board of a target: of the evaluation set that is named, or of its first."""
    contract = contest.contract
    specs = {spec.name: spec for spec in contract.evaluations}
    spec = specs.get(evaluation or "", contract.evaluations[0])
    rows = store.read(EVALUATIONS, contract.name) if as_of is None else evaluations_as_of(store, contract, as_of)
    return board_of(
        rows,
        spec,
        target=contest.source.target.target_id,
        board=contract.name,
        title=contract.title,
        evaluations=list(specs),
        as_of=as_of,
    )
