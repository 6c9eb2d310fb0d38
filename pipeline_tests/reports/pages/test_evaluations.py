"""Pages of evaluation sets: the board of the whole and of each part, all parts beside each other, and the chart."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.charts import has_intervals
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.reports.pages.evaluation_columns import Metric, metrics_of
from pipeline.reports.queries.metrics import Described
from pipeline_tests.components.test_evaluation_tables import RECENT, WHOLE
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.pages.page_tables import Cell, PageTables
from pipeline_tests.reports.served import declared, publish, served

SKILL = "absolute_error_scaled_relative_skill"
PARTS = [f"S{number}" for number in range(8)]
HOSTILE = RECENT | {"name": "a <b>/ set?"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("sets")
    with toy_environment(folder, dbt_dir):
        publish(folder, declared(evaluations=[WHOLE, HOSTILE]), declared(name="other"))
    with served(folder / "published") as asked:
        yield asked


def page(
    client: TestClient, evaluation: str = "all", status: int = 200, board: str = "toy", **asked: Any
) -> PageTables:
    path = f"/boards/{board}/evaluations/{evaluation}"
    answer = client.get(path, params=asked, headers={"accept": "text/html"})
    assert answer.status_code == status, answer.text
    return PageTables(answer.text)


def rows(client: TestClient, evaluation: str = "all", **asked: Any) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Rows of the API by model, part and metric."""
    given = {"competition": "toy", "evaluation": evaluation, "limit": 10_000, **asked}
    answer = client.get("/reports/evaluations/rows", params=given)
    assert answer.status_code == 200, answer.text
    return {(row["model_name"], row["part"], row["metric"]): row for row in answer.json()["rows"]}


def name(cell: Cell) -> str:
    return cell.text.removesuffix(" baseline")


def test_the_board_has_ranks_values_and_intervals_of_the_api(client: TestClient) -> None:
    shown, expected = page(client).table("The toy contest: all"), rows(client, by="overall", metrics=SKILL)
    assert shown.rows[0][2].text == "Relative absolute error"
    assert len(shown.rows) == 1 + 5
    for row in shown.rows[1:]:
        published = expected[name(row[1]), "overall", SKILL]
        low, high = published["rank_lo"], published["rank_hi"]
        span = f"{low}" if low == high else f"{low}–{high}"
        assert row[0].text == f"{published['rank']} could be {span}"
        ends = ("ci_low", "ci_high")
        interval = " {:.2f} to {:.2f}".format(*(published[end] for end in ends)) if published["ci_low"] else ""
        assert row[2].text == f"{published['value']:.2f}{interval}"
        assert row[-1].text == f"{published['n']:,}"
    ranks = [int(cell.first) for cell in shown.column(0)]
    assert ranks == sorted(ranks)


def test_who_is_excluded_is_listed_with_the_reason(client: TestClient) -> None:
    shown = page(client).table("Models that submitted too little")
    assert [cell.text for cell in shown.rows[1]] == ["latecomer", "submitted 37.5 % of 320 tasks; 50 % needed"]


def test_virtual_models_are_listed_when_asked_for_and_change_no_rank(client: TestClient) -> None:
    without = page(client).table("The toy contest: all")
    beside = page(client, include_ensembles=True).table("The toy contest: all")
    ranks = {name(row[1]): row[0].text for row in beside.rows[1:]}
    assert len(beside.rows) == len(without.rows) + 2
    assert {name(row[1]): row[0].text for row in without.rows[1:]}.items() <= ranks.items()
    assert ranks["The best two"].startswith("(")


def test_another_metric_is_drawn_and_sorts_while_ranks_stay(client: TestClient) -> None:
    found = page(client, metric="squared_error")
    shown = found.table("The toy contest: all")
    published = rows(client, by="overall", metrics="squared_error")
    values = [published[name(cell), "overall", "squared_error"]["value"] for cell in shown.column(1)]
    assert values == sorted(values)
    assert "sorted by Squared error, ranks are by Relative absolute error" in found.text


def test_parts_stand_beside_each_other_and_the_whole(client: TestClient) -> None:
    shown, expected = page(client, by="subject").table("Relative absolute error of every model"), rows(client)
    heads = [cell.text for cell in shown.rows[0]]
    assert heads == ["Model", "All tasks", *(f"Subject S{number}" for number in range(8))]
    for row in shown.rows[1:]:
        for part, cell in zip(["overall", *PARTS], row[1:], strict=True):
            published = expected[row[0].text, part, SKILL]
            assert cell.text == f"{published['value']:.2f}"
            assert f"; {published['n']:,} tasks" in str(cell.attributes["title"])


def test_a_value_is_bold_where_its_interval_leaves_out_that_of_the_baseline(client: TestClient) -> None:
    shown, expected = page(client, by="subject").table("Relative absolute error of every model"), rows(client)
    found = set()
    for row in shown.rows[1:]:
        for part, cell in zip(["overall", *PARTS], row[1:], strict=True):
            one = expected[row[0].text, part, SKILL]
            leaves_out = one["ci_low"] is not None and not one["ci_low"] <= 1 <= one["ci_high"]
            assert ("sure" in str(cell.attributes.get("class")).split()) == leaves_out
            found.add(leaves_out)
    assert found == {True, False}


def test_a_heading_opens_the_board_of_its_part(client: TestClient) -> None:
    table = page(client, by="subject").table("Relative absolute error of every model")
    link = table.rows[0][2].link or ""
    assert link == "/boards/toy/evaluations/all?by=subject&part=S0"
    shown = PageTables(client.get(link).text).table("The toy contest: all, subject S0")
    expected = rows(client, by="subject", parts="S0", metrics=SKILL)
    for row in shown.rows[1:]:
        one = expected[name(row[1]), "S0", SKILL]
        assert (row[0].first, row[2].first) == (str(one["rank"]), f"{one['value']:.2f}")


def test_dates_are_headings_with_their_year(client: TestClient) -> None:
    shown = page(client, by="cycle").table("Relative absolute error of every model")
    assert shown.rows[0][2].text == "3 Jan 22:00 2020"


def chart_of(client: TestClient, **asked: Any) -> dict[str, Any]:
    html = client.get("/boards/toy/evaluations/all", params=asked).text
    text = html[html.index('id="over-parts">') + len('id="over-parts">') :]
    found: dict[str, Any] = json.loads(text[: text.index("</script>")])
    return found


def test_the_chart_draws_the_best_and_the_baseline_over_parts(client: TestClient) -> None:
    expected = rows(client, by="subject", metrics=SKILL)
    drawn = chart_of(client, by="subject")["data"]["values"]
    best = sorted(rows(client, by="overall", metrics=SKILL).values(), key=lambda row: row["rank"] or 99)
    labels = [row["model_name"] for row in best if row["model_id"] != "good"][:3]
    assert list(dict.fromkeys(row["label"] for row in drawn)) == [*labels, "The good model"]
    assert len(drawn) == 4 * 8
    for row in drawn:
        published = expected[row["label"], row["part"].removeprefix("Subject "), SKILL]
        assert (row["value"], row["ci_low"]) == (published["value"], published["ci_low"])
    assert has_intervals(drawn)


def test_the_chart_draws_the_models_that_are_ticked(client: TestClient) -> None:
    drawn = chart_of(client, by="cycle", models=["noise", "contrarian", "nobody"])
    assert {row["label"] for row in drawn["data"]["values"]} == {"The contrarian model", "The noise model"}
    assert any(layer["mark"]["type"] == "line" for layer in drawn["layer"])
    assert not has_intervals(drawn["data"]["values"])
    shown = page(client, by="cycle", models=["noise"])
    ticked = [given["value"] for element, given in shown.elements if element == "input" and "checked" in given]
    assert ticked == ["noise"]


def test_values_without_a_reference_are_shaded_beside_the_median_of_their_column(client: TestClient) -> None:
    shown = page(client, by="subject", metric="squared_error").table("Squared error of every model")
    expected = rows(client, metrics="squared_error", parts="S0", include_ensembles=True)
    median = statistics.median(row["value"] for row in expected.values())
    found = set()
    for row in shown.rows[1:]:
        times = median / expected[row[0].text, "S0", "squared_error"]["value"]
        level = sum(max(times, 1 / times) >= limit for limit in (1.05, 1.2, 1.5))
        shade = f"{'b' if times > 1 else 'w'}{level}" if level else ""
        assert str(row[2].attributes.get("class", "")) == shade
        found.add(shade[:1])
    assert found >= {"b", "w"}


def test_the_board_of_the_competition_links_to_its_sets(client: TestClient) -> None:
    found = PageTables(client.get("/boards/toy").text)
    assert found.links["all"] == "/boards/toy/evaluations/all"
    link = found.links[HOSTILE["name"]]
    assert PageTables(client.get(link).text).table(f"The toy contest: {HOSTILE['name']}").rows
    assert "<b>" not in client.get(link).text
    assert "Evaluation sets" not in client.get("/boards/other").text


def test_what_there_is_not_is_named_with_what_there_is(client: TestClient) -> None:
    assert "has no evaluation set 'none'; it has: 'all'" in page(client, "none", 404).text
    assert "has no evaluation set 'all'; it has: none" in page(client, "all", 404, board="other").text
    assert "is not divided by 'horizon'; known: overall, subject, cycle" in page(client, status=422, by="horizon").text
    assert "has no metric 'wis'; known: absolute_error_scaled" in page(client, status=422, metric="wis").text
    assert "has no part subject=X; it has: 'subject=S0'" in page(client, status=404, by="subject", part="X").text


def metric(name: str) -> Metric:
    spec = EvaluationSpec.model_validate({"name": "a", "metrics": [name], "baseline": "base"})
    return metrics_of(spec, {"wis": Described("wis", "asc", "tasks", "score", "WIS.")})[name]


@pytest.mark.parametrize(
    ("name", "value", "shade"),
    [
        ("wis_scaled_relative_skill", 0.66, "b3"),
        ("wis_scaled_relative_skill", 0.8, "b2"),
        ("wis_scaled_relative_skill", 0.97, ""),
        ("wis_scaled_relative_skill", 1.06, "w1"),
        ("wis_scaled_relative_skill", 1.51, "w3"),
        ("interval_coverage_95", 0.94, ""),
        ("interval_coverage_95", 0.90, "w1"),
        ("interval_coverage_50", 0.66, "b3"),
        ("interval_coverage_95", None, ""),
    ],
)
def test_a_shade_says_how_far_from_the_reference_a_value_is(name: str, value: float | None, shade: str) -> None:
    of = metric(name)
    assert of.shade(value, of.reference) == shade


def test_metrics_are_called_as_people_call_them() -> None:
    assert (metric("wis_scaled_relative_skill").label, metric("wis_relative_skill").reference_name) == (
        "Relative WIS",
        "the field",
    )
    assert metric("interval_coverage_95").label == "95 % coverage"
    assert (metric("interval_coverage_95").reference_text, metric("wis").reference) == (
        "95\N{NARROW NO-BREAK SPACE}%",
        None,
    )
