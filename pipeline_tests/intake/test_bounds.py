"""What a file of a stranger may hold is bounded by what it says, not by how small it is."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.competition import Contract
from pipeline.intake import NothingKnown, TooMuchError, model_ids_in, predictions_intake
from pipeline.landing import Intake, UnreadableFileError
from pipeline_tests.cli.league import DECLARATION, HEADER


@pytest.fixture(scope="module")
def intake() -> Intake:
    return predictions_intake(Contract.model_validate({"name": "league"} | DECLARATION), NothingKnown())


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def repeated(text: str, times: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))


def test_models_of_rows_that_other_columns_spoil_are_named_too(intake: Intake, tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    lines = [HEADER, "a,2024-01-05,X,1", " b ,never,X,NaN", "__ensemble_c__,,,", ",2024-01-05,X,1", "d,2024", ""]
    path.write_text("\n".join(lines))
    assert model_ids_in(path, intake, 5, 1000) == {"a", "b", "__ensemble_c__"}
    with pytest.raises(TooMuchError, match="more than 4 rows; send it in parts"):
        model_ids_in(path, intake, 4, 1000)


def test_so_many_models_and_no_more(intake: Intake, tmp_path: Path) -> None:
    path = parquet(tmp_path / "w.parquet", model_id=[f"m{number}" for number in range(1000)] * 2)
    assert len(model_ids_in(path, intake, 2000, 1_000_000)) == 1000
    parquet(path, model_id=[f"m{number}" for number in range(1001)])
    with pytest.raises(TooMuchError, match="names more than 1,000 models; send it in parts"):
        model_ids_in(path, intake, 2000, 1_000_000)


def test_a_file_without_models_is_unreadable(intake: Intake, tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("model,value\na,1\n")
    with pytest.raises(UnreadableFileError, match="no column 'model_id'"):
        model_ids_in(path, intake, 5, 1000)


def test_parquet_is_bounded_before_its_texts_are_written_out(intake: Intake, tmp_path: Path) -> None:
    path = parquet(tmp_path / "w.parquet", model_id=repeated("x" * 100_000, 300_000), value=[1.0] * 300_000)
    assert path.stat().st_size < 200_000
    with pytest.raises(TooMuchError, match="its texts are too long, or send it in parts"):
        model_ids_in(path, intake, 1_000_000, 100_000_000)
    with pytest.raises(TooMuchError, match="more than 299,999 rows"):
        model_ids_in(path, intake, 299_999, 100_000_000)


def test_the_whole_is_bounded_where_no_part_is_too_large(intake: Intake, tmp_path: Path) -> None:
    path = parquet(tmp_path / "w.parquet", model_id=repeated("x" * 100, 100_000), value=[1.0] * 100_000)
    assert model_ids_in(path, intake, 100_000, 2_000_000) == {"x" * 100}
    with pytest.raises(TooMuchError, match="more than 10,000,000 bytes in memory"):
        model_ids_in(path, intake, 100_000, 1_000_000)


def test_columns_that_nobody_reads_do_not_count(intake: Intake, tmp_path: Path) -> None:
    path = parquet(tmp_path / "w.parquet", model_id=["a"] * 1000, note=repeated("x" * 1_000_000, 1000))
    assert model_ids_in(path, intake, 1000, 1_000_000) == {"a"}


@pytest.mark.parametrize("column", [pa.array([["a"]]), pa.array([b"aaa"], pa.binary(3)), pa.array([{"a": 1}])])
def test_columns_that_cannot_be_bounded_are_refused(intake: Intake, tmp_path: Path, column: pa.Array) -> None:
    path = parquet(tmp_path / "w.parquet", model_id=column)
    with pytest.raises(UnreadableFileError, match="its column 'model_id' is of type"):
        model_ids_in(path, intake, 10, 1000)


def test_a_damaged_parquet_file_is_unreadable(intake: Intake, tmp_path: Path) -> None:
    path = parquet(tmp_path / "w.parquet", model_id=["a"] * 100)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableFileError, match="no whole Parquet file"):
        model_ids_in(path, intake, 1000, 1000)
