"""The report API about rankings of language models: what its tables say, filtered, sorted, weighed, in every format."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline.clock import utc_now
from pipeline.rankings.composite import CODING, OVERALL, combine
from pipeline.reports import caching
from pipeline.reports.queries.ranking_lists import SORTS
from pipeline.tables import LLM_LEADERBOARD
from pipeline_tests.reports.by_hand import write_boards
from pipeline_tests.reports.made_up_ranking import (
    BARE,
    BEST,
    BREAK,
    FEW,
    FREE,
    GONE,
    HOSTILE,
    NAME,
    PARTIAL,
    QUALITY,
    RATING,
    SAYS_CLOSED,
    SAYS_DAY,
    SLOW,
    TITLE,
    TWIN,
    fill,
)
from pipeline_tests.reports.served import files_in, served

N = 30
HEADLINES = [*CODING, "artificial_analysis.intelligence_index", "lmarena_text.rating"]
OTHER_SORTS = [key for key in SORTS if key not in ("rank", "price_blended")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rankings")
    files = files_in(made)
    with files.write("a test") as store:
        fill(store, N)
    files.publish()
    return made


def get(client: TestClient, what: str, status: int = 200, **asked: Any) -> Any:
    answer = client.get(f"/rankings{what}", params=asked or None)
    assert answer.status_code == status, answer.text
    return answer.json()


def models(client: TestClient, **asked: Any) -> list[str]:
    return [row["model"] for row in get(client, "/api/rankings", limit=1000, **asked)["rows"]]


def stored(tables: duckdb.DuckDBPyConnection, where: str = "true") -> list[str]:
    query = f"SELECT model FROM llm.leaderboard WHERE {where} ORDER BY position"
    return [model for (model,) in tables.execute(query).fetchall()]


def test_rows_are_the_stored_leaderboard_in_its_order(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    found = get(client, "/api/rankings", limit=1000)
    columns = [name for name in LLM_LEADERBOARD.column_names if name not in ("ranking", "rank_by")]
    times = {name for name in columns if name.endswith(("_at", "_on"))}
    query = f"SELECT {', '.join(columns)} FROM llm.leaderboard ORDER BY position"
    assert (found["ranking"], found["title"], found["rank_by"], found["total"]) == (NAME, TITLE, "ability", N + 8)
    for row, values in zip(found["rows"], tables.execute(query).fetchall(), strict=True):
        published = dict(zip(columns, values, strict=True))
        assert {name: row[name] for name in columns if name not in times} == {
            name: value for name, value in published.items() if name not in times
        }
        said = {name: row[name] and row[name][:10] for name in times}
        assert said == {name: published[name] and str(published[name])[:10] for name in times}


def test_headlines_are_the_figures_that_are_used(client: TestClient, tables: duckdb.DuckDBPyConnection) -> None:
    for row in get(client, "/api/rankings", limit=1000)["rows"]:
        used = dict(
            tables.execute(
                "SELECT benchmark || '.' || measure, value FROM llm.results WHERE model = ? AND is_used", [row["model"]]
            ).fetchall()
        )
        assert row["benchmarks"] == {name: used.get(name) for name in HEADLINES}


def test_what_follows_from_a_row_is_told_with_it(client: TestClient) -> None:
    found = {row["model"]: row for row in get(client, "/api/rankings", limit=1000)["rows"]}
    assert [found[model]["tier"] for model in (BEST, FREE, SLOW, PARTIAL)] == ["fast", "medium", "slow", None]
    assert found[BEST]["price_blended"] == (3 * 10 + 40) / 4
    assert found[BEST]["benchmarks_age_days"] == pytest.approx(400, abs=0.02)
    assert found[PARTIAL]["partial_scores"] == ["coding"]
    assert found[BEST]["partial_scores"] == []
    assert found[FEW]["status"] == "unranked: min_benchmarks"


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"max_price": 2}, "price_input <= 2"),
        ({"max_price": 0}, "price_input = 0"),
        ({"min_context": 200_000}, "context >= 200000"),
        ({"providers": "acme"}, "model LIKE 'acme/%'"),
        ({"providers": ["Open & Co", "slowly"]}, "organisation IN ('Open & Co', 'Slowly')"),
        ({"providers": "nobody,maker3"}, "model LIKE 'nobody/%' OR model LIKE 'maker3/%'"),
        ({"providers": "OPEN-CO"}, "organisation = 'Open & Co'"),
        ({"free": "true"}, "is_free"),
        ({"free": "false"}, "NOT is_free"),
        ({"open_weights": "true"}, "open_weights"),
        ({"open_weights": "false"}, "NOT open_weights"),
        ({"min_composite": 60}, "coding >= 60"),
        ({"min_quality": 40}, "quality >= 40"),
        ({"tier": "fast"}, "ttft < 1"),
        ({"tier": "medium"}, "ttft >= 1 AND ttft < 5"),
        ({"tier": "slow"}, "ttft >= 5"),
        ({"ranked": "false"}, "rank IS NULL"),
        ({"search": "DEEP"}, "lower(title) LIKE '%deep%' OR lower(model) LIKE '%deep%'"),
        ({"search": "open & co"}, "organisation = 'Open & Co'"),
        ({"search": "acme best"}, "model = 'acme/best'"),
        ({"has_benchmarks": "lmarena_text"}, f"model IN (SELECT model FROM llm.results WHERE '{RATING}' = k)"),
        ({"tier": "fast", "max_price": 2, "ranked": "true"}, "ttft < 1 AND price_input <= 2 AND rank IS NOT NULL"),
    ],
)
def test_filters_let_through_what_they_say(
    client: TestClient, tables: duckdb.DuckDBPyConnection, asked: dict[str, Any], where: str
) -> None:
    expected = stored(tables, where.replace("= k", "= benchmark || '.' || measure"))
    assert models(client, **asked) == expected
    assert 0 < len(expected) < N + 8


def test_all_benchmarks_that_are_named_are_needed(client: TestClient) -> None:
    with_both = models(client, has_benchmarks="livebench.coding,artificial_analysis")
    assert with_both
    assert set(with_both) == set(models(client, has_benchmarks=["livebench"])) & set(
        models(client, has_benchmarks=QUALITY)
    )
    assert SLOW in models(client, has_benchmarks="livebench")
    assert SLOW not in with_both


@pytest.mark.parametrize("key", [*OTHER_SORTS, *HEADLINES])
def test_sorting_is_by_value_with_what_is_not_known_last_both_ways(client: TestClient, key: str) -> None:
    up, down = (get(client, "/api/rankings", limit=1000, sort=f"{sign}{key}")["rows"] for sign in ("", "-"))
    for rows, is_down in ((up, False), (down, True)):
        values = [row["benchmarks"][key] if key in HEADLINES else row[key] for row in rows]
        known = [value for value in values if value is not None]
        comparable = [value.casefold() for value in known] if isinstance(known[0], str) else known
        assert comparable == sorted(comparable, reverse=is_down)
        assert values[len(known) :] == [None] * (len(values) - len(known))
    assert {row["model"] for row in up} == {row["model"] for row in down}


def test_there_are_18_sort_keys_at_least_besides_benchmarks() -> None:
    assert len(SORTS) >= 18
    assert len(set(SORTS)) == len(SORTS)


def test_rows_of_the_same_value_stay_in_the_order_of_ranks(client: TestClient) -> None:
    for sort in ("ttft", "-ttft"):
        listed = models(client, sort=sort)
        assert listed.index(SLOW) + 1 == listed.index(TWIN)


def test_pages_follow_each_other_without_a_gap(client: TestClient) -> None:
    asked = {"sort": "-throughput", "min_composite": 30}
    whole = get(client, "/api/rankings", limit=1000, **asked)
    pages = [
        get(client, "/api/rankings", limit=7, offset=offset, **asked) for offset in range(0, whole["total"] + 7, 7)
    ]
    assert [row["model"] for page in pages for row in page["rows"]] == [row["model"] for row in whole["rows"]]
    assert {page["total"] for page in pages} == {whole["total"]}
    assert [page["statistics"] for page in pages] == [whole["statistics"]] * len(pages)


def test_statistics_are_of_all_that_pass_the_filters(client: TestClient) -> None:
    found = get(client, "/api/rankings", limit=1, open_weights="true")
    rows = get(client, "/api/rankings", limit=1000, open_weights="true")["rows"]
    said = found["statistics"]
    assert said["n_models"] == found["total"] == len(rows)
    assert said["n_open_weights"] == len(rows)
    assert said["n_free"] == 1
    assert said["n_organisations"] == len({row["organisation"] for row in rows})
    for name in ("ttft", "price_input", "coding", "ability"):
        known = [row[name] for row in rows if row[name] is not None]
        assert said["medians"][name] == pytest.approx(np.median(known))
        assert said["coverage"][name] == pytest.approx(len(known) / len(rows))
    measured = [row["benchmarks"][RATING] for row in rows if row["benchmarks"][RATING] is not None]
    assert said["coverage"][RATING] == pytest.approx(len(measured) / len(rows))
    all_of_them = get(client, "/api/rankings", limit=1)["statistics"]
    assert all_of_them["unranked"] == {"unranked: min_benchmarks": 1, "unranked: no_benchmarks": 1}
    assert all_of_them["n_ranked"] == N + 6


def test_nothing_that_passes_is_an_empty_answer(client: TestClient) -> None:
    found = get(client, "/api/rankings", search="no such model")
    assert (found["total"], found["rows"], found["statistics"]["coverage"]) == (0, [], {})
    assert set(found["statistics"]["medians"].values()) == {None}


def test_top_models_are_combined_by_the_weights_of_whoever_asks(client: TestClient) -> None:
    weights = {"coding": 3, QUALITY: 1}
    found = get(client, "/api/top-models", limit=1000, weights=[f"{name}:{weight}" for name, weight in weights.items()])
    rows = get(client, "/api/rankings", limit=1000)["rows"]
    parts = {
        "coding": [np.nan if row["coding"] is None else row["coding"] for row in rows],
        QUALITY: [np.nan if row["quality"] is None else row["quality"] for row in rows],
    }
    expected = combine(parts, weights).value
    by_model = dict(zip([row["model"] for row in rows], expected.tolist(), strict=True))
    known = {model: value for model, value in by_model.items() if not np.isnan(value)}
    assert {row["model"]: row["score"] for row in found["rows"]} == pytest.approx(known)
    scores = [row["score"] for row in found["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert found["weights"] == {"coding": 0.75, QUALITY: 0.25}
    assert found["n_without"] == len(by_model) - len(known) > 0
    of_scores = {row["model"]: row["partial_scores"] for row in rows}
    assert {row["model"]: row["partial_parts"] for row in found["rows"]} == {model: of_scores[model] for model in known}
    assert {row["is_partial"] for row in found["rows"] if not row["partial_parts"]} == {False}


def test_parts_that_are_missing_are_left_out_only_when_asked_and_then_marked(client: TestClient) -> None:
    asked = {"weights": f"coding:3,{QUALITY}:1", "limit": 1000}
    whole = {row["model"] for row in get(client, "/api/top-models", **asked)["rows"]}
    found = {row["model"]: row for row in get(client, "/api/top-models", renormalise="true", **asked)["rows"]}
    assert SLOW not in whole
    assert found[SLOW]["is_partial"]
    assert found[SLOW]["missing"] == [QUALITY]
    assert found[SLOW]["coverage"] == 0.75
    assert found[SLOW]["score"] == pytest.approx(found[SLOW]["parts"]["coding"])
    strict = get(client, "/api/top-models", renormalise="true", min_coverage=0.8, **asked)
    has = {row["model"]: row["benchmarks"] for row in get(client, "/api/rankings", limit=1000)["rows"]}
    enough = {model for model in whole if sum(CODING[name] for name in CODING if has[model][name] is not None) >= 0.8}
    assert {row["model"] for row in strict["rows"]} == enough < whole


def test_models_of_the_same_score_share_a_rank(client: TestClient) -> None:
    found = {row["model"]: row for row in get(client, "/api/top-models", weights="coding:1", limit=1000)["rows"]}
    assert found[SLOW]["rank"] == found[TWIN]["rank"]
    assert found[TWIN]["position"] == found[SLOW]["position"] + 1


def test_without_weights_those_of_the_overall_score_are_used(client: TestClient) -> None:
    found = get(client, "/api/top-models", free="false", limit=1)
    assert found["weights"] == pytest.approx(dict(OVERALL))
    assert found["limit"] == len(found["rows"]) == 1


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("coding", "'coding' is not name:weight"),
        ("coding:-1", "'coding:-1' is not name:weight"),
        ("coding:nan", "'coding:nan' is not name:weight"),
        ("coding:1,coding:2", "'coding' has two weights, 1 and 2"),
        ("speed:1", "'speed' is no part of a score here; known: coding, performance, value,"),
        (f"{RATING}:1", f"'{RATING}' is in rating, and parts are from 0 to 100"),
        ("price.input:1", "'price.input' is in USD per million tokens"),
    ],
)
def test_weights_that_cannot_be_meant_are_named(client: TestClient, weights: str, said: str) -> None:
    assert said in get(client, "/api/top-models", 422, weights=weights)["detail"]


@pytest.mark.parametrize("written", ["csv", "json", "parquet", "arrow"])
def test_the_export_has_every_row_that_passes_in_the_order_asked(client: TestClient, written: str) -> None:
    asked = {"sort": "-ttft", "min_composite": 30}
    answer = client.get("/rankings/export", params={**asked, "format": written})
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}.{written}"'
    expected = get(client, "/api/rankings", limit=1000, **asked)["rows"]
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet, "arrow": pd.read_feather}[written]
    frame = read(io.BytesIO(answer.content))
    assert list(frame["model"]) == [row["model"] for row in expected]
    assert answer.headers["x-total-count"] == str(len(expected))
    assert frame["ttft"].tolist() == pytest.approx(
        [np.nan if row["ttft"] is None else row["ttft"] for row in expected], nan_ok=True
    )
    if written != "json":
        assert frame[RATING].tolist() == pytest.approx(
            [np.nan if row["benchmarks"][RATING] is None else row["benchmarks"][RATING] for row in expected],
            nan_ok=True,
        )


def test_an_export_is_csv_unless_asked_otherwise_and_keeps_any_title(client: TestClient) -> None:
    answer = client.get("/rankings/export")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == N + 8
    assert {row["model"]: row["title"] for row in rows}[BEST] == HOSTILE


def test_sources_say_how_old_they_are_by_their_own_pace(client: TestClient) -> None:
    found = {row["source"]: row for row in get(client, "/status")["rows"]}
    assert {name: (row["status"], row["state"]) for name, row in found.items()} == {
        "evalplus": ("frozen", "frozen"),
        "artificialanalysis": ("live", "fresh"),
        "openrouter": ("kept", "ageing"),
        "modelsdev": ("bundled", "old"),
        "lmarena": ("unchanged", "fresh"),
        "livebench": ("missing", "missing"),
        "aider": ("files", "ageing"),
    }
    assert found["openrouter"]["age_days"] == pytest.approx(2.5, abs=0.01)
    assert found["lmarena"]["age_days"] == pytest.approx(0, abs=0.01)
    assert found["lmarena"]["fetched_at"] < found["lmarena"]["confirmed_at"]
    assert found["livebench"]["age_days"] is None
    assert [name for name, row in found.items() if row["is_frozen"]] == ["evalplus"]
    assert found["modelsdev"]["why"].startswith("not fetched: PODIUM_FETCH is off")
    assert (found["evalplus"]["n_unmatched"], found["openrouter"]["n_unread"]) == (1, 1)
    assert found["lmarena"]["licence"] == "CC-BY-4.0"


def test_a_model_is_told_with_every_figure_and_why_not_all_are_used(
    client: TestClient, tables: duckdb.DuckDBPyConnection
) -> None:
    found = get(client, f"/api/models/{BEST}")
    expected = tables.execute("SELECT count(*), count(*) FILTER (is_used) FROM llm.results WHERE model = ?", [BEST])
    assert (len(found["results"]), sum(row["is_used"] for row in found["results"])) == expected.fetchone()
    assert {row["left_out"] for row in found["results"] if not row["is_used"]} == {
        "another configuration: effort=high",
        "another source: openrouter",
        "no value: zero_means_missing",
        "flag: contaminated",
    }
    assert all((row["value"] is None) == (row["reason"] is not None) for row in found["results"])
    assert [row["score"] for row in found["scores"]] == ["ability", "coding", "performance", "value", "overall"]
    assert {row["source"] for row in found["names"]} == {"evalplus", "artificialanalysis", "openrouter", "lmarena"}
    assert found["board"]["rank"] == 1
    assert found["title"] == HOSTILE
    assert (found["released_evidence"], found["weights_evidence"]) == (SAYS_DAY, SAYS_CLOSED)


def test_what_nobody_states_of_a_model_has_no_evidence(client: TestClient) -> None:
    found = get(client, f"/api/models/{TWIN}")
    assert (found["released_evidence"], found["weights_evidence"]) == (None, None)


@pytest.mark.parametrize("model", [BARE, FEW])
def test_a_model_that_is_not_ranked_has_its_figures_too(client: TestClient, model: str) -> None:
    found = get(client, f"/api/models/{model.replace('+', '%2B')}")
    assert found["board"]["rank"] is None
    assert len(found["results"]) == 1


def test_history_is_by_day_with_the_breaks_of_that_time(client: TestClient) -> None:
    found = get(client, "/api/history", models=[BEST, TWIN])
    assert [row["model"] for row in found["rows"]] == [BEST, BEST, TWIN, BEST, TWIN]
    days = [row["day"] for row in found["rows"]]
    assert days == sorted(days)
    assert [(one["source"], one["sentence"]) for one in found["breaks"]] == [("artificialanalysis", BREAK)]
    first_day = days[0][:10]
    early = get(client, "/api/history", models=f"{BEST},{TWIN}", end=first_day)
    assert (early["total"], early["breaks"]) == (1, [])
    assert get(client, "/api/history", start=days[-1][:10])["total"] == N + 8
    assert get(client, "/api/history")["total"] == 3 * (N + 8)


def test_history_of_a_model_that_left_the_board_is_given(client: TestClient) -> None:
    assert GONE not in models(client)
    first, *others = get(client, "/api/history", models=[GONE, TWIN])["rows"]
    assert (first["model"], first["rank"]) == (GONE, others[0]["rank"])
    assert [row["model"] for row in others] == [TWIN, TWIN]
    said = get(client, f"/api/models/{GONE}", 404)["detail"]
    assert said == (
        f"ranking 'made_up' does not list model '{GONE}' any more; "
        f"where it stood: /rankings/api/history?ranking=made_up&models={GONE}"
    )


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("/api/rankings?sort=speed", 422, "cannot sort by 'speed'; sort by one of rank, model, title,"),
        ("/api/rankings?providers=acme,nix", 422, "no model has provider 'nix'; known: Acme, Maker0,"),
        ("/api/rankings?has_benchmarks=iq", 422, "no model has benchmark 'iq'; known: artificial_analysis,"),
        ("/api/rankings?has_benchmarks=price.input", 422, "no model has benchmark 'price.input'"),
        ("/api/rankings?ranking=none", 404, "no board 'none' is published; known: made_up"),
        ("/export?ranking=none", 404, "no board 'none' is published"),
        ("/status?ranking=none", 404, "no board 'none' is published"),
        ("/api/models/acme/bes", 404, "ranking 'made_up' has no model 'acme/bes'; like it: acme/best"),
        ("/api/models/made/bestten", 404, "ranking 'made_up' has no model 'made/bestten'; it has 38 models"),
        ("/api/models/x/free", 404, "ranking 'made_up' has no model 'x/free'; like it: open/free"),
        ("/api/models/deeptwo", 404, "ranking 'made_up' has no model 'deeptwo'; like it: slowly/deep-two"),
        ("/api/models/made/Deep", 404, "like it: slowly/deep, slowly/deep-two"),
        ("/api/models/e", 404, "it has 38 models"),
        ("/api/models/Model+10", 404, "like it: maker10/model-10"),
        ("/api/history?models=zzz", 404, "ranking 'made_up' never had a model 'zzz'; it has 38 models"),
        (f"/api/history?models={BEST},deep2", 404, "ranking 'made_up' never had a model 'deep2'"),
        ("/api/history?start=soon", 422, "start 'soon' is no date or time"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(client: TestClient, what: str, status: int, said: str) -> None:
    assert said in get(client, what, status)["detail"]


def test_a_model_is_found_by_the_id_that_a_catalogue_has_for_it(client: TestClient) -> None:
    assert get(client, "/api/models/Dev/Best") == get(client, "/api/models/acme/best")
    asked = {"models": f"Dev/Best,{GONE}"}
    assert get(client, "/api/history", **asked) == get(client, "/api/history", models=[BEST, GONE])
    assert {row["model"] for row in get(client, "/api/history", **asked)["rows"]} == {BEST, GONE}


@pytest.mark.parametrize(
    "asked", [{"max_price": -1}, {"tier": "quick"}, {"min_composite": 101}, {"limit": 0}, {"free": "maybe"}]
)
def test_what_is_out_of_range_is_refused(client: TestClient, asked: dict[str, Any]) -> None:
    (problem,) = get(client, "/api/rankings", 422, **asked)["detail"]
    assert problem["loc"] == ["query", next(iter(asked))]


@pytest.mark.parametrize("what", ["/api/rankings", "/api/top-models", "/status", "/api/history"])
def test_every_table_is_a_file_too(client: TestClient, what: str) -> None:
    expected = get(client, what, limit=1000)
    for written, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        answer = client.get(f"/rankings{what}", params={"format": written})
        frame = read(io.BytesIO(answer.content))
        assert len(frame) == expected["total"] == int(answer.headers["x-total-count"])
        nested = {"benchmarks", "parts"}
        assert set(expected["rows"][0]) - nested <= set(frame.columns)


def test_of_several_rankings_one_has_to_be_named(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with files.write("a test") as store:
        fill(store)
        fill(store, 2, "second", "Another")
    files.publish()
    with served(tmp_path / "published") as client:
        asked = get(client, "/api/rankings", 422)["detail"]
        assert asked == "which ranking? give ranking=..., one of made_up, second"
        assert get(client, "/api/rankings", ranking="second")["total"] == 10
        assert get(client, "/api/rankings", ranking=NAME)["total"] == 8
        pages = [client.get("/rankings", params=params).text for params in ({}, {"ranking": "second"})]
        assert ["Another</h1>" in page for page in pages] == [False, True]


def test_without_a_ranking_that_is_said(tmp_path: Path) -> None:
    files = write_boards(tmp_path)
    files.publish()
    with served(files.published_dir) as client:
        assert get(client, "/api/rankings", 404)["detail"] == "no ranking is published"
        of_kind = get(client, "/api/rankings", 404, ranking="weekly")["detail"]
        assert of_kind == "board 'weekly' is no ranking of language models but of kind competition; known: none"
        assert "podium run coding_models" in client.get("/rankings").text


def test_a_ranking_of_another_version_says_what_to_do(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with files.write("a test") as store:
        fill(store)
        store.connection.execute("""UPDATE catalog.boards SET contract = '{"name": "made_up", "unheard": 1}'""")
    files.publish()
    with served(tmp_path / "published") as client:
        said = get(client, "/api/rankings", 503)["detail"]
        assert said.startswith("ranking 'made_up' cannot be read: ")
        assert said.endswith("; `podium run made_up` anew")
        assert client.get("/rankings", headers={"accept": "text/html"}).status_code == 503
        assert client.get("/").status_code == 200


def test_answers_with_ages_are_kept_for_the_hour(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = (client.get("/rankings/api/rankings") for _ in range(2))
    assert again.headers["cache-status"] == "podium; hit"
    tag = first.headers["etag"]
    assert client.get("/rankings/api/rankings", headers={"if-none-match": tag}).status_code == 304
    assert "etag" not in client.get("/rankings/status").headers
    later = utc_now() + timedelta(hours=1)
    monkeypatch.setattr(caching, "utc_now", lambda: later)
    anew = client.get("/rankings/api/rankings", headers={"if-none-match": tag})
    assert (anew.status_code, "cache-status" in anew.headers) == (200, False)
    assert anew.headers["etag"] != tag
