"""``/rankings``: language models out of what many publish: in order, by anybody's weights, one by one, by day."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from pipeline.clock import utc_now
from pipeline.reports.answers import rankings as answers
from pipeline.reports.answers.base import Page, as_rows
from pipeline.reports.formats import FILES, file_response, json_file
from pipeline.reports.inputs import Connection, End, Format, Start, Wanted, names_given
from pipeline.reports.queries.page import page, page_of
from pipeline.reports.queries.ranking_lists import in_order, listed, statistics_of
from pipeline.reports.queries.ranking_models import history, model_facts
from pipeline.reports.queries.ranking_records import columns_of, record, weighed_record
from pipeline.reports.queries.ranking_sources import NextLook, breaks_of, ranking_sources, unmatched_of
from pipeline.reports.queries.ranking_weights import top_models
from pipeline.reports.ranking_inputs import (
    AskedRanking,
    AskedScores,
    Filtered,
    Missing,
    Sort,
    Weights,
    next_look_of,
)
from pipeline.reports.routes.paged import as_json, as_page

router = APIRouter(prefix="/rankings", tags=["rankings of language models"])

STATUS = "/rankings/status"
"""The path whose answer depends on the time."""

Model = Annotated[str, Path(description="The release, vendor/model.", examples=["openai/gpt-4o-2024-08-06"])]
Models = Annotated[list[str] | None, Depends(names_given("models", "Only these models."))]


@router.get("/api/rankings", response_model=answers.RankingAnswer, responses=FILES)
def models_of_a_ranking(of: AskedScores, filters: Filtered, wanted: Wanted, sort: Sort = "") -> Any:
    """The models of a ranking that pass the filters, sorted as asked, and what is said of all of them together."""
    found = listed(of, filters)
    rows = in_order(of, found, sort)
    last = None if wanted.limit is None else wanted.offset + wanted.limit
    shown, moment = rows[wanted.offset : last], utc_now()
    if wanted.format is not Format.JSON:
        return file_response(pa.table(columns_of(of, shown, moment)), wanted.format, of.name, len(rows))
    return as_json(
        answers.RankingAnswer(
            total=len(rows),
            limit=wanted.limit,
            offset=wanted.offset,
            rows=as_rows(answers.RankingModelRow, [record(of, row, moment) for row in shown]),
            ranking=of.name,
            title=of.title,
            rank_by=of.declared.rank_by,
            is_converged=of.is_converged,
            renormalise=of.declared.renormalise,
            min_coverage=of.declared.min_coverage,
            sort=sort,
            statistics=answers.RankingStatistics.model_validate(statistics_of(of, found)),
        )
    )


@router.get("/api/top-models", response_model=answers.TopModelsAnswer, responses=FILES)
def best_by_weights(of: AskedScores, weights: Weights, filters: Filtered, wanted: Wanted, missing: Missing) -> Any:
    """The best models by the weights of whoever asks; those that lack a part are left out and counted.

    With ``renormalise`` they are weighed by the others, and so are the scores that are parts.
    """
    among = listed(of, filters)
    asked = weights or of.declared.composite.overall
    renormalise = missing.renormalise is True
    found = top_models(of, among, asked, renormalise=renormalise, min_coverage=of.declared.min_coverage)
    records = [weighed_record(one) for one in found]
    last = None if wanted.limit is None else wanted.offset + wanted.limit
    shown = records[wanted.offset : last]
    if wanted.format is not Format.JSON:
        lists = ("missing", "partial_parts")
        flat = [{**one, **one["parts"], **{name: ", ".join(one[name]) for name in lists}} for one in shown]
        names = [*(name for name in answers.WeighedRow.model_fields if name != "parts"), *asked]
        table = pa.table({name: [row[name] for row in flat] for name in names})
        return file_response(table, wanted.format, f"{of.name}_top", len(found))
    total = sum(asked.values())
    return as_json(
        answers.TopModelsAnswer(
            total=len(found),
            limit=wanted.limit,
            offset=wanted.offset,
            rows=as_rows(answers.WeighedRow, shown),
            ranking=of.name,
            weights={name: weight / total for name, weight in asked.items()},
            renormalise=renormalise,
            n_without=len(among) - len(found),
        )
    )


@router.get("/export", responses=FILES, response_model=list[answers.RankingModelRow])
def all_rows_as_a_file(
    of: AskedScores,
    filters: Filtered,
    sort: Sort = "",
    written: Annotated[
        Format, Query(alias="format", description="csv, json, parquet or arrow; all rows, without pages.")
    ] = Format.CSV,
) -> Any:
    """All models of a ranking that pass the filters as a file to keep."""
    rows, moment = in_order(of, listed(of, filters), sort), utc_now()
    if written is not Format.JSON:
        return file_response(pa.table(columns_of(of, rows, moment)), written, of.name, len(rows))
    return json_file(as_rows(answers.RankingModelRow, [record(of, row, moment) for row in rows]), of.name)


@router.get("/status", response_model=Page[answers.RankingSourceRow], responses=FILES)
def sources_of_a_ranking(request: Request, connection: Connection, of: AskedRanking, wanted: Wanted) -> Any:
    """The sources of a ranking: which figures are used, how old these are, why not newer ones, and the next look."""
    moment = utc_now()
    unmatched: dict[str, int] = {}
    for one in unmatched_of(connection, of.name):
        unmatched[one.source] = unmatched.get(one.source, 0) + 1
    rows = [
        asdict(one)
        | {"state": str(one.state), "n_unmatched": unmatched.get(one.source, 0)}
        | _looked_at(next_look_of(request, of.declared, one, moment))
        for one in ranking_sources(connection, of.name, moment)
    ]
    names = list(answers.RankingSourceRow.model_fields)
    table = pa.Table.from_pylist([{name: row[name] for name in names} for row in rows], _schema_of_sources())
    return as_page(page_of(table, wanted.limit, wanted.offset), answers.RankingSourceRow, wanted, f"{of.name}_sources")


@router.get("/api/models/{model:path}", response_model=answers.RankingModelAnswer)
def everything_of_a_model(connection: Connection, of: AskedRanking, model: Model) -> Response:
    """Every figure that sources publish of a model with its link, whether scores rest on it, and why not."""
    found = model_facts(connection, of, model)
    answer = answers.RankingModelAnswer.model_validate(
        {
            **asdict(found.release),
            **{"ranking": of.name, "model": found.model, "results": found.figures, "names": found.names},
            "scores": found.scores,
            "board": None if found.row is None else record(of, found.row, utc_now()),
        }
    )
    return as_json(answer)


@router.get("/api/history", response_model=answers.HistoryAnswer, responses=FILES)
def ranks_by_day(
    connection: Connection, of: AskedRanking, models: Models, start: Start, end: End, wanted: Wanted
) -> Any:
    """Where models stood by day, and from when on figures of a source are on another scale.

    Models that are not listed any more are named by the ids that they had.
    """
    found = page(connection, history(connection, of, models, start, end), wanted.limit, wanted.offset)
    if wanted.format is not Format.JSON:
        return as_page(found, answers.HistoryRow, wanted, f"{of.name}_history")
    return as_json(
        answers.HistoryAnswer(
            total=found.total,
            limit=found.limit,
            offset=found.offset,
            rows=as_rows(answers.HistoryRow, found.records()),
            ranking=of.name,
            rank_by=of.declared.rank_by,
            breaks=[
                answers.BreakRow.model_validate(one)
                for one in breaks_of(connection, of.name)
                if _is_within(one.at, start, end)
            ],
        )
    )


def _looked_at(next_look: NextLook) -> dict[str, Any]:
    return {"schedule": next_look.schedule, "next_look_at": next_look.at, "no_look": next_look.why_not}


def _is_within(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or at >= start) and (end is None or at <= end)


def _schema_of_sources() -> pa.Schema:
    text, number, moment = pa.string(), pa.int64(), pa.timestamp("us")
    types = {"is_frozen": pa.bool_(), "days": number, "age_days": pa.float64()}
    types |= dict.fromkeys(("confirmed_at", "checked_at", "next_look_at", "fetched_at", "source_updated_at"), moment)
    types |= dict.fromkeys(("n_results", "n_models", "n_unread", "n_unmatched"), number)
    return pa.schema([(name, types.get(name, text)) for name in answers.RankingSourceRow.model_fields])
