"""Empirical quantiles, against numpy's."""

import numpy as np
import pytest

from pipeline.baselines.quantiles import pooled_quantiles, rolling_quantiles, sorted_quantiles

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(7).standard_t(3, size=(400, 3))


@pytest.mark.parametrize("length", [1, 2, 60, 250])
def test_rolling_quantiles_are_numpys_of_the_last_rows(values: np.ndarray, length: int) -> None:
    positions = np.array([399, length - 1, 300])
    found = rolling_quantiles(values, positions, length, LEVELS)
    for at, position in enumerate(positions):
        window = values[position - length + 1 : position + 1]
        np.testing.assert_allclose(found[at], np.quantile(window, LEVELS, axis=0).T, rtol=1e-12, atol=1e-15)


def test_a_window_that_is_not_full_or_lacks_a_value_has_no_quantiles(values: np.ndarray) -> None:
    holed = values.copy()
    holed[200, 1] = np.nan
    found = rolling_quantiles(holed, np.array([8, 9, 199, 200, 209, 210]), 10, LEVELS)
    undefined = np.isnan(found).all(axis=2)
    assert undefined.any(axis=1).tolist() == [True, False, False, True, True, False]
    assert undefined[0].all()
    assert undefined[3:5].tolist() == [[False, True, False]] * 2
    assert not np.isnan(found[~undefined]).any()


def test_pooled_quantiles_are_numpys_of_all_columns_so_far(values: np.ndarray) -> None:
    holed = values.copy()
    holed[:50, 0] = np.nan
    positions = np.array([399, 0, 120])
    found = pooled_quantiles(holed, positions, LEVELS)
    for at, position in enumerate(positions):
        np.testing.assert_allclose(found[at], np.nanquantile(holed[: position + 1], LEVELS), rtol=1e-12, atol=1e-15)


def test_pooled_quantiles_of_nothing_are_absent() -> None:
    found = pooled_quantiles(np.array([[np.nan], [1.0]]), np.array([0, 1]), LEVELS)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [1.0] * 7
    assert pooled_quantiles(np.ones((2, 1)), np.array([], dtype=np.intp), LEVELS).shape == (0, 7)


def test_a_quantile_between_two_values_is_interpolated() -> None:
    assert sorted_quantiles(np.array([0.0, 1.0, 10.0]), np.array([0.25, 0.5, 0.75])).tolist() == [0.5, 1.0, 5.5]
