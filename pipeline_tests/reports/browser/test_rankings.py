"""What a person does with a ranking of language models, done by a browser."""

import csv
import io
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline_tests.reports.browser.following import followed
from pipeline_tests.reports.made_up_ranking import BEST, BREAK, FEW, HOSTILE, QUALITY, TITLE

BOARD = "/rankings"
N = 12
"""Models of the ranking."""


def names(page: Page) -> list[str]:
    """The models that are listed, from above."""
    return page.locator("table.ranking tbody th.model a").all_inner_texts()


def column(page: Page, heading: str) -> list[str]:
    """The texts of a column."""
    headings = [text.strip(" ↑↓") for text in page.locator("table.ranking thead tr:last-child th").all_inner_texts()]
    place = headings.index(heading)
    return [row.locator("td, th").nth(place).inner_text() for row in page.locator("table.ranking tbody tr").all()]


def test_the_ranking_is_reached_from_every_page_and_from_the_list_of_boards(page: Page) -> None:
    page.goto("/")
    with followed(page):
        page.get_by_role("link", name="Rankings", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert len(names(page)) == N
    page.goto("/")
    page.get_by_role("link", name=TITLE).click()
    expect(page.locator("table.ranking")).to_be_visible()
    page.goto("/boards/made_up")
    assert page.url.endswith("/rankings?ranking=made_up")


def test_sorting_by_the_time_to_the_first_token_keeps_the_ranks(page: Page) -> None:
    page.goto(BOARD)
    ranks = dict(zip(names(page), column(page, "Rank"), strict=True))
    heading = page.get_by_role("link", name="First token, s")
    for is_down in (False, True):
        with followed(page):
            heading.click()
        expect(page.locator("th[aria-sort]")).to_contain_text("↓" if is_down else "↑")
        shown = column(page, "First token, s")
        known = [float(text) for text in shown if text != "–"]
        assert known == sorted(known, reverse=is_down)
        assert shown[len(known) :] == ["–"] * (N - len(known))
        assert dict(zip(names(page), column(page, "Rank"), strict=True)) == ranks
    with followed(page):
        page.get_by_role("link", name="By rank").click()
    assert names(page) == list(ranks)


def test_a_tier_lists_the_models_that_are_as_quick_and_the_address_keeps_it(page: Page) -> None:
    page.goto(BOARD)
    page.get_by_label("First token").select_option("fast")
    page.wait_for_url("**/rankings?tier=fast")
    listed = names(page)
    assert 0 < len(listed) < N
    assert all(float(text) < 1 for text in column(page, "First token, s"))
    expect(page.locator("p.counted")).to_contain_text(f"{len(listed)} of {N} models match")
    page.reload()
    assert names(page) == listed
    with followed(page):
        page.get_by_role("link", name="Clear filters").click()
    assert len(names(page)) == N


def test_makers_are_ticked_together(page: Page) -> None:
    page.goto(BOARD)
    page.get_by_text("More filters").click()
    page.get_by_label("Acme").check()
    page.wait_for_url("**providers=Acme**")
    page.get_by_label("Slowly").check()
    page.wait_for_url("**providers=Slowly**")
    assert set(names(page)) == {HOSTILE, "Cheap", "Few", "Deep", "Deep Two"}


def test_every_source_says_how_old_its_figures_are_in_words_and_exactly(page: Page) -> None:
    page.goto(BOARD)
    ages = {text.split("\n")[0]: text for text in page.locator("ul.ages li").all_inner_texts()}
    said = " | ".join(ages.values())
    for words in ("400 days ago, frozen", "2 days ago, ageing, kept", "40 days ago, old, bundled", "no figures"):
        assert words in said
    moment = page.locator("ul.ages li", has_text="EvalPlus").locator("time")
    assert re.fullmatch(r"as of \d{4}-\d\d-\d\d \d\d:\d\d UTC", moment.get_attribute("title") or "")
    page.locator("ul.ages").get_by_role("link", name="OpenRouter").click()
    expect(page.locator("tr:target")).to_contain_text("fetching failed: 503")


def test_the_export_is_the_list_that_is_shown(page: Page, tmp_path: Path) -> None:
    page.goto(f"{BOARD}?tier=fast&sort=-price_input")
    with page.expect_download() as waited:
        page.locator(".above").get_by_role("link", name="CSV").click()
    waited.value.save_as(tmp_path / "models.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "models.csv").read_text(encoding="utf-8"))))
    assert [row["title"] for row in rows] == names(page)
    assert QUALITY in rows[0]


def test_a_model_shows_every_figure_and_why_some_are_not_used(page: Page) -> None:
    page.goto(BOARD)
    with followed(page):
        page.get_by_role("link", name=HOSTILE).first.click()
    expect(page).to_have_url(re.compile(f"/rankings/models/{BEST}$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    not_used = page.locator("table.figures tr.unranked").all_inner_texts()
    assert any("another configuration: effort=high" in text for text in not_used)
    assert any("another source: openrouter" in text for text in not_used)
    assert page.locator("a[href^='javascript:']").count() == 0
    expect(page.locator("#checks ~ div table")).to_contain_text("+25 %")
    expect(page.locator("figure.chart svg")).to_have_count(1)
    expect(page.locator("main")).to_contain_text(BREAK)


def test_what_quality_costs_is_drawn_and_listed(page: Page) -> None:
    page.goto(BOARD)
    expect(page.locator("figure.chart svg")).to_have_count(1)
    listed = page.get_by_role("table", name="Models that none beats").locator("tbody tr")
    assert listed.first.inner_text().startswith("Free")
    assert listed.last.locator("th").inner_text() == HOSTILE


def test_weights_are_typed_and_kept_in_the_address_beside_the_filters(page: Page) -> None:
    page.goto(f"{BOARD}?tier=fast")
    for name, weight in (("Coding", "0"), ("Performance", "0"), ("Value", "1")):
        page.get_by_label(name, exact=True).fill(weight)
    page.locator("form", has=page.get_by_label("Value", exact=True)).get_by_role("button").click()
    page.wait_for_url("**tier=fast**#weights")
    assert "value=1" in page.url
    listed = page.get_by_role("table", name="Models by your own weights").locator("tbody tr")
    points = [float(text) for text in listed.locator("td.value").all_inner_texts()]
    assert points == sorted(points, reverse=True)
    expect(listed.first).to_contain_text("Cheap")


def test_a_number_that_is_typed_shows_the_button(page: Page) -> None:
    page.goto(BOARD)
    button = page.locator("form.controls > button").first
    expect(button).to_be_hidden()
    page.get_by_label("USD/M in, at most").fill("1")
    button.click()
    page.wait_for_url("**max_price=1**")
    assert all(text in ("free", "0") or float(text) <= 1 for text in column(page, "In"))


def test_it_works_without_scripts(plain: Page) -> None:
    plain.goto(BOARD)
    plain.get_by_label("First token").select_option("slow")
    with followed(plain):
        plain.get_by_role("button", name="Show").click()
    assert names(plain) == ["Deep", "Deep Two"]
    with followed(plain):
        plain.get_by_role("link", name="Coding", exact=True).click()
    assert "tier=slow" in plain.url
    assert "sort=-coding" in plain.url
    plain.goto(BOARD)
    expect(plain.get_by_role("table", name="Models that none beats")).to_be_visible()


def test_on_a_phone_the_column_that_is_sorted_by_stays(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(BOARD)
    expect(page.get_by_role("link", name="First token, s")).to_be_hidden()
    page.goto(f"{BOARD}?sort=ttft")
    expect(page.get_by_role("link", name="First token, s")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_what_a_score_lacks_stands_below_it_on_lines_that_are_full(
    browser: Browser, site: str, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(base_url=site, viewport={"width": 400, "height": 900}, color_scheme=scheme)
    page.goto(f"{BOARD}/models/{FEW}")
    rows = page.get_by_role("region", name="Table of scores").locator("tbody tr")
    expect(rows.filter(has_text="Coding lacks")).to_contain_text("BigCodeBench Hard; LiveBench, coding; MBPP+")
    heights = [box["height"] for row in rows.all() if (box := row.bounding_box()) is not None]
    assert len(heights) > 5
    assert max(heights) < 90
    page.close()
