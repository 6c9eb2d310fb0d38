"""The report API about evaluation sets: which there are, and their rows as stored."""

import io
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline_tests.components.test_evaluation_tables import RECENT, WHOLE
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.served import declared, publish


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    made = tmp_path_factory.mktemp("sets")
    with toy_environment(made, dbt_dir):
        publish(made, declared(evaluations=[WHOLE, RECENT]))
    return made


def get(client: TestClient, what: str = "", status: int = 200, **asked: Any) -> Any:
    answer = client.get(f"/reports/evaluations{what}", params=asked)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_sets_are_listed_with_what_is_in_them(client: TestClient) -> None:
    whole, recent = get(client)["rows"]
    assert whole == {
        "evaluation": "all",
        "rank_by": "absolute_error_scaled_relative_skill",
        "metrics": ["absolute_error", "absolute_error_scaled_relative_skill", "squared_error"],
        "breakdowns": ["cycle", "subject"],
        "n_tasks": 320,
        "n_models": 7,
        "n_excluded": 1,
    }
    assert (recent["evaluation"], recent["breakdowns"]) == ("last 5", ["target_time"])


def test_rows_are_those_stored_the_whole_first(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    found = get(client, "/rows", evaluation="all", limit=10_000, include_ensembles=True)
    names = ("by", "part", "model_id", "metric", "value", "ci_low", "ci_high", "n", "n_submitted", "n_tasks", "rank")
    stored = tables.execute(
        'SELECT "by", part, model_id, metric, value, ci_low, ci_high, n, n_submitted, n_tasks, rank'
        " FROM competition.evaluations WHERE evaluation = 'all'"
        ' ORDER BY "by" <> \'overall\', "by", part, model_id, metric'
    ).fetchall()
    assert [tuple(row[name] for name in names) for row in found["rows"]] == stored
    assert found["total"] == len(stored) > 1000


def test_rows_are_chosen_by_division_part_model_and_metric(client: TestClient) -> None:
    asked = {"by": "subject", "parts": "S0,S1", "projectIds": "good", "metrics": "squared_error"}
    found = get(client, "/rows", **asked)["rows"]
    assert [(row["part"], row["model_id"], row["model_name"]) for row in found] == [
        ("S0", "good", "The good model"),
        ("S1", "good", "The good model"),
    ]
    assert {row["is_ensemble"] for row in get(client, "/rows", by="overall")["rows"]} == {False}


def test_the_first_set_needs_no_name(client: TestClient) -> None:
    assert {row["evaluation"] for row in get(client, "/rows")["rows"]} == {"all"}


def test_who_is_excluded_is_there_with_the_reason(client: TestClient) -> None:
    rows = get(client, "/rows", by="overall", projectIds="latecomer")["rows"]
    assert {row["ci_method"] for row in rows} == {"excluded"}
    assert {row["reason"] for row in rows} == {"submitted 37.5 % of 320 tasks; 50 % needed"}


def test_rows_are_files_too(client: TestClient) -> None:
    answer = client.get("/reports/evaluations/rows", params={"by": "subject", "format": "parquet"})
    frame = pd.read_parquet(io.BytesIO(answer.content))
    assert len(frame) == get(client, "/rows", by="subject")["total"]
    assert 'filename="toy_all.parquet"' in answer.headers["content-disposition"]


def test_what_there_is_not_is_named_with_what_there_is(client: TestClient) -> None:
    assert "has no evaluation set 'x'; it has: 'all', 'last 5'" in get(client, "/rows", 404, evaluation="x")["detail"]
    wrong = get(client, "/rows", 422, by="horizon")["detail"]
    assert wrong == "evaluation set 'all' is not divided by 'horizon'; known: overall, subject, cycle"
    assert "no board 'y' is published" in get(client, "", 404, competition="y")["detail"]
