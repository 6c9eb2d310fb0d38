"""What the rows of a forecast must be together, whoever sends them: all its numbers, in order, summing to 1.

A forecast of which one row is wrong says something else than was meant, so such a rule refuses all of its rows.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

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


def wrong_forecasts(
    output_type: str,
    needed: Collection[str],
    forecast: npt.NDArray[np.integer[Any]],
    ids: npt.NDArray[np.object_],
    value: npt.NDArray[np.float64],
) -> Iterator[tuple[Fault, Wrong]]:
    """The forecasts that break each rule, with the reason.

    Parameters
    ----------
    output_type : str
        quantile, pmf, cdf or another, of which nothing is asked.
    needed : collection of str
        Ids that a forecast must have.
    forecast : array of int, shape (rows,)
        Which forecast each row is of.
    ids, value : arrays, shape (rows,)
        The id of each row, and its number.

    Yields
    ------
    (Fault, mapping of int to str)
        One for each rule that there is for the output type.
    """
    frame = pd.DataFrame({"forecast": forecast, "id": ids, "value": value})
    if needed:
        yield Fault.MISSING_LEVELS, _lacking(frame, needed)
    if output_type in ("quantile", "cdf"):
        yield Fault.CROSSING, _falling(frame, "quantiles cross" if output_type == "quantile" else "probabilities fall")
    if output_type == "pmf":
        total = frame.groupby("forecast")["value"].sum()
        off = total[(total - 1).abs() > PMF_TOLERANCE]
        sums = zip(off.index, off, strict=True)
        yield Fault.PROBABILITIES, {int(one): f"probabilities add up to {found:.9g}, not 1" for one, found in sums}


def some(values: Collection[str]) -> str:
    """A few of many values."""
    shown = sorted(values)
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more


def _lacking(frame: pd.DataFrame, needed: Collection[str]) -> Wrong:
    have = frame[frame["id"].isin(list(needed))].groupby("forecast")["id"].nunique()
    lacking = have.reindex(np.unique(frame["forecast"]), fill_value=0)
    short = lacking[lacking < len(set(needed))].index
    of_short = frame[frame["forecast"].isin(short)].groupby("forecast")["id"].agg(set)
    return {int(one): f"lacks {some(set(needed) - found)}" for one, found in zip(of_short.index, of_short, strict=True)}


def _falling(frame: pd.DataFrame, what: str) -> Wrong:
    ordered = frame.assign(level=frame["id"].astype(float)).sort_values(["forecast", "level"])
    falls = (ordered["value"].diff() < 0) & (ordered["forecast"].diff() == 0)
    first = ordered[falls].drop_duplicates("forecast")
    return {
        int(one): f"{what}: the value at {level} is below the one before it"
        for one, level in zip(first["forecast"], first["id"], strict=True)
    }
