"""Ranks along an axis, with absences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pipeline.leaderboard.ranks import average_ranks, ranks_among

NAN = float("nan")

TIED_WITH_GAPS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
    elements=st.sampled_from([NAN, -np.inf, -1.5, -0.0, 0.0, 1e-300, 2.0, 2.0000000001, np.inf]),
)


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        ([30.0, 10.0, 20.0], [3, 1, 2]),
        ([1.0, 1.0, 0.0], [2.5, 2.5, 1]),
        ([NAN, 5.0, 4.0], [NAN, 2, 1]),
        ([NAN, NAN], [NAN, NAN]),
        ([0.0, -0.0], [1.5, 1.5]),
        ([7.0], [1]),
        ([], []),
    ],
)
def test_ranks_by_hand(values: list[float], ranks: list[float]) -> None:
    np.testing.assert_array_equal(average_ranks(np.array(values)), ranks)


@given(TIED_WITH_GAPS)
@settings(max_examples=100)
def test_ranks_are_those_of_scipy(values: np.ndarray) -> None:
    expected = stats.rankdata(values, axis=-1, nan_policy="omit")
    np.testing.assert_array_equal(average_ranks(values), expected)


@given(TIED_WITH_GAPS)
@settings(max_examples=100)
def test_the_sign_of_an_absence_is_without_effect(values: np.ndarray) -> None:
    np.testing.assert_array_equal(average_ranks(np.where(np.isnan(values), -np.nan, values)), average_ranks(values))


@given(st.integers(0, 10_000))
@settings(max_examples=100)
def test_ranks_among_choices_are_those_of_each_choice_by_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.choice([-np.inf, -1.0, -0.0, 0.0, 2.0, 3.0, NAN], size=(3, 9))
    present = (random.random((3, 4, 9)) < 0.7) & ~np.isnan(values)[:, None, :]
    chosen = np.where(present, values[:, None, :], NAN)
    expected = stats.rankdata(chosen, axis=-1, nan_policy="omit")
    np.testing.assert_array_equal(ranks_among(values, present), expected)


def test_ranks_of_no_models_are_empty() -> None:
    assert average_ranks(np.empty((3, 0, 5))).shape == (3, 0, 5)
    assert ranks_among(np.ones((3, 5)), np.empty((3, 0, 5), dtype=bool)).shape == (3, 0, 5)
