"""The page that people rate on: keys of ratings, what is hidden, and what it says where nobody is asked."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.experiments.scorers import Human
from pipeline.reports.pages.experiment_rate import choices_of
from pipeline_tests.reports.experiments.asked import CONFIG, Bench, asked, said
from pipeline_tests.toy_experiment import NAME, toy_experiment

PAGE = f"/experiments/{NAME}/rate"
TOY = toy_experiment()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("rate")
    TOY.publish(folder)
    return Bench(folder)


def text(client: TestClient, path: str = PAGE, code: int = 200, **given: Any) -> str:
    answer = client.get(path, params=given, headers={"accept": "text/html"})
    assert answer.status_code == code, answer.text
    return answer.text


@pytest.mark.parametrize(
    ("scale", "step", "expected"),
    [
        ((1, 5), 1, {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}),
        ((0, 1), 1, {"0": 0, "1": 1}),
        ((0, 1), 0.25, {"1": 0, "2": 0.25, "3": 0.5, "4": 0.75, "5": 1}),
        ((-1, 1), 1, {"1": -1, "2": 0, "3": 1}),
        ((0, 10), 1, {**{str(n + 1): n for n in range(9)}, "a": 9, "b": 10}),
        ((0, 1), None, {}),
        ((0, 100), 1, {}),
    ],
)
def test_every_rating_of_a_scale_has_a_key_of_its_own(
    scale: tuple[float, float], step: float | None, expected: dict[str, float]
) -> None:
    choices = choices_of(Human(scale=scale, step=step))
    assert {one.key: one.rating for one in choices} == expected
    assert not {"c", "n", "u"} & {one.key for one in choices}


def test_ratings_are_taken_by_the_scorer(bench: Bench) -> None:
    human = Human(scale=(0, 1), step=0.1)
    for one in choices_of(human):
        assert human.rating(one.rating).value == pytest.approx(float(one.label))


def test_a_run_is_shown_without_whose_it_is(bench: Bench) -> None:
    run = TOY.given[0].run_id
    with bench.served() as client:
        blind, open_ = text(client, run=run), text(client, run=run, blind="false")
    assert "Capital of France?" in blind
    assert re.search("@1|· (small|large)", blind.partition("<main")[2]) is None
    assert "terse@1 · small" in open_
    assert re.findall('data-rating="([0-9.]+)" data-key="([0-9])"', blind) == [(f"{n}.0", str(n)) for n in range(1, 6)]


def test_a_run_that_was_asked_for_a_moment_ago_is_on_the_pages(bench: Bench) -> None:
    with bench.served() as client:
        key = bench.key("Zoe")
        made = said(client.post("/runs", json=asked(model="newest"), headers=key), 201)
        assert "newest" in text(client, f"/experiments/{NAME}/runs")
        assert CONFIG["input_data"]["country"] in text(client, f"/experiments/{NAME}/runs/{made['id']}")
        assert "It has not completed: pending" in text(client, run=made["id"])


def test_what_cannot_be_rated_is_said(bench: Bench) -> None:
    with bench.served() as client:
        assert "people do not rate by" in text(client, code=422, scorer="exact")
        assert "there is no run" in text(client, code=404, run="nope")
        assert "no experiment" in text(client, "/experiments/nothing/rate", 404)


def test_without_a_scorer_of_people_the_page_says_how_to_declare_one(tmp_path: Path) -> None:
    toy_experiment(scorers={"exact": {}}).publish(tmp_path)
    with Bench(tmp_path).served() as client:
        shown = text(client)
    assert "Nobody is asked to rate in this experiment" in shown
    assert "rate.js" not in shown
