"""What a person does with the pages of prompt experiments, done by a browser."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from pipeline_tests.reports.browser.following import followed
from pipeline_tests.toy_experiment import NAME, toy_experiment

TOY = toy_experiment()
BOARD = f"/experiments/{NAME}"
SMALL, LARGE = (one.id for one in TOY.declared.configurations if one.prompt == "terse")


def names(page: Page) -> list[str]:
    """What is listed, from above."""
    return page.locator("table.board tbody th.model a").all_inner_texts()


def column(page: Page, heading: str) -> list[str]:
    """The texts of a column."""
    headings = [text.strip(" ↑↓") for text in page.locator("table.board thead th").all_inner_texts()]
    place = headings.index(heading)
    return [row.locator("td, th").nth(place).inner_text() for row in page.locator("table.board tbody tr").all()]


def begin(page: Page, key: str) -> None:
    """Open the page of rating, and give a key."""
    page.goto(f"{BOARD}/rate")
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text("0 rated by you")


def press(page: Page, key: str, progress: str | re.Pattern[str]) -> str:
    """Press a key, wait for what it makes of the progress, and say which run is shown then."""
    page.keyboard.press(key)
    expect(page.locator("#progress")).to_contain_text(progress)
    return shown(page)


def shown(page: Page) -> str:
    return page.locator("#to-rate").get_attribute("data-run") or ""


def test_from_the_first_page_down_to_a_run(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Experiments").click()
    with followed(page):
        page.get_by_role("link", name="Capitals of <countries>").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Capitals of <countries>")
    assert names(page)[0] == "terse@1 · large"
    page.get_by_role("link", name="terse@1 · large", exact=True).first.click()
    expect(page.locator("p.counted")).to_have_text("20 runs of 81 match")
    page.locator("table.board tbody tr", has_text="peru").first.locator("th a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("peru")
    expect(page.get_by_role("region", name="Prompt", exact=True)).to_have_text("Capital of Peru?")
    expect(page.get_by_role("region", name="Output")).to_have_text("Lima")
    page.get_by_text("Its template").click()
    expect(page.get_by_role("region", name="Template of the prompt")).to_have_text("Capital of {{ country }}?")
    page.get_by_role("link", name=re.compile("^Number")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("peru")


def test_sorting_by_a_scorer_keeps_the_ranks(page: Page) -> None:
    page.goto(BOARD)
    ranks = dict(zip(names(page), column(page, "Rank"), strict=True))
    with followed(page):
        page.get_by_role("link", name="exact ×2").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("exact ×2 ↓")
    values = [float(text) for text in column(page, "exact ×2") if text != "–"]
    assert values == sorted(values, reverse=True)
    assert dict(zip(names(page), column(page, "Rank"), strict=True)) == ranks
    with followed(page):
        page.get_by_role("link", name="By rank").click()
    assert names(page) == list(ranks)


def test_the_download_is_the_board_that_is_shown(page: Page, tmp_path: Path) -> None:
    page.goto(f"{BOARD}?by=model&sort=cost")
    with page.expect_download() as waited:
        page.get_by_role("link", name="CSV").click()
    assert waited.value.suggested_filename == "capitals_by_model.csv"
    waited.value.save_as(tmp_path / "board.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "board.csv").read_text(encoding="utf-8"))))
    assert [row["title"] for row in rows] == names(page)


def test_another_board_is_chosen_and_its_chart_is_drawn(page: Page) -> None:
    page.goto(BOARD)
    expect(page.locator("figure.chart svg")).to_have_count(1)
    page.get_by_label("Board by").select_option("model")
    page.wait_for_url("**by=model**")
    assert set(names(page)) == {"small", "large"}
    page.get_by_label("Board by").select_option("run")
    page.wait_for_url("**by=run**")
    assert len(names(page)) == 68 + 1


def test_two_configurations_are_compared_input_by_input(page: Page) -> None:
    page.goto(BOARD)
    with followed(page):
        page.locator("table.board tbody tr", has_text="terse@1 · large").get_by_title("Input by input").click()
    assert page.url.endswith(f"/compare?a={LARGE}&b={SMALL}")
    expect(page.locator("p.verdict")).to_contain_text("A is better than B on 10 common inputs.")
    expect(page.locator("article.pair")).to_have_count(10)
    page.get_by_label("Inputs").select_option("worse")
    page.wait_for_url("**only=worse**")
    (worse,) = page.locator("article.pair").all()
    expect(worse).to_contain_text("oman")
    expect(worse.locator("mark.a")).to_have_text("Atlantis")
    expect(worse.locator("mark.b")).to_have_text("Muscat")
    with followed(page):
        page.get_by_role("link", name="Swap").click()
    expect(page.locator("article.pair")).to_have_count(1)
    expect(page.locator("article.pair .tag")).to_have_text("A better")


def test_runs_are_filtered_and_leafed_through_without_scripts(plain: Page) -> None:
    plain.goto(f"{BOARD}/runs")
    plain.get_by_role("link", name="Next").click()
    expect(plain.locator(".pages")).to_contain_text("51 to 81 of 81 runs")
    plain.get_by_label("Status").select_option("failed")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator("p.counted")).to_have_text("2 runs of 81 match")
    plain.goto(f"{BOARD}/rate?run={TOY.given[0].run_id}")
    expect(plain.locator("p.note:visible")).to_contain_text("Rating needs JavaScript")
    expect(plain.get_by_role("region", name="Answer")).to_be_visible()
    expect(plain.locator("#rating")).to_be_hidden()


def test_three_runs_are_rated_with_keys_and_the_scores_are_on_their_pages(page: Page, key: str) -> None:
    begin(page, key)
    rated = {}
    for number, rating in enumerate("253", start=1):
        run = shown(page)
        rated[run] = rating
        if number == 2:
            page.keyboard.press("c")
            page.keyboard.type("5 words: n, u, not keys here")
            page.keyboard.press("Escape")
        press(page, rating, f"{number} rated by you")
    assert len(rated) == 3
    assert shown(page) not in rated
    for run, rating in rated.items():
        page.goto(f"{BOARD}/runs/{run}")
        newest = page.locator("#scores ~ div table tbody tr", has_text="helpful").last
        expect(newest).to_contain_text(f"rating {rating}")
        expect(newest.locator("td.value")).to_have_text(f"{(int(rating) - 1) / 4:.2f}")
    page.goto(f"{BOARD}/runs/{list(rated)[1]}")
    expect(page.locator("#scores ~ div")).to_contain_text("5 words: n, u, not keys here")


def test_a_run_is_skipped_and_one_is_rated_again(page: Page, key: str) -> None:
    begin(page, key)
    first = shown(page)
    page.keyboard.press("n")
    page.wait_for_function("first => document.getElementById('to-rate').dataset.run !== first", arg=first)
    second = shown(page)
    expect(page.locator("#back")).to_be_disabled()
    third = press(page, "1", "1 rated by you")
    assert len({first, second, third}) == 3
    assert press(page, "u", "Rated before") == second
    expect(page.locator("[aria-pressed=true]")).to_have_text("1")
    press(page, "4", "1 rated by you")
    page.goto(f"{BOARD}/runs/{second}")
    expect(page.locator("#scores ~ div")).to_contain_text("the newest of 2")
    expect(page.locator("#scores ~ div")).to_contain_text("replaced by a newer one")


def test_a_rating_is_in_the_next_board(page: Page, site: str, key: str) -> None:
    begin(page, key)
    run = shown(page)
    before = httpx.get(f"{site}/runs/{run}", headers={"Authorization": f"Bearer {key}"}).json()
    press(page, "5", "1 rated by you")
    after = httpx.get(f"{site}/runs/{run}", headers={"Authorization": f"Bearer {key}"}).json()
    assert [one["rating"] for one in after["scores"] if one["is_own"]] == [5]
    assert len(after["scores"]) == len(before["scores"]) + 1


def test_whose_a_run_is_stays_hidden_unless_it_is_asked_for(page: Page, key: str) -> None:
    begin(page, key)
    assert not re.search(r"small|large|@", page.locator("main").inner_text())
    page.get_by_label("Configuration").select_option("false")
    page.wait_for_url("**blind=false**")
    expect(page.locator("#to-rate .lede")).to_contain_text("@")


def test_a_key_is_kept_in_the_tab_until_it_is_forgotten(page: Page, key: str) -> None:
    begin(page, key)
    run = shown(page)
    page.reload()
    expect(page.locator("#progress")).to_contain_text("0 rated by you")
    assert shown(page) == run
    page.get_by_role("button", name="Forget my key").click()
    expect(page.get_by_label("Your key")).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.locator("#rating")).to_be_hidden()


def meeting(page: Page, trouble: Callable[[Route], None]) -> None:
    """Let the first score meet a trouble on its way; said before a page is opened, as one that is open may miss it."""
    troubles = [trouble]
    page.route("**/runs/*/score", lambda route: troubles.pop()(route) if troubles else route.continue_())


@pytest.mark.parametrize(
    ("status", "detail", "said"),
    [
        (422, "rating 9 is not on the scale", "This rating was not taken: rating 9 is not on the scale"),
        (422, [{"msg": "one"}, {"msg": "two"}], "This rating was not taken: one; two"),
        (429, "this key asks too often; wait 3 s", "Too fast: this key asks too often; wait 3 s"),
        (401, "the key is not known", "Your key was not taken: the key is not known"),
    ],
)
def test_what_the_server_refuses_is_said_and_the_run_stays(
    loud: Page, key: str, status: int, detail: object, said: str
) -> None:
    meeting(loud, lambda route: route.fulfill(status=status, json={"detail": detail}))
    begin(loud, key)
    run = shown(loud)
    loud.keyboard.press("3")
    expect(loud.get_by_role("alert")).to_have_text(said)
    assert shown(loud) == run
    assert loud.get_by_label("Your key").is_visible() == (status == 401)
    if status != 401:
        press(loud, "3", "1 rated by you")
        expect(loud.get_by_role("alert")).to_have_count(0)


def test_a_wrong_key_is_refused_by_the_server_itself(loud: Page) -> None:
    loud.goto(f"{BOARD}/rate")
    loud.get_by_label("Your key").fill("podium_nobody")
    loud.get_by_role("button", name="Begin").click()
    expect(loud.get_by_role("alert")).to_contain_text("Your key was not taken: the key is not known")
    assert loud.evaluate("sessionStorage.length") == 0


def test_a_server_that_is_away_is_said_and_nothing_is_lost(loud: Page, key: str) -> None:
    meeting(loud, lambda route: route.abort())
    begin(loud, key)
    run = shown(loud)
    loud.keyboard.press("2")
    expect(loud.get_by_role("alert")).to_contain_text("The server cannot be reached; nothing was stored")
    assert shown(loud) == run
    press(loud, "2", "1 rated by you")
    expect(loud.get_by_role("alert")).to_have_count(0)


def test_on_a_phone_in_the_dark_everything_is_within_reach(page: Page, key: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    begin(page, key)
    run = shown(page)
    page.get_by_role("button", name="4", exact=True).click()
    expect(page.locator("#progress")).to_contain_text("1 rated by you")
    assert shown(page) != run
    for path in (BOARD, f"{BOARD}/runs", f"{BOARD}/runs/{run}", f"{BOARD}/compare?a={LARGE}&b={SMALL}"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
