"""Sets of parameters: grids, draws, and that nothing moves when something is added."""

from typing import Any

import pytest
from pydantic import ValidationError
from scipy import stats

from pipeline.experiments.parameters import Distribution, Parameters


def sets(**declared: Any) -> list[dict[str, Any]]:
    return Parameters.model_validate(declared).sets()


def test_nothing_declared_is_one_empty_set() -> None:
    assert sets() == [{}]


def test_a_grid_has_every_combination_in_the_order_declared() -> None:
    assert sets(grid={"t": [0, 1], "k": ["x", None]}) == [
        {"t": 0, "k": "x"},
        {"t": 0, "k": None},
        {"t": 1, "k": "x"},
        {"t": 1, "k": None},
    ]


def test_draws_are_as_many_as_the_budget_each_other_than_the_others() -> None:
    drawn = sets(random={"t": {"uniform": [0, 1]}, "n": {"integer": [1, 3]}}, budget=50)
    assert len({str(one) for one in drawn}) == len(drawn) == 50
    assert {one["n"] for one in drawn} == {1, 2, 3}


def test_there_are_no_more_draws_than_there_are_sets() -> None:
    drawn = sets(random={"a": {"choice": [1, 2]}, "b": {"choice": ["x", "y", "z"]}}, budget=100)
    assert len(drawn) == 6


def test_a_grid_and_draws_are_combined() -> None:
    drawn = sets(grid={"k": [1, 2]}, random={"t": {"uniform": [0, 1]}}, budget=3)
    assert [one["k"] for one in drawn] == [1, 1, 1, 2, 2, 2]
    assert [one["t"] for one in drawn[:3]] == [one["t"] for one in drawn[3:]]


def test_a_larger_budget_or_another_parameter_changes_no_draw() -> None:
    t = {"t": {"uniform": [0, 1]}}
    few = sets(random=t, budget=5)
    assert sets(random=t, budget=9)[:5] == few
    assert [one["t"] for one in sets(random=t | {"a": {"integer": [0, 9]}}, budget=5)] == [one["t"] for one in few]
    assert sets(random=t, budget=5, seed=1) != few


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"uniform": [2, 6]}, stats.uniform(2, 4)),
        ({"log_uniform": [0.001, 10]}, stats.loguniform(0.001, 10)),
    ],
)
def test_draws_have_the_distribution_that_is_declared(declared: dict[str, Any], expected: Any) -> None:
    drawn = [one["t"] for one in sets(random={"t": declared}, budget=2000)]
    assert stats.kstest(drawn, expected.cdf).pvalue > 0.01


def test_choices_and_whole_numbers_are_as_likely_as_each_other() -> None:
    shares = [i / 1200 for i in range(1200)]
    for one in (Distribution(choice=("a", "b", "c")), Distribution(integer=(1, 3))):
        drawn = [one.at(share) for share in shares]
        assert {drawn.count(value) for value in set(drawn)} == {400}
        assert len(set(drawn)) == 3


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"grid": {"t": []}}, r"names none; give one at least"),
        ({"grid": {"t": [1, 1.0]}}, "t lists 1 more than once; keep one"),
        ({"grid": {"t": [{1: 2}]}}, "keys that are no text"),
        ({"random": {"t": {"uniform": [0, 1]}}}, "random and budget belong together"),
        ({"budget": 3}, "random and budget belong together"),
        ({"grid": {"t": [1]}, "random": {"t": {"choice": [1]}}, "budget": 1}, "t is in the grid and drawn at random"),
        ({"random": {"t": {}}, "budget": 1}, r"0 distributions are given \(none\); give one of choice, uniform"),
        ({"random": {"t": {"choice": [1], "uniform": [0, 1]}}, "budget": 1}, "2 distributions are given"),
        ({"random": {"t": {"uniform": [1, 0]}}, "budget": 1}, r"uniform \[1.0, 0.0\] does not rise"),
        ({"random": {"t": {"log_uniform": [0, 1]}}, "budget": 1}, "starts at 0 or below"),
        ({"random": {"t": {"normal": [0, 1]}}, "budget": 1}, "unknown field 'normal'; known: choice, uniform"),
    ],
)
def test_mistakes_are_told(declared: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Parameters.model_validate(declared)
