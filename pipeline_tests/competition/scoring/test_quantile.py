"""Quantile scores: by hand, against scoringrules, and what must hold of them whatever the forecast."""

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st

from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import QuantileLevels, score_quantiles
from pipeline.competition.scoring.scored import CELLS_AT_ONCE
from pipeline_tests.competition.contests import NAN

FLUSIGHT = np.array([0.01, 0.025, *(n / 20 for n in range(1, 20)), 0.975, 0.99])
PARTS = ("dispersion", "underprediction", "overprediction")
Floats = npt.NDArray[np.float64]


def drawn(seed: int, rows: int = 30, levels: Floats = FLUSIGHT) -> tuple[Floats, Floats]:
    """Quantiles and outcomes, some beyond every quantile, some equal to one."""
    random = np.random.default_rng(seed)
    values = np.sort(np.round(random.normal(5, 3, (rows, levels.size)), 1), axis=1)
    return values, np.round(random.normal(5, 5, rows), 1)


@pytest.mark.parametrize(
    ("observed", "dispersion", "under", "over", "covered"),
    [
        # K = 1, alpha = 0.2: (|y - m| / 2 + 0.1 x 6 + max(l - y, 0) + max(y - u, 0)) / 1.5
        (10.0, 0.4, 0.0, 0.0, 1.0),
        (12.0, 0.4, 2 / 3, 0.0, 1.0),
        (14.0, 0.4, 4 / 3, 0.0, 1.0),
        (15.0, 0.4, (2.5 + 1) / 1.5, 0.0, 0.0),
        (8.0, 0.4, 0.0, 2 / 3, 1.0),
        (5.0, 0.4, 0.0, (2.5 + 3) / 1.5, 0.0),
    ],
)
def test_the_weighted_interval_score_and_its_parts_by_hand(
    observed: float, dispersion: float, under: float, over: float, covered: float
) -> None:
    scored = score_quantiles([8, 10, 14], observed, [0.1, 0.5, 0.9])
    parts = [float(scored.measures[name]) for name in PARTS]
    assert parts == pytest.approx([dispersion, under, over], abs=1e-15)
    assert float(scored.value) == pytest.approx(dispersion + under + over)
    assert float(scored.measures["interval_coverage_80"]) == covered
    assert float(scored.measures["ae_median"]) == abs(observed - 10)


def test_without_a_median_there_are_intervals_only() -> None:
    scored = score_quantiles([[8, 14]], [15], [0.1, 0.9])
    assert scored.value[0] == pytest.approx(0.1 * 6 + 1)
    assert set(scored.measures) == {"wis", *PARTS, "interval_coverage_80"}


def test_a_median_alone_is_scored_by_its_absolute_error() -> None:
    scored = score_quantiles([[8.0], [9.0]], [10.0, 7.5], [0.5])
    np.testing.assert_array_equal(scored.value, [2.0, 1.5])
    np.testing.assert_array_equal(scored.measures["dispersion"], [0.0, 0.0])


def test_the_levels_of_a_hub_name_its_intervals() -> None:
    assert QuantileLevels.of(FLUSIGHT).coverage_names == [
        f"interval_coverage_{level}" for level in (98, 95, 90, 80, 70, 60, 50, 40, 30, 20, 10)
    ]
    assert QuantileLevels.of([0.005, 0.995]).coverage_names == ["interval_coverage_99"]
    assert QuantileLevels.of([0.0125, 0.9875]).coverage_names == ["interval_coverage_97.5"]


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scoringrules(seed: int) -> None:
    """Its own weighted interval score takes the median itself for the median's error, so its other scores are used."""
    values, observed = drawn(seed, 200)
    scored = score_quantiles(values, observed, FLUSIGHT)
    np.testing.assert_allclose(scored.value, scoringrules.crps_quantile(observed, values, FLUSIGHT), rtol=1e-12)
    pinball = scoringrules.quantile_score(observed[:, None], values, FLUSIGHT)
    np.testing.assert_allclose(scored.value, 2 * pinball.mean(axis=1), rtol=1e-12)
    alpha = 2 * FLUSIGHT[:11]
    of_intervals = scoringrules.interval_score(observed, values[:, :11], values[:, :11:-1], alpha)
    expected = ((alpha / 2 * of_intervals).sum(axis=1) + np.abs(observed - values[:, 11]) / 2) / 11.5
    np.testing.assert_allclose(scored.value, expected, rtol=1e-12)


@given(st.integers(0, 10_000))
def test_the_parts_add_up_and_are_never_negative(seed: int) -> None:
    scored = score_quantiles(*drawn(seed), FLUSIGHT)
    np.testing.assert_allclose(sum(scored.measures[name] for name in PARTS), scored.value, rtol=1e-14)
    assert all((scored.measures[name] >= 0).all() for name in PARTS)


@given(st.integers(0, 10_000), st.randoms())
def test_the_order_of_levels_changes_nothing(seed: int, random) -> None:
    values, observed = drawn(seed)
    order = list(range(FLUSIGHT.size))
    random.shuffle(order)
    scored = score_quantiles(values, observed, FLUSIGHT)
    shuffled = score_quantiles(values[:, order], observed, FLUSIGHT[order])
    for name, measure in scored.measures.items():
        np.testing.assert_array_equal(shuffled.measures[name], measure)


@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_a_unit_scales_scores_and_a_shift_leaves_them(seed: int, unit: float, shift: float) -> None:
    values, observed = drawn(seed)
    scored = score_quantiles(values, observed, FLUSIGHT)
    scaled = score_quantiles(unit * values, unit * observed, FLUSIGHT)
    np.testing.assert_allclose(scaled.value, unit * scored.value, rtol=1e-10)
    for name in (name for name in scored.measures if name.startswith("interval_coverage")):
        np.testing.assert_array_equal(scaled.measures[name], scored.measures[name])
    moved = score_quantiles(values + shift, observed + shift, FLUSIGHT)
    np.testing.assert_allclose(moved.value, scored.value, rtol=1e-9, atol=1e-10)


@given(st.integers(0, 10_000))
def test_the_true_quantiles_score_best_on_average(seed: int) -> None:
    """Over all equally likely outcomes, no forecast beats the quantiles of these outcomes."""
    random = np.random.default_rng(seed)
    outcomes, levels = np.sort(random.normal(size=99)), np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    truth = np.quantile(outcomes, levels, method="inverted_cdf")
    other = np.sort(truth + random.normal(scale=0.3, size=levels.size))
    best, worse = (score_quantiles(np.tile(row, (99, 1)), outcomes, levels).value.mean() for row in (truth, other))
    assert best <= worse + 1e-12


def test_a_forecast_that_lacks_levels_has_no_score_but_what_its_levels_allow() -> None:
    scored = score_quantiles(
        [[1, 2, 3, 4, 5], [1, NAN, 3, 4, 5], [1, 2, NAN, 4, 5], [NAN] * 5, [1, 2, 3, 4, 5]],
        [3.5, 3.5, 3.5, 3.5, NAN],
        [0.1, 0.25, 0.5, 0.75, 0.9],
    )
    assert list(reason_texts(scored.reason)) == [None, "incomplete", "incomplete", "no_predictions", "no_predictions"]
    np.testing.assert_array_equal(np.isnan(scored.value), [False, True, True, True, True])
    np.testing.assert_array_equal(scored.measures["ae_median"], [0.5, 0.5, NAN, NAN, NAN])
    np.testing.assert_array_equal(scored.measures["interval_coverage_50"], [1, NAN, 1, NAN, NAN])
    np.testing.assert_array_equal(scored.measures["interval_coverage_80"], [1, 1, 1, NAN, NAN])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1, 3, 2], "crossing_quantiles"),
        ([3, 2, 4], "crossing_quantiles"),
        ([2, 2, 2], None),
        ([1.0, 0.1 + 0.2, 0.3], "crossing_quantiles"),
        ([0.0, 0.1 + 0.2, 0.3], None),  # rounding
        ([3, NAN, 2], "incomplete"),
    ],
)
def test_quantiles_that_cross_have_neither_score_nor_measures(row: list[float], expected: str | None) -> None:
    scored = score_quantiles([row], [2.0], [0.1, 0.5, 0.9])
    assert reason_texts(scored.reason).tolist() == [expected]
    assert all(np.isnan(measure).all() == (expected is not None) for measure in scored.measures.values())


def test_a_forecast_that_is_not_finite_is_an_error_never_a_score() -> None:
    scored = score_quantiles([[1.0, 2.0, np.inf]], [1.5], [0.1, 0.5, 0.9])
    assert reason_texts(scored.reason).tolist() == ["error"]
    assert np.isnan(scored.value).all()
    assert scored.measures["ae_median"].tolist() == [0.5]


def test_blocks_of_rows_do_not_show_and_shapes_are_kept() -> None:
    values, observed = drawn(3, 3 * (CELLS_AT_ONCE // FLUSIGHT.size + 1))
    scored = score_quantiles(values.reshape(3, -1, 23), observed.reshape(3, -1), FLUSIGHT)
    assert scored.value.shape == scored.reason.shape == (3, len(values) // 3)
    alone = [score_quantiles(values[n], observed[n], FLUSIGHT) for n in range(0, len(values), 997)]
    for name, measure in scored.measures.items():
        np.testing.assert_allclose(measure.ravel()[::997], [one.measures[name] for one in alone], rtol=1e-13)


def test_scoring_needs_little_memory_beside_its_results() -> None:
    values, observed = np.tile(FLUSIGHT, (200_000, 1)), np.full(200_000, 0.5)
    tracemalloc.start()
    try:
        scored = score_quantiles(values, observed, FLUSIGHT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    results = sum(measure.nbytes for measure in (scored.value, scored.reason, *scored.measures.values()))
    assert peak < results + 8e6 < values.nbytes


def test_one_outcome_serves_the_forecasts_of_many_models() -> None:
    values, observed = drawn(4, 6)
    together = score_quantiles(np.stack([values, values + 1]), observed, FLUSIGHT)
    np.testing.assert_array_equal(together.value[1], score_quantiles(values + 1, observed, FLUSIGHT).value)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([0.1, 0.5, 0.8], r"quantile level 0\.1, 0\.8 has no counterpart; intervals need levels in pairs"),
        ([0.1, 0.1, 0.9], r"quantile levels \[0\.1, 0\.1, 0\.9\] hold one twice"),
        ([0.0, 0.5, 1.0], r"quantile levels are \[0\.0, 0\.5, 1\.0\]; give numbers between 0 and 1"),
        ([], r"quantile levels are \[\]; give numbers"),
        ([NAN], r"quantile levels are \[nan\]; give numbers"),
        ([0.5], r"quantiles have shape \(1, 3\) and there are 1 levels; give one per level"),
    ],
)
def test_levels_that_make_no_intervals_are_refused(levels: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_quantiles([[1.0, 2.0, 3.0]], [1.0], levels)


def test_outcomes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outcomes have shape \(3,\) and distributions \(2, 1\); give one outcome of"):
        score_quantiles([[1.0], [2.0]], [1.0, 2.0, 3.0], [0.5])
