"""The page of a board says what it is ranked by, where that is another window than the contest's, or several."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline_tests import toy_contest
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.by_hand import create_marts, write_boards
from pipeline_tests.reports.pages.parsed import opened
from pipeline_tests.reports.served import declared, publish, served

WINDOWS = {"recent": {"cycles": 8}, "anchor": {"cycles": 32}}
WEIGHTS = {"anchor.hit_rate": 0.75, "recent.ic": 0.25}
PART = {"category": "subject=S0"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[TestClient]:
    """``toy``, whose parts are ranked over another window than the whole, and ``other``, ranked by weights."""
    folder = tmp_path_factory.mktemp("boards")
    parts = declared(categories=[{"by": "subject", "rank_by": "recent.hit_rate"}])
    weighted = toy_contest.contract(
        "other", metrics=["ic", "hit_rate"], windows=WINDOWS, leaderboard={"rank_by": WEIGHTS}
    )
    with toy_environment(folder, dbt_dir):
        publish(folder, parts, weighted)
    with served(folder / "published") as asked:
        yield asked


def test_a_part_is_shown_over_the_window_that_ranks_it(client: TestClient) -> None:
    page = opened(client, "/boards/toy", **PART)
    assert page.values("//select[@name='window']/option[@selected]/@value") == ["recent"]
    assert page.values("//select[@name='window']/@data-unless") == ["recent"]
    assert "over the window recent" in page.text("//p[@class='lede']")
    intervals = page.values("//table[contains(@class, 'board')]//tr[not(@class)]/td//*[name()='svg']/@aria-label")
    assert any("95 % interval" in one for one in intervals)
    chosen = opened(client, "/boards/toy", window="anchor", **PART)
    assert "over the window anchor" in chosen.text("//p[@class='lede']")


def test_a_weighted_board_shows_every_part_of_the_sum_and_no_interval(client: TestClient) -> None:
    page = opened(client, "/boards/other")
    headings = page.texts("//table[contains(@class, 'board')]/thead//th")
    assert {"Combined score", "Anchor IC", "Recent IC", "Hit rate"} <= set(headings)
    assert "95 % interval" not in headings


def test_beyond_the_last_model_it_says_how_many_there_are(client: TestClient) -> None:
    page = opened(client, "/boards/toy", offset=1000)
    assert "No model is listed this far down." in page.text()
    assert page.text("//nav[@class='pages']") == "Previous There are only 6 models"
    assert page.values("//a[@rel='prev']/@href") == ["/boards/toy"]


def test_a_wrong_number_is_told_once(client: TestClient) -> None:
    told = opened(client, "/boards/toy", status=422, limit=0).text("//p[@class='note']")
    assert told == "limit '0': Input should be greater than or equal to 1"


def test_a_competition_has_no_runs_and_says_so(client: TestClient) -> None:
    told = opened(client, "/boards/toy/runs/good", status=404).text("//p[@class='note']")
    assert told == "board 'toy' is no judged track but of kind competition: it has models, and no runs"


@pytest.mark.parametrize("path", ["/boards/toy/models/team%2Fbest", "/reports/models/team%2Fbest/stats"])
def test_the_id_of_a_model_may_hold_a_slash(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"competition": "toy"})
    assert (answer.status_code, "has no model 'team/best'" in answer.json()["detail"]) == (404, True)


def test_before_the_first_outcome_it_says_who_takes_part(tmp_path: Path) -> None:
    files = write_boards(tmp_path)
    create_marts(files)
    with files.write("a contest that has begun") as store:
        store.connection.execute("UPDATE competition.models SET competition = 'sp500' WHERE model_id = 'gamma'")
    files.publish()
    with served(tmp_path / "published") as asked:
        assert "/boards/sp500" in opened(asked, "/").values("//main//a/@href")
        page = opened(asked, "/boards/sp500")
    assert page.text("//h1") == "The sp500 contest"
    assert page.text("//p[@class='note']").startswith("No outcome is known yet.")
    assert page.texts("//main//li") == ["Gamma tests"]
