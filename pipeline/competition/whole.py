"""What the rows of a forecast must be together, whoever sends them: all its numbers, in order, summing to 1.

A forecast of which one row is wrong says something else than was meant, so such a rule refuses all of its rows.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Floats, Ints

PMF_TOLERANCE = 1e-6
"""How far from 1 the probabilities of a forecast may add up, for the rounding that files carry."""

_NAMED = 5

Wrong = Mapping[int, str]
"""Forecasts by number, and what is wrong with each."""


class Fault(StrEnum):
    """What a whole forecast breaks."""

    MISSING_LEVELS = "missing_levels"
    CROSSING = "crossing_quantiles"
    PROBABILITIES = "probabilities"


@dataclass(frozen=True)
class WholeForecasts:
    """Whole forecasts of one output type, no id twice; the arrays are of their rows.

    Parameters
    ----------
    n : int
        How many there are.
    forecast : array of int, shape (rows,)
        Which one each row is of, from 0.
    codes : array of int, shape (rows,)
        The place of each row's id among those distinct.
    distinct : object array of str
        Ids.
    value : array of float, shape (rows,)
    """

    n: int
    forecast: Ints
    codes: Ints
    distinct: npt.NDArray[np.object_]
    value: Floats

    @classmethod
    def of(cls, forecast: Ints, ids: npt.NDArray[np.object_], value: Floats) -> "WholeForecasts":
        """From any numbers of forecasts that leave out none, and the ids as texts."""
        codes, distinct = pd.factorize(ids)
        return cls(int(forecast.max(initial=-1)) + 1, forecast, codes, np.asarray(distinct, dtype=object), value)

    def wrong(self, output_type: str, needed: Collection[str]) -> Iterator[tuple[Fault, Wrong]]:
        """The forecasts that break each rule that there is for the output type, with the reason.

        Parameters
        ----------
        output_type : str
            quantile, pmf, cdf or another, whose ids alone are looked at.
        needed : collection of str
            Ids that a forecast must have.
        """
        if needed:
            yield Fault.MISSING_LEVELS, self._lacking(frozenset(needed))
        if output_type in ("quantile", "cdf"):
            yield (
                Fault.CROSSING,
                self._falling("quantiles cross" if output_type == "quantile" else "probabilities fall"),
            )
        if output_type == "pmf":
            total = np.bincount(self.forecast, self.value, self.n)
            off = np.flatnonzero(np.abs(total - 1) > PMF_TOLERANCE)
            yield Fault.PROBABILITIES, {int(one): f"probabilities add up to {total[one]:.9g}, not 1" for one in off}

    def _lacking(self, needed: frozenset[str]) -> Wrong:
        is_needed = np.array([one in needed for one in self.distinct], dtype=bool)[self.codes]
        count = np.bincount(self.forecast[is_needed], minlength=self.n)
        short = np.flatnonzero(count < len(needed))
        of_short = np.flatnonzero(is_needed & np.isin(self.forecast, short))
        have: dict[int, set[str]] = {int(one): set() for one in short}
        for one, text in zip(self.forecast[of_short].tolist(), self._texts(of_short), strict=True):
            have[one].add(text)
        return {one: f"lacks {some(needed - found)}" for one, found in have.items()}

    def _falling(self, what: str) -> Wrong:
        level = np.array([_number(text) for text in self.distinct])[self.codes]
        order = np.lexsort((level, self.forecast))
        forecast, value = self.forecast[order], self.value[order]
        falls = np.flatnonzero((np.diff(value) < 0) & (np.diff(forecast) == 0)) + 1
        first, at = np.unique(forecast[falls], return_index=True)
        return {
            int(one): f"{what}: the value at {text} is below the one before it"
            for one, text in zip(first, self._texts(order[falls[at]]), strict=True)
        }

    def _texts(self, rows: Ints) -> list[str]:
        return [str(text) for text in self.distinct[self.codes[rows]]]


def some(values: Collection[str]) -> str:
    """A few of many values."""
    shown = sorted(values)
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more


def _number(text: str) -> float:
    """A level as a number; NaN of what is none, which is refused before."""
    try:
        return float(text)
    except ValueError:
        return np.nan
