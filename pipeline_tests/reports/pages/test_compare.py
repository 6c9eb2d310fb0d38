"""Models side by side: the API's numbers, and who is ahead only where the evidence says so."""

import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline.leaderboard import Direction, mean_influence, significantly_better
from pipeline.reports.pages import compare
from pipeline_tests.reports.pages.conftest import HOSTILE
from pipeline_tests.reports.pages.parsed import opened
from pipeline_tests.reports.pages.test_model import api, number
from pipeline_tests.toy_contest import week

COMPARE = "/boards/toy/compare"
THREE = ["sharp", "noise", "contrarian"]


def test_metrics_are_those_of_the_board(client: TestClient) -> None:
    board = {row["model_id"]: row for row in api(client, "leaderboard", window="steady")["rows"]}
    rows = opened(client, COMPARE, models=THREE, window="steady").rows("Ranks and metrics")
    for heading, metric in [("IC primary", "ic"), ("Hit rate", "hit_rate"), ("Turnover", "turnover")]:
        shown = [number(cell.removeprefix("best for sure ")) for cell in rows[heading]]
        assert shown == pytest.approx([board[model]["metrics"][metric]["value"] for model in THREE], abs=0.006)
    ranks = [int(cell.split()[0]) for cell in rows["Rank on the contest's board"]]
    assert ranks == [board[model]["rank"] for model in THREE]


def test_who_is_ahead_is_what_the_paired_comparison_says(client: TestClient) -> None:
    page = opened(client, COMPARE, models=THREE, window="anchor")
    shown = page.rows("Whether the model of a row")
    labels = list(shown)
    sums = pd.DataFrame(page.chart("lines")["data"]["values"])
    lines = [sums[sums["label"] == label].set_index("time")["value"] for label in labels]
    series = pd.concat([line.diff().fillna(line) for line in lines], axis=1).sort_index()
    influence = mean_influence(series)
    better = significantly_better(influence.value, [influence], Direction.DESC)
    words = {(True, False): "ahead", (False, True): "behind", (False, False): "not told apart"}
    for row, label in enumerate(labels):
        for column, cell in enumerate(shown[label]):
            if row != column:
                assert cell == words[bool(better[row, column]), bool(better[column, row])]
    assert better.any()
    assert not better.all()


def test_the_best_is_marked_only_where_it_is_ahead_of_all(client: TestClient) -> None:
    rows = opened(client, COMPARE, models=["sharp", "noise", "constant"]).rows("Ranks and metrics")
    assert rows["IC primary"][0].startswith("best for sure ")
    assert not any(cell.startswith("best") for cell in rows["IC primary"][1:])
    assert not any(cell.startswith("best") for cell in rows["Max drawdown"])
    assert not any(cell.startswith("best") for cell in rows["Turnover"])


def test_two_models_get_a_sentence(client: TestClient) -> None:
    page = opened(client, COMPARE, models=["noise", "sharp"])
    assert page.text("//section[1]/p[@class='verdict']") == f"The sharp model is ahead of {HOSTILE} : yes ."
    same = opened(client, COMPARE, models=["noise", "noise", "good"], as_of=week(9).date().isoformat(), window="recent")
    assert "are not told apart over this window." in same.text("//section[1]/p[@class='verdict']")


def test_a_metric_without_influence_separates_nobody_and_says_so(client: TestClient) -> None:
    page = opened(client, COMPARE, models=THREE, metric="max_drawdown")
    assert "By Max drawdown nobody can be told apart" in page.text("//section[1]")
    assert "neither end of it is better" in opened(client, COMPARE, 422, models=THREE, metric="turnover").text()


def test_correlations_are_those_of_the_api_both_ways(client: TestClient) -> None:
    alike = opened(client, COMPARE, models=["sharp", "good", "constant"]).rows("Mean Spearman")
    stored = {row["model_id"]: row["correlation"] for row in api(client, "models/sharp/correlations")["rows"]}
    assert number(alike["The sharp model"][1]) == pytest.approx(stored["good"], abs=0.006)
    assert alike["The good model"][0] == alike["The sharp model"][1]
    assert set(alike["The constant model"]) == {"–"}


def test_ensembles_are_compared_too(client: TestClient) -> None:
    page = opened(client, COMPARE, models=["__ensemble_main__", "sharp"])
    rows = page.rows("Ranks and metrics")
    stored = api(client, "models/__ensemble_main__/stats")["windows"]["anchor"]["ic"]["value"]
    assert number(rows["IC primary"][0].removeprefix("best for sure ")) == pytest.approx(stored, abs=0.006)
    assert "verdict" in page.values("//p/@class")


@pytest.mark.parametrize(
    ("models", "says"),
    [([], "Choose two to 8 models"), (["good"], "One model is chosen"), (["", " "], "Choose two to 8 models")],
)
def test_fewer_than_two_are_asked_for_more(client: TestClient, models: list[str], says: str) -> None:
    page = opened(client, COMPARE, models=models)
    assert says in page.text("//p[@class='note']")
    assert page.values("//input[@type='text']/@name") == ["models"]


def test_unknown_models_are_named_and_the_others_compared(client: TestClient) -> None:
    page = opened(client, COMPARE, 404, models=["good", "sharp", "<b>nobody"])
    assert "has no model '<b>nobody'; the nearest:" in page.text("//p[@role='alert']")
    assert page.rows("Ranks and metrics")


def test_one_is_removed_by_a_link_and_added_by_the_form(client: TestClient) -> None:
    page = opened(client, COMPARE, models=THREE, window="recent")
    (remove,) = page.values("//a[@aria-label='Remove The sharp model']/@href")
    left = opened(client, remove)
    assert left.values("//input[@type='hidden' and @name='models']/@value") == ["noise", "contrarian"]
    assert left.values("//select[@name='window']/option[@selected]/@value") == ["recent"]
    assert "good" in page.values("//datalist/option/@value")
    assert "sharp" not in page.values("//datalist/option/@value")


def test_as_of_a_moment_only_what_was_known_then_counts(client: TestClient) -> None:
    then = week(20).date().isoformat()
    page = opened(client, COMPARE, models=["sharp", "noise"], as_of=then)
    board = {row["model_id"]: row for row in api(client, "leaderboard", as_of=then)["rows"]}
    shown = page.rows("Ranks and metrics")["IC primary"]
    assert number(shown[1]) == pytest.approx(board["noise"]["metrics"]["ic"]["value"], abs=0.006)
    assert max(row["time"] for row in page.chart("lines")["data"]["values"]) < week(20).isoformat()
    assert page.values("//input[@name='as_of']/@value") == [then]


def test_more_than_fit_are_named_and_left_out(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "left out" not in opened(client, COMPARE, models=["sharp", "good", "noise"]).text()
    monkeypatch.setattr(compare, "MOST", 2)
    page = opened(client, f"{COMPARE}?models=sharp&models=good&models=latecomer")
    note = "At most 2 models fit beside each other; left out: The latecomer model."
    assert page.texts("//p[@role='alert']") == [note]
    assert len(page.texts("//ul[@class='chosen']/li")) == 2
    assert page.values("//input[@type='text']") == []


@pytest.mark.parametrize("models", [["latecomer", "__ensemble_top2__"], ["latecomer", "constant"]])
def test_models_that_have_nothing_yet_are_told_so(client: TestClient, models: list[str]) -> None:
    page = opened(client, COMPARE, models=models, as_of=week(2).date().isoformat())
    assert "told apart" in page.text("//section[1]")
    assert not page.rows("Whether the model of a row")
