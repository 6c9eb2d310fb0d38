"""The report API about judged tracks: what its tables say, filtered, paged, in every format."""

import csv
import io
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.judged import JUDGE, LACKING, LEVELS, MARKUP, PLAIN, SLASH, publish_track
from pipeline_tests.reports.served import declared, publish, served
from pipeline_tests.track_graph import NAME


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    made = tmp_path_factory.mktemp("tracks")
    with toy_environment(made, dbt_dir):
        publish(made, declared())
        publish_track(made)
    return made


def get(client: TestClient, what: str = "", status: int = 200, **asked: Any) -> Any:
    answer = client.get(f"/reports/tracks{what}", params=asked)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_board_of_every_track_is_listed_with_its_files(client: TestClient) -> None:
    found = get(client)["rows"]
    assert [(row["track"], row["judge"], row["measure"]) for row in found] == [
        (NAME, "official", "map"),
        (NAME, JUDGE, "map"),
    ]
    assert [(row["n_runs"], row["n_topics"], row["n_files"], row["n_refused"]) for row in found] == [
        (4, 10, 4, 0),
        (4, 10, 5, 1),
    ]


def test_runs_are_the_stored_board_with_every_measure(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    found = get(client, "/runs", track=NAME)
    stored = tables.execute(
        "SELECT position, rank, rank_lo, rank_hi, run_id, value, n_topics, n_missing, missing_topics, status"
        " FROM judging.leaderboard WHERE judge = 'official' ORDER BY position"
    ).fetchall()
    names = [name for name in found["rows"][0] if name != "measures"]
    assert [tuple(row[name] for name in names) for row in found["rows"]] == stored
    assert (found["rank_by"], found["direction"], found["is_declared_order"]) == ("map", "desc", True)
    for row in found["rows"]:
        values = tables.execute(
            "SELECT measure, value FROM judging.measures WHERE judge = 'official' AND topic_id = 'all' AND run_id = ?",
            [row["run_id"]],
        ).fetchall()
        assert row["measures"] == dict(values)
    lacking = found["rows"][-1]
    assert (lacking["run_id"], lacking["n_missing"], lacking["missing_topics"]) == (LACKING, 1, "17")


def test_the_only_track_needs_no_name(client: TestClient) -> None:
    assert get(client, "/runs")["track"] == NAME


def test_another_measure_ranks_by_the_kernel(client: TestClient) -> None:
    found = get(client, "/runs", rank_by="P_10")
    values = [row["value"] for row in found["rows"]]
    assert values == sorted(values, reverse=True) == [row["measures"]["P_10"] for row in found["rows"]]
    assert [row["rank"] for row in found["rows"]] == [1, 2, 3, 4]
    assert (found["rank_by"], found["is_declared_order"]) == ("P_10", False)
    assert {row["n_topics"] for row in found["rows"]} == {9, 10}


def test_values_are_filtered_by_run_measure_and_topic(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    asked = {"judges": JUDGE, "runs": [SLASH, PLAIN], "metrics": "map", "topics": "1,all"}
    found = get(client, "/measures", **asked)
    stored = tables.execute(
        "SELECT run_id, topic_id, value FROM judging.measures WHERE judge = ? AND measure = 'map'"
        " AND run_id IN (?, ?) AND topic_id IN ('1', 'all') ORDER BY run_id, topic_id",
        [JUDGE, SLASH, PLAIN],
    ).fetchall()
    assert [(row["run_id"], row["topic_id"], row["value"]) for row in found["rows"]] == stored
    assert found["total"] == 4
    assert (
        get(client, "/measures", runs=LACKING, topics="17", judges="official", metrics="map")["rows"][0]["value"]
        is None
    )


def test_pages_follow_each_other_without_a_gap(client: TestClient) -> None:
    whole = get(client, "/measures", limit=1000)
    pages = [get(client, "/measures", limit=50, offset=offset)["rows"] for offset in range(0, whole["total"], 50)]
    assert [row for page in pages for row in page] == whole["rows"]
    assert whole["total"] == 2 * 4 * 11 * 2


def test_correlations_are_those_over_all_topics_unless_topics_are_named(
    client: TestClient, tables: duckdb.DuckDBPyConnection
) -> None:
    found = get(client, "/correlations", metrics="map")["rows"]
    stored = tables.execute(
        "SELECT judge_measure, method, value, ci_low, ci_high FROM judging.correlations"
        " WHERE topic_id = 'all' AND truth_measure = 'map' ORDER BY judge_measure, method"
    ).fetchall()
    assert [
        tuple(row[name] for name in ("judge_measure", "method", "value", "ci_low", "ci_high")) for row in found
    ] == stored
    assert {row["topic_id"] for row in get(client, "/correlations", topics="1,2")["rows"]} == {"1", "2"}


def test_comparisons_of_a_run_are_all_its_pairs(client: TestClient) -> None:
    found = get(client, "/comparisons", runs=PLAIN, judges="official", metrics="map")["rows"]
    assert {frozenset((row["run_id"], row["other_run_id"])) for row in found} == {
        frozenset((PLAIN, other)) for other in LEVELS if other != PLAIN
    }


def test_files_say_what_became_of_them(client: TestClient) -> None:
    found = get(client, "/files")["rows"]
    assert sorted(row["status"] for row in found) == ["accepted"] * 8 + ["refused"]
    (refused,) = (row for row in get(client, "/files", judges=JUDGE)["rows"] if row["status"] == "refused")
    assert "two <columns>" in refused["reason"]
    assert get(client, "/files", judges="official")["total"] == 4


@pytest.mark.parametrize("what", ["", "/runs", "/measures", "/correlations", "/comparisons", "/files"])
def test_every_table_is_a_file_too(client: TestClient, what: str) -> None:
    expected = get(client, what, limit=1000)
    text = client.get(f"/reports/tracks{what}", params={"format": "csv"})
    parquet = client.get(f"/reports/tracks{what}", params={"format": "parquet"})
    frame = pd.read_parquet(io.BytesIO(parquet.content))
    assert len(frame) == len(pd.read_csv(io.BytesIO(text.content))) == expected["total"]
    assert set(expected["rows"][0]) - {"measures"} <= set(frame.columns)
    assert text.headers["x-total-count"] == str(expected["total"])


def test_a_file_of_runs_has_a_column_for_each_measure(client: TestClient) -> None:
    content = client.get("/reports/tracks/runs", params={"format": "csv"}).content
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["run_id"] for row in rows] == [MARKUP, PLAIN, SLASH, LACKING]
    assert [float(row["map"]) for row in rows] == [row["measures"]["map"] for row in get(client, "/runs")["rows"]]


def test_what_there_is_not_is_named(client: TestClient) -> None:
    assert "no board 'none' is published" in get(client, "/runs", 404, track="none")["detail"]
    of_kind = get(client, "/files", 404, track="toy")["detail"]
    assert of_kind == "board 'toy' is no judged track but of kind competition"
    assert "has no board 'nobody' yet" in get(client, "/runs", 404, judge="nobody")["detail"]
    assert "cannot be ranked by 'speed'" in get(client, "/runs", 422, rank_by="speed")["detail"]


def test_without_a_track_that_is_said(tmp_path: Path, dbt_dir: Path) -> None:
    with toy_environment(tmp_path, dbt_dir):
        publish(tmp_path, declared())
    with served(tmp_path / "published") as client:
        assert get(client)["rows"] == []
        assert get(client, "/runs", 404)["detail"] == "no track is published"
