"""Rows of a query as the answer that was asked for: typed JSON, or a file."""

from typing import TypeVar

import duckdb
from fastapi import Response

from pipeline.reports import answers
from pipeline.reports.formats import file_response
from pipeline.reports.inputs import Format, Rows
from pipeline.reports.queries.page import Page, Query, page

T = TypeVar("T", bound=answers.Answer)


def paged(connection: duckdb.DuckDBPyConnection, query: Query, kind: type[T], wanted: Rows, name: str) -> Response:
    """Some rows of a query.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    query : Query
    kind : type
        What a row is in JSON.
    wanted : Rows
        Which rows, and how they are to be written.
    name : str
        Of a file, without its ending.
    """
    return as_page(page(connection, query, wanted.limit, wanted.offset), kind, wanted, name)


def as_page(found: Page, kind: type[T], wanted: Rows, name: str) -> Response:
    """Rows that were found otherwise than by one query; see :func:`paged`."""
    if wanted.format is not Format.JSON:
        return file_response(found.rows, wanted.format, name, found.total)
    rows = answers.as_rows(kind, found.records())
    return as_json(answers.Page[kind](total=found.total, limit=found.limit, offset=found.offset, rows=rows))  # type: ignore[valid-type]


def as_json(answer: answers.Answer) -> Response:
    """An answer as it is: it was checked when it was made, and need not be once more."""
    return Response(answer.model_dump_json(), media_type="application/json")
