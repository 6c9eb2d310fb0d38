"""Pages of judged tracks: what they say is what the API says, and names are text whatever is in them."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.judged import JUDGE, LACKING, MARKUP, PLAIN, REFUSED, SLASH, TOPICS, publish_track
from pipeline_tests.reports.pages.page_tables import PageTables
from pipeline_tests.reports.served import served
from pipeline_tests.track_graph import NAME


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("track")
    with toy_environment(folder, dbt_dir):
        publish_track(folder)
    with served(folder / "published") as asked:
        yield asked


def page(client: TestClient, path: str = "", status: int = 200, **asked: Any) -> PageTables:
    answer = client.get(f"/boards/{NAME}{path}", params=asked, headers={"accept": "text/html"})
    assert answer.status_code == status, answer.text
    return PageTables(answer.text)


def rows(client: TestClient, what: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/reports/tracks/{what}", params={"track": NAME, "limit": 1000, **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_runs_are_those_of_the_api_in_its_order(client: TestClient) -> None:
    shown, expected = page(client).table("A <track>: official board by map"), rows(client, "runs")
    assert [cell.text.split(" lacks")[0] for cell in shown.column(1)] == [MARKUP, PLAIN, SLASH, LACKING]
    assert [row["run_id"] for row in expected] == [MARKUP, PLAIN, SLASH, LACKING]
    assert [cell.text for cell in shown.column(2)] == [f"{row['value']:.4f}" for row in expected]
    could_be = [f"{row['rank_lo']}" + f"–{row['rank_hi']}" * (row["rank_lo"] != row["rank_hi"]) for row in expected]
    ranks = zip(expected, could_be, strict=True)
    assert [cell.text for cell in shown.column(0)] == [f"{row['rank']} could be {span}" for row, span in ranks]
    assert "2–3" in could_be


def test_a_name_with_markup_is_text(client: TestClient) -> None:
    html = client.get(f"/boards/{NAME}").text
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;best&amp;" in html


def test_another_judge_stands_beside_the_official_ranks(client: TestClient) -> None:
    shown = page(client).table("A <track>: official board")
    ranks = {row["run_id"]: row["rank"] for row in rows(client, "runs", judge=JUDGE)}
    assert [cell.first for cell in shown.column(3)] == [str(ranks[run]) for run in (MARKUP, PLAIN, SLASH, LACKING)]
    assert ["down" in cell.text for cell in shown.column(3)] == [True, False, False, False]
    assert ["up" in cell.text for cell in shown.column(3)] == [False, True, False, False]


def test_the_board_of_a_judge_is_its_own(client: TestClient) -> None:
    found = page(client, judge=JUDGE)
    shown = found.table(f"A <track>: {JUDGE} board by map")
    assert shown.rows[1][1].link == f"/boards/{NAME}/runs/{PLAIN}?judge={JUDGE}"
    assert [row["run_id"] for row in rows(client, "runs", judge=JUDGE)][:2] == [PLAIN, MARKUP]
    assert [cell.first for cell in shown.column(3)][:2] == ["2", "1"]


def test_another_measure_ranks_anew_says_so_and_has_no_ranks_that_could_be(client: TestClient) -> None:
    found = page(client, measure="P_10")
    shown, expected = found.table("A <track>: official board by P_10"), rows(client, "runs", rank_by="P_10")
    assert [cell.text.split(" lacks")[0] for cell in shown.column(1)] == [row["run_id"] for row in expected]
    assert [row["run_id"] for row in expected][-1] == MARKUP
    assert [row["position"] for row in expected] == [1, 2, 3, 4]
    assert {row["rank_lo"] for row in expected} == {None}
    assert "could be" not in " ".join(cell.text for cell in shown.column(0))
    assert "This is not the track's own ranking" in found.text
    assert found.links["Back to map"] == f"/boards/{NAME}"


def test_how_well_a_judge_predicts_is_what_is_published(client: TestClient) -> None:
    found = page(client)
    shown = found.table(f"How well {JUDGE} predicts")
    published = {row["method"]: row for row in rows(client, "correlations", metrics="map")}
    assert [cell.text for cell in shown.column(0)] == ["Kendall’s tau", "Tau AP (b)"]
    kendall = published["kendall"]
    assert shown.rows[1][1].text == f"{kendall['value']:+.2f}".replace("-", "−")
    ends = [f"{kendall[end]:+.2f}".replace("-", "−") for end in ("ci_low", "ci_high")]
    assert shown.rows[1][3].text == " to ".join(ends)


def test_both_rankings_are_drawn_with_every_run(client: TestClient) -> None:
    html = client.get(f"/boards/{NAME}").text
    plot = html[html.index('<svg class="plot"') :]
    plot = plot[: plot.index("</svg>")]
    assert PageTables(plot).count("circle") == 4
    assert "officially rank 4, here rank 4" in PageTables(plot).text


def test_what_became_of_files_is_told_with_the_reason(client: TestClient) -> None:
    found = page(client)
    shown = found.table("Files that boards are made without")
    (refused,) = (row for row in rows(client, "files") if row["status"] == "refused")
    assert shown.rows[1][0].text == refused["name"] == f"inbox/{NAME}/judges/{JUDGE}/{REFUSED}"
    assert shown.rows[1][2].text == " ".join(f"refused: {refused['reason']}".split())
    assert len(found.table("Files that boards are made of").rows) == 1 + 8


def test_a_search_lists_the_runs_that_match(client: TestClient) -> None:
    shown = page(client, search="TEAM").table("A <track>: official board")
    assert [cell.text for cell in shown.column(1)] == [SLASH]
    assert shown.rows[1][0].first == "3"


def test_a_run_is_shown_topic_by_topic_beside_the_median(client: TestClient) -> None:
    shown = page(client, f"/runs/{PLAIN}").table(f"map of {PLAIN} by topic")
    values: dict[str, dict[str, float]] = {}
    for row in rows(client, "measures", judges="official", metrics="map"):
        if row["topic_id"] != "all" and row["value"] is not None:
            values.setdefault(row["topic_id"], {})[row["run_id"]] = row["value"]
    assert [cell.text for cell in shown.column(0)] == TOPICS
    for topic, value, _, median, difference, place in ([cell.text for cell in row] for row in shown.rows[1:]):
        of_topic = values[topic]
        middle = statistics.median(of_topic.values())
        assert float(value) == pytest.approx(of_topic[PLAIN], abs=5e-5)
        assert float(median) == pytest.approx(middle, abs=6e-5)
        assert float(difference.replace("−", "-")) == pytest.approx(of_topic[PLAIN] - middle, abs=6e-5)
        better = sum(other > of_topic[PLAIN] for other in of_topic.values())
        assert place == f"{better + 1} of {len(of_topic)}"


def test_a_topic_that_a_run_lacks_is_no_value(client: TestClient) -> None:
    found = page(client, f"/runs/{LACKING}")
    assert found.table(f"map of {LACKING}").rows[-1][1].text == "– lacks it"
    assert "It lacks 1 of 10 topics: 17." in found.text


def test_a_run_is_told_apart_from_others_as_the_comparisons_say(client: TestClient) -> None:
    shown = page(client, f"/runs/{PLAIN}").table(f"{PLAIN} against every other run")
    said = {row[0].text: row[-1].text for row in shown.rows[1:]}
    published = {}
    for row in rows(client, "comparisons", judges="official", metrics="map", runs=PLAIN):
        other = row["other_run_id"] if row["run_id"] == PLAIN else row["run_id"]
        published[other] = {PLAIN: "this run", None: "not told apart"}.get(row["better"], row["better"])
    assert said == published
    assert set(said.values()) == {"this run", "not told apart", MARKUP}


def test_topics_are_sorted_by_difference_when_asked(client: TestClient) -> None:
    shown = page(client, f"/runs/{PLAIN}", sort="-difference").table(f"map of {PLAIN}")
    differences = [float(cell.text.replace("−", "-")) for cell in shown.column(4)]
    assert differences == sorted(differences, reverse=True)
    assert "cannot sort by 'x'" in page(client, f"/runs/{PLAIN}", 422, sort="x").text


@pytest.mark.parametrize("run", [MARKUP, SLASH])
def test_the_page_of_a_run_with_any_name_is_reached_from_the_board(client: TestClient, run: str) -> None:
    shown = page(client).table("A <track>: official board")
    (link,) = (cell.link for cell in shown.column(1) if cell.text == run)
    answer = client.get(link or "")
    assert answer.status_code == 200
    assert PageTables(answer.text).table(f"map of {run} by topic").rows


def test_what_there_is_not_is_named_with_what_there_is(client: TestClient) -> None:
    assert "has no board 'nobody' yet; known: official, umbrela" in page(client, status=404, judge="nobody").text
    wrong = page(client, status=422, measure="speed").text
    assert "cannot be ranked by 'speed'; its measures with a better end: P_10, map" in wrong
    assert "has no run 'none'" in page(client, "/runs/none", 404).text
