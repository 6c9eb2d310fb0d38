"""Ranges of ranks: by intervals, and by leaving out sources, on boards worked by hand."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.rankings.rank_ranges import rank_range_by_leaving_out, rank_range_of_comparisons, rank_range_of_intervals

NAN = np.nan


def mean(values: np.ndarray) -> np.ndarray:
    """The mean of a model's figures; NaN for none."""
    has = ~np.isnan(values)
    return np.divide(
        np.where(has, values, 0).sum(axis=1), has.sum(axis=1), out=np.full(len(values), NAN), where=has.any(axis=1)
    )


def test_a_rank_is_bounded_by_those_surely_above_and_below() -> None:
    found = rank_range_of_intervals([8, 5, 4, 1], [9, 7, 6, 2])
    assert found.lo.tolist() == [1, 2, 2, 4]
    assert found.hi.tolist() == [1, 3, 3, 4]


def test_intervals_that_touch_are_not_apart() -> None:
    found = rank_range_of_intervals([2, 1], [3, 2])
    assert (found.lo.tolist(), found.hi.tolist()) == ([1, 1], [2, 2])


def test_a_model_without_an_interval_has_no_rank_and_counts_for_nobody() -> None:
    found = rank_range_of_intervals([3, NAN, 1, 9], [4, NAN, 2, NAN])
    assert (found.lo.tolist(), found.hi.tolist()) == ([1, 0, 2, 0], [1, 0, 2, 0])


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), max_size=12))
def test_ranges_are_those_of_counting(intervals) -> None:
    low, high = [float(at) for at, _ in intervals], [float(at + wide) for at, wide in intervals]
    found = rank_range_of_intervals(low, high)
    assert found.lo.tolist() == [1 + sum(other > own for other in low) for own in high]
    assert found.hi.tolist() == [len(low) - sum(other < own for other in high) for own in low]


def test_comparisons_bound_ranks_among_those_on_the_board() -> None:
    above = np.zeros((4, 4), dtype=bool)
    above[0, 2:] = above[1, 3] = True
    found = rank_range_of_comparisons(above)
    assert (found.lo.tolist(), found.hi.tolist()) == ([1, 1, 2, 3], [2, 3, 4, 4])
    found = rank_range_of_comparisons(above, [False, True, True, True])
    assert (found.lo.tolist(), found.hi.tolist()) == ([0, 1, 1, 2], [0, 2, 3, 3])


@pytest.mark.parametrize(
    ("above", "ranked", "message"),
    [
        ([[True, False]], None, "above has shape (1, 2), ranked (1,); give a square of models"),
        ([[False, True], [False, False]], [True], "above has shape (2, 2), ranked (1,)"),
        ([[False, True], [True, False]], None, "models 0 and 1 are above each other; compare each two once"),
    ],
)
def test_what_is_no_comparison_is_refused(above, ranked, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        rank_range_of_comparisons(above, ranked)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([1.0], [1.0, 2.0], "low has shape (1,), high (2,); give one end of each for every model"),
        ([[1.0]], [[2.0]], "low has shape (1, 1)"),
        ([1.0, 3.0], [2.0, 2.0], "the interval of model 1 is from 3 to 2; swap its ends"),
    ],
)
def test_what_is_no_interval_is_refused(low, high, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        rank_range_of_intervals(low, high)


def test_a_rank_that_rests_on_one_source_ranges_without_it() -> None:
    values = [[90, 10, 10], [50, 50, 50], [40, 60, 60]]
    found = rank_range_by_leaving_out(values, ["x", "y", "z"], mean)
    # All: 36.7, 50, 53.3. Without x: 10, 50, 60. Without y or z: 50, 50, 50.
    assert found.lo.tolist() == [1, 1, 1]
    assert found.hi.tolist() == [3, 2, 1]


def test_columns_of_one_source_go_together() -> None:
    calls = []

    def score(values: np.ndarray) -> np.ndarray:
        calls.append(np.isnan(values).all(axis=0).tolist())
        return mean(values)

    rank_range_by_leaving_out([[1, 2, 3], [3, 2, 1]], ["x", "y", "x"], score)
    assert calls == [[False] * 3, [True, False, True], [False, True, False]]


def test_nobody_rises_because_others_drop_out() -> None:
    values = [[90, NAN], [80, NAN], [70, 70], [60, 60]]
    found = rank_range_by_leaving_out(values, ["x", "y"], mean)
    # Without x the first two have nothing, and stay above; without y all have their scores.
    assert found.lo.tolist() == found.hi.tolist() == [1, 2, 3, 4]


def test_a_model_that_loses_its_figures_with_every_source_has_no_range() -> None:
    values = [[90, NAN], [80, 80]]
    one = rank_range_by_leaving_out(values, ["x", "x"], mean)
    assert (one.lo.tolist(), one.hi.tolist()) == ([0, 0], [0, 0])
    two = rank_range_by_leaving_out(values, ["x", "y"], mean, min_benchmarks=2)
    assert two.lo.tolist() == [0, 0]
    assert rank_range_by_leaving_out(values, ["x", "y"], mean).lo.tolist() == [1, 2]


def test_who_is_not_on_the_board_counts_for_nobody() -> None:
    values = [[90, 90], [80, 80], [70, 70]]
    found = rank_range_by_leaving_out(values, ["x", "y"], mean, ranked=[False, True, True])
    assert found.lo.tolist() == found.hi.tolist() == [0, 1, 2]


@given(
    st.lists(st.lists(st.one_of(st.just(NAN), st.floats(0, 100)), min_size=4, max_size=4), min_size=1, max_size=8),
    st.permutations(range(4)),
)
@settings(max_examples=60, deadline=None)
def test_ranges_hold_the_rank_and_the_order_of_columns_changes_nothing(rows, order) -> None:
    # Means of whole numbers, so that the order in which they are added up plays no part.
    values, sources = np.round(rows), np.array(["x", "y", "y", "z"])
    found = rank_range_by_leaving_out(values, list(sources), mean)
    score = mean(values)
    for place, own in enumerate(score):
        if found.lo[place]:
            assert found.lo[place] <= 1 + np.sum(score > own) <= found.hi[place] <= np.sum(~np.isnan(score))
    again = rank_range_by_leaving_out(values[:, order], list(sources[list(order)]), mean)
    assert (again.lo.tolist(), again.hi.tolist()) == (found.lo.tolist(), found.hi.tolist())


@pytest.mark.parametrize(
    ("values", "sources", "score", "ranked", "message"),
    [
        ([[1.0, 2.0]], ["x"], mean, None, "values have shape (1, 2) and sources 1 names"),
        ([1.0, 2.0], ["x", "y"], mean, None, "values have shape (2,) and sources 2 names"),
        ([[1.0], [2.0]], ["x"], lambda values: [1.0], None, "score gave shape (1,) for 2 models"),
        ([[1.0], [2.0]], ["x"], mean, [True], "ranked has shape (1,); give one for each of 2 models"),
    ],
)
def test_what_does_not_fit_is_refused(values, sources, score, ranked, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        rank_range_by_leaving_out(values, sources, score, ranked=ranked)
