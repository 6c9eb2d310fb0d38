"""Weighted scores of the parts that are there, asked for by a reader: those that a declaration would have made."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline.rankings import Result
from pipeline.tables import LLM_SCORES
from pipeline_tests.rankings.stages.boards import Board, published
from pipeline_tests.rankings.stages.test_scores import example
from pipeline_tests.reports.made_ranking import publish_board
from pipeline_tests.reports.pages.parsed import Parsed, opened
from pipeline_tests.reports.served import served

SCORES = ("coding", "performance", "value", "overall")
DECLARED = {"name": "board", "title": "Board", "min_benchmarks": 1}


def figures() -> list[Result]:
    """The whole model of the specification, and three that lack more and more of it."""
    lacking = {"half": ("livebench", "swebench_bash_only"), "little": ("humaneval_plus", "bigcodebench_hard")}
    lacking["little"] += ("swebench_bash_only", "mbpp_plus")
    rows = [Result("slow", "speed", "ttft_median", 2.0), *example("m")]
    for model, left_out in lacking.items():
        rows += [one for one in example(model) if one.benchmark not in left_out]
    return rows


def board(**declared: Any) -> Board:
    return Board([published("litellm", figures())], DECLARED | declared)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with served(publish_board(tmp_path_factory.mktemp("partial"), board())) as client:
        yield client


def rows_of(client: TestClient, **asked: Any) -> dict[str, dict[str, Any]]:
    answer = client.get("/rankings/api/rankings", params=asked)
    assert answer.status_code == 200, answer.text
    return {row["model"]: row for row in answer.json()["rows"]}


def test_as_declared_nothing_is_made_of_parts(client: TestClient) -> None:
    rows = rows_of(client)
    assert rows == rows_of(client, renormalise=False) == rows_of(client, min_coverage=0.1)
    assert [rows["owner/m"][score] for score in SCORES] == pytest.approx([85.0, 83.6, 52.4, 78.06])
    for model in ("owner/half", "owner/little", "owner/slow"):
        assert rows[model]["coding"] is rows[model]["overall"] is None


@pytest.mark.parametrize("least", [0.1, 0.3, 0.5, 0.9])
def test_a_reader_gets_what_a_declaration_would_have_made(client: TestClient, least: float) -> None:
    rows = rows_of(client, renormalise=True, min_coverage=least)
    scores = board(renormalise=True, min_coverage=least).scores
    of_whole = rows_of(client)
    for model, row in rows.items():
        of_model = scores[scores["model"] == model].set_index("score")
        for score in SCORES:
            expected = of_model.loc[score, "value"]
            assert row[score] == (None if pd.isna(expected) else pytest.approx(expected)), (model, score)
        assert row["partial_scores"] == [score for score in SCORES if of_model.loc[score, "is_partial"]]
        same = ("rank", "rank_lo", "position", "status", "ability", "coverage", "n_benchmarks")
        assert {name: row[name] for name in same} == {name: of_whole[model][name] for name in same}


def test_it_says_so_and_filters_and_sorts_by_these_scores(client: TestClient) -> None:
    asked = {"renormalise": True, "min_coverage": 0.1, "min_composite": 1, "sort": "-overall"}
    answer = client.get("/rankings/api/rankings", params=asked).json()
    assert (answer["renormalise"], answer["min_coverage"]) == (True, 0.1)
    assert {row["model"] for row in answer["rows"]} == {"owner/m", "owner/half", "owner/little"}
    overall = [row["overall"] for row in answer["rows"]]
    assert overall == sorted(overall, reverse=True)


def test_files_and_weights_of_ones_own_are_of_them_too(client: TestClient) -> None:
    asked = {"renormalise": True, "min_coverage": 0.1}
    rows = rows_of(client, **asked)
    exported = client.get("/rankings/export", params=asked | {"format": "json"}).json()
    assert {row["model"]: row["coding"] for row in exported} == {model: row["coding"] for model, row in rows.items()}
    top = client.get("/rankings/api/top-models", params=asked | {"weights": "coding:1"}).json()["rows"]
    assert {row["model"]: row["partial_parts"] for row in top} == {
        "owner/m": [],
        "owner/half": ["coding"],
        "owner/little": ["coding"],
    }
    assert [row["is_partial"] for row in top] == [bool(row["partial_parts"]) for row in top]


@pytest.mark.parametrize("asked", [{"min_coverage": 0}, {"min_coverage": 1.1}, {"renormalise": "perhaps"}])
def test_what_no_share_is_is_refused(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.get("/rankings/api/rankings", params=asked)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(asked))]


def cells_of(page: Parsed, model: str, heading: str) -> tuple[str, str]:
    """The text of a model's cell under a heading, and what it says when it is pointed at."""
    table = "//table[contains(@class, 'ranking')]"
    headings = [text.strip(" ↑↓") for text in page.texts(f"{table}/thead/tr[last()]/th")]
    cell = f"{table}/tbody/tr[th[contains(., '{model}')]]/*[{1 + headings.index(heading)}]"
    return page.text(cell), " ".join(page.values(f"{cell}/@title"))


def test_the_page_says_why_a_score_is_empty_what_to_sort_by_and_how_to_fill_it(client: TestClient) -> None:
    page = opened(client, "/rankings")
    note = page.text("//div[@class='note']")
    assert "Coding is known of 1; Overall is known of 1 of 4 models, for a score needs every part." in note
    assert "Coding: HumanEval+ of 2 models; SWE-bench bash-only of 1 models;" in note
    links = dict(zip(page.texts("//div[@class='note']//a"), page.values("//div[@class='note']//a/@href"), strict=True))
    assert links["Ability"] == "/rankings?sort=-ability"
    assert links["MBPP+"] == "/rankings?sort=-mbpp_plus.pass_at_1"
    assert cells_of(page, "half", "Coding") == ("– 3 of 5 parts", "lacks SWE-bench bash-only; LiveBench, coding")
    assert cells_of(page, "slow", "Coding")[0] == "–"
    assert cells_of(page, "slow", "MBPP+") == ("–", "no source publishes it")
    filled = opened(client, next(link for text, link in links.items() if text.startswith("50")))
    assert "made of the parts that are there" in filled.text("//div[@class='note']")
    assert cells_of(filled, "half", "Coding") == ("85.0 from 60 %", "lacks SWE-bench bash-only; LiveBench, coding")
    assert cells_of(filled, "half", "Overall") == ("78.1 of partial ones", "")
    assert cells_of(filled, "little", "Coding")[0] == "– 1 of 5 parts"


def test_what_is_shown_is_exported_and_kept_by_the_filters(client: TestClient) -> None:
    page = opened(client, "/rankings", renormalise="true", min_coverage="0.1", sort="-coding")
    (export,) = (link for link in page.values("//a/@href") if link.startswith("/rankings/export") and "csv" in link)
    listed = pd.read_csv(io.StringIO(client.get(export).text))
    assert set(listed.loc[listed["coding"].notna(), "model"]) == {"owner/m", "owner/half", "owner/little"}
    hidden = "//form[@data-live]//input[@type='hidden']"
    kept = zip(page.values(f"{hidden}/@name"), page.values(f"{hidden}/@value"), strict=True)
    assert set(kept) == {("renormalise", "true"), ("min_coverage", "0.1"), ("sort", "-coding")}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"min_coverage": "0"}, "min_coverage 0 is no share of parts that are there; write one above 0"),
        ({"min_coverage": "2"}, "min_coverage '2' is no share"),
        ({"renormalise": "yes"}, "renormalise 'yes' is neither true nor false"),
    ],
)
def test_the_page_refuses_what_no_share_is(client: TestClient, asked: dict[str, str], said: str) -> None:
    assert said in opened(client, "/rankings", 422, **asked).text()


def test_a_fit_that_did_not_come_to_rest_is_told_of_on_pages_and_in_the_api(tmp_path: Path, client: TestClient) -> None:
    scores = board().scores
    scores.loc[scores["score"] == "ability", "is_converged"] = False
    told = "The fit of abilities did not come to rest"
    with served(publish_board(tmp_path, board(), {LLM_SCORES: scores})) as unrested:
        assert unrested.get("/rankings/api/rankings").json()["is_converged"] is False
        of_model = unrested.get("/rankings/api/models/owner/m").json()["scores"]
        assert [one["is_converged"] for one in of_model] == [False, None, None, None, None]
        for path in ("/rankings", "/rankings/models/owner/m"):
            assert told in opened(unrested, path).text()
            assert told not in opened(client, path).text()
    assert client.get("/rankings/api/rankings").json()["is_converged"] is True
