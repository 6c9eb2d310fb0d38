"""The report API: every endpoint says what the published tables say, and what is wrong with a question."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.feather
import pytest
from starlette.testclient import TestClient

from pipeline.tables import ALL_TABLES
from pipeline_tests import toy_contest
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.served import METRICS, declared, files_in, publish, served
from pipeline_tests.toy_contest import ToyContest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    made = tmp_path_factory.mktemp("served")
    with toy_environment(made, dbt_dir):
        publish(made, declared())
    return made


def get(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Any:
    answer = client.get(f"/reports/{path}", params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_leaderboard_is_the_newest_one_stored(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    found = get(client, "leaderboard")
    stored = tables.execute(
        "SELECT model_id, rank, rank_lo, rank_hi, tie_group, rank_change, rank_key, coverage, n, status"
        " FROM competition.leaderboard WHERE category = 'overall' AND NOT is_ensemble"
        " AND as_of = (SELECT max(as_of) FROM competition.leaderboard) ORDER BY position"
    ).fetchall()
    names = ("model_id", "rank", "rank_lo", "rank_hi", "tie_group", "rank_change", "combined_score", "coverage", "n")
    assert [tuple(row[name] for name in (*names, "status")) for row in found["rows"]] == stored
    assert [row["position"] for row in found["rows"]] == list(range(1, len(stored) + 1))
    assert found["total"] == len(toy_contest.MODELS)
    assert (found["rank_by"], found["keys"], found["window"]) == ("anchor.ic", ["anchor.ic", "recent.ic"], "anchor")
    assert found["is_declared_order"] is True


def test_a_row_has_the_spec_s_scores_and_every_metric_with_its_interval(
    client: TestClient, tables: duckdb.DuckDBPyConnection
) -> None:
    best = get(client, "leaderboard")["rows"][0]
    stored = tables.execute(
        "SELECT window_name, metric, value, ci_low, ci_high, n FROM competition.snapshots WHERE model_id = ?"
        " AND category = 'overall' AND as_of = (SELECT max(as_of) FROM competition.leaderboard)",
        [best["model_id"]],
    ).fetchall()
    values = {(window, metric): rest for window, metric, *rest in stored}
    for window in ("recent", "steady", "anchor"):
        assert best[f"score_{window}"] == values[window, "ic"][0] == best["scores"][window]["value"]
    assert set(best["metrics"]) == set(METRICS)
    for metric, measured in best["metrics"].items():
        expected = values["anchor", metric]
        assert [measured["value"], measured["ci_low"], measured["ci_high"], measured["n"]] == expected
    assert best["rank_change_24h"] == best["rank_change"]
    in_recent = get(client, "leaderboard", window="recent")["rows"][0]["metrics"]["hit_rate"]
    assert in_recent["value"] == values["recent", "hit_rate"][0]


def test_virtual_models_are_listed_when_asked_for_and_change_no_rank(client: TestClient) -> None:
    without, beside = get(client, "leaderboard"), get(client, "leaderboard", include_ensembles=True)
    virtual = [row for row in beside["rows"] if row["is_ensemble"]]
    assert {row["model_id"] for row in virtual} == {"__ensemble_main__", "__ensemble_top2__"}
    assert {row["rank"] for row in virtual} == {None}
    assert all(row["rank_with_ensembles"] for row in virtual)
    real = [(row["model_id"], row["rank"]) for row in beside["rows"] if not row["is_ensemble"]]
    assert real == [(row["model_id"], row["rank"]) for row in without["rows"]]


def test_the_board_of_any_day_is_the_board_as_it_stood_at_its_end(client: TestClient) -> None:
    then = get(client, "leaderboard", as_of="2020-06-12")
    assert then["as_of"] == "2020-06-12T22:00:00Z"
    a_moment_before = get(client, "leaderboard", as_of="2020-06-12T21:59:59Z")
    assert a_moment_before["as_of"] == "2020-06-05T22:00:00Z"
    with_zone = get(client, "leaderboard", as_of="2020-06-13T00:00:00+02:00")
    assert with_zone["as_of"] == then["as_of"]


def test_another_key_ranks_by_the_kernel_and_has_no_rank_intervals(client: TestClient) -> None:
    found = get(client, "leaderboard", rank_by="recent.hit_rate")
    values = [row["combined_score"] for row in found["rows"] if row["rank"] is not None]
    assert values == sorted(values, reverse=True)
    assert len(values) > 3
    assert (found["rank_by"], found["is_declared_order"]) == ("recent.hit_rate", False)
    assert {row["rank_lo"] for row in found["rows"]} == {None}
    by_metric = {
        row["model_id"]: row["metrics"]["hit_rate"]["value"]
        for row in get(client, "leaderboard", window="recent")["rows"]
    }
    assert {row["model_id"]: row["combined_score"] for row in found["rows"]} == by_metric


def test_another_limit_of_coverage_keeps_the_declared_order_of_who_meets_it(client: TestClient) -> None:
    declared_order = get(client, "leaderboard")
    same, all_of_it = get(client, "leaderboard", min_coverage=0.5), get(client, "leaderboard", min_coverage=1)
    assert [row["model_id"] for row in same["rows"]] == [row["model_id"] for row in declared_order["rows"]]
    assert [row["rank"] for row in same["rows"]] == [row["rank"] for row in declared_order["rows"]]
    late = next(row for row in all_of_it["rows"] if row["model_id"] == "latecomer")
    assert (late["rank"], late["status"]) == (None, "unranked: low_coverage")


def test_a_part_of_the_contest_has_its_board(client: TestClient) -> None:
    found = get(client, "leaderboard", category="subject=S3")
    assert (found["category"], found["rank_by"]) == ("subject=S3", "anchor.hit_rate")
    unknown = get(client, "leaderboard", 404, category="subject=S99")
    assert "has no category 'subject=S99'; known: overall, subject=S0" in unknown["detail"]


def test_a_search_keeps_the_ranks_among_all(client: TestClient) -> None:
    every = {row["model_id"]: row["rank"] for row in get(client, "leaderboard")["rows"]}
    found = get(client, "leaderboard", search="THE NOISE")
    assert {row["model_id"]: row["rank"] for row in found["rows"]} == {"noise": every["noise"]}
    assert found["total"] == 1


@pytest.mark.parametrize(
    "path",
    ["leaderboard", "models", "models/global", "models/params", "models/metrics", "models/summary", "predictions",
     "snapshots", "diversity", "ensemble/history", "ensemble/weights", "models/good/history"],
)  # fmt: skip
def test_pages_are_parts_of_the_whole_with_its_total(client: TestClient, path: str) -> None:
    whole = get(client, path, limit=10_000)
    assert whole["total"] == len(whole["rows"]) > 2
    first, rest = get(client, path, limit=2), get(client, path, limit=10_000, offset=2)
    assert first["rows"] + rest["rows"] == whole["rows"]
    assert first["total"] == rest["total"] == whole["total"]
    beyond = get(client, path, limit=2, offset=whole["total"])
    assert (beyond["rows"], beyond["total"]) == ([], whole["total"])


@pytest.mark.parametrize(
    "path", ["leaderboard", "models", "models/global", "snapshots", "predictions", "ensemble/weights"]
)
def test_files_hold_what_json_holds(client: TestClient, path: str) -> None:
    rows = get(client, path, limit=10_000)["rows"]
    csv = client.get(f"/reports/{path}", params={"format": "csv"})
    parquet = client.get(f"/reports/{path}", params={"format": "parquet"})
    arrow = client.get(f"/reports/{path}", params={"format": "arrow"})
    frames = [
        pd.read_csv(io.BytesIO(csv.content)),
        pd.read_parquet(io.BytesIO(parquet.content)),
        pyarrow.feather.read_feather(io.BytesIO(arrow.content)),
    ]
    for frame in frames:
        assert frame["model_id"].tolist() == [row["model_id"] for row in rows]
        for name in ("rank_key", "value", "weight", "combined_score"):
            if name in frame and name in rows[0]:
                expected = pd.Series([row[name] for row in rows], dtype=float)
                pd.testing.assert_series_equal(frame[name].astype(float), expected, check_names=False, rtol=1e-15)
    assert csv.headers["x-total-count"] == str(len(rows))
    assert csv.headers["content-disposition"].endswith('.csv"')
    if "as_of" in frames[1]:
        assert str(frames[1]["as_of"].dt.tz) == "UTC"
        assert frames[0]["as_of"].str.endswith("Z").all()


def test_predictions_are_of_the_last_seven_days_by_default(client: TestClient) -> None:
    found = get(client, "predictions", limit=10_000)
    assert {row["cycle"] for row in found["rows"]} == {"2020-09-25T22:00:00Z", "2020-10-02T22:00:00Z"}
    resolved = [row for row in found["rows"] if row["cycle"] == "2020-09-25T22:00:00Z"]
    assert all(row["outcome"] is not None and row["scored_at"] == "2020-10-02T22:00:00Z" for row in resolved)
    assert all(row["outcome"] is None for row in found["rows"] if row["cycle"] == "2020-10-02T22:00:00Z")
    assert not any(row["model_id"].startswith("__ensemble_") for row in found["rows"])


def test_models_may_be_named_repeated_or_with_commas(client: TestClient) -> None:
    repeated = client.get("/reports/predictions?projectIds=good&projectIds=noise").json()
    with_commas = client.get("/reports/predictions?projectIds=good,%20noise").json()
    assert repeated == with_commas
    assert {row["model_id"] for row in repeated["rows"]} == {"good", "noise"}
    virtual = get(client, "predictions", projectIds="__ensemble_main__")
    assert {row["model_id"] for row in virtual["rows"]} == {"__ensemble_main__"}


def test_late_predictions_are_told_and_have_no_score(client: TestClient) -> None:
    model, cycle = toy_contest.LATE
    day = toy_contest.week(cycle).date().isoformat()
    found = get(client, "predictions", projectIds=model, start=day, end=day)
    assert found["total"] == len(toy_contest.SUBJECTS)
    assert all(row["is_late"] and row["score"] is None for row in found["rows"])


def test_scores_of_models_are_a_series_of_every_window(client: TestClient) -> None:
    found = get(client, "models/global", projectIds="good", start="2020-05-01", end="2020-05-31", limit=1000)
    moments = [row["as_of"] for row in found["rows"]]
    assert moments == sorted(moments)
    assert (moments[0], moments[-1]) == ("2020-05-01T22:00:00Z", "2020-05-29T22:00:00Z")
    for row in found["rows"]:
        assert row["scores"] == {name: row[f"score_{name}"] for name in ("anchor", "recent", "steady")}
    newest = get(client, "models/global", projectIds="good")["rows"]
    assert [row["as_of"] for row in newest] == ["2020-10-02T22:00:00Z"]


@pytest.mark.usefixtures("toy")
def test_a_part_is_shown_over_the_window_that_ranks_it(tmp_path: Path) -> None:
    publish(tmp_path, declared(categories=[{"by": "subject", "rank_by": "recent.hit_rate"}]))
    with served(tmp_path / "published") as client:
        found = get(client, "leaderboard", category="subject=S3")
        assert (found["window"], found["rank_by"]) == ("recent", "recent.hit_rate")
        assert all(row["metrics"]["hit_rate"]["value"] == row["combined_score"] for row in found["rows"] if row["rank"])
        assert get(client, "leaderboard")["window"] == "anchor"


def test_scores_of_parts_are_those_of_each_subject(client: TestClient) -> None:
    found = get(client, "models/params", projectIds="good", limit=1000)
    assert {row["category"] for row in found["rows"]} == {f"subject={name}" for name in toy_contest.SUBJECTS}
    assert {row["metric"] for row in found["rows"]} == {"hit_rate"}
    assert all(0 <= row["score_anchor"] <= 1 for row in found["rows"])


def test_the_stats_of_a_model_count_its_predictions(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    found = get(client, "models/noise/stats")
    count, late = tables.execute(
        "SELECT count(*), count(*) FILTER (is_late) FROM competition.predictions WHERE model_id = 'noise'"
    ).fetchall()[0]
    scored, mean = tables.execute(
        "SELECT count(*), avg(value) FROM competition.scores WHERE model_id = 'noise' AND success"
    ).fetchall()[0]
    assert (found["total_predictions"], found["late_predictions"]) == (count, late)
    assert late == len(toy_contest.SUBJECTS)
    assert found["successful_predictions"] == scored
    assert found["average_score"] == pytest.approx(mean, rel=1e-12)
    by_subject = {one["subject"]: one["mean_score"] for one in found["subjects"]}
    assert found["best_subject"] == max(by_subject, key=by_subject.__getitem__)
    assert found["worst_subject"] == min(by_subject, key=by_subject.__getitem__)
    assert set(found["windows"]) == {"recent", "steady", "anchor"}


def test_the_stats_of_a_virtual_model_are_of_its_own_predictions(client: TestClient) -> None:
    found = get(client, "models/__ensemble_main__/stats")
    assert found["total_predictions"] > 0
    assert found["successful_predictions"] > 0


def test_an_unknown_model_is_not_found_and_the_nearest_are_named(client: TestClient) -> None:
    for path in ("stats", "history", "diversity"):
        assert "has no model 'sharpe'; the nearest: sharp," in get(client, f"models/sharpe/{path}", 404)["detail"]


def test_the_history_of_a_model_is_its_row_on_every_board(
    client: TestClient, tables: duckdb.DuckDBPyConnection
) -> None:
    found = get(client, "models/good/history", limit=1000)["rows"]
    stored = tables.execute(
        "SELECT as_of, rank, rank_key FROM competition.leaderboard WHERE model_id = 'good' AND category = 'overall'"
        " ORDER BY as_of"
    ).fetchall()
    assert [(datetime.fromisoformat(row["as_of"]), row["rank"], row["rank_key"]) for row in found] == [
        (as_of.replace(tzinfo=UTC), rank, key) for as_of, rank, key in stored
    ]


def test_diversity_is_of_the_metrics_beside_others(client: TestClient) -> None:
    found = get(client, "models/good/diversity")["rows"]
    assert {row["metric"] for row in found} == {"model_correlation", "contribution", "ensemble_correlation"}
    assert {row["window_name"] for row in found} == {"anchor"}
    every = get(client, "diversity", limit=1000)["rows"]
    assert [row for row in every if row["model_id"] == "good"] == found


def test_weights_of_ensembles_sum_to_one(client: TestClient) -> None:
    found = get(client, "ensemble/weights", start="2020-06-01", end="2020-06-30", limit=1000)["rows"]
    sums: dict[tuple[str, str], float] = {}
    for row in found:
        key = (row["ensemble"], row["cycle"])
        sums[key] = sums.get(key, 0) + row["weight"]
    assert {ensemble for ensemble, _ in sums} == {"main", "top2"}
    assert list(sums.values()) == pytest.approx([1] * len(sums))
    assert {row["ensemble"] for row in get(client, "ensemble/weights", ensembles="top2")["rows"]} == {"top2"}


def test_ensembles_stand_beside_the_best_and_the_median_member(client: TestClient) -> None:
    row = get(client, "ensemble/history", ensembles="main", limit=1000)["rows"][-1]
    board = get(client, "leaderboard")["rows"]
    keys = [one["combined_score"] for one in board if one["rank"] is not None]
    assert (row["n_ranked"], row["best_member"]) == (len(keys), max(keys))
    assert row["median_member"] == pytest.approx(float(pd.Series(keys).median()))


def test_competitions_say_how_fresh_they_are(client: TestClient) -> None:
    (found,) = get(client, "competitions")
    assert (found["name"], found["kind"], found["state"]) == ("toy", "competition", "late")
    assert found["newest_cycle"] == "2020-10-02T22:00:00Z"
    assert found["windows"] == ["recent", "steady", "anchor"]
    assert found["categories"][:2] == ["overall", "subject=S0"]
    assert get(client, "freshness") == [found]


def test_the_schema_says_what_every_published_table_and_column_means(client: TestClient) -> None:
    found = {one["name"]: one for one in get(client, "schema")}
    assert set(found) == {spec.qualified_name for spec in ALL_TABLES if not spec.private}
    assert all(column["comment"] for table in found.values() for column in table["columns"])


def test_info_and_health(client: TestClient, folder: Path) -> None:
    publication = files_in(folder).publish()
    found = get(client, "info")
    assert (found["seq"], found["boards"]) == (publication.seq, ["toy"])
    assert get(client, "healthz") == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "parameters", "status", "told"),
    [
        ("leaderboard", {"competition": "tyo"}, 404, "no board 'tyo' is published; known: toy"),
        ("leaderboard", {"as_of": "yesterday"}, 422, "as_of 'yesterday' is no date or time; write 2022-12-23"),
        ("leaderboard", {"as_of": "1999-01-01"}, 404, "board 'toy' has nothing as early as 1999-01-01"),
        ("leaderboard", {"window": "year"}, 422, "has no window 'year'; known: recent, steady, anchor"),
        ("leaderboard", {"rank_by": "ic"}, 422, "cannot rank by 'ic'; write window.metric, such as anchor.ic"),
        ("leaderboard", {"rank_by": "anchor.turnover"}, 422, "neither end of it is better"),
        ("leaderboard", {"rank_by": "anchor.x"}, 422, "has no metric 'x'; known: "),
        ("leaderboard", {"rank_by": "anchor.coverage"}, 422, "has no metric 'coverage'"),
        ("snapshots", {"metrics": "ic,x"}, 422, "has no metric 'x'"),
        ("predictions", {"start": "1-2-3"}, 422, "start '1-2-3' is no date or time"),
        ("models/global", {"competition": "a/b'--"}, 404, "no board"),
    ],
)
def test_a_wrong_question_is_told_what_would_be_right(
    client: TestClient, path: str, parameters: dict[str, str], status: int, told: str
) -> None:
    assert told in get(client, path, status, **parameters)["detail"]


@pytest.mark.parametrize(
    "parameters", [{"limit": 0}, {"limit": 10_001}, {"offset": -1}, {"format": "xml"}, {"min_coverage": 2}]
)
def test_what_no_parameter_can_be_is_refused(client: TestClient, parameters: dict[str, Any]) -> None:
    (problem,) = get(client, "leaderboard", 422, **parameters)["detail"]
    assert problem["loc"] == ["query", next(iter(parameters))]


@pytest.mark.usefixtures("toy")
def test_of_several_competitions_one_must_be_named(tmp_path: Path) -> None:
    publish(tmp_path, declared(), toy_contest.contract("other"))
    with served(tmp_path / "published") as client:
        assert "which competition? give competition=..., one of other, toy" in get(client, "leaderboard", 422)["detail"]
        assert get(client, "leaderboard", competition="other")["competition"] == "other"


def test_an_answer_has_the_tag_of_its_publication_and_is_not_sent_twice(client: TestClient) -> None:
    first = client.get("/reports/leaderboard")
    tag = first.headers["etag"]
    again = client.get("/reports/leaderboard", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get("/reports/leaderboard").content == first.content  # from memory
    assert "etag" not in client.get("/reports/leaderboard?window=x").headers
    assert "etag" not in client.get("/reports/healthz").headers


def test_long_answers_are_compressed_for_who_can_read_that(client: TestClient) -> None:
    plain = client.get("/reports/leaderboard", headers={"Accept-Encoding": "identity"})
    packed = client.get("/reports/leaderboard", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_a_new_publication_is_read_without_a_restart(toy: ToyContest, tmp_path: Path) -> None:
    publish(tmp_path, declared())
    with served(tmp_path / "published") as client:
        before = client.get("/reports/leaderboard")
        toy.add_cycle()
        publish(tmp_path, declared())
        after = client.get("/reports/leaderboard")
        assert after.json()["as_of"] > before.json()["as_of"]
        assert after.headers["etag"] != before.headers["etag"]
        stale = client.get("/reports/leaderboard", headers={"If-None-Match": before.headers["etag"]})
        assert stale.status_code == 200


def test_before_anything_is_published_the_server_says_what_to_run(tmp_path: Path) -> None:
    with served(tmp_path / "published") as client:
        answer = client.get("/reports/leaderboard")
        assert answer.status_code == 503
        assert "nothing is published" in answer.json()["detail"]
        assert "podium run" in answer.json()["detail"]
        assert client.get("/reports/healthz").status_code == 503


def test_every_endpoint_has_a_summary_and_its_parameters_are_described(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = {(path, verb): one for path, verbs in document["paths"].items() for verb, one in verbs.items()}
    assert len(operations) == 50
    for path, operation in operations.items():
        assert operation["description"].startswith(f"{operation['summary']}."), path
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, parameter["name"])
