"""What pages of experiments show is there as files, all of it and in the order that is shown."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline_tests.reports.pages.page_tables import PageTables
from pipeline_tests.reports.served import served
from pipeline_tests.toy_experiment import NAME, toy_experiment

TOY = toy_experiment()
ROWS = {spec.name: frame for spec, frame in TOY.tables().items()}
PAGE = f"/experiments/{NAME}"
OF_BOARDS = {"configuration": "configurations", "model": "models", "prompt": "prompts"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("experiments")
    TOY.publish(folder)
    with served(folder / "published") as asked:
        yield asked


def shown(client: TestClient, path: str, **asked: Any) -> PageTables:
    answer = client.get(path, params=asked, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return PageTables(answer.text)


def file(client: TestClient, path: str, **asked: Any) -> pd.DataFrame:
    """The rows of the file that a page links to."""
    answer = client.get(shown(client, path, **asked).links["CSV"])
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{NAME}_')
    found = pd.read_csv(io.StringIO(answer.text), keep_default_na=False, na_values=[""])
    assert answer.headers["x-total-count"] == str(len(found))
    return found


@pytest.mark.parametrize("by", OF_BOARDS)
def test_the_file_of_a_board_has_what_the_tables_have(client: TestClient, by: str) -> None:
    found = file(client, PAGE, by=by, limit=1)
    rows = ROWS["leaderboard"][ROWS["leaderboard"]["grouping"] == by].sort_values("position", ignore_index=True)
    assert len(found) == len(rows) > 1
    for name in set(rows.columns) - {"experiment", "grouping"}:
        expected = rows[name].astype(found[name].dtype)
        pd.testing.assert_series_equal(found[name], expected, check_names=False, rtol=1e-12)
    said = ROWS["scorer_summary"][ROWS["scorer_summary"]["grouping"] == by].set_index(["contestant", "scorer"])["value"]
    for scorer in ("exact", "brief", "helpful"):
        expected = [said.get((contestant, scorer), float("nan")) for contestant in found["contestant"]]
        assert found[f"scorer.{scorer}"].tolist() == pytest.approx(expected, nan_ok=True, rel=1e-12)


def test_configurations_have_what_they_are_beside_the_baseline_and_nobody_else_has(client: TestClient) -> None:
    found = file(client, PAGE).set_index("contestant")
    rows = ROWS["comparisons"].set_index("configuration")
    assert found["difference"].dropna().to_dict() == pytest.approx(rows["difference"].dropna().to_dict(), rel=1e-12)
    assert found["verdict"].dropna().to_dict() == rows["verdict"].to_dict()
    assert len(found) == len(rows) + 1
    assert "difference" not in file(client, PAGE, by="model")


@pytest.mark.parametrize("asked", [{"sort": "-cost"}, {"sort": "scorer.helpful"}, {"search": "TERSE"}, {"by": "model"}])
def test_rows_are_those_that_are_shown_in_their_order(client: TestClient, asked: dict[str, str]) -> None:
    by = asked.get("by", "configuration")
    table = shown(client, PAGE, **asked).table(f"Capitals of <countries>: {OF_BOARDS[by]} by score")
    contestants = file(client, PAGE, **asked)["contestant"].tolist()
    assert [row[1].link for row in table.rows[1:]] == [f"{PAGE}/runs?{by}={one}" for one in contestants]
    assert len(contestants) > 1


def test_the_file_of_the_board_by_run_has_every_ranked_run_with_its_scores(client: TestClient) -> None:
    found = file(client, PAGE, by="run", sort="cost")
    rows = ROWS["run_board"].merge(ROWS["runs"][["run_id", "status", "cost"]], on="run_id", suffixes=("", "_of_run"))
    rows = rows[(rows["status_of_run"] == "completed") & rows["score"].notna()].set_index("run_id")
    assert set(found["run_id"]) == set(rows.index)
    assert found["score"].tolist() == pytest.approx(rows["score"][found["run_id"]].tolist(), rel=1e-12)
    known = found["cost"].dropna()
    assert known.is_monotonic_increasing
    assert found["cost"].isna().tolist() == [False] * len(known) + [True] * (len(found) - len(known))
    assert found["scorer.exact"].notna().any()


def test_the_file_of_runs_has_those_that_match_with_what_they_answered(client: TestClient) -> None:
    everything = file(client, f"{PAGE}/runs", limit=1)
    rows = ROWS["runs"].set_index("run_id")
    assert set(everything["run_id"]) == set(rows.index)
    some = file(client, f"{PAGE}/runs", model="large", input_id="peru", status="completed", limit=1)
    is_large = rows["config"].map(lambda config: json.loads(config)["model"] == "large")
    assert set(some["run_id"]) == set(
        rows.index[is_large & (rows["input_id"] == "peru") & (rows["status"] == "completed")]
    )
    assert len(some) > 1
    assert some["output"].tolist() == rows["output"][some["run_id"]].tolist()
    exact = ROWS["scores"].query("scorer == 'exact' and is_latest").set_index("run_id")["value"]
    assert some["scorer.exact"].tolist() == exact[some["run_id"]].tolist()
    failed = file(client, f"{PAGE}/runs", status="failed")
    assert failed["error"].tolist() == rows["error"][failed["run_id"]].tolist()
    assert failed["scorer.exact"].isna().all()


def test_parquet_keeps_numbers_and_times(client: TestClient) -> None:
    runs = pd.read_parquet(io.BytesIO(client.get(shown(client, f"{PAGE}/runs").links["Parquet"]).content))
    assert str(runs["created_at"].dtype) == "datetime64[us, UTC]"
    assert runs["tokens_in"].dtype.kind in "if"
    board = pd.read_parquet(io.BytesIO(client.get(shown(client, PAGE).links["Parquet"]).content))
    assert board["score"].dtype == float


def test_a_board_that_nobody_is_on_has_its_columns(client: TestClient) -> None:
    found = file(client, PAGE, search="nobody is called so")
    assert len(found) == 0
    assert {"contestant", "rank", "score", "scorer.exact"} <= set(found.columns)


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("/experiments/nothing/board.csv", 404, "no experiment 'nothing' is known"),
        ("/experiments/nothing/runs.csv", 404, "no experiment 'nothing' is known"),
        (f"{PAGE}/board.csv?by=author", 422, "no board by 'author'"),
        (f"{PAGE}/board.csv?sort=luck", 422, "cannot sort by 'luck'"),
        (f"{PAGE}/runs.csv?status=lost", 422, "no status 'lost'"),
        (f"{PAGE}/board.xlsx", 422, "csv"),
    ],
)
def test_what_cannot_be_had_is_said(client: TestClient, path: str, code: int, told: str) -> None:
    answer = client.get(path)
    assert answer.status_code == code
    assert told in answer.text
