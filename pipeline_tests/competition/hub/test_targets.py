"""What came true, as hubs publish it: which file is read, and what is in it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.competition.hub import HubError, read_hub
from pipeline.competition.hub.targets import COLUMNS, read_target_data
from pipeline_tests.competition.hub.toy_hub import write_hub
from pipeline_tests.conftest import SHARED_DATA

SERIES = "target,date,location,observation,as_of\ncount,2024-12-14,01,5,2024-12-18\ncount,2024-12-14,01,6,2024-12-25\n"
ORACLE = "location,target_end_date,target,output_type,output_type_id,oracle_value\nUS,2024-12-14,change,pmf,up,1\n"


def put(folder: Path, name: str, text: str) -> None:
    path = folder / "target-data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_versions_of_a_time_series(tmp_path: Path) -> None:
    write_hub(tmp_path)
    put(tmp_path, "time-series.csv", SERIES)
    found = read_target_data(read_hub(tmp_path))
    assert found.unit_ids == ("location",)
    assert list(found.rows) == COLUMNS
    assert found.rows["unit"].tolist() == ["01", "01"]
    assert found.rows["value"].tolist() == [5, 6]
    assert found.rows["as_of"].tolist() == [pd.Timestamp("2024-12-18"), pd.Timestamp("2024-12-25")]
    assert set(found.rows["date"]) == {pd.Timestamp("2024-12-14")}


def test_oracle_output_comes_before_a_time_series_and_either_may_be_asked_for(tmp_path: Path) -> None:
    write_hub(tmp_path)
    put(tmp_path, "time-series.csv", SERIES)
    put(tmp_path, "oracle-output.csv", ORACLE)
    hub = read_hub(tmp_path)
    (row,) = read_target_data(hub).rows.to_dict("records")
    assert (row["target"], row["output_type"], row["output_type_id"], row["value"]) == ("change", "pmf", "up", 1)
    assert pd.isna(row["as_of"])
    assert len(read_target_data(hub, "time-series").rows) == 2


def test_a_folder_of_partitions_is_one_table(tmp_path: Path) -> None:
    write_hub(tmp_path)
    for number, day in enumerate(("2024-12-14", "2024-12-21")):
        folder = tmp_path / "target-data" / "time-series" / f"as_of={day}"
        folder.mkdir(parents=True)
        part = pd.DataFrame({"date": [pd.Timestamp(day)], "location": ["US"], "observation": [float(number)]})
        part.to_parquet(folder / "part.parquet", index=False)
    assert read_target_data(read_hub(tmp_path)).rows["value"].tolist() == [0, 1]


def test_the_date_is_what_the_hub_declares(tmp_path: Path) -> None:
    write_hub(tmp_path)
    put(tmp_path, "time-series.csv", "date,event_day,location,observation\n2000-01-01,2024-12-14,US,5\n")
    (tmp_path / "hub-config" / "target-data.json").write_text(json.dumps({"date_col": "event_day"}))
    assert read_target_data(read_hub(tmp_path)).rows["date"].tolist() == [pd.Timestamp("2024-12-14")]


def test_what_is_not_known_is_no_number_and_a_wrong_one_is_told_with_its_row(tmp_path: Path) -> None:
    write_hub(tmp_path)
    put(tmp_path, "time-series.csv", "date,location,observation\n2024-12-14,US,NA\n2024-12-14,01,\n")
    assert read_target_data(read_hub(tmp_path)).rows["value"].isna().all()
    put(tmp_path, "time-series.csv", "date,location,observation\n2024-12-14,US,5\n2024-12-14,01,five\n")
    with pytest.raises(HubError, match=r"time-series\.csv: row 2: observation 'five' is no number"):
        read_target_data(read_hub(tmp_path))
    put(tmp_path, "time-series.csv", "date,location,observation\n14th of May,US,5\n")
    with pytest.raises(HubError, match=r"time-series\.csv: row 1: date '14th of May' is no date"):
        read_target_data(read_hub(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("location,observation\nUS,5\n", "has no date; expected one of target_end_date, date"),
        ("date,location,n\n2024-12-14,US,5\n", "has no value; expected one of oracle_value, observation"),
    ],
)
def test_a_file_without_date_or_value(tmp_path: Path, text: str, said: str) -> None:
    write_hub(tmp_path)
    put(tmp_path, "time-series.csv", text)
    with pytest.raises(HubError, match=said):
        read_target_data(read_hub(tmp_path))


def test_a_hub_without_outcomes(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="has no outcomes: no file or folder named oracle-output, time-series"):
        read_target_data(read_hub(write_hub(tmp_path)))


@pytest.mark.skipif(not (SHARED_DATA / "flusight-hub").exists(), reason="the shared data is not there")
def test_flusight_has_both_the_oracle_and_its_older_file() -> None:
    hub = read_hub(SHARED_DATA / "flusight-hub")
    oracle, older = read_target_data(hub).rows, read_target_data(hub, "target-hospital-admissions").rows
    assert (len(oracle), len(older)) == (11_925, 12_190)
    both = oracle.merge(older, on=["unit", "date"], suffixes=("", "_older"))
    assert len(both) > 11_000
    # The older file was revised for a month more.
    assert 0.9 < (both["value"] == both["value_older"]).mean() < 1
