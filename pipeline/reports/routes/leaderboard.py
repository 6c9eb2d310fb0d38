"""``/reports/leaderboard``: a board now or at any moment, ranked as declared or otherwise."""

from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Response

from pipeline.reports.answers import competitions as answers
from pipeline.reports.formats import FILES, file_response
from pipeline.reports.inputs import AsOf, Competition, Connection, Format, IncludeEnsembles, Remembered, Wanted
from pipeline.reports.queries.standings import Standing, Standings, standings
from pipeline.reports.routes.paged import as_json
from pipeline.tables import OVERALL

router = APIRouter(prefix="/reports", tags=["boards"])


@router.get("/leaderboard", response_model=answers.BoardAnswer, responses=FILES)
def leaderboard(
    connection: Connection,
    memory: Remembered,
    competition: Competition,
    as_of: AsOf,
    wanted: Wanted,
    include_ensembles: IncludeEnsembles = False,
    category: Annotated[
        str, Query(alias="category", description="A part of the contest that has a board.", examples=["horizon=1"])
    ] = OVERALL,
    window: Annotated[
        str | None, Query(description="Whose metrics; the window ranked by when left out.", examples=["anchor"])
    ] = None,
    rank_by: Annotated[
        str | None, Query(description="Another window.metric to rank by.", examples=["steady.ic"])
    ] = None,
    min_coverage: Annotated[float | None, Query(ge=0, le=1, description="Another limit than the declared one.")] = None,
    search: Annotated[str | None, Query(description="Only models with this in id, title or player.")] = None,
) -> Any:
    """A board: rank, the ranks that each model could have, what it rests on, and every metric with its interval."""
    found = standings(
        connection,
        competition,
        as_of=as_of,
        category=category,
        window=window,
        rank_by=rank_by,
        min_coverage=min_coverage,
        include_ensembles=include_ensembles,
        search=search,
        limit=wanted.limit,
        offset=wanted.offset,
        memory=memory,
    )
    if wanted.format is not Format.JSON:
        return _file(found, wanted.format)
    answer = answers.BoardAnswer(
        total=found.total,
        limit=wanted.limit,
        offset=wanted.offset,
        rows=[answers.LeaderboardRow(**_row(one)) for one in found.rows],
        competition=found.contest.name,
        title=found.contest.title,
        category=found.board.category,
        as_of=found.board.as_of,
        window=found.window,
        primary=found.contest.primary,
        rank_by=found.board.rank_by,
        keys=list(found.board.keys),
        is_declared_order=found.is_declared,
    )
    return as_json(answer)


def _row(one: Standing) -> dict[str, Any]:
    row = one.row
    score = {name: measured.value for name, measured in one.windows.items()}
    return {
        "position": row.position,
        "rank": row.rank,
        "rank_with_ensembles": row.rank_with_ensembles,
        "rank_change": row.rank_change,
        "rank_change_24h": row.rank_change,
        "rank_lo": row.rank_lo,
        "rank_hi": row.rank_hi,
        "tie_group": row.tie_group,
        "rank_method": row.rank_method,
        "n_cycles": row.n_cycles,
        "n_effective": row.n_effective,
        "model_id": row.model_id,
        "model_name": row.title,
        "player_name": row.player,
        "is_ensemble": row.is_ensemble,
        "status": row.status,
        "coverage": row.coverage,
        "n": row.n,
        "combined_score": row.rank_key,
        "score_recent": score.get("recent"),
        "score_steady": score.get("steady"),
        "score_anchor": score.get("anchor"),
        "scores": one.windows,
        "metrics": one.metrics,
    }


def _file(found: Standings, written: Format) -> Response:
    """The board as a file: a column for each metric, its interval beside it."""
    records = []
    for one in found.rows:
        record = _row(one)
        metrics, scores = record.pop("metrics"), record.pop("scores")
        for window, measured in scores.items():
            record[f"{window}.{found.contest.primary}"] = measured.value
        for metric, measured in metrics.items():
            for part in ("value", "ci_low", "ci_high"):
                name = f"{found.window}.{metric}"
                record[name if part == "value" else f"{name}.{part}"] = getattr(measured, part)
        records.append(record)
    names = dict.fromkeys(name for record in records for name in record)
    table = pa.table({name: [record.get(name) for record in records] for name in names})
    name = f"{found.contest.name}_{found.board.category}_{found.board.as_of:%Y%m%dT%H%M%S}"
    return file_response(table, written, name, found.total)
