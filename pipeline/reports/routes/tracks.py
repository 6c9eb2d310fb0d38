"""``/reports/tracks``: judged tracks: their runs, how well judges predict the official ranking, and their files."""

from dataclasses import asdict
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query

from pipeline.reports.answers import Page
from pipeline.reports.answers import tracks as answers
from pipeline.reports.formats import FILES, file_response
from pipeline.reports.inputs import Connection, Format, Judges, Metrics, Runs, Topics, Track, Wanted
from pipeline.reports.queries import track_tables
from pipeline.reports.queries.runs import Run, track_runs
from pipeline.reports.queries.track_tables import TrackSelection
from pipeline.reports.routes.paged import as_json, paged
from pipeline.tables import OFFICIAL

router = APIRouter(prefix="/reports/tracks", tags=["judged tracks"])


@router.get("", response_model=Page[answers.TrackBoardAnswer], responses=FILES)
def all_tracks(connection: Connection, wanted: Wanted) -> Any:
    """Every board of every judged track: the official one, and one for each judge."""
    return paged(connection, track_tables.tracks(), answers.TrackBoardAnswer, wanted, "tracks")


@router.get("/runs", response_model=answers.RunsAnswer, responses=FILES)
def runs(
    connection: Connection,
    track: Track,
    wanted: Wanted,
    judge: Annotated[str, Query(description="Whose board: official, or the name of a judge.")] = OFFICIAL,
    rank_by: Annotated[str | None, Query(description="Another measure to rank by.", examples=["P_10"])] = None,
) -> Any:
    """The runs of a board in order: rank, the ranks that each could have, and its value of every measure."""
    found = track_runs(connection, track, judge, rank_by)
    last = None if wanted.limit is None else wanted.offset + wanted.limit
    rows = [_row(one) for one in found.rows[wanted.offset : last]]
    if wanted.format is not Format.JSON:
        columns = {name: [row[name] for row in rows] for name in answers.RunRow.model_fields if name != "measures"}
        columns |= {one.name: [row["measures"].get(one.name) for row in rows] for one in found.measures}
        return file_response(pa.table(columns), wanted.format, f"{track}_{judge}_runs", len(found.rows))
    answer = answers.RunsAnswer(
        total=len(found.rows),
        limit=wanted.limit,
        offset=wanted.offset,
        rows=[answers.RunRow(**row) for row in rows],
        track=track,
        title=found.title,
        judge=judge,
        rank_by=found.measure.name,
        direction=found.measure.direction,
        is_declared_order=found.is_declared,
    )
    return as_json(answer)


@router.get("/measures", response_model=Page[answers.MeasureRow], responses=FILES)
def measures(
    connection: Connection, track: Track, judges: Judges, runs: Runs, metrics: Metrics, topics: Topics, wanted: Wanted
) -> Any:
    """The value of every run on every topic, and on all together; null where a run lacks the topic."""
    query = track_tables.measures(TrackSelection(track, judges, runs, metrics, topics))
    return paged(connection, query, answers.MeasureRow, wanted, f"{track}_measures")


@router.get("/correlations", response_model=Page[answers.JudgeCorrelation], responses=FILES)
def correlations(
    connection: Connection, track: Track, judges: Judges, metrics: Metrics, topics: Topics, wanted: Wanted
) -> Any:
    """How well judges predict the official ranking, with intervals; over all topics unless some are named."""
    query = track_tables.correlations(TrackSelection(track, judges, None, metrics, topics))
    return paged(connection, query, answers.JudgeCorrelation, wanted, f"{track}_correlations")


@router.get("/comparisons", response_model=Page[answers.ComparisonRow], responses=FILES)
def comparisons(
    connection: Connection, track: Track, judges: Judges, runs: Runs, metrics: Metrics, wanted: Wanted
) -> Any:
    """Pairs of runs: who is better, on how many topics, and whether it could be chance."""
    query = track_tables.comparisons(TrackSelection(track, judges, runs, metrics))
    return paged(connection, query, answers.ComparisonRow, wanted, f"{track}_comparisons")


@router.get("/files", response_model=Page[answers.TrackFile], responses=FILES)
def files(connection: Connection, track: Track, judges: Judges, wanted: Wanted) -> Any:
    """The files that boards are made of, and those that were refused, with the reason."""
    query = track_tables.files(TrackSelection(track, judges))
    return paged(connection, query, answers.TrackFile, wanted, f"{track}_files")


def _row(one: Run) -> dict[str, Any]:
    row = asdict(one.row)
    row.pop("measure")
    return {**row, "measures": dict(one.values)}
