"""Predictive distributions of a panel: one dense row of numbers each."""

from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Literal

import numpy as np

from pipeline.competition.arrays import Bools, Floats, Ints

OutputType = Literal["quantile", "pmf", "sample", "cdf"]
"""What the numbers of a distribution are, in the words of forecast hubs."""

_HALF = 0.5
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Forecasts:
    """Distributions of one output type.

    Parameters
    ----------
    output_type : str
        ``quantile``, ``pmf``, ``sample`` or ``cdf``.
    ids : array of float, shape (ids,)
        What the last axis is: quantile levels, places of the categories in their order, numbers of the samples,
        thresholds.
    values : array, shape (..., ids)
        Quantiles and samples in the outcome's unit, probabilities otherwise; NaN is absent.
    """

    output_type: OutputType
    ids: Floats
    values: Floats

    def __post_init__(self) -> None:
        if self.ids.ndim != 1 or self.values.shape[-1:] != self.ids.shape:
            raise ValueError(
                f"{self.output_type} forecasts have shape {self.values.shape} and ids {self.ids.shape}; "
                f"give (..., ids) and one id for each place of the last axis"
            )

    def part(self, places: slice | Ints | tuple[slice | EllipsisType, ...]) -> "Forecasts":
        """Some of the distributions, by places on the leading axes."""
        return replace(self, values=self.values[places])

    def points(self) -> Floats:
        """The one number that each distribution comes to: its median, of a pmf the expected place of the category.

        Where 0.5 is no level, and where quantiles or thresholds are absent, the median lies on the line between the
        nearest ones, and at the last one where they are all on one side. The expected place is over the categories
        that are there, as are the samples whose median is taken.

        Returns
        -------
        array, shape (...)
            In the outcome's unit, or in places; NaN where there is no number at all.
        """
        flat = self.values.reshape(-1, self.ids.size)
        order = np.argsort(self.ids, kind="stable")
        if self.output_type == "sample":
            points = _middle(flat)
        elif self.output_type == "pmf":
            points = _expected(self.ids, flat)
        elif self.output_type == "cdf":
            points = _median_of_cdf(self.ids[order], flat[:, order])
        else:
            points = _median_of_quantiles(self.ids[order], flat[:, order])
        return points.reshape(self.values.shape[:-1])


def _middle(values: Floats) -> Floats:
    """Median of what is there in each row."""
    ordered = np.sort(values, axis=1)  # what is absent comes last
    n = np.count_nonzero(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    return np.asarray((ordered[rows, np.maximum(n - 1, 0) // 2] + ordered[rows, n // 2]) / 2)


def _expected(places: Floats, values: Floats) -> Floats:
    """Expected place of each row's probabilities; that of equal ones where they sum to nothing."""
    is_there = ~np.isnan(values)
    weights = np.where(is_there, values, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(total > 0, weights, is_there)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ places) / weights.sum(axis=1))


def _median_of_quantiles(levels: Floats, values: Floats) -> Floats:
    """The quantile of level 0.5 of each row, levels rising."""
    exact = np.flatnonzero(np.abs(levels - _HALF) < _ROUNDING)
    points = values[:, exact[0]].copy() if exact.size else np.full(len(values), np.nan)
    left = np.flatnonzero(np.isnan(points) & ~np.isnan(values).all(axis=1))
    if left.size:
        rows = values[left]
        is_there = ~np.isnan(rows)
        below, above = is_there & (levels <= _HALF), is_there & (levels >= _HALF)
        points[left] = _between(np.broadcast_to(levels, rows.shape), rows, _last(below, above), _first(above, below))
    return points


def _median_of_cdf(thresholds: Floats, values: Floats) -> Floats:
    """Where each row reaches 0.5, thresholds rising."""
    reached = values >= _HALF
    is_there = ~np.isnan(values)
    before = is_there & ~np.logical_or.accumulate(reached, axis=1)
    axis = np.broadcast_to(thresholds, values.shape)
    points = _between(np.where(is_there, values, 0.0), axis, _last(before, reached), _first(reached, before))
    return np.where(is_there.any(axis=1), points, np.nan)


def _last(chosen: Bools, otherwise: Bools) -> Ints:
    """The last place chosen in each row; where none is, the first of the others."""
    last = chosen.shape[1] - 1 - np.argmax(chosen[:, ::-1], axis=1)
    return np.asarray(np.where(chosen.any(axis=1), last, np.argmax(otherwise, axis=1)))


def _first(chosen: Bools, otherwise: Bools) -> Ints:
    """The first place chosen in each row; where none is, the last of the others."""
    last = chosen.shape[1] - 1 - np.argmax(otherwise[:, ::-1], axis=1)
    return np.asarray(np.where(chosen.any(axis=1), np.argmax(chosen, axis=1), last))


def _between(x: Floats, y: Floats, low: Ints, high: Ints) -> Floats:
    """The value of y on the line between two places of each row where x is 0.5, no further than these."""
    rows = np.arange(len(x))
    x_low, x_high, y_low, y_high = x[rows, low], x[rows, high], y[rows, low], y[rows, high]
    apart = np.where(x_high > x_low, x_high - x_low, 1.0)
    share = np.where(x_high > x_low, np.clip((_HALF - x_low) / apart, 0.0, 1.0), 0.0)
    return np.asarray(y_low + share * (y_high - y_low))
