"""Metrics of a model's series over a window."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.competition.metrics import SeriesMetric, additive_drawdown, max_drawdown, sharpe, sortino
from pipeline.leaderboard import interval
from pipeline_tests.competition.contests import NAN, reasons


def test_sharpe_is_mean_over_standard_deviation_with_a_reason_where_undefined() -> None:
    series = np.array(
        [
            [0.1, NAN, 0.2, 0.3, NAN],
            [0.3, NAN, NAN, 0.3, 0.1],
            [-0.1, NAN, NAN, 0.3, 0.2],
        ]
    )
    found = sharpe(series)
    expected = [np.mean(series[:, 0]) / np.std(series[:, 0], ddof=1), NAN, NAN, NAN, 0.15 / np.std([0.1, 0.2], ddof=1)]
    np.testing.assert_allclose(found.influence.value, expected, rtol=1e-12)
    assert found.influence.n.tolist() == [3, 0, 1, 3, 2]
    assert reasons(found.reason) == [None, "no_predictions", "too_few_cycles", "zero_variance", None]


def series_of(*models: list[float]) -> np.ndarray:
    return np.array(models).T


def test_max_drawdown_compounds_from_one() -> None:
    found = max_drawdown(
        series_of(
            [0.1, -0.5, 0.2, 0.5],  # 1.1, 0.55, 0.66, 0.99: half of the highest is lost
            [-0.1, -0.1, 0.5, 0.0],  # 0.81 of the beginning
            [0.1, 0.0, 0.2, 0.3],
            [0.1, NAN, -0.5, NAN],  # absent cycles change nothing
            [0.2, -3.0, 0.5, 9.0],  # nothing is left to lose
            [NAN] * 4,
        )
    )
    np.testing.assert_allclose(found.influence.value, [-0.5, -0.19, 0.0, -0.5, -1.0, NAN], atol=1e-15)
    assert reasons(found.reason) == [None] * 5 + ["no_predictions"]
    assert found.influence.n.tolist() == [4, 4, 4, 2, 4, 0]


def test_the_drawdown_of_correlations_adds_up_from_zero() -> None:
    found = additive_drawdown(
        series_of(
            [0.1, -0.5, 0.2, -0.3],  # 0.1, -0.4, -0.2, -0.5
            [-0.1, -0.1, 0.5, 0.0],
            [0.1, 0.0, 0.2, 0.3],
            [0.3, NAN, -0.5, NAN],
            [NAN] * 4,
        )
    )
    np.testing.assert_allclose(found.influence.value, [-0.6, -0.2, 0.0, -0.5, NAN], atol=1e-15)
    assert reasons(found.reason) == [None] * 4 + ["no_predictions"]


def test_sortino_divides_by_what_is_lost_over_all_cycles() -> None:
    found = sortino(
        series_of(
            [0.1, -0.2, 0.4, 0.1],  # mean 0.1, downside sqrt(0.04 / 4)
            [-0.1, NAN, -0.3, NAN],
            [0.1, 0.2, 0.0, 0.1],
            [-0.1, NAN, NAN, NAN],
            [NAN] * 4,
        )
    )
    np.testing.assert_allclose(found.influence.value, [1.0, -0.2 / np.sqrt(0.05), NAN, NAN, NAN], rtol=1e-12)
    assert reasons(found.reason) == [None, None, "no_downside", "too_few_cycles", "no_predictions"]


@pytest.mark.parametrize("metric", [max_drawdown, additive_drawdown, sortino])
def test_what_is_not_smooth_has_no_interval_and_says_so(metric: Callable[[np.ndarray], SeriesMetric]) -> None:
    series = np.random.default_rng(0).normal(size=(30, 3))
    series[:, 2] = NAN
    found = interval(metric(series).influence)
    assert found.method.tolist() == ["not_smooth", "not_smooth", "undefined"]
    assert np.isnan([found.se, found.low, found.high]).all()


@pytest.mark.parametrize("metric", [max_drawdown, additive_drawdown, sortino])
def test_numbers_beyond_all_measure_are_undefined_not_an_error_of_the_run(
    metric: Callable[[np.ndarray], SeriesMetric],
) -> None:
    found = metric(np.array([[1e300], [1e300], [-1e300]]))
    assert np.isfinite(found.influence.value).all() or reasons(found.reason) == ["error"]
    assert metric(np.empty((0, 2))).influence.value.shape == (2,)
