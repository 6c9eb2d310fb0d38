"""Confidence intervals that allow for dependent cycles."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.leaderboard import (
    combined_influence,
    interval,
    long_run_variance,
    mean_influence,
    ratio_influence,
    sharpe_influence,
    weighted_interval,
)
from pipeline.leaderboard.intervals import cosine_count

RNG = np.random.default_rng(5)
SERIES = RNG.normal(0.05, 0.3, (60, 4))
KINDS = ["independent", "overlapping", "autocorrelated"]


def noise(kind: str, cycles: int, replications: int, seed: int = 0) -> np.ndarray:
    """Series of mean 0, shape (cycles, replications)."""
    shocks = np.random.default_rng([seed, KINDS.index(kind)]).standard_normal((cycles + 60, replications))
    if kind == "independent":
        return shocks[60:]
    if kind == "overlapping":
        return sum(shocks[60 - lag : 60 - lag + cycles] for lag in range(4)) / 2
    x = np.zeros_like(shocks)
    for t in range(1, len(x)):
        x[t] = 0.5 * x[t - 1] + shocks[t]
    return x[60:]


def plain_interval(value: float, psi: list[float]) -> tuple[float, float, float]:
    """The definition, term by term."""
    T = len(psi)
    nu = max(2, math.floor(round(0.4 * T ** (2 / 3), 9)))
    total = 0.0
    for j in range(1, nu + 1):
        load = 0.0
        for t in range(1, T + 1):
            load += psi[t - 1] * math.cos(math.pi * j * (t - 0.5) / T)
        total += (math.sqrt(2 / T) * load) ** 2
    se = math.sqrt(T * total / nu) / T
    half = float(stats.t.ppf(0.975, nu)) * se
    return se, value - half, value + half


# Worked by hand, and against the definition


@pytest.mark.parametrize(("cycles", "nu"), [(8, 2), (13, 2), (27, 3), (52, 5), (125, 10), (260, 16), (1000, 40)])
def test_the_number_of_cosines(cycles: int, nu: int) -> None:
    assert cosine_count(cycles) == nu


def test_the_number_of_cosines_is_exact_for_every_length() -> None:
    for cycles in range(12, 20_000):
        nu = cosine_count(cycles)
        assert 125 * nu**3 <= 8 * cycles**2 < 125 * (nu + 1) ** 3


def test_a_cosine_of_the_basis_has_its_own_load_only() -> None:
    # psi = cos(pi 2 (t - 0.5) / T): L_2 = sqrt(T / 2), the others 0; T = 64 has nu = 6
    psi = np.cos(np.pi * 2 * (np.arange(1, 65) - 0.5) / 64)[:, None]
    assert long_run_variance(psi)[0] == pytest.approx(32 / 6, rel=1e-13)


@pytest.mark.parametrize("cycles", [8, 13, 52, 125, 260])
def test_intervals_equal_the_plain_definition(cycles: int) -> None:
    influence = mean_influence(RNG.normal(0.1, 1, (cycles, 3)))
    result = interval(influence)
    for model in range(3):
        expected = plain_interval(influence.value[model], influence.psi[:, model].tolist())
        actual = (result.se[model], result.low[model], result.high[model])
        assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)
    assert result.method.tolist() == ["ewc"] * 3


@pytest.mark.parametrize("statistic", [mean_influence, sharpe_influence])
def test_absent_cycles_are_closed_up(statistic: object) -> None:
    x = SERIES.copy()
    x[:30, 0] = np.nan
    x[RNG.random(60) < 0.4, 1] = np.nan
    x[50:, 2] = np.nan
    result = interval(statistic(x))  # type: ignore[operator]
    for model in range(x.shape[1]):
        alone = interval(statistic(x[~np.isnan(x[:, model]), model][:, None]))  # type: ignore[operator]
        assert_allclose(result.se[model], alone.se[0], rtol=1e-12)
        assert_allclose(result.high[model], alone.high[0], rtol=1e-12)


def test_independent_cycles_get_about_the_classical_interval() -> None:
    x = noise("independent", 260, 2000)
    result = interval(mean_influence(x))
    classical = stats.sem(x, axis=0)
    assert np.mean(result.se**2) == pytest.approx(np.mean(classical**2), rel=0.02)
    width = (result.high - result.low) / (2 * classical * stats.t.ppf(0.975, 259))
    assert np.mean(width) == pytest.approx(1.06, abs=0.03)


def test_overlapping_cycles_get_a_wider_interval() -> None:
    x = noise("overlapping", 260, 500)
    # A sum of four unit shocks, halved: variance 1, long-run variance 4
    assert np.mean(long_run_variance(x - x.mean(axis=0))) == pytest.approx(4, rel=0.05)


# No interval, and why


def test_fewer_than_eight_cycles_have_no_interval() -> None:
    x = np.column_stack([SERIES[:8, 0], np.append(SERIES[:7, 0], np.nan)])
    result = interval(mean_influence(x))
    assert result.method.tolist() == ["ewc", "too_few_cycles"]
    assert np.isfinite(result.se).tolist() == np.isfinite(result.low).tolist() == [True, False]


def test_an_undefined_statistic_has_no_interval() -> None:
    result = interval(sharpe_influence(np.column_stack([np.full(20, 0.1), SERIES[:20, 0]])))
    assert result.method.tolist() == ["undefined", "ewc"]
    assert np.isnan([result.se[0], result.low[0], result.high[0]]).all()


@pytest.mark.parametrize("constant", [0.0, 0.1, 1.0, -1e-9])
def test_cycles_that_all_say_the_same_have_no_interval(constant: float) -> None:
    result = interval(mean_influence(np.full((30, 1), constant)))
    assert result.method.tolist() == ["zero_variance"]
    assert np.isnan(result.high).all()


def test_a_small_unit_is_not_a_zero_variance() -> None:
    assert interval(mean_influence(SERIES * 1e-15)).method.tolist() == ["ewc"] * 4


def test_no_cycles_and_nobody_are_windows_too() -> None:
    assert interval(mean_influence(np.empty((0, 2)))).method.tolist() == ["undefined"] * 2
    assert interval(mean_influence(np.empty((20, 0)))).se.shape == (0,)


def test_a_long_run_variance_needs_eight_cycles() -> None:
    with pytest.raises(ValueError, match="a long-run variance of 7 cycles is not defined; give at least 8"):
        long_run_variance(SERIES[:7])


# Properties


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_intervals_of_a_mean_move_with_its_scale_and_origin(shift: float, scale: float) -> None:
    plain, moved = interval(mean_influence(SERIES)), interval(mean_influence(SERIES * scale + shift))
    assert_allclose(moved.se, plain.se * scale, rtol=1e-8)
    assert_allclose(moved.low, plain.low * scale + shift, rtol=1e-8, atol=1e-8)


@given(st.permutations(range(4)))
def test_permuting_models_permutes_intervals(order: list[int]) -> None:
    x = SERIES.copy()
    x[:20, 1] = np.nan
    assert_allclose(interval(mean_influence(x[:, order])).low, interval(mean_influence(x)).low[order], rtol=1e-13)


def test_reversing_time_changes_no_standard_error() -> None:
    forward, backward = interval(mean_influence(SERIES)), interval(mean_influence(SERIES[::-1]))
    assert_allclose(forward.se, backward.se, rtol=1e-12)


# Weighted keys


def test_a_weighted_key_over_one_window_is_the_combined_influence() -> None:
    x = SERIES.copy()
    x[RNG.random(60) < 0.3, 1] = np.nan
    x[:55, 2] = np.nan
    parts = [mean_influence(x), sharpe_influence(x)]
    combined = combined_influence(parts, [0.7, 0.3])
    expected, actual = interval(combined), weighted_interval(parts, [0.7, 0.3], [60, 60], combined.value)
    assert_allclose(actual.se, expected.se, rtol=1e-12)
    assert_allclose(actual.high, expected.high, rtol=1e-12)
    assert_array_equal(actual.method, expected.method)
    assert actual.method.tolist() == ["ewc", "ewc", "too_few_cycles", "ewc"]


def test_parts_with_different_cycles_in_one_window_agree_with_the_combined_influence() -> None:
    x, y = SERIES.copy(), np.roll(SERIES, 1, axis=1)
    x[RNG.random((60, 4)) < 0.2] = np.nan
    parts = [mean_influence(x), mean_influence(y)]
    combined = combined_influence(parts, [0.7, 0.3])
    actual = weighted_interval(parts, [0.7, 0.3], [60, 60], combined.value)
    assert_allclose(actual.se, interval(combined).se, rtol=1e-12)


def test_a_part_with_too_few_cycles_in_its_window_gives_no_interval() -> None:
    parts = [mean_influence(SERIES), mean_influence(SERIES)]
    result = weighted_interval(parts, [0.5, 0.5], [60, 7], parts[0].value)
    assert result.method.tolist() == ["too_few_cycles"] * 4


@pytest.mark.parametrize("windows", [[60], [60, 0], [60, 61]])
def test_windows_must_match_parts_and_cycles(windows: list[int]) -> None:
    parts = [mean_influence(SERIES), mean_influence(SERIES)]
    with pytest.raises(ValueError, match=r"windows are .* for 2 parts over 60 cycles; give one per part"):
        weighted_interval(parts, [0.5, 0.5], windows, parts[0].value)


# Simulated coverage


def covered(result: object, truth: float) -> float:
    """Share of intervals that hold the truth."""
    return float(np.mean((result.low <= truth) & (truth <= result.high)))  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_95_percent_of_intervals_of_a_mean_hold_it(kind: str) -> None:
    x = noise(kind, 260, 8000)
    assert 0.93 <= covered(interval(mean_influence(x)), 0.0) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pattern", ["last 130", "last 52", "first and last 20", "half at random", "every fourth"])
def test_95_percent_of_intervals_hold_the_mean_whichever_cycles_are_absent(kind: str, pattern: str) -> None:
    t = np.arange(260)
    there = {
        "last 130": t >= 130,
        "last 52": t >= 208,
        "first and last 20": (t < 20) | (t >= 240),
        "half at random": np.random.default_rng(1).random(260) < 0.5,
        "every fourth": t % 4 == 0,
    }[pattern]
    x = np.where(there[:, None], noise(kind, 260, 8000), np.nan)
    assert 0.93 <= covered(interval(mean_influence(x)), 0.0) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_95_percent_of_intervals_of_a_sharpe_ratio_hold_it(kind: str) -> None:
    sd = {"independent": 1.0, "overlapping": 1.0, "autocorrelated": math.sqrt(4 / 3)}[kind]
    x = 0.2 * sd + noise(kind, 260, 8000)
    assert 0.93 <= covered(interval(sharpe_influence(x)), 0.2) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_95_percent_of_intervals_of_a_hit_rate_hold_it(kind: str) -> None:
    """Hits of cycles whose number of tasks varies, a tenth of the cycles without any."""
    z = noise(kind, 260, 8000)
    rng = np.random.default_rng(2)
    tasks = rng.integers(1, 21, z.shape) * (rng.random(z.shape) > 0.1)
    chance = stats.norm.cdf(z / np.std(z))
    hits = rng.binomial(tasks, chance)
    assert 0.93 <= covered(interval(ratio_influence(hits, tasks)), 0.5) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_95_percent_of_intervals_of_a_weighted_key_over_nested_windows_hold_it(kind: str) -> None:
    x = noise(kind, 260, 8000)
    weights, windows = [0.5, 0.3, 0.2], [260, 52, 13]
    value = sum(weight * x[-window:].mean(axis=0) for weight, window in zip(weights, windows, strict=True))
    result = weighted_interval([mean_influence(x)] * 3, weights, windows, value)
    assert 0.93 <= covered(result, 0.0) <= 0.97


def test_what_is_not_smooth_has_no_interval_alone_or_as_a_part_of_a_key() -> None:
    smooth = mean_influence(SERIES)
    rough = replace(smooth, psi=np.zeros_like(smooth.psi), is_smooth=False)
    both = combined_influence([smooth, rough], [0.5, 0.5])
    assert (smooth.is_smooth, rough.is_smooth, both.is_smooth) == (True, False, False)
    weighted = weighted_interval([smooth, rough], [0.5, 0.5], [60, 20], both.value)
    for found in (interval(rough), interval(both), weighted):
        assert found.method.tolist() == ["not_smooth"] * 4
        assert np.isnan([found.se, found.low, found.high]).all()
    assert interval(replace(rough, value=np.array([1.0, np.nan, 1.0, 1.0]))).method.tolist()[:2] == [
        "not_smooth",
        "undefined",
    ]
