"""A page of rows as the answer that was asked for: typed JSON, or a file."""

from typing import Any, TypeVar

from pipeline.reports import answers
from pipeline.reports.formats import file_response
from pipeline.reports.inputs import Format, Rows
from pipeline.reports.queries import Page

T = TypeVar("T", bound=answers.Answer)


def paged(found: Page, kind: type[T], wanted: Rows, name: str) -> Any:
    """The rows of a page.

    Parameters
    ----------
    found : Page
    kind : type
        What a row is in JSON.
    wanted : Rows
        How they are to be written.
    name : str
        Of a file, without its ending.
    """
    if wanted.format is not Format.JSON:
        return file_response(found.rows, wanted.format, name, found.total)
    rows = answers.as_rows(kind, found.records())
    return answers.Page[kind](total=found.total, limit=found.limit, offset=found.offset, rows=rows)  # type: ignore[valid-type]
