"""Pages of rankings of language models: what they say is what the API says, and names are text whatever is in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline_tests.reports.made_up_ranking import (
    BARE,
    BEST,
    BREAK,
    FEW,
    FREE,
    HOSTILE,
    N_OFFERS,
    NAME,
    PARTIAL,
    SAYS_CLOSED,
    SAYS_DAY,
    SLOW,
    TITLE,
    TWIN,
    publish_ranking,
)
from pipeline_tests.reports.pages.page_tables import PageTables
from pipeline_tests.reports.served import served

N = 10


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("ranking")
    publish_ranking(folder, N)
    with served(folder / "published") as asked:
        yield asked


def page(client: TestClient, path: str = "", status: int = 200, **asked: Any) -> PageTables:
    answer = client.get(f"/rankings{path}", params=asked, headers={"accept": "text/html"})
    assert answer.status_code == status, answer.text
    return PageTables(answer.text)


def rows(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/rankings/api/rankings", params={"limit": 1000, **asked}).json()["rows"]
    return found


def cells(found: PageTables, caption: str, heading: str) -> list[str]:
    """The column of a table under a heading, the headings being its last row above the models."""
    table = found.table(caption)
    first = next(at for at, row in enumerate(table.rows) if row[0].text.startswith("Rank"))
    place = [cell.text.strip(" ↑↓") for cell in table.rows[first]].index(heading)
    listed = [row for row in table.rows[first + 1 :] if len(row) == len(table.rows[first]) and row[1].link]
    return [row[place].text for row in listed]


MODELS = f"{TITLE}: models by"


def test_models_are_those_of_the_api_in_its_order(client: TestClient) -> None:
    found, expected = page(client), rows(client)
    assert [text.split(" could be")[0] for text in cells(found, MODELS, "Rank")] == [
        str(row["rank"] or "–") for row in expected
    ]
    spans = [
        f"could be {row['rank_lo']}" + f"–{row['rank_hi']}" * (row["rank_lo"] != row["rank_hi"])
        for row in expected
        if row["rank"]
    ]
    assert [text.partition(" ")[2] for text in cells(found, MODELS, "Rank")][: len(spans)] == spans
    for heading, name in (("Overall", "overall"), ("Quality", "quality")):
        shown = [None if text == "–" else float(text) for text in cells(found, MODELS, heading)]
        assert shown == [None if row[name] is None else pytest.approx(row[name], abs=0.051) for row in expected]


def test_parts_of_the_coding_score_have_a_column_each(client: TestClient) -> None:
    found, expected = page(client), rows(client)
    for heading, name in (("HumanEval+", "humaneval_plus.pass_at_1"), ("LiveBench, coding", "livebench.coding")):
        shown = [None if text == "–" else float(text) for text in cells(found, MODELS, heading)]
        assert shown == [
            None if row["benchmarks"][name] is None else pytest.approx(row["benchmarks"][name], abs=0.051)
            for row in expected
        ]


def test_a_score_of_fewer_parts_says_of_how_many(client: TestClient) -> None:
    by_model = dict(zip([row["model"] for row in rows(client)], cells(page(client), MODELS, "Coding"), strict=True))
    assert by_model[PARTIAL].endswith("from 85 %")
    assert "from" not in by_model[BEST]


@pytest.mark.parametrize("sort", ["ttft", "-ttft", "title", "-lmarena_text.rating", "-coverage", "released_on"])
def test_the_page_sorts_and_filters_as_the_api_does(client: TestClient, sort: str) -> None:
    asked = {"sort": sort, "min_composite": "40", "open_weights": "true"}
    names = [text.split(" Maker")[0].split(" Open &")[0] for text in cells(page(client, **asked), MODELS, "Model")]
    assert names == [row["title"] for row in rows(client, **asked)]


def test_a_name_with_markup_is_text(client: TestClient) -> None:
    for path in ("/rankings", f"/rankings/models/{BEST}", "/"):
        html = client.get(path).text
        assert "<b>Best" not in html
        assert "&lt;b&gt;Best &amp; " in html
        assert "<ranking>" not in html


def test_links_of_sources_lead_to_the_web_only(client: TestClient) -> None:
    html = client.get(f"/rankings/models/{BEST}").text
    assert 'href="https://example.org/evalplus/humaneval_plus"' in html
    assert "javascript:" not in html


def test_what_forms_send_when_nothing_is_chosen_is_no_question(client: TestClient) -> None:
    empty = dict.fromkeys(("search", "tier", "max_price", "min_context", "free", "open_weights", "min_quality"), "")
    assert cells(page(client, **empty), MODELS, "Model") == cells(page(client), MODELS, "Model")


def test_what_the_address_filters_by_stays_in_the_form_whether_or_not_it_has_a_box(client: TestClient) -> None:
    asked = {"providers": "ACME,nobody", "has_benchmarks": "lmarena_text,humaneval_plus.pass_at_1"}
    form = client.get("/rankings", params=asked, headers={"accept": "text/html"}).text
    kept = re.findall(r'name="(providers|has_benchmarks)" value="([^"]*)"( checked)?', form)
    hidden = re.findall(r'<input type="hidden" name="(providers|has_benchmarks)" value="([^"]*)"', form)
    assert [value for _, value, ticked in kept if ticked] == ["Acme", "lmarena_text"]
    assert [value for _, value in hidden[:2]] == ["nobody", "humaneval_plus.pass_at_1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"max_price": "cheap"}, "max_price 'cheap' is no number from 0 to 1e+12"),
        ({"min_quality": "101"}, "min_quality '101' is no number from 0 to 100"),
        ({"min_composite": "nan"}, "min_composite 'nan' is no number"),
        ({"free": "maybe"}, "free 'maybe' is neither true nor false"),
        ({"tier": "quick"}, "no tier 'quick'; known: fast (below 1 s), medium (1 to 5 s), slow (5 s or more)"),
        ({"providers": "nix"}, "no model has provider 'nix'; known: Acme,"),
        ({"sort": "speed"}, "cannot sort by 'speed'"),
    ],
)
def test_what_cannot_be_meant_is_named(client: TestClient, asked: dict[str, str], said: str) -> None:
    assert said in page(client, status=422, **asked).text


def test_what_there_is_not_is_named(client: TestClient) -> None:
    assert "no board 'none' is published; known: made_up" in page(client, status=404, ranking="none").text
    assert "has no model 'acme/bes'; like it: acme/best" in page(client, "/models/acme/bes", 404).text


def test_models_that_are_not_ranked_are_last_with_the_reason(client: TestClient) -> None:
    found = page(client)
    assert cells(found, MODELS, "Model")[-2:] == [
        "Few Acme · not ranked: too few benchmarks of it are published",
        "Bare maker not known · not ranked: no benchmark of it is published",
    ]
    reasons = found.table("Why models are not ranked")
    assert {row[0].text: row[1].text for row in reasons.rows[1:]} == {
        "too few benchmarks of it are published min_benchmarks": "1",
        "no benchmark of it is published no_benchmarks": "1",
    }


def test_medians_and_coverage_are_those_of_all_that_match(client: TestClient) -> None:
    table = page(client, open_weights="true").table(MODELS)
    said = client.get("/rankings/api/rankings", params={"open_weights": "true"}).json()["statistics"]
    median, known = table.rows[-2:]
    assert (median[1].text, known[1].text) == ("Median", "Known of")
    assert f"{said['medians']['ttft']:.2f}" in [cell.text for cell in median]
    assert f"{round(100 * said['coverage']['ability'])} %" == known[2].text


def test_models_that_none_beats_are_listed_the_cheapest_first(client: TestClient) -> None:
    table = page(client).table("Models that none beats in both price and ability")
    listed = [(float(row[1].text), float(row[2].text)) for row in table.rows[1:]]
    assert listed == sorted(listed)
    everybody = [
        (row["price_blended"], row["ability"])
        for row in rows(client)
        if None not in (row["price_blended"], row["ability"])
    ]
    for price, ability in listed:
        assert not any(other < price - 0.01 and better > ability + 0.1 for other, better in everybody)
    assert table.rows[1][0].text == "Free"
    assert {row[4].text for row in table.rows[2:]} <= {"yes", "not for sure"}


def test_weights_of_ones_own_rank_as_the_api_does(client: TestClient) -> None:
    table = page(client, coding="1", value="3", performance="0", free="false").table("Models by your own weights")
    asked = {"weights": "coding:1,value:3", "free": "false", "limit": 10}
    expected = client.get("/rankings/api/top-models", params=asked).json()
    assert [(row[0].text, row[1].text, row[2].text) for row in table.rows[1:]] == [
        (str(row["rank"]), row["title"], f"{row['score']:.1f}") for row in expected["rows"]
    ]
    assert [cell.text for cell in table.rows[0]][3:5] == ["Coding", "Value"]


def test_models_that_lack_parts_are_weighed_only_when_asked_and_marked(client: TestClient) -> None:
    strict, lenient = (
        page(client, search="partial", coding="3", value="1", **more) for more in ({}, {"renormalise": "true"})
    )
    assert "0 of 1 models have all that these weights are of" in strict.text
    assert lenient.table("Models by your own weights").rows[1][2].text.endswith("from 75 %")
    assert "coding 'x' is no number" in page(client, status=422, coding="x").text


def test_sources_are_attributed_with_licence_and_the_reason_for_their_age(client: TestClient) -> None:
    table = page(client).table("Sources, and how old their figures are")
    said = {row[0].text.split(" version")[0]: row for row in table.rows[1:]}
    assert said["LMArena"][6].text == "CC-BY-4.0 Figures: LMArena"
    assert said["OpenRouter"][6].text == "none stated Figures: OpenRouter"
    assert said["EvalPlus"][3].text.startswith("not any more")
    assert said["models.dev"][1].text.startswith("○ old bundled: not fetched: PODIUM_FETCH is off")
    assert said["LiveBench"][2].text == "–"


def test_every_figure_of_a_model_is_shown_once(client: TestClient) -> None:
    found = page(client, f"/models/{BEST}")
    expected = client.get(f"/rankings/api/models/{BEST}").json()["results"]
    shown = [row for table in found.tables if ": figures of" in table.caption for row in table.rows[1:]]
    assert len(shown) == len(expected)
    assert sum(row[5].text == "✓ used" for row in shown) == sum(one["is_used"] for one in expected)
    assert sorted(row[5].text for row in shown if row[5].text != "✓ used") == sorted(
        f"not: {one['left_out']}" for one in expected if not one["is_used"]
    )


def test_a_model_says_who_states_its_day_and_its_weights(client: TestClient) -> None:
    assert f"Day of release: {SAYS_DAY}. Weights: {SAYS_CLOSED}." in page(client, f"/models/{BEST}").text
    assert f"Day of release: {SAYS_DAY}. Rank" in page(client, f"/models/{FREE}").text
    assert "Day of release" not in page(client, f"/models/{TWIN}").text


def test_the_first_line_of_sources_names_figures_that_nobody_fetched(client: TestClient) -> None:
    said = page(client).text
    assert "Aider 50 days ago, ageing, files" in said
    assert "models.dev 40 days ago, old, bundled" in said
    assert "4 hours ago, up to date ■ EvalPlus 400 days ago, frozen ● LMArena" in said


def test_a_name_that_means_no_model_is_told_as_its_source_shows_it(client: TestClient) -> None:
    (row,) = page(client).table("Names that mean no model for sure").rows[1:]
    assert row[0].text == "Zephyr β-7B shown as <Zephyr>"


def test_scores_of_a_model_say_what_is_missing(client: TestClient) -> None:
    table = page(client, f"/models/{PARTIAL}").table("Scores, what they rest on and what is missing")
    coding = next(row for row in table.rows if row[0].text == "Coding")
    assert coding[1].text.endswith("partial")
    assert coding[-1].text == "MBPP+"


def test_prices_are_checked_against_each_other(client: TestClient) -> None:
    table = page(client, f"/models/{BEST}").table("Prices and context by source")
    assert [(row[1].text.split(" as ")[0], row[2].text, row[3].text) for row in table.rows[1:]] == [
        ("OpenRouter", "10.00 USD", "used"),
        ("models.dev", "12.50 USD", "+25 %"),
    ]


def test_how_far_sources_agree_on_a_price_is_told_in_one_line(client: TestClient) -> None:
    said = page(client, f"/models/{BEST}").text
    assert "Input: 10.00 USD (OpenRouter). 0 of 1 other says the same within 1 %; it says 12.50 USD." in said
    said = page(client, f"/models/{SLOW}").text
    assert f"{N_OFFERS} of {N_OFFERS} others say the same within 1 %; they say 2.01 USD to 2.01 USD." in said


def test_figures_that_are_many_and_not_used_are_folded_and_all_there(client: TestClient) -> None:
    found = page(client, f"/models/{SLOW}")
    assert len(found.table("Prices: figures of Deep").rows) == 1 + 2
    assert len(found.table("Prices, not used: figures of Deep").rows) == 1 + N_OFFERS
    assert f"{N_OFFERS} that are not used" in found.text


def test_where_a_model_stood_is_told_by_day_with_breaks(client: TestClient) -> None:
    found = page(client, f"/models/{TWIN}")
    assert len(found.table("Rank by day").rows) == 1 + 2
    assert BREAK in found.text
    assert len(page(client, f"/models/{BEST}").table("Rank by day").rows) == 1 + 3


@pytest.mark.parametrize("model", [BARE, FEW, FREE, BEST])
def test_the_page_of_a_model_with_any_name_is_reached_from_the_ranking(client: TestClient, model: str) -> None:
    table = page(client).table(MODELS)
    title = next(row["title"] for row in rows(client) if row["model"] == model)
    (link,) = (row[1].link for row in table.rows if len(row) > 1 and row[1].text.split(" Acme")[0].startswith(title))
    found = PageTables(client.get(link or "").text)
    assert model in found.text


def test_the_ranking_is_on_the_first_page_and_has_its_own_in_place_of_a_board(client: TestClient) -> None:
    home = PageTables(client.get("/").text)
    assert home.links[TITLE] == f"/boards/{NAME}"
    assert home.tables[0].rows[1][1].text.split(" could be")[0] == HOSTILE
    moved = client.get(f"/boards/{NAME}", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (307, f"/rankings?ranking={NAME}")


def test_a_ranking_declared_and_not_filled_yet_says_so(tmp_path: Path) -> None:
    publish_ranking(tmp_path, models=False)
    with served(tmp_path / "published") as client:
        assert "No model is listed yet" in page(client).text
        assert client.get("/rankings/api/rankings").json()["total"] == 0
        assert client.get("/").status_code == 200
