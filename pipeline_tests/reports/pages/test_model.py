"""The page of one model says what the API says, and how sure it is."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.reports.pages.figures import NOTHING
from pipeline_tests.reports.pages.conftest import CHANGED, HOSTILE
from pipeline_tests.reports.pages.parsed import Parsed, opened
from pipeline_tests.toy_contest import week

MODELS = "/boards/toy/models"


def api(client: TestClient, path: str, **parameters: Any) -> Any:
    return client.get(f"/reports/{path}", params=parameters).json()


def number(text: str) -> float:
    """The number that a text begins with, percentages as shares."""
    figure, *rest = text.split()
    value = float(figure.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    return value / 100 if rest[:1] == ["%"] else value


def fact(page: Parsed, name: str) -> str:
    return page.text(f"//dl[contains(@class, 'facts')]/div[dt='{name}']/dd")


def test_its_place_is_that_of_the_board_with_the_ranks_it_could_have(client: TestClient) -> None:
    board = api(client, "leaderboard")["rows"]
    row = next(one for one in board if one["model_id"] == "good")
    n_ranked = sum(one["rank"] is not None for one in board)
    page = opened(client, f"{MODELS}/good")
    assert page.text("//h1") == "The good model"
    assert fact(page, "Rank").startswith(f"{row['rank']} of {n_ranked}; could be {row['rank_lo']}")
    value = row["metrics"]["ic"]
    shown = fact(page, "IC, anchor")
    assert number(shown) == pytest.approx(value["value"], abs=0.005)
    low, _, high = shown.partition("95 % interval ")[2].partition(" to ")
    assert [number(low), number(high)] == pytest.approx([value["ci_low"], value["ci_high"]], abs=0.005)


def test_every_metric_over_every_window_is_that_of_the_api(client: TestClient) -> None:
    windows = api(client, "models/good/stats")["windows"]
    page = opened(client, f"{MODELS}/good")
    rows = page.rows("Metrics of The good model") | page.rows("What The good model adds")
    assert page.texts("//table[starts-with(caption, 'Metrics of')]/thead//th") == [
        "Metric",
        "Recent",
        "Steady",
        "Anchor",
    ]
    for heading, metric in [("IC primary", "ic"), ("Turnover", "turnover"), ("Contribution", "contribution")]:
        shown = [number(cell) for cell in rows[heading]]
        stored = [windows[window][metric]["value"] for window in ("recent", "steady", "anchor")]
        assert shown == pytest.approx(stored, abs=0.006)
    assert len(rows) == len(windows["anchor"])


def test_sums_and_their_drawdown_are_those_of_the_cycles(client: TestClient) -> None:
    spec = opened(client, f"{MODELS}/noise", window="recent").chart("cumulative")
    rows = spec["data"]["values"]
    peak = 0.0
    for row in rows:
        peak = max(peak, row["value"])
        assert row["peak"] == pytest.approx(peak)
    assert len(rows) == 8
    measured = api(client, "models/noise/stats")["windows"]["recent"]["ic"]["value"]
    assert rows[-1]["value"] / len(rows) == pytest.approx(measured, abs=1e-6)


def test_the_record_breaks_where_the_version_changed(client: TestClient) -> None:
    spec = opened(client, f"{MODELS}/good", window="anchor").chart("cumulative")
    runs = {row["time"]: row["run"] for row in spec["data"]["values"]}
    changed = week(CHANGED).isoformat()
    assert {run for time, run in runs.items() if time < changed} == {1}
    assert {run for time, run in runs.items() if time >= changed} == {2}
    labels = [layer["data"]["values"] for layer in spec["layer"] if "text" in layer["encoding"]]
    assert labels == [[{"time": changed, "label": "version 2"}]]
    unchanged = opened(client, f"{MODELS}/sharp", window="anchor").chart("cumulative")
    assert {row["run"] for row in unchanged["data"]["values"]} == {1}


def test_ranks_over_time_are_those_of_the_history(client: TestClient) -> None:
    history = api(client, "models/sharp/history", limit=1000)["rows"]
    spec = opened(client, f"{MODELS}/sharp", window="anchor").chart("ranks")
    (drawn,) = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "line"]
    stored = {row["as_of"].rstrip("Z"): (row["rank"], row["rank_lo"], row["rank_hi"]) for row in history}
    assert {row["time"]: (row["rank"], row["best"], row["worst"]) for row in drawn}.items() <= stored.items()
    assert drawn[-1]["time"] == history[-1]["as_of"].rstrip("Z")


def test_why_it_is_not_ranked_is_said_with_what_would_mend_it(client: TestClient) -> None:
    page = opened(client, f"{MODELS}/constant")
    assert fact(page, "Rank") == NOTHING
    note = page.text("//p[@class='note']")
    assert note.startswith("Not ranked: every prediction of a cycle is the same. constant_input")
    assert "needs predictions that differ" in note
    assert page.texts("//p[@class='note']") == [note]
    assert opened(client, f"{MODELS}/good").texts("//p[@class='note']") == []


def test_subjects_have_their_scores_and_failures_with_a_reason(client: TestClient) -> None:
    subjects = {one["subject"]: one for one in api(client, "models/sharp/stats")["subjects"]}
    rows = opened(client, f"{MODELS}/sharp").rows("Mean score")
    assert {heading.split()[-1] for heading in rows} == set(subjects)
    for heading, cells in rows.items():
        stored = subjects[heading.split()[-1]]
        assert number(cells[0]) == pytest.approx(stored["mean_score"], abs=0.006)
        assert cells[-1] == str(stored["n_scored"])
    shown = [number(cells[0]) for cells in rows.values()]
    assert shown == sorted(shown, reverse=True)
    failing = opened(client, f"{MODELS}/constant")
    n_failed = api(client, "models/constant/stats")["subjects"][0]["n_failed"]
    assert {cells[-1] for cells in failing.rows("Mean score").values()} == {str(n_failed)}
    assert "Failures: every prediction of a cycle is the same constant_input" in failing.text()


def test_correlations_are_those_of_the_api(client: TestClient) -> None:
    found = api(client, "models/good/correlations")
    assert [row["model_id"] for row in found["rows"][:1]] == ["sharp"]
    assert {row["model_id"]: row["correlation"] for row in found["rows"]}["constant"] is None
    rows = opened(client, f"{MODELS}/good").rows("Mean Spearman correlation")
    stored = {row["model_name"]: row["correlation"] for row in found["rows"] if row["correlation"] is not None}
    assert {heading: number(cells[0]) for heading, cells in rows.items()} == pytest.approx(
        {" ".join(name.split()): value for name, value in stored.items()}, abs=0.006
    )


def test_correlations_come_as_files_and_in_pages(client: TestClient) -> None:
    answer = client.get("/reports/models/good/correlations", params={"format": "csv"})
    lines = answer.text.splitlines()
    assert lines[0] == '"model_id","model_name","correlation","n_sections"'
    assert len(lines) == 6
    whole = api(client, "models/good/correlations")
    assert (whole["total"], len(whole["rows"])) == (5, 5)
    assert api(client, "models/good/correlations", limit=2, offset=1)["rows"] == whole["rows"][1:3]
    early = api(client, "models/good/correlations", as_of=week(10).date().isoformat())
    assert max(row["n_sections"] for row in early["rows"]) <= 10
    assert client.get("/reports/models/nobody/correlations").status_code == 404
    assert client.get("/reports/models/good/correlations", params={"window": "nope"}).status_code == 422


def test_predictions_of_a_cycle_have_their_outcomes_and_scores(client: TestClient) -> None:
    day = week(20).date().isoformat()
    stored = api(client, "predictions", projectIds="good", start=day, end=day)["rows"]
    page = opened(client, f"{MODELS}/good", cycle=day)
    rows = page.rows("Predictions of The good model")
    assert len(rows) == len(stored) == 8
    by_subject = {row["subject"]: row for row in stored}
    for heading, cells in rows.items():
        expected = by_subject[heading.split()[-1]]
        assert [number(cell) for cell in cells[:3]] == pytest.approx(
            [expected["value"], expected["outcome"], expected["score"]], abs=0.006
        )
    links = page.values("//section[.//h2[@id='predictions-head']]//a/@href")
    assert any("cycle=2020-05-15" in link for link in links)
    (csv,) = [link for link in links if "format=csv" in link]
    assert len(client.get(csv).text.splitlines()) == 9


def test_the_newest_cycle_comes_first_and_says_that_its_outcomes_are_open(client: TestClient) -> None:
    page = opened(client, f"{MODELS}/good")
    assert page.text("//h2[@id='predictions-head']").startswith("Predictions for 2 Oct 2020")
    assert "Their outcomes are not known yet." in page.text()


def test_as_of_a_moment_it_is_as_it_stood(client: TestClient) -> None:
    then = week(20).date().isoformat()
    row = next(one for one in api(client, "leaderboard", as_of=then)["rows"] if one["model_id"] == "noise")
    page = opened(client, f"{MODELS}/noise", as_of=then)
    assert fact(page, "Rank").startswith(f"{row['rank']} of 4")
    assert "in the past" in fact(page, "As of")
    times = [one["time"] for one in page.chart("cumulative")["data"]["values"]]
    assert max(times) < week(20).isoformat()
    assert page.text("//h2[@id='predictions-head']").startswith("Predictions for 22 May 2020")
    assert "Their outcomes are not known yet." in page.text()
    before = opened(client, f"{MODELS}/latecomer", as_of=then)
    assert "Not on the board of 22 May 2020" in before.text()


def test_an_ensemble_shows_the_weights_of_its_members(client: TestClient) -> None:
    page = opened(client, f"{MODELS}/__ensemble_main__")
    assert page.text("//h1") == "Ensemble main Ensemble"
    assert "if ensembles counted" in fact(page, "Rank")
    stored = api(client, "ensemble/weights", ensembles="main", limit=1000)["rows"]
    newest = [row for row in stored if row["cycle"] == stored[-1]["cycle"]]
    weights = page.rows("Weights of the members")
    assert len(weights) == len(newest) > 2
    assert sum(number(cells[0]) for cells in weights.values()) == pytest.approx(1, abs=0.03)
    assert "/boards/toy/ensembles" in page.values("//a/@href")
    assert opened(client, f"{MODELS}/good").rows("Weights of the members") == {}


def test_contributions_to_ensembles_are_drawn_and_add_up(client: TestClient) -> None:
    page = opened(client, f"{MODELS}/sharp", window="recent")
    rows = page.chart("contribution")["data"]["values"]
    of_main = [row["value"] for row in rows if row["label"] == "main"]
    mean = api(client, "models/sharp/stats")["windows"]["recent"]["contribution"]["value"]
    assert of_main[-1] / len(of_main) == pytest.approx(mean, abs=1e-5)


def test_what_a_player_writes_is_text_and_nothing_else(client: TestClient) -> None:
    answer = client.get(f"{MODELS}/noise")
    assert "<script>alert" not in answer.text
    page = Parsed(answer.text)
    assert page.text("//h1") == HOSTILE
    assert page.text("//p[@class='lede']") == HOSTILE
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert page.values("//*/@style") == []
    assert [one for one in page.values("//script[not(@src)]/@type") if one != "application/json"] == []


def test_an_unknown_model_is_named_with_its_neighbours(client: TestClient) -> None:
    assert "has no model 'shrap'; the nearest: sharp" in opened(client, f"{MODELS}/shrap", 404).text()
