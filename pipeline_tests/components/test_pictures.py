"""Pictures of a competition: who is on them, and what they say when there is nothing to show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.components import competition, pictures
from pipeline.tables import LEADERBOARD, SNAPSHOTS
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.toy_contest import ToyContest, contract
from pipeline_tests.toy_graph import ToyGraph, metadata


def labels(spec: Mapping[str, Any]) -> list[str]:
    parts = [spec, *spec.get("layer", [])]
    values = next(part["data"]["values"] for part in parts if "data" in part)
    return list(dict.fromkeys(row["label"] for row in values))


def test_the_board_shows_the_ranked_from_the_top_with_their_intervals(graph: ToyGraph) -> None:
    with graph.open() as store:
        chart = pictures.top_of_board(store, contract())

    assert chart.words == "Top of the toy board"
    assert chart.spec is not None
    assert labels(chart.spec) == [f"The {name} model" for name in ("sharp", "latecomer", "good", "noise", "contrarian")]
    assert "ic, window quarter, with 95 % intervals, as of 2020-10-02" in str(chart.spec["title"])


@pytest.mark.parametrize(("rule", "leader"), [("rank_product", "sharp"), ("absolute_error", "good")])
def test_the_leaders_are_the_best_by_the_direction_of_the_primary_metric(
    graph: ToyGraph, monkeypatch: pytest.MonkeyPatch, rule: str, leader: str
) -> None:
    monkeypatch.setattr(pictures, "_LEADERS", 1)
    graph.execute("UPDATE competition.cycle_metrics SET metric = 'score' WHERE metric = 'ic'")
    graph.execute("UPDATE competition.cycle_metrics SET value = 0.001 WHERE metric = 'score' AND model_id = 'good'")
    declared = contract(
        scoring={"rule": rule, "primary": "score"},
        metrics=["score"],
        leaderboard={"rank_by": "all.score"},
    )
    positive = "UPDATE competition.cycle_metrics SET value = abs(value) WHERE metric = 'score'"
    graph.execute(positive)

    with graph.open() as store:
        chart = pictures.cumulative(store, declared)

    assert chart.spec is not None
    assert labels(chart.spec) == [f"The {leader} model"]


def test_an_empty_board_says_so(toy: ToyContest, tmp_path: Path) -> None:
    with WarehouseFiles(tmp_path / "podium.duckdb").write("a test") as store:
        assert pictures.top_of_board(store, contract()) == pictures.Chart("No model is ranked yet.")
        assert pictures.cumulative(store, contract()) == pictures.Chart("No cycle is resolved yet.")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pictures that are drawn, by their words."""
    found: list[str] = []

    def draw(spec: Mapping[str, Any], alt: str) -> str:
        found.append(alt)
        return f"{alt}, drawing {len(found)}"

    monkeypatch.setattr(pictures, "markdown_picture", draw)
    return found


def test_pictures_are_drawn_when_what_is_on_them_changed_and_shown_every_time(
    toy: ToyContest, graph: ToyGraph, monkeypatch: pytest.MonkeyPatch, drawn: list[str]
) -> None:
    charts = {SNAPSHOTS: pictures.cumulative, LEADERBOARD: pictures.top_of_board}
    monkeypatch.setattr(competition, "_PICTURES", charts)

    def shown() -> dict[str, str]:
        said = metadata(graph.run("models", "snapshots", "leaderboard"))
        return {key: values["picture"] for key, values in said.items() if "picture" in values}

    first, again = shown(), shown()
    assert len(drawn) == 2
    assert first == again
    assert set(first) == {"toy/snapshots", "toy/leaderboard"}

    graph.execute("UPDATE competition.models SET title = 'Sharp' WHERE model_id = 'sharp'")
    assert set(shown().values()).isdisjoint(first.values())
    assert len(drawn) == 4


def test_a_chart_without_content_shows_its_words() -> None:
    said = pictures.picture_metadata(pictures.Chart("Nothing yet."), {})

    assert said["picture"].value == "Nothing yet."
