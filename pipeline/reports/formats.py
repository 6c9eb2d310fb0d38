"""Rows as files: CSV, Parquet and Arrow, out of the same rows that JSON shows, and JSON itself."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
from fastapi import Response

from pipeline.reports.answers.base import Answer
from pipeline.reports.inputs import Format

_MEDIA = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.file",
}
_FORMULA = r"^\s*[=+@\-\t\r]"
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"

FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media in _MEDIA.values()
        }
    }
}
"""What OpenAPI says of a route that gives files too."""


def file_response(table: pa.Table, written: Format, name: str, total: int) -> Response:
    """The rows of a table as a file to download.

    Parameters
    ----------
    table : Table
        Times without a zone are UTC, and are written with their zone; in CSV what is nested is JSON, and a text that a
        spreadsheet would take for a formula begins with an apostrophe.
    written : Format
        Not JSON.
    name : str
        Of the file, without its ending.
    total : int
        Rows that there are without limit and offset; header ``X-Total-Count``.
    """
    stream = io.BytesIO()
    zoned = _zoned(table)
    if written is Format.CSV:
        pa.csv.write_csv(_flat(zoned), stream)
    elif written is Format.PARQUET:
        pa.parquet.write_table(zoned, stream)
    else:
        pa.feather.write_feather(zoned, stream, compression="uncompressed")
    return Response(stream.getvalue(), media_type=_MEDIA[written], headers=_headers(name, written, total))


def json_file(rows: Sequence[Answer], name: str) -> Response:
    """Rows as a JSON list to download; see :func:`file_response`."""
    body = f"[{','.join(row.model_dump_json() for row in rows)}]"
    return Response(body, media_type="application/json", headers=_headers(name, Format.JSON, len(rows)))


def _headers(name: str, written: Format, total: int) -> dict[str, str]:
    disposition = f'attachment; filename="{_plain(name)}.{written}"'
    return {"Content-Disposition": disposition, "X-Total-Count": str(total)}


def _plain(name: str) -> str:
    """A name without what a file or a header could stumble over."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.=") else "_" for letter in name)


def _zoned(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            column = pc.assume_timezone(table.column(place).cast(pa.timestamp("us")), "UTC")
            table = table.set_column(place, field.name, column)
    return table


def _flat(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [_json(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
        elif pa.types.is_timestamp(field.type):
            texts = pc.strftime(table.column(place), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, field.name, texts)
        elif pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            table = table.set_column(place, field.name, _no_formula(table.column(place)))
    return table


def _no_formula(texts: Any) -> Any:
    """Texts of which a spreadsheet computes none: names and outputs come from strangers, and a formula may send."""
    is_formula = pc.and_not(pc.match_substring_regex(texts, _FORMULA), pc.match_substring_regex(texts, _NUMBER))
    return pc.if_else(is_formula, pc.binary_join_element_wise("'", texts, ""), texts)


def _json(value: Any) -> str | None:
    if value is None:
        return None
    is_map = isinstance(value, list) and all(isinstance(one, tuple) and len(one) == 2 for one in value)
    return json.dumps(dict(value) if is_map else value)
