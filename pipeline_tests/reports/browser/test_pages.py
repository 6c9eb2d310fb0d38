"""What a person does with the pages, done by a browser."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pipeline_tests.reports.browser.following import followed
from pipeline_tests.reports.judged import JUDGE, PLAIN
from pipeline_tests.reports.made_up_ranking import BEST, FEW, SLOW
from pipeline_tests.toy_experiment import NAME as EXPERIMENT
from pipeline_tests.toy_experiment import toy_experiment
from pipeline_tests.track_graph import NAME

TOY = toy_experiment()
RUN = TOY.given[0].run_id
FAILED = next(one.run_id() for one in TOY.made if one.status == "failed")
SMALL, LARGE = (one.id for one in TOY.declared.configurations if one.prompt == "terse")

BOARD = "/boards/toy"
PAGES = {
    "home": "/",
    "board": f"{BOARD}?include_ensembles=true&columns=all",
    "a part": f"{BOARD}?category=subject%3DS0",
    "another order": f"{BOARD}?window=recent&metric=hit_rate",
    "ensembles": f"{BOARD}/ensembles",
    "an evaluation set": f"{BOARD}/evaluations/all?include_ensembles=true",
    "its parts": f"{BOARD}/evaluations/all?by=subject",
    "its parts in time": f"{BOARD}/evaluations/last 5?by=target_time&metric=squared_error",
    "a part of it": f"{BOARD}/evaluations/all?by=subject&part=S0",
    "a track": f"/boards/{NAME}?columns=all",
    "another judge": f"/boards/{NAME}?judge={JUDGE}&measure=P_10",
    "a run": f"/boards/{NAME}/runs/{PLAIN}?sort=-difference",
    "a model": f"{BOARD}/models/good?window=anchor",
    "a model that is not ranked": f"{BOARD}/models/constant",
    "an ensemble": f"{BOARD}/models/__ensemble_main__",
    "models side by side": f"{BOARD}/compare?models=sharp&models=noise&models=contrarian",
    "nothing to compare": f"{BOARD}/compare",
    "a ranking": "/rankings",
    "all columns of a ranking": "/rankings?columns=all&sort=-coding&providers=Acme",
    "a ranking of nobody": "/rankings?search=nobody like this",
    "a language model": f"/rankings/models/{BEST}",
    "a language model of many offers": f"/rankings/models/{SLOW}",
    "a language model that is not ranked": f"/rankings/models/{FEW}",
    "experiments": "/experiments",
    "an experiment": f"/experiments/{EXPERIMENT}",
    "an experiment by model": f"/experiments/{EXPERIMENT}?by=model&sort=-cost",
    "an experiment by run": f"/experiments/{EXPERIMENT}?by=run",
    "runs of an experiment": f"/experiments/{EXPERIMENT}/runs?model=small",
    "a run of an experiment": f"/experiments/{EXPERIMENT}/runs/{RUN}",
    "a run that failed": f"/experiments/{EXPERIMENT}/runs/{FAILED}",
    "two configurations": f"/experiments/{EXPERIMENT}/compare?a={LARGE}&b={SMALL}",
    "two configurations to choose": f"/experiments/{EXPERIMENT}/compare",
    "a run to rate": f"/experiments/{EXPERIMENT}/rate?run={RUN}&blind=false",
    "status": "/status",
    "nothing here": "/boards/nope",
}


def names(page: Page) -> list[str]:
    """The models of a board, from above."""
    return page.locator("table.board tbody th.model a").all_inner_texts()


def column(page: Page, heading: str) -> list[str]:
    """The texts of a column."""
    headings = [text.strip(" ↑↓") for text in page.locator("table.board thead th").all_inner_texts()]
    place = headings.index(heading)
    return [row.locator("td, th").nth(place).inner_text() for row in page.locator("table.board tbody tr").all()]


def test_sorting_by_a_column_keeps_the_ranks(page: Page) -> None:
    page.goto(BOARD)
    ranked = names(page)
    with followed(page):
        page.get_by_role("link", name="Model", exact=True).click()
    assert names(page) == sorted(ranked, key=str.casefold)
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Model ↑")
    with followed(page):
        page.get_by_role("link", name="Model", exact=True).click()
    assert names(page) == sorted(ranked, key=str.casefold, reverse=True)
    ranks = [re.split(r"\s", text.strip())[0] for text in column(page, "Rank")]
    assert dict(zip(names(page), ranks, strict=True))[ranked[0]] == "1"
    with followed(page):
        page.get_by_role("link", name="By rank").click()
    assert names(page) == ranked


def test_another_window_and_metric_rank_anew_and_say_so(page: Page) -> None:
    page.goto(BOARD)
    with followed(page):
        page.get_by_label("Rank by").select_option("hit_rate")
    expect(page.get_by_text("This is not the contest's own ranking.")).to_be_visible()
    assert "metric=hit_rate" in page.url
    by_rank = zip(column(page, "Rank"), column(page, "Hit rate"), strict=True)
    values = [float(text.split()[0]) for rank, text in by_rank if rank[0].isdigit()]
    assert values == sorted(values, reverse=True)
    assert len(values) > 3
    page.get_by_role("link", name="Back to it").click()
    expect(page.get_by_text("This is not the contest's own ranking.")).to_have_count(0)


def test_a_search_lists_what_matches_with_its_rank_among_all(page: Page) -> None:
    page.goto(BOARD)
    ranks = dict(zip(names(page), column(page, "Rank"), strict=True))
    page.get_by_placeholder("Find a model").fill("GOOD")
    page.get_by_placeholder("Find a model").press("Enter")
    page.wait_for_url("**search=GOOD**")
    (found,) = names(page)
    assert found == "The good model"
    assert column(page, "Rank") == [ranks[found]]


def test_the_key_of_the_slash_goes_to_the_search(page: Page) -> None:
    page.goto(BOARD)
    page.keyboard.press("/")
    expect(page.get_by_placeholder("Find a model")).to_be_focused()


def test_ensembles_are_listed_when_asked_for_and_change_no_rank(page: Page) -> None:
    page.goto(BOARD)
    without = dict(zip(names(page), column(page, "Rank"), strict=True))
    page.get_by_label("Ensembles").check()
    page.wait_for_url("**include_ensembles=true**")
    ranks = dict(zip(names(page), column(page, "Rank"), strict=True))
    assert len(ranks) == len(without) + 2
    assert without.items() <= ranks.items()
    assert ranks["The best two"].startswith("(")
    page.get_by_label("Ensembles").uncheck()
    page.wait_for_url(lambda url: "include_ensembles" not in url)
    assert names(page) == list(without)


def test_travelling_in_time_shows_the_board_of_then_and_leads_back(page: Page) -> None:
    page.goto(BOARD)
    newest = page.locator("dl.facts dd").first.inner_text()
    with followed(page):
        page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_text("in the past")).to_be_visible()
    assert page.locator("dl.facts dd").first.inner_text() != newest
    page.get_by_label("As of").fill("2020-06-01")
    page.get_by_label("As of").dispatch_event("change")
    page.wait_for_url("**as_of=2020-06-01**")
    assert page.locator("dl.facts dd").first.inner_text().startswith("29 May 2020")
    with followed(page):
        page.get_by_role("link", name="Newest").click()
    assert page.locator("dl.facts dd").first.inner_text() == newest


def test_a_date_is_typed_to_its_end_before_the_page_follows(page: Page) -> None:
    page.goto(BOARD)
    page.get_by_label("As of").focus()
    page.keyboard.type("06012020", delay=20)
    assert page.get_by_label("As of").input_value() == "2020-06-01"
    assert "as_of" not in page.url
    page.keyboard.press("Enter")
    page.wait_for_url("**as_of=2020-06-01**")


def test_a_choice_made_with_keys_waits_for_its_button(page: Page) -> None:
    page.goto(BOARD)
    button = page.locator("form.controls > button")
    expect(button).to_be_hidden()
    page.get_by_label("Window").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(button).to_be_visible()
    assert "window" not in page.url
    chosen = page.get_by_label("Window").input_value()
    button.click()
    page.wait_for_url(f"**window={chosen}**")


def test_a_page_that_is_come_back_to_shows_the_choices_of_its_address(page: Page) -> None:
    page.goto(BOARD)
    page.get_by_label("Window").select_option("recent")
    page.wait_for_url("**window=recent**")
    page.go_back()
    expect(page.get_by_label("Window")).to_have_value("anchor")
    page.go_forward()
    expect(page.get_by_label("Window")).to_have_value("recent")


def test_another_ensemble_is_in_the_address(page: Page) -> None:
    page.goto(f"{BOARD}/ensembles")
    page.locator("select[name=ensemble]").select_option("top2")
    page.wait_for_url("**/ensembles?ensemble=top2#one")
    expect(page.locator("h2#one")).to_have_text("The best two")


def test_a_long_name_of_a_part_does_not_widen_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(BOARD)
    page.evaluate("document.querySelector('select[name=category]').add(new Option('very long '.repeat(30)))")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_changing_something_else_does_not_tie_the_page_to_the_date_of_today(page: Page) -> None:
    page.goto(BOARD)
    page.get_by_label("Window").select_option("recent")
    page.wait_for_url("**window=recent**")
    assert "as_of" not in page.url


def test_the_download_is_the_board_that_is_shown(page: Page, tmp_path: Path) -> None:
    page.goto(f"{BOARD}?as_of=2020-06-01&include_ensembles=true")
    with page.expect_download() as waited:
        page.get_by_role("link", name="CSV").click()
    waited.value.save_as(tmp_path / "board.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "board.csv").read_text(encoding="utf-8"))))
    assert [row["model_name"] for row in rows] == names(page)


def test_why_a_model_is_not_ranked_is_said(page: Page) -> None:
    page.goto(BOARD)
    row = page.locator("tr.unranked", has_text="constant")
    expect(row).to_contain_text("not ranked: every prediction of a cycle is the same")


def test_forms_and_links_work_without_scripts(plain: Page) -> None:
    plain.goto(BOARD)
    ranked = names(plain)
    plain.get_by_label("Ensembles").check()
    with followed(plain):
        plain.get_by_role("button", name="Show").click()
    assert len(names(plain)) == len(ranked) + 2
    with followed(plain):
        plain.get_by_role("link", name="Coverage").click()
    assert "sort=-coverage" in plain.url


def test_charts_are_drawn_in_the_colours_of_the_reader(page: Page) -> None:
    page.goto(f"{BOARD}/ensembles")
    expect(page.locator("figure.chart svg")).to_have_count(2)
    light = page.locator("figure.chart svg").first.inner_html()
    page.emulate_media(color_scheme="dark")
    expect(page.locator("figure.chart svg")).to_have_count(2)
    page.wait_for_function("light => document.querySelector('figure.chart svg').innerHTML !== light", arg=light)


OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FONT_SIZE = "size => document.documentElement.style.fontSize = size"
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules by which a page that is accessible in light may not be in the dark: nothing else differs."""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass(frozen=True)
class Seen:
    """A page, first opened on a phone and then made as wide as a desk's, and by how much it was too wide there."""

    page: Page
    overflow: int
    overflow_of_large_text: int


@pytest.fixture(scope="module", params=PAGES.values(), ids=PAGES)
def seen(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Seen]:
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.goto(request.param)
    as_it_is = opened.evaluate(OVERFLOW)
    opened.evaluate(FONT_SIZE, "200%")
    with_large_text = opened.evaluate(OVERFLOW)
    opened.evaluate(FONT_SIZE, "")
    opened.set_viewport_size({"width": 1280, "height": 720})
    opened.wait_for_load_state("networkidle")
    yield Seen(opened, as_it_is, with_large_text)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(seen: Seen, scheme: Literal["light", "dark"]) -> None:
    seen.page.emulate_media(color_scheme=scheme)
    seen.page.evaluate(DRAWN)
    found = Axe().run(seen.page, options=None if scheme == "light" else {"runOnly": OF_COLOURS})
    assert found.violations_count == 0, found.generate_report()


def test_pages_fit_a_phone(seen: Seen) -> None:
    assert (seen.overflow, seen.overflow_of_large_text) == (0, 0)


def test_models_ticked_on_the_board_are_compared(page: Page) -> None:
    page.goto(BOARD)
    for name in ("sharp", "noise"):
        page.get_by_label(f"Compare The {name} model").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("p.verdict").first).to_contain_text("The sharp model is ahead of The noise model: yes.")
    expect(page.locator("figure.chart svg")).to_have_count(1)
    page.get_by_role("link", name="Remove The noise model").click()
    expect(page.locator("p.note")).to_contain_text("add another to compare it with")


def test_charts_of_a_model_are_as_wide_as_the_page_is(page: Page) -> None:
    page.goto(f"{BOARD}/models/good?window=anchor")
    drawing = page.locator("[data-chart=cumulative] svg")
    expect(drawing).to_be_visible()
    wide = drawing.bounding_box()
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function(
        "() => { const one = document.querySelector('[data-chart=cumulative]');"
        " return one.querySelector('svg').clientWidth === one.clientWidth; }"
    )
    narrow = drawing.bounding_box()
    assert wide is not None
    assert narrow is not None
    assert narrow["width"] < 420 < wide["width"]
