"""How much each cycle moves a statistic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from pipeline.leaderboard import Influence, combined_influence, mean_influence, ratio_influence, sharpe_influence

NAN = np.nan
RNG = np.random.default_rng(11)
SERIES = RNG.normal(0.1, 1, (40, 3))
GAPPY = np.where(RNG.random((40, 3)) < 0.3, NAN, SERIES)
STEP = 1e-6


def jackknife_se(statistic: object, *series: np.ndarray) -> float:
    """Leave-one-out standard error of a statistic of independent cycles."""
    n = len(series[0])
    without = np.array([statistic(*(np.delete(one, t) for one in series)) for t in range(n)])  # type: ignore[operator]
    return float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))


def delta_se(influence: Influence) -> float:
    return float(np.sqrt((influence.psi[:, 0] ** 2).sum()) / influence.n[0])


# Worked by hand


def test_the_mean_moves_by_the_deviation_of_a_cycle() -> None:
    influence = mean_influence([[1.0, NAN], [2.0, NAN], [NAN, 5.0], [6.0, NAN]])
    assert influence.value.tolist() == [3.0, 5.0]
    assert influence.psi.tolist() == [[-2.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [3.0, 0.0]]
    assert influence.n.tolist() == [3, 1]


def test_the_sharpe_ratio_of_two_four_six() -> None:
    # m = 4, sd = 2, S = 2, z = -1, 0, 1
    influence = sharpe_influence([[2.0], [4.0], [6.0]])
    assert influence.value.tolist() == [2.0]
    assert influence.psi[:, 0].tolist() == [-1.0, 1.0, 1.0]


def test_a_ratio_of_sums_leaves_cycles_without_tasks_out() -> None:
    # theta = 6 / 12, mean(c) = 12 / 3 over the three cycles with tasks
    influence = ratio_influence([[1.0], [0.0], [3.0], [2.0]], [[2.0], [0.0], [4.0], [6.0]])
    assert influence.value.tolist() == [0.5]
    assert influence.n.tolist() == [3]
    assert influence.psi[:, 0].tolist() == [0.0, 0.0, 0.25, -0.25]


def test_a_weighted_sum_of_statistics_has_the_weighted_sum_of_their_influence() -> None:
    mean, sharpe = mean_influence(SERIES), sharpe_influence(SERIES)
    combined = combined_influence([mean, sharpe], [0.5, 0.25])
    assert_allclose(combined.value, 0.5 * mean.value + 0.25 * sharpe.value, rtol=1e-14)
    assert_allclose(combined.psi, 0.5 * mean.psi + 0.25 * sharpe.psi, rtol=1e-12)
    assert combined.n.tolist() == [40, 40, 40]


def test_parts_with_fewer_cycles_are_scaled_to_the_union() -> None:
    one = mean_influence([[1.0], [3.0], [NAN], [NAN]])
    other = mean_influence([[NAN], [1.0], [2.0], [3.0]])
    combined = combined_influence([one, other], [1.0, 1.0])
    assert combined.n.tolist() == [4]
    assert_allclose(combined.psi[:, 0], [-2.0, 2.0 - 4 / 3, 0.0, 4 / 3], atol=1e-15)
    undefined = combined_influence([one, mean_influence(np.full((4, 1), NAN))], [1.0, 1.0])
    assert np.isnan(undefined.value).all()
    assert not undefined.psi.any()


# Against numerical derivatives and independent estimates


@pytest.mark.parametrize("statistic", [mean_influence, sharpe_influence])
def test_influence_is_the_derivative_by_the_weight_of_a_cycle(statistic: object) -> None:
    """Repeating cycle t a little more often moves the statistic by psi_t / n per unit of weight."""
    x = SERIES[:, 0]
    n = len(x)

    def weighted(weights: np.ndarray) -> float:
        share = weights / weights.sum()
        mean = (share * x).sum()
        if statistic is mean_influence:
            return float(mean)
        variance = (share * (x - mean) ** 2).sum() * n / (n - 1)
        return float(mean / np.sqrt(variance))

    influence = statistic(x[:, None])  # type: ignore[operator]
    for t in range(n):
        nudge = np.zeros(n)
        nudge[t] = STEP
        slope = (weighted(np.ones(n) + nudge) - weighted(np.ones(n) - nudge)) / (2 * STEP)
        # The Sharpe ratio's own definition leaves out a term in S / 2n, from ddof 1.
        assert slope * n == pytest.approx(influence.psi[t, 0], abs=5e-2 if statistic is sharpe_influence else 1e-6)


def test_the_standard_error_of_a_ratio_is_that_of_the_jackknife() -> None:
    c = RNG.integers(1, 20, 300).astype(float)
    s = RNG.binomial(c.astype(int), 0.55).astype(float)
    influence = ratio_influence(s[:, None], c[:, None])
    assert influence.value[0] == pytest.approx(s.sum() / c.sum(), rel=1e-14)
    assert delta_se(influence) == pytest.approx(jackknife_se(lambda s, c: s.sum() / c.sum(), s, c), rel=0.02)


def test_cycles_without_tasks_do_not_change_the_standard_error_of_a_ratio() -> None:
    s, c = np.array([[1.0], [4.0], [2.0]]), np.array([[3.0], [5.0], [4.0]])
    padded = ratio_influence(np.vstack([s, [[0.0]]]), np.vstack([c, [[0.0]]]))
    assert delta_se(padded) == pytest.approx(delta_se(ratio_influence(s, c)), rel=1e-14)


def test_the_standard_error_of_a_sharpe_ratio_is_that_of_the_jackknife() -> None:
    x = RNG.gamma(2.0, 1.0, 400) - 1
    se = jackknife_se(lambda x: x.mean() / x.std(ddof=1), x)
    assert delta_se(sharpe_influence(x[:, None])) == pytest.approx(se, rel=0.03)


# Absent, undefined, errors


@pytest.mark.parametrize("statistic", [mean_influence, sharpe_influence])
def test_a_series_with_gaps_is_the_series_without_them(statistic: object) -> None:
    influence = statistic(GAPPY)  # type: ignore[operator]
    for model in range(GAPPY.shape[1]):
        there = ~np.isnan(GAPPY[:, model])
        alone = statistic(GAPPY[there, model][:, None])  # type: ignore[operator]
        assert_allclose(influence.value[model], alone.value[0], rtol=1e-14)
        assert_allclose(influence.psi[there, model], alone.psi[:, 0], atol=1e-14)
        assert not influence.psi[~there, model].any()
        assert_array_equal(influence.present[:, model], there)


def test_an_undefined_statistic_has_no_influence() -> None:
    constant, once, never = [0.1] * 3, [1.0, NAN, NAN], [NAN] * 3
    sharpe = sharpe_influence(np.array([constant, once, never]).T)
    assert np.isnan(sharpe.value).all()
    assert not sharpe.psi.any()
    mean = mean_influence(np.array([constant, once, never]).T)
    assert np.isnan(mean.value).tolist() == [False, False, True]
    assert mean.n.tolist() == [3, 1, 0]
    ratio = ratio_influence([[1.0, NAN]], [[0.0, 2.0]])
    assert np.isnan(ratio.value).all()
    assert ratio.n.tolist() == [0, 0]


def test_infinite_values_are_absent() -> None:
    assert mean_influence([[np.inf], [1.0], [-np.inf], [3.0]]).value.tolist() == [2.0]


@given(st.permutations(range(3)))
def test_permuting_models_permutes_their_influence(order: list[int]) -> None:
    assert_allclose(
        sharpe_influence(GAPPY[:, order]).psi, sharpe_influence(GAPPY).psi[:, order], rtol=1e-10, atol=1e-13
    )


def test_a_flat_series_is_refused() -> None:
    with pytest.raises(ValueError, match=r"series has shape \(2,\), expected \(cycles, contestants\)"):
        mean_influence([1.0, 2.0])


def test_a_ratio_of_unequal_shapes_or_negative_denominators_is_refused() -> None:
    with pytest.raises(ValueError, match=r"numerator has shape \(1, 1\) and denominator \(1, 2\)"):
        ratio_influence([[1.0]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="a denominator is negative; it counts or weighs tasks"):
        ratio_influence([[1.0]], [[-1.0]])


def test_parts_that_cannot_be_summed_are_refused() -> None:
    mean = mean_influence(SERIES)
    with pytest.raises(ValueError, match="0 parts and 0 weights; give at least one part"):
        combined_influence([], [])
    with pytest.raises(ValueError, match="1 parts and 2 weights"):
        combined_influence([mean], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"parts have shapes \(20, 3\), \(40, 3\); compute every part over the same"):
        combined_influence([mean, mean_influence(SERIES[:20])], [1.0, 1.0])
