"""Pictures of a competition: who is on them, and what they say when there is nothing to show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.components import pictures
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.toy_contest import ToyContest, contract
from pipeline_tests.toy_graph import ToyGraph


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """The charts that are drawn, not yet as pictures."""
    specs: list[Mapping[str, Any]] = []

    def draw(spec: Mapping[str, Any], alt: str) -> str:
        specs.append(spec)
        return alt

    monkeypatch.setattr(pictures, "markdown_picture", draw)
    return specs


def labels(spec: Mapping[str, Any]) -> list[str]:
    parts = [spec, *spec.get("layer", [])]
    values = next(part["data"]["values"] for part in parts if "data" in part)
    return list(dict.fromkeys(row["label"] for row in values))


def test_the_board_shows_the_ranked_from_the_top_with_their_intervals(
    graph: ToyGraph, drawn: list[Mapping[str, Any]]
) -> None:
    with graph.open() as store:
        alt = pictures.top_of_board(store, contract())

    assert alt == "Top of the toy board"
    assert labels(drawn[0]) == [f"The {name} model" for name in ("sharp", "latecomer", "good", "noise", "contrarian")]
    assert "ic, window quarter, with 95 % intervals, as of 2020-10-02" in str(drawn[0]["title"])


@pytest.mark.parametrize(("rule", "leader"), [("rank_product", "sharp"), ("absolute_error", "good")])
def test_the_leaders_are_the_best_by_the_direction_of_the_primary_metric(
    graph: ToyGraph, drawn: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch, rule: str, leader: str
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
        pictures.cumulative(store, declared)

    assert labels(drawn[0]) == [f"The {leader} model"]


def test_an_empty_board_says_so(toy: ToyContest, tmp_path: Path) -> None:
    with WarehouseFiles(tmp_path / "podium.duckdb").write("a test") as store:
        assert pictures.top_of_board(store, contract()) == "No model is ranked yet."
        assert pictures.cumulative(store, contract()) == "No cycle is resolved yet."
