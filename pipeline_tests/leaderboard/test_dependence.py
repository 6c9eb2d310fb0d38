"""How many independent cycles the cycles of a board count as."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pipeline.leaderboard import Dependence, dependence, mean_influence
from pipeline_tests.leaderboard import plain
from pipeline_tests.leaderboard.series import KINDS, noise


def of_series(x: np.ndarray) -> Dependence:
    influence = mean_influence(x)
    return dependence(influence.psi, influence.present)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("contestants", [2, 3, 9])
def test_dependence_equals_the_plain_definition(kind: str, contestants: int) -> None:
    x = noise(kind, 70, contestants)
    x[:20, 0] = x[::3, 1] = np.nan
    found = of_series(x)
    inflation, variance, own, pooled = plain.inflation(plain.rows_of(mean_influence(x)))
    assert_allclose(found.inflation, inflation, rtol=1e-9)
    assert_allclose(found.variance, variance, rtol=1e-9)
    assert_allclose(found.own_uncertainty, own, rtol=1e-9, atol=1e-12)
    assert found.pooled_uncertainty == pytest.approx(pooled)


@pytest.mark.parametrize(("kind", "inflation"), [("independent", 1), ("overlapping", 4), ("autocorrelated", 3)])
def test_many_series_tell_the_inflation_of_their_kind(kind: str, inflation: float) -> None:
    assert np.median(of_series(noise(kind, 400, 200)).inflation) == pytest.approx(inflation, rel=0.05)


def test_series_of_one_kind_all_get_the_inflation_that_they_tell_together() -> None:
    found = of_series(noise("overlapping", 260, 12))
    assert np.ptp(found.inflation) < 1e-9
    assert not found.own_uncertainty.any()


def test_lasting_bets_among_others_get_an_inflation_of_their_own() -> None:
    x = np.column_stack([noise("autocorrelated", 260, 10), noise("independent", 260, 10)])
    found = of_series(x)
    assert found.inflation[:10].mean() > 2
    assert found.inflation[10:].mean() < 0.75 * found.inflation[:10].mean()
    assert (found.own_uncertainty > 0).all()


def test_two_series_tell_as_much_as_their_difference_and_copies_of_a_bet_as_one() -> None:
    two = of_series(noise("independent", 64, 2))
    assert two.inflation[0] == pytest.approx(two.inflation[1])
    assert two.pooled_uncertainty == pytest.approx(1 / 6)  # 64 cycles have six cosines
    bet = noise("independent", 64, 1) * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert of_series(bet).pooled_uncertainty == pytest.approx(1 / 6)
    assert of_series(noise("independent", 64, 9)).pooled_uncertainty < 1 / 30


def test_only_the_last_520_cycles_tell() -> None:
    recent = noise("independent", 520, 5)
    before = 5 * noise("overlapping", 200, 5)
    psi = np.vstack([before, recent])
    found, alone = (dependence(x, np.ones(x.shape, dtype=bool)) for x in (psi, recent))
    for name in ("inflation", "variance", "own_uncertainty", "pooled_uncertainty"):
        assert_array_equal(getattr(found, name), getattr(alone, name))


def test_more_contestants_than_cycles_are_no_obstacle() -> None:
    x = noise("overlapping", 40, 60)
    inflation, _, _, pooled = plain.inflation(plain.rows_of(mean_influence(x)))
    assert_allclose(of_series(x).inflation, inflation, rtol=1e-9)
    assert of_series(x).pooled_uncertainty == pytest.approx(pooled)


@pytest.mark.parametrize("x", [np.zeros((30, 3)), np.ones((30, 1)), noise("independent", 7, 4), np.empty((9, 0))])
def test_where_nothing_tells_cycles_count_in_full(x: np.ndarray) -> None:
    found = of_series(x)
    assert found.inflation.tolist() == [1.0] * x.shape[1]
    assert found.pooled_uncertainty == 0
    assert not found.variance.any()


def test_a_newcomer_gets_what_the_others_tell() -> None:
    x = noise("overlapping", 260, 6)
    x[:-7, 0] = np.nan
    found = of_series(x)
    assert found.inflation[0] == pytest.approx(found.inflation[1])
    assert found.inflation[0] > 2
    assert found.variance[0] == found.own_uncertainty[0] == 0


def test_a_pair_is_inflated_by_the_share_of_each_in_its_variance() -> None:
    found = Dependence(np.array([1.0, 3.0, 2.0]), np.array([1.0, 3.0, 0.0]), np.array([0.0, 0.2, 0.0]), 0.01)
    inflation, uncertainty = found.of_pairs()
    assert inflation[0, 1] == inflation[1, 0] == pytest.approx(0.25 * 1 + 0.75 * 3)
    assert inflation[0, 2] == 1.0
    assert uncertainty[0, 1] == pytest.approx(0.01 + (0.75 * 3 / 2.5) ** 2 * 0.2)
    assert Dependence.none(2).of_pairs()[0].tolist() == [[1.0, 1.0], [1.0, 1.0]]
