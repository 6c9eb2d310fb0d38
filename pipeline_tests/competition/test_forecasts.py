"""The point of a distribution, beside numpy's own medians and interpolation."""

import numpy as np
import pytest

from pipeline.competition.forecasts import Forecasts, OutputType

NAN = np.nan


def point(output_type: OutputType, ids: list[float], values: list[float]) -> float:
    return float(Forecasts(output_type, np.array(ids), np.array([values])).points()[0])


@pytest.mark.parametrize(
    ("output_type", "ids", "values", "expected"),
    [
        ("quantile", [0.1, 0.5, 0.9], [1.0, 2.0, 5.0], 2.0),
        ("quantile", [0.9, 0.5, 0.1], [5.0, 2.0, 1.0], 2.0),
        ("quantile", [0.25, 0.75], [1.0, 5.0], 3.0),
        ("quantile", [0.1, 0.5, 0.9], [1.0, NAN, 5.0], 3.0),
        ("quantile", [0.1, 0.5, 0.9], [NAN, NAN, 5.0], 5.0),
        ("quantile", [0.1, 0.5, 0.9], [1.0, NAN, NAN], 1.0),
        ("quantile", [0.1, 0.5, 0.9], [NAN, NAN, NAN], NAN),
        ("sample", [1, 2, 3, 4], [4.0, NAN, 1.0, 2.0], 2.0),
        ("sample", [1, 2], [4.0, 1.0], 2.5),
        ("sample", [1, 2], [NAN, NAN], NAN),
        ("pmf", [1, 2, 3], [0.2, 0.5, 0.3], 2.1),
        ("pmf", [1, 2, 3], [0.2, NAN, 0.2], 2.0),
        ("pmf", [1, 2, 3], [0.0, NAN, 0.0], 2.0),
        ("pmf", [1, 2, 3], [NAN, NAN, NAN], NAN),
        ("cdf", [0, 10, 20], [0.1, 0.5, 0.9], 10.0),
        ("cdf", [0, 10, 20], [0.1, 0.4, 0.9], 12.0),
        ("cdf", [20, 0, 10], [0.9, 0.1, 0.4], 12.0),
        ("cdf", [0, 10, 20], [0.1, NAN, 0.9], 10.0),
        ("cdf", [0, 10, 20], [0.6, 0.8, 0.9], 0.0),
        ("cdf", [0, 10, 20], [0.1, 0.2, 0.3], 20.0),
        ("cdf", [0, 10, 20], [0.1, 0.2, NAN], 10.0),
        ("cdf", [0, 10, 20], [NAN, NAN, NAN], NAN),
    ],
)
def test_the_point_of_a_distribution(
    output_type: OutputType, ids: list[float], values: list[float], expected: float
) -> None:
    np.testing.assert_allclose(point(output_type, ids, values), expected)


def test_points_are_those_of_numpy() -> None:
    random = np.random.default_rng(0)
    levels = np.array([0.05, 0.2, 0.4, 0.7, 0.95])
    values = np.sort(random.normal(size=(3, 4, 6, levels.size)), axis=-1)
    found = Forecasts("quantile", levels, values).points()
    np.testing.assert_allclose(found, np.apply_along_axis(lambda row: np.interp(0.5, levels, row), 3, values))

    samples = np.where(random.random((3, 4, 9)) < 0.2, NAN, random.normal(size=(3, 4, 9)))
    found = Forecasts("sample", np.arange(9.0), samples).points()
    np.testing.assert_allclose(found, np.nanmedian(samples, axis=2))

    functions = np.sort(random.random((3, 40, levels.size)), axis=-1)
    found = Forecasts("cdf", np.arange(5.0), functions).points()
    np.testing.assert_allclose(
        found, np.apply_along_axis(lambda row: np.interp(0.5, row, np.arange(5.0)), 2, functions)
    )


def test_ids_and_values_must_fit() -> None:
    with pytest.raises(ValueError, match="pmf forecasts have shape"):
        Forecasts("pmf", np.arange(3.0), np.zeros((2, 4)))
