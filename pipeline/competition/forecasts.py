"""Predictive distributions of a panel: one dense row of numbers each."""

from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Literal

from pipeline.competition.arrays import Floats

OutputType = Literal["quantile", "pmf", "sample", "cdf"]
"""What the numbers of a distribution are, in the words of forecast hubs."""


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

    def part(self, places: slice | tuple[slice | EllipsisType, ...]) -> "Forecasts":
        """Some of the distributions, by places on the leading axes."""
        return replace(self, values=self.values[places])
