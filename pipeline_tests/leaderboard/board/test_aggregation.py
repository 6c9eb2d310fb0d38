"""How the values of a run's topics become one, on numbers worked by hand."""

import math
from statistics import geometric_mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.leaderboard import Aggregate
from pipeline.leaderboard.board.aggregation import aggregate_function, aggregate_numbers

NONE = np.zeros(2, dtype=np.int64)


@pytest.mark.parametrize(
    ("how", "expected"),
    [("mean", [2.0, 5.0]), ("sum", [4.0, 5.0]), ("gmean", [math.sqrt(3), 5.0]), ("first", [1.0, 5.0])],
)
def test_each_run_is_summed_up_by_what_it_has(how: str, expected: list[float]) -> None:
    values, run = np.array([1.0, np.nan, 3.0, 5.0]), np.array([0, 0, 0, 1])
    found = aggregate_numbers(Aggregate(how), values, run, 2, n_filled=NONE, fill=0.0)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(("how", "expected"), [("mean", 1.0), ("sum", 4.0), ("gmean", (3 * 1e-10) ** 0.25)])
def test_missing_topics_count_with_what_is_filled_in(how: str, expected: float) -> None:
    found = aggregate_numbers(
        Aggregate(how), np.array([1.0, 3.0]), np.array([0, 0]), 1, n_filled=np.array([2]), fill=0.0
    )
    np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize("how", ["mean", "sum", "gmean", "first", "none"])
def test_nothing_is_filled_in_for_a_run_without_any_value(how: str) -> None:
    found = aggregate_numbers(Aggregate(how), np.array([np.nan]), np.array([0]), 1, n_filled=np.array([5]), fill=0.0)
    assert np.isnan(found).all()


@pytest.mark.parametrize("how", ["mean", "sum", "gmean"])
def test_without_anything_to_fill_in_a_run_that_lacks_topics_has_no_aggregate(how: str) -> None:
    values, run = np.array([1.0, 1.0]), np.array([0, 1])
    found = aggregate_numbers(Aggregate(how), values, run, 2, n_filled=np.array([1, 0]), fill=None)
    np.testing.assert_array_equal(found, [np.nan, 1.0])


def test_a_geometric_mean_takes_0_for_a_hundred_thousandth_as_trec_eval_does() -> None:
    assert aggregate_function(Aggregate.GMEAN)([0.0, 0.1]) == pytest.approx(1e-3)


def test_of_no_values_there_is_no_aggregate() -> None:
    assert [aggregate_function(how)([]) for how in Aggregate] == [None] * len(Aggregate)
    assert aggregate_function(Aggregate.NONE)([1.0, 2.0]) is None
    assert aggregate_function(Aggregate.MEAN)([None, 2.0]) == 2.0


@given(st.lists(st.floats(1e-4, 10), min_size=1, max_size=20))
def test_means_are_those_of_the_standard_library(values: list[float]) -> None:
    assert aggregate_function(Aggregate.MEAN)(values) == pytest.approx(math.fsum(values) / len(values))
    assert aggregate_function(Aggregate.GMEAN)(values) == pytest.approx(geometric_mean(values))
